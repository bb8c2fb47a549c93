/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a table sound? The compiler cannot see that a row's type is too wide for its field or that a default breaks the
 * row's own limits; this looks at start and in every feature's unit test, so that no user meets it. */
#include "base/conf_int.h"

#include "base/arena.h"

#include <stdio.h>
#include <string.h>

enum { TABLES_MAX = 256 };

typedef struct Walk {
	Arena *arena;
	const ConfTable *seen[TABLES_MAX];
	size_t count;
} Walk;

static Err *fault(Walk *w, const ConfTable *table, const ConfKey *key, const char *what)
{
	return err_new(w->arena, ERR_INTERNAL, "conf.table", "%s.%s: %s",
	               table->name ? table->name : "?", key && key->name ? key->name : "?", what);
}

static Err *check_layout(Walk *w, const ConfTable *table, const ConfKey *key)
{
	bool many = key->shape != CONF_ONE;

	if (many ? key->span != sizeof(ConfArray) : key->span != key->size)
		return fault(w, table, key, "the row's shape is not its field's");
	if (key->offset + key->span > table->size || key->given > table->size ||
	    key->outside > table->size)
		return fault(w, table, key, "the field is not within the struct");
	if (key->type == CONF_OBJECT) {
		if (!key->table || key->table->size != key->size)
			return fault(w, table, key, "its table is of another struct");
	} else if (!conf_type_has_size(key->type, key->size)) {
		return fault(w, table, key, "the field has another size than its type");
	}
	return NULL;
}

static bool has_name_row(const ConfTable *table)
{
	for (size_t i = 0; table && i < table->count; i++)
		if (table->keys[i].type == CONF_NAME)
			return true;
	return false;
}

static Err *check_words(Walk *w, const ConfTable *table, const ConfKey *key)
{
	bool is_text = key->type == CONF_STR || key->type == CONF_PATH || key->type == CONF_NAME;

	if ((key->type == CONF_ENUM) != (key->names != NULL))
		return fault(w, table, key, "words belong to CONF_ENUM, and to nothing else");
	for (const ConfWord *word = key->names; word && word->name; word++)
		if (key->size < 4 && word->value >> (key->size * 8))
			return fault(w, table, key, "a word's value does not fit the field");
	if ((key->verify || key->unique || key->expand || key->secret) && !is_text)
		return fault(w, table, key, "verify, unique, expand and secret are for text");
	if (key->outside && (!key->expand || key->shape != CONF_ONE))
		return fault(w, table, key,
		             "only one value that is expanded may come from outside");
	if (key->shape == CONF_MAP && (key->type != CONF_OBJECT || !has_name_row(key->table)))
		return fault(w, table, key, "a map holds objects with a CONF_NAME row");
	if (key->type == CONF_NAME && (key->shape != CONF_ONE || key->def))
		return fault(w, table, key, "a name is one, and given by the file");
	return NULL;
}

static Err *check_value(Walk *w, const ConfTable *table, const ConfKey *key, const char *text)
{
	Str into;
	Err *err = conf_value_read(w->arena, key, &into, str_of(text));

	return err ? fault(w, table, key, str_z(w->arena, err->text)) : NULL;
}

static Err *check_default(Walk *w, const ConfTable *table, const ConfKey *key)
{
	Str rest = str_of(key->def);
	Str item;
	bool has_range = key->type != CONF_OBJECT && key->type != CONF_STR &&
	                 key->type != CONF_PATH && key->type != CONF_NAME;

	if (key->required && key->def)
		return fault(w, table, key, "a required key has no default");
	if (key->def && (key->type == CONF_OBJECT || key->shape == CONF_MAP))
		return fault(w, table, key, "an object has no default of its own");
	if (has_range && key->min)
		TRY(check_value(w, table, key, key->min));
	if (has_range && key->max)
		TRY(check_value(w, table, key, key->max));
	if (key->def && key->shape == CONF_ONE)
		return check_value(w, table, key, key->def);
	while (key->def && str_split(&rest, ',', &item))
		TRY(check_value(w, table, key, str_z(w->arena, str_trim(item))));
	return NULL;
}

static Err *check_name(Walk *w, const ConfTable *table, size_t at)
{
	const ConfKey *key = &table->keys[at];

	if (!key->name || !key->name[0] || !key->help || !key->help[0])
		return fault(w, table, key, "a row needs a name and a help");
	for (size_t i = 0; i < at; i++)
		if (strcmp(table->keys[i].name, key->name) == 0)
			return fault(w, table, key, "the name is there twice");
	return NULL;
}

static Err *check_table(Walk *w, const ConfTable *table)
{
	const ConfKey *shorthand =
		table->shorthand ? conf_find_key(table, str_of(table->shorthand)) : NULL;

	for (size_t i = 0; i < w->count; i++)
		if (w->seen[i] == table)
			return NULL;
	if (w->count == TABLES_MAX || !table->name)
		return fault(w, table, NULL, "a table without a name, or too many of them");
	w->seen[w->count++] = table;
	if (table->shorthand &&
	    (!shorthand || shorthand->shape != CONF_ONE || shorthand->type == CONF_OBJECT))
		return fault(w, table, NULL, "the shorthand is not the name of a plain value");
	for (size_t i = 0; i < table->count; i++) {
		const ConfKey *key = &table->keys[i];

		TRY(check_name(w, table, i));
		TRY(check_layout(w, table, key));
		TRY(check_words(w, table, key));
		TRY(check_default(w, table, key));
		if (key->type == CONF_OBJECT)
			TRY(check_table(w, key->table));
	}
	return NULL;
}

Err *conf_check_table(Arena *a, const ConfTable *table)
{
	Walk walk = { .arena = a };

	return check_table(&walk, table);
}
