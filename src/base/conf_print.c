/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables' other readers: the configuration in effect as YAML, and the reference as Markdown.
 *
 * YAML: what is printed reads back to the same print. A row without a default is left out while it is empty; an object
 * with GIVEN is left out while the file had none. Secrets, and what came from the environment or a file where the row
 * remembers that, print as "(hidden)". */
#include "base/conf_int.h"

#include "base/arena.h"
#include "base/yaml.h"

#include <string.h>

static void put_object(Buf *b, const ConfTable *table, const void *object, unsigned indent,
                       bool in_item);

static void put_indent(Buf *b, unsigned indent)
{
	buf_fmt(b, "%*s", (int)indent, "");
}

/* Dollar signs are doubled where the reader would look for a name behind them. */
static void put_text(Buf *b, const ConfKey *key, Str text)
{
	AUTO(buf_fini) Buf twice = { 0 };

	for (size_t i = 0; key->expand && i < text.len; i++) {
		buf_putc(&twice, text.at[i]);
		if (text.at[i] == '$')
			buf_putc(&twice, '$');
	}
	yaml_put_scalar(b, key->expand ? buf_str(&twice) : text);
}

static void put_value(Buf *b, const ConfKey *key, const void *from)
{
	Str text;

	if (key->secret) {
		buf_put(b, S("(hidden)"));
	} else if (key->type == CONF_STR || key->type == CONF_PATH || key->type == CONF_NAME) {
		memcpy(&text, from, sizeof text);
		put_text(b, key, text);
	} else {
		conf_value_put(b, key, from);
	}
}

static bool is_given(const ConfKey *key, const void *object)
{
	return !key->given || *((const bool *)object + key->given - 1);
}

static bool is_shown(const ConfKey *key, const void *object)
{
	if (key->type == CONF_NAME || !is_given(key, object))
		return false;
	if (key->given || key->def || key->required)
		return true;
	if (key->shape != CONF_ONE)
		return conf_array(key, object).count != 0;
	return key->type == CONF_OBJECT || !conf_value_is_zero(key, conf_field_const(key, object));
}

/* An object below its key; "{}" when it shows nothing, or not even its key unless it must be there. */
static void put_below(Buf *b, const ConfKey *key, const void *object, unsigned indent)
{
	AUTO(buf_fini) Buf inner = { 0 };

	put_object(&inner, key->table, conf_field_const(key, object), indent + 2, false);
	if (!inner.len && !key->given && !key->required)
		return;
	put_indent(b, indent);
	buf_fmt(b, inner.len ? "%s:\n" : "%s: {}\n", key->name);
	buf_put(b, buf_str(&inner));
}

static void put_list(Buf *b, const ConfKey *key, ConfArray array, unsigned indent)
{
	if (key->type != CONF_OBJECT) {
		buf_put(b, S(" ["));
		for (size_t i = 0; i < array.count; i++) {
			buf_put(b, i ? S(", ") : S(""));
			put_value(b, key, array.at + i * key->size);
		}
		buf_put(b, S("]\n"));
		return;
	}
	buf_put(b, array.count ? S("\n") : S(" []\n"));
	for (size_t i = 0; i < array.count; i++) {
		size_t before;

		put_indent(b, indent + 2);
		buf_put(b, S("- "));
		before = b->len;
		put_object(b, key->table, array.at + i * key->size, indent + 4, true);
		buf_put(b, b->len == before ? S("{}\n") : S(""));
	}
}

static Str name_of(const ConfTable *table, const char *item)
{
	Str name = { 0 };

	for (size_t i = 0; i < table->count; i++)
		if (table->keys[i].type == CONF_NAME)
			memcpy(&name, conf_field_const(&table->keys[i], item), sizeof name);
	return name;
}

static void put_map(Buf *b, const ConfKey *key, ConfArray array, unsigned indent)
{
	buf_put(b, array.count ? S("\n") : S(" {}\n"));
	for (size_t i = 0; i < array.count; i++) {
		const char *item = array.at + i * key->size;
		AUTO(buf_fini) Buf inner = { 0 };

		put_indent(b, indent + 2);
		yaml_put_scalar(b, name_of(key->table, item));
		put_object(&inner, key->table, item, indent + 4, false);
		buf_put(b, inner.len ? S(":\n") : S(": {}\n"));
		buf_put(b, buf_str(&inner));
	}
}

static bool is_outside(const ConfKey *key, const void *object)
{
	return key->outside && *((const bool *)object + key->outside - 1);
}

static void put_key(Buf *b, const ConfKey *key, const void *object, unsigned indent)
{
	ConfArray array;

	if (key->type == CONF_OBJECT && key->shape == CONF_ONE) {
		put_below(b, key, object, indent);
		return;
	}
	put_indent(b, indent);
	buf_fmt(b, "%s:", key->name);
	if (key->shape == CONF_ONE) {
		buf_putc(b, ' ');
		if (is_outside(key, object))
			buf_put(b, S("(hidden)"));
		else
			put_value(b, key, conf_field_const(key, object));
		buf_putc(b, '\n');
		return;
	}
	array = conf_array(key, object);
	if (key->shape == CONF_LIST)
		put_list(b, key, array, indent);
	else
		put_map(b, key, array, indent);
}

