/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a configuration: the tree of yaml.c is walked beside the tables, and each value lands in its field.
 *
 * Nothing stops the walk: a value that is wrong is a mistake at its place and the field keeps its default, so one run
 * shows everything there is to mend. For what only a feature can judge ("no upstream is called that") the walk notes
 * which bytes of memory came from which place of the text; a check then names a field by its address, and the smallest
 * noted range around it says where it stood. Arrays are laid out once, so addresses stay.
 *
 * Single values: conf_value.c. Printing and the reference: conf_print.c. The rows' own soundness: conf_table.c. */
#include "base/conf_arena.h"
#include "base/conf_int.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MISTAKES_MAX = 100, SECRET_BYTES = 65536 };

typedef struct Range {
	const char *at;
	size_t size;
	uint32_t line;
	uint32_t column;
} Range;

typedef struct Noted {
	ConfMistake mistake;
	size_t order; /* of finding, so that sorting keeps it */
	bool by_reader;
} Noted;

struct Conf {
	Arena *arena;
	Str name;
	Str folder; /* relative paths start here; empty: where the process stands */
	Range *ranges;
	size_t range_count;
	ConfMistake *mistakes;
	Noted *noted;
	size_t count; /* kept */
	size_t total;
};

static void read_object(Conf *conf, const YamlNode *node, const YamlNode *place,
                        const YamlNode *name, const ConfPart *parts, size_t count);

Arena *conf_arena(const Conf *conf)
{
	return conf->arena;
}

Conf *conf_new(Arena *a)
{
	Conf *conf = ARENA_NEW(a, Conf);

	conf->arena = a;
	conf->name = S("configuration");
	conf->noted = ARENA_ARRAY(a, Noted, MISTAKES_MAX);
	conf->mistakes = ARENA_ARRAY(a, ConfMistake, MISTAKES_MAX);
	return conf;
}

static int by_place(const void *x, const void *y)
{
	const Noted *m = x;
	const Noted *n = y;

	if (m->mistake.line != n->mistake.line)
		return m->mistake.line < n->mistake.line ? -1 : 1;
	if (m->mistake.column != n->mistake.column)
		return m->mistake.column < n->mistake.column ? -1 : 1;
	return m->order < n->order ? -1 : m->order > n->order;
}

static void note(Conf *conf, uint32_t line, uint32_t column, Str text, bool by_reader)
{
	conf->total++;
	if (conf->count == MISTAKES_MAX)
		return;
	conf->noted[conf->count] = (Noted){ { line, column, text }, conf->total, by_reader };
	conf->count++;
	qsort(conf->noted, conf->count, sizeof *conf->noted, by_place);
	for (size_t i = 0; i < conf->count; i++)
		conf->mistakes[i] = conf->noted[i].mistake;
}

static void mistake(Conf *conf, const YamlNode *node, Str text)
{
	note(conf, node->line, node->column, text, true);
}

/* Where the bytes came from. */
static void remember(Conf *conf, const void *at, size_t size, const YamlNode *place)
{
	if ((conf->range_count & (conf->range_count - 1)) == 0) {
		Range *more =
			ARENA_ARRAY(conf->arena, Range, MAX(conf->range_count * 2, (size_t)1));

		if (conf->range_count)
			memcpy(more, conf->ranges, conf->range_count * sizeof *more);
		conf->ranges = more;
	}
	conf->ranges[conf->range_count++] = (Range){ at, size, place->line, place->column };
}

static Range find_range(const Conf *conf, const void *at)
{
	Range best = { .size = SIZE_MAX };

	for (size_t i = 0; at && i < conf->range_count; i++) {
		const Range *range = &conf->ranges[i];
		uintptr_t from = (uintptr_t)at - (uintptr_t)range->at;

		if (from < range->size && range->size <= best.size)
			best = *range;
	}
	return best;
}

void conf_mistake(Conf *conf, const void *at, const char *fmt, ...)
{
	Range range = find_range(conf, at);
	char text[512];
	va_list args;

	for (size_t i = 0; i < conf->count; i++)
		if (conf->noted[i].by_reader && range.line &&
		    conf->mistakes[i].line == range.line &&
		    conf->mistakes[i].column == range.column)
			return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	note(conf, range.line, range.column, str_dup(conf->arena, str_of(text)), false);
}

Str conf_where(const Conf *conf, const void *at)
{
	Range range = find_range(conf, at);

	if (!range.line)
		return conf->name;
	return str_fmt(conf->arena, "%.*s:%u:%u", STR_ARG(conf->name), range.line, range.column);
}

const ConfMistake *conf_mistakes(const Conf *conf, size_t *count)
{
	*count = conf->count;
	return conf->mistakes;
}

static void put_mistake(const Conf *conf, Buf *b, const ConfMistake *m)
{
	buf_put(b, conf->name);
	if (m->line)
		buf_fmt(b, ":%u:%u", m->line, m->column);
	buf_put(b, S(": "));
	buf_put(b, m->text);
}

void conf_put_mistakes(const Conf *conf, Buf *b)
{
	for (size_t i = 0; i < conf->count; i++) {
		put_mistake(conf, b, &conf->mistakes[i]);
		buf_putc(b, '\n');
	}
	if (conf->total > conf->count)
		buf_fmt(b, "%.*s: and %zu more\n", STR_ARG(conf->name), conf->total - conf->count);
}

void conf_json_mistakes(const Conf *conf, JsonWriter *w)
{
	json_begin_array(w);
	for (size_t i = 0; i < conf->count; i++) {
		json_begin_object(w);
		json_put_u64(w, "line", conf->mistakes[i].line);
		json_put_u64(w, "column", conf->mistakes[i].column);
		json_put_str(w, "text", conf->mistakes[i].text);
		json_end(w);
	}
	json_end(w);
}

Err *conf_result(const Conf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };
	Err *first;

	if (!conf->total)
		return NULL;
	put_mistake(conf, &b, &conf->mistakes[0]);
	first = err_new(conf->arena, ERR_INVALID, "conf.mistake", "%.*s", STR_ARG(buf_str(&b)));
	return err_because(conf->arena, first, ERR_INVALID, "conf.invalid",
	                   "%.*s has %zu mistake%s", STR_ARG(conf->name), conf->total,
	                   conf->total == 1 ? "" : "s");
}

/* Takes "${NAME}" or "$$" off the front of what follows a dollar sign. */
static Err *expand_one(Arena *a, Str *rest, Buf *b)
{
	ptrdiff_t end = str_find_char(*rest, '}');
	Str name = end < 0 ? *rest : str_sub(*rest, 1, (size_t)end);
	const char *value;

	if (str_starts(*rest, S("$"))) {
		buf_putc(b, '$');
		*rest = str_sub(*rest, 1, rest->len);
		return NULL;
	}
	if (!str_starts(*rest, S("{")) || end < 2)
		return err_new(a, ERR_INVALID, "conf.value",
		               "write ${NAME} for the environment, $$ for a dollar sign");
	value = getenv(str_z(a, name));
	if (!value)
		return err_new(a, ERR_INVALID, "conf.value", "the environment has no %.*s",
		               STR_ARG(name));
	buf_put(b, str_of(value));
	*rest = str_sub(*rest, (size_t)end + 1, rest->len);
	return NULL;
}

static Str in_folder(const Conf *conf, Str path)
{
	if (!conf->folder.len || !path.len || path.at[0] == '/' || str_find(path, S("://")) > 0 ||
	    str_starts(path, S("service:")))
		return path; /* an address, where a file or an address may stand, is left as it is */
	return str_fmt(conf->arena, "%.*s/%.*s", STR_ARG(conf->folder), STR_ARG(path));
}