/* in_item: the first line continues "- ". */
static void put_object(Buf *b, const ConfTable *table, const void *object, unsigned indent,
                       bool in_item)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t before = b->len;

		if (!is_shown(&table->keys[i], object))
			continue;
		put_key(b, &table->keys[i], object, indent);
		if (in_item && b->len > before && !b->broken) {
			memmove(b->at + before, b->at + before + indent, b->len - before - indent);
			b->len -= indent;
			in_item = false;
		}
	}
}

void conf_put_yaml(Buf *b, const ConfTable *table, const void *object)
{
	put_object(b, table, object, 0, false);
}

Str conf_type_text(Arena *a, const ConfKey *key)
{
	Str text = str_of(key->value ? key->value : conf_type_name(key->type));

	if (key->type == CONF_OBJECT)
		text = str_of(key->table->name);
	for (const ConfWord *word = key->value ? NULL : key->names; word && word->name; word++)
		text = word == key->names ? str_fmt(a, "one of %s", word->name)
		                          : str_fmt(a, "%.*s, %s", STR_ARG(text), word->name);
	if (key->shape == CONF_LIST)
		return str_fmt(a, "list of %.*s", STR_ARG(text));
	return key->shape == CONF_MAP ? str_fmt(a, "%.*s by name", STR_ARG(text)) : text;
}

Str conf_sentence(Arena *a, Str help)
{
	size_t word = 0;

	while (word < help.len && help.at[word] >= 'a' && help.at[word] <= 'z')
		word++;
	if (!word || (word < help.len && str_find_char(S(" ,;"), help.at[word]) < 0))
		return help;
	return str_fmt(a, "%c%.*s", help.at[0] - 'a' + 'A', STR_ARG(str_sub(help, 1, help.len)));
}

/* Prose in a cell of a table. */
static void put_cell(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '|' || text.at[i] == '<' || text.at[i] == '*')
			buf_putc(b, '\\');
		buf_putc(b, text.at[i] == '\n' ? ' ' : text.at[i]);
	}
}

static void put_anchor(Buf *b, const ConfTable *table)
{
	for (const char *at = table->name; *at; at++)
		buf_putc(b, *at == ' ' ? '-' : *at);
}

static void put_type_cell(Buf *b, Arena *a, const ConfKey *key)
{
	if (key->type != CONF_OBJECT) {
		put_cell(b, conf_type_text(a, key));
		return;
	}
	buf_fmt(b, "%s[%s](#", key->shape == CONF_LIST ? "list of " : "", key->table->name);
	put_anchor(b, key->table);
	buf_put(b, key->shape == CONF_MAP ? S(") by name") : S(")"));
}

static void put_limits(Buf *b, const ConfKey *key)
{
	const char *unit = key->type == CONF_STR || key->type == CONF_NAME ? " bytes" : "";

	if (key->min && key->max)
		buf_fmt(b, " (%s to %s%s)", key->min, key->max, unit);
	else if (key->min || key->max)
		buf_fmt(b, " (at %s %s%s)", key->min ? "least" : "most",
		        key->min ? key->min : key->max, unit);
}

static void put_row(Buf *b, Arena *a, const ConfKey *key)
{
	buf_fmt(b, key->type == CONF_NAME ? "| *%s* | " : "| `%s` | ", key->name);
	put_type_cell(b, a, key);
	put_limits(b, key);
	buf_put(b, S(" | "));
	if (key->required)
		buf_put(b, S("required"));
	else if (key->def)
		buf_fmt(b, key->shape == CONF_LIST ? "`[%s]`" : "`%s`", key->def);
	buf_put(b, S(" | "));
	put_cell(b, conf_sentence(a, str_of(key->help)));
	buf_put(b, key->more ? S(". ") : S("."));
	put_cell(b, str_of(key->more));
	if (key->secret || key->expand)
		buf_put(b,
		        S(" `${NAME}` and `file:PATH` are taken from the environment or a file."));
	for (const ConfWord *word = key->names; word && word->name; word++) {
		buf_fmt(b, "%s`%s`: ", word == key->names ? " " : "; ", word->name);
		put_cell(b, str_of(word->help));
	}
	buf_put(b, S(" |\n"));
}

typedef struct Seen {
	const ConfTable *tables[256];
	size_t count;
} Seen;

static void collect(Seen *seen, const ConfTable *table)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->tables[i] == table)
			return;
	if (seen->count == COUNT(seen->tables))
		return;
	seen->tables[seen->count++] = table;
	for (size_t i = 0; i < table->count; i++)
		if (table->keys[i].type == CONF_OBJECT)
			collect(seen, table->keys[i].table);
}

static void put_section(Buf *b, Arena *a, const ConfTable *table)
{
	buf_fmt(b, "\n## %s\n\n", table->name);
	if (table->help)
		buf_fmt(b, "%.*s.\n\n", STR_ARG(conf_sentence(a, str_of(table->help))));
	if (table->shorthand)
		buf_fmt(b, "A plain value in its place is its `%s`.\n\n", table->shorthand);
	buf_put(b, S("| Key | Value | Default | Meaning |\n|---|---|---|---|\n"));
	for (size_t i = 0; i < table->count; i++)
		put_row(b, a, &table->keys[i]);
}

void conf_put_markdown(Buf *b, const ConfTable *table)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Seen seen = { 0 };

	collect(&seen, table);
	for (size_t i = 0; i < seen.count; i++)
		put_section(b, a, seen.tables[i]);
}