/* What a row marked `expand` really holds. Messages never show a value that was taken from elsewhere. */
static Err *expand(const Conf *conf, Str *text, bool *outside)
{
	AUTO(buf_fini) Buf b = { .limit = SECRET_BYTES };
	Str rest = *text;
	ptrdiff_t dollar;

	if (str_starts(rest, S("file:"))) {
		*outside = true;
		TRY(file_read(conf->arena, in_folder(conf, str_sub(rest, 5, rest.len)),
		              SECRET_BYTES, text));
		while (text->len &&
		       (text->at[text->len - 1] == '\n' || text->at[text->len - 1] == '\r'))
			text->len--;
		return NULL;
	}
	for (dollar = str_find_char(rest, '$'); dollar >= 0; dollar = str_find_char(rest, '$')) {
		buf_put(&b, str_sub(rest, 0, (size_t)dollar));
		rest = str_sub(rest, (size_t)dollar + 1, rest.len);
		*outside = *outside || str_starts(rest, S("{"));
		TRY(expand_one(conf->arena, &rest, &b));
	}
	buf_put(&b, rest);
	TRY(buf_done(&b, &rest));
	*text = str_dup(conf->arena, rest);
	return NULL;
}

static const char *kind_text(const YamlNode *node)
{
	static const char *const texts[] = {
		[YAML_SCALAR] = "a value", [YAML_LIST] = "a list", [YAML_MAP] = "keys"
	};

	return yaml_is_null(node) ? "nothing" : texts[node->kind];
}

static void expected(Conf *conf, const YamlNode *node, const ConfKey *key, const char *what)
{
	Str type = conf_type_text(conf->arena, key);

	mistake(conf, node,
	        str_fmt(conf->arena, "%s: expected %s (%.*s), found %s", key->name, what,
	                STR_ARG(type), kind_text(node)));
}

static void read_scalar(Conf *conf, const ConfKey *key, void *into, const YamlNode *node)
{
	Str text = node->text;
	bool outside = false;
	Err *err = NULL;

	if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
		expected(conf, node, key, "a value");
		return;
	}
	remember(conf, into, key->size, node);
	if (key->expand || key->secret)
		err = expand(conf, &text, &outside);
	if (err) {
		mistake(conf, node,
		        str_fmt(conf->arena, "%s: %.*s", key->name, STR_ARG(err->text)));
		return;
	}
	if (key->type == CONF_PATH)
		text = in_folder(conf, text);
	if (key->outside)
		*((bool *)into - key->offset + key->outside - 1) = outside;
	err = conf_value_read(conf->arena, key, into, text);
	if (err && (key->secret || outside))
		mistake(conf, node,
		        str_fmt(conf->arena, "%s: the secret is not as expected", key->name));
	else if (err)
		mistake(conf, node, err->text);
}

static const ConfKey *find_name_row(const ConfTable *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->keys[i].type == CONF_NAME)
			return &table->keys[i];
	return NULL;
}

static void read_one(Conf *conf, const ConfKey *key, void *into, const YamlNode *node,
                     const YamlNode *place, const YamlNode *name)
{
	if (key->type == CONF_OBJECT)
		read_object(conf, node, place, name, &(ConfPart){ key->table, into }, 1);
	else
		read_scalar(conf, key, into, node);
}

/* No two objects of an array may have the same text in a row marked `unique`. */
static void check_unique(Conf *conf, const ConfKey *key, ConfArray array, const ConfKey *inner)
{
	AUTO(map_fini) Map seen = { 0 };

	for (size_t i = 0; i < array.count; i++) {
		void *field = conf_field(inner, array.at + i * key->size);
		const void *first;
		Str text;

		memcpy(&text, field, sizeof text);
		first = text.len ? map_get(&seen, text) : NULL;
		if (first)
			conf_mistake(conf, field, "%s: %.*s is taken already, in line %u",
			             inner->name, STR_ARG(str_quote(conf->arena, text)),
			             find_range(conf, first).line);
		else if (text.len)
			map_put(&seen, text, field);
	}
}

/* What is written where a list belongs, and is a list of one: no brackets are needed then. */
static bool is_single(const ConfKey *key, const YamlNode *node)
{
	if (key->shape == CONF_MAP || node->kind == YAML_LIST || yaml_is_null(node))
		return false;
	if (key->type == CONF_OBJECT)
		return node->kind == YAML_MAP || key->table->shorthand;
	return node->kind == YAML_SCALAR;
}

static void check_items(Conf *conf, const ConfKey *key, ConfArray array, const YamlNode *node)
{
	for (size_t i = 0; key->table && i < key->table->count; i++)
		if (key->table->keys[i].unique)
			check_unique(conf, key, array, &key->table->keys[i]);
	if (key->required && !array.count)
		mistake(conf, node, str_fmt(conf->arena, "%s: must not be empty", key->name));
}

/* Lists and maps. Their room is a power of two, as conf_set() expects it to be. */
static void read_many(Conf *conf, const ConfKey *key, void *object, const YamlNode *node)
{
	bool is_map = key->shape == CONF_MAP;
	bool single = is_single(key, node);
	const YamlNode *items = single ? node : node->items;
	ConfArray array = { .count = single ? 1 : node->count };
	size_t room = 1;

	if (!single && !yaml_is_null(node) && node->kind != (is_map ? YAML_MAP : YAML_LIST)) {
		expected(conf, node, key, is_map ? "names, each with keys under it" : "a list");
		return;
	}
	while (room < array.count)
		room *= 2;
	array.at = array.count ? arena_alloc_array(conf->arena, key->size, room) : NULL;
	conf_array_set(key, object, array);
	for (size_t i = 0; i < array.count; i++) {
		const YamlNode *name = is_map ? &node->keys[i] : NULL;

		read_one(conf, key, array.at + i * key->size, &items[i], name ? name : &items[i],
		         name);
	}
	check_items(conf, key, array, node);
}

static void read_key(Conf *conf, const ConfKey *key, void *object, const YamlNode *node,
                     const YamlNode *place)
{
	if (key->given)
		*((bool *)object + key->given - 1) = true;
	if (key->shape == CONF_ONE) {
		read_one(conf, key, conf_field(key, object), node, place, NULL);
		return;
	}
	remember(conf, conf_field(key, object), key->span, node);
	read_many(conf, key, object, node);
}

static void unknown_key(Conf *conf, const YamlNode *node, const ConfPart *parts, size_t count)
{
	Str names[128];
	Str all = { 0 };
	Str near;
	Str quoted = str_quote(conf->arena, node->text);
	size_t n = 0;

	for (size_t p = 0; p < count; p++)
		for (size_t i = 0; i < parts[p].table->count && n < COUNT(names); i++)
			if (parts[p].table->keys[i].type != CONF_NAME)
				names[n++] = str_of(parts[p].table->keys[i].name);
	near = str_nearest(node->text, names, n);
	for (size_t i = 0; i < n && !near.len; i++)
		all = str_fmt(conf->arena, "%.*s%s%.*s", STR_ARG(all), i ? ", " : "",
		              STR_ARG(names[i]));
	mistake(conf, node,
	        near.len ? str_fmt(conf->arena, "%s has no key %.*s: did you mean %.*s?",
	                           parts[0].table->name, STR_ARG(quoted), STR_ARG(near))
	                 : str_fmt(conf->arena, "%s has no key %.*s; it has %.*s",
	                           parts[0].table->name, STR_ARG(quoted), STR_ARG(all)));
}

static void read_pair(Conf *conf, const YamlNode *key_node, const YamlNode *node,
                      const ConfPart *parts, size_t count)
{
	for (size_t p = 0; p < count; p++) {
		const ConfKey *key = conf_find_key(parts[p].table, key_node->text);

		if (key) {
			read_key(conf, key, parts[p].into, node, key_node);
			return;
		}
	}
	if (!parts[0].table->open)
		unknown_key(conf, key_node, parts, count);
}

static void check_required(Conf *conf, const YamlNode *node, const YamlNode *place,
                           const ConfPart *part)
{
	for (size_t i = 0; i < part->table->count; i++) {
		const ConfKey *key = &part->table->keys[i];
		bool is_short = node->kind == YAML_SCALAR && part->table->shorthand &&
		                !yaml_is_null(node) &&
		                strcmp(key->name, part->table->shorthand) == 0;
		Str type;

		if (!key->required || key->type == CONF_NAME || is_short ||
		    yaml_get(node, str_of(key->name)))
			continue;
		type = conf_type_text(conf->arena, key);
		note(conf, MAX(place->line, 1U), MAX(place->column, 1U),
		     str_fmt(conf->arena, "%s needs the key \"%s\" (%.*s)", part->table->name,
		             key->name, STR_ARG(type)),
		     true);
	}
}

static void read_object(Conf *conf, const YamlNode *node, const YamlNode *place,
                        const YamlNode *name, const ConfPart *parts, size_t count)
{
	const char *shorthand = parts[0].table->shorthand;
	const ConfKey *name_row = name ? find_name_row(parts[0].table) : NULL;

	for (size_t p = 0; p < count; p++) {
		conf_defaults(conf->arena, parts[p].table, parts[p].into);
		remember(conf, parts[p].into, parts[p].table->size, place);
	}
	if (name_row)
		read_scalar(conf, name_row, conf_field(name_row, parts[0].into), name);
	if (node->kind == YAML_MAP) {
		for (size_t i = 0; i < node->count; i++)
			read_pair(conf, &node->keys[i], &node->items[i], parts, count);
	} else if (node->kind == YAML_SCALAR && shorthand && !yaml_is_null(node)) {
		const ConfKey *key = conf_find_key(parts[0].table, str_of(shorthand));

		read_key(conf, key, parts[0].into, node, node);
	} else if (!yaml_is_null(node)) {
		mistake(conf, node,
		        str_fmt(conf->arena, "%s: expected keys, found %s", parts[0].table->name,
		                kind_text(node)));
		return;
	}
	for (size_t p = 0; p < count; p++)
		check_required(conf, node, place, &parts[p]);
	for (size_t p = 0; p < count; p++)
		if (parts[p].table->check)
			parts[p].table->check(conf, parts[p].into);
}

static void note_fault(void *user, const YamlFault *fault)
{
	note(user, fault->line, fault->column, fault->sentence, true);
}

Err *conf_read(Conf *conf, Str name, Str text, const ConfPart *parts, size_t count)
{
	const YamlNode *root;
	YamlFault fault;
	Err *err;

	conf->name = str_dup(conf->arena, name);
	for (size_t p = 0; p < count; p++)
		TRY(conf_check_table(conf->arena, parts[p].table));
	err = yaml_read_on(conf->arena, name, text, note_fault, conf, &root, &fault);
	if (err) {
		note_fault(conf, &fault);
		for (size_t p = 0; p < count; p++)
			conf_defaults(conf->arena, parts[p].table, parts[p].into);
		return conf_result(conf);
	}
	read_object(conf, root, &(YamlNode){ .kind = YAML_MAP }, NULL, parts, count);
	return conf_result(conf);
}

Err *conf_load(Conf *conf, Str path, const ConfPart *parts, size_t count)
{
	ptrdiff_t slash = str_rfind_char(path, '/');
	Str folder = slash < 0 ? S(".") : slash == 0 ? S("/") : str_sub(path, 0, (size_t)slash);
	char *real = NULL;
	Str text;

	TRY(file_read(conf->arena, path, YAML_MAX_BYTES, &text));
	real = realpath(str_z(conf->arena, folder), NULL);
	conf->folder = str_dup(conf->arena, str_of(real));
	free(real);
	return conf_read(conf, path, text, parts, count);
}
