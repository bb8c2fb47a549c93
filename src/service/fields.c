/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a JSON value by a table of fields. One walk over the rows, each taking its member, then one over the members, for
 * those that no row names. Where a value stands is a chain of places on the stack; its pointer (RFC 6901) is written only when
 * something is wrong with it. Depth is bounded by the tables, not by the text. */
#include "service/fields.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/uuid.h"
#include "store/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STRING_MOST = 1000, ITEMS_MOST = 100 };

typedef struct Place {
	const struct Place *up; /* NULL: the whole value */
	Str member;
	size_t index; /* when there is no member */
	bool is_index;
} Place;

typedef struct Reader {
	FieldMistakes *m;
	bool words;
} Reader;

/* --- mistakes ---------------------------------------------------------------------------------------------------------- */

Str field_pointer(Arena *a, Str under, Str member)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, under);
	buf_putc(&b, '/');
	for (size_t i = 0; i < member.len; i++) {
		if (member.at[i] == '~')
			buf_put(&b, S("~0"));
		else if (member.at[i] == '/')
			buf_put(&b, S("~1"));
		else
			buf_putc(&b, member.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

Str field_pointer_at(Arena *a, Str under, size_t index)
{
	return str_fmt(a, "%.*s/%zu", STR_ARG(under), index);
}

static Str pointer_of(Arena *a, const Place *place)
{
	Str under;

	if (!place->up)
		return S("");
	under = pointer_of(a, place->up);
	return place->is_index ? field_pointer_at(a, under, place->index)
	                       : field_pointer(a, under, place->member);
}

static void keep(FieldMistakes *m, FieldMistake mistake)
{
	if (m->count == FIELD_MISTAKES) {
		m->more++;
		return;
	}
	if (!m->at)
		m->at = ARENA_ARRAY(m->arena, FieldMistake, FIELD_MISTAKES);
	m->at[m->count++] = mistake;
}

static Str format(Arena *a, const char *fmt, va_list args)
{
	char text[512];
	int len = vsnprintf(text, sizeof text, fmt, args);

	return str_dup(a, (Str){ text, MIN((size_t)MAX(len, 0), sizeof text - 1) });
}

void field_mistake(FieldMistakes *m, Str pointer, const char *code, const char *fmt, ...)
{
	va_list args;
	Str text;

	va_start(args, fmt);
	text = format(m->arena, fmt, args);
	va_end(args);
	keep(m, (FieldMistake){ str_dup(m->arena, pointer), code, text });
}

PRINTF(4, 5)
static void wrong(const Reader *r, const Place *place, const char *code, const char *fmt, ...)
{
	va_list args;
	Str text;

	va_start(args, fmt);
	text = format(r->m->arena, fmt, args);
	va_end(args);
	keep(r->m, (FieldMistake){ pointer_of(r->m->arena, place), code, text });
}

/* --- single values ----------------------------------------------------------------------------------------------------- */

static const char *const wanted[] = {
	[FIELD_STR] = "a string",
	[FIELD_BOOL] = "true or false",
	[FIELD_INT] = "an integer",
	[FIELD_REAL] = "a number",
	[FIELD_TIME] = "a time of RFC 3339",
	[FIELD_ID] = "an id",
	[FIELD_ENUM] = "one of its words",
	[FIELD_OBJECT] = "an object",
	[FIELD_JSON] = "a value",
};

static void wrong_type(const Reader *r, const Place *place, const Field *row, const Json *value)
{
	wrong(r, place, "type", "%s must be %s, not %s", row->name, wanted[row->type],
	      json_kind_name(json_kind(value)));
}

static bool has_control(Str text, bool lines_too)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((c < ' ' || c == 0x7f) && !(lines_too && (c == '\n' || c == '\r' || c == '\t')))
			return true;
	}
	return false;
}

static void read_str(const Reader *r, const Place *place, const Field *row, const Json *value,
                     void *into)
{
	size_t most = row->max ? (size_t)row->max : STRING_MOST;
	const char *why;
	Str text = { 0 };

	if (!json_to_str(value, &text)) {
		wrong_type(r, place, row, value);
	} else if (text.len > most) {
		wrong(r, place, "too_long", "%s is longer than %zu bytes", row->name, most);
	} else if (text.len < (size_t)row->min) {
		if (text.len)
			wrong(r, place, "too_short", "%s is shorter than %zu bytes", row->name,
			      (size_t)row->min);
		else
			wrong(r, place, "required", "%s is empty", row->name);
	} else if (has_control(text, row->controls)) {
		wrong(r, place, "control", "%s has control characters", row->name);
	} else if (row->verify && (why = row->verify(r->m->arena, text))) {
		wrong(r, place, "format", "%s %s", row->name, why);
	}
	if (row->nullable)
		*(OptStr *)into = opt_str(text);
	else
		*(Str *)into = text;
}

/* In words: "true", and "True" as Python writes it into forms. */
static bool bool_word(Str word, bool *yes)
{
	*yes = str_eq(word, S("true")) || str_eq(word, S("True"));
	return *yes || str_eq(word, S("false")) || str_eq(word, S("False"));
}

static void read_bool(const Reader *r, const Place *place, const Field *row, const Json *value,
                      void *into)
{
	Str word = { 0 };
	bool yes;

	if (r->words && json_to_str(value, &word) && bool_word(word, &yes))
		*(bool *)into = yes;
	else if (!json_to_bool(value, into))
		wrong_type(r, place, row, value);
}

static void read_int(const Reader *r, const Place *place, const Field *row, const Json *value,
                     void *into)
{
	int64_t n = 0;
	Str word = { 0 };

	if (r->words ? !json_to_str(value, &word) || !str_to_i64(word, &n)
	             : !json_to_i64(value, &n))
		wrong_type(r, place, row, value);
	else if ((row->min || row->max) && (n < row->min || n > row->max))
		wrong(r, place, "range", "%s must be between %lld and %lld", row->name,
		      (long long)row->min, (long long)row->max);
	*(int64_t *)into = n;
}

static void read_real(const Reader *r, const Place *place, const Field *row, const Json *value,
                      void *into)
{
	if (!json_to_real(value, into))
		wrong_type(r, place, row, value);
}

static void read_time(const Reader *r, const Place *place, const Field *row, const Json *value,
                      void *into)
{
	Str text = { 0 };

	if (!json_to_str(value, &text))
		wrong_type(r, place, row, value);
	else if (!time_read_rfc3339(text, into))
		wrong(r, place, "format", "%s must be a time like 2026-01-31T23:59:59Z", row->name);
}

static bool id_read(Str text, const char *prefix, Uuid *id)
{
	Str start = str_of(prefix);

	return str_starts(text, start) && uuid_read(str_sub(text, start.len, text.len), id);
}

static void read_id(const Reader *r, const Place *place, const Field *row, const Json *value,
                    void *into)
{
	Str text = { 0 };
	Uuid id = { 0 };

	if (!json_to_str(value, &text))
		wrong_type(r, place, row, value);
	else if (!id_read(text, row->prefix, &id))
		wrong(r, place, "format",
		      "%s must be an id like %s018f3c1e-7a4b-7cc0-b1f2-0123456789ab", row->name,
		      row->prefix ? row->prefix : "");
	if (row->nullable)
		*(OptUuid *)into = opt_uuid(id);
	else
		*(Uuid *)into = id;
}

static void read_enum(const Reader *r, const Place *place, const Field *row, const Json *value,
                      void *into)
{
	AUTO(buf_fini) Buf all = { 0 };
	Str text = { 0 };

	if (!json_to_str(value, &text)) {
		wrong_type(r, place, row, value);
		return;
	}
	for (const ConfWord *word = row->names; word->name; word++) {
		if (str_eq(text, str_of(word->name))) {
			*(uint8_t *)into = (uint8_t)word->value;
			return;
		}
		buf_fmt(&all, "%s%s", all.len ? ", " : "", word->name);
	}
	wrong(r, place, "choice", "%s must be one of %.*s", row->name, STR_ARG(buf_str(&all)));
}

static void read_table(const Reader *r, const Place *place, const FieldTable *table,
                       const Json *value, void *into);

static void read_object(const Reader *r, const Place *place, const Field *row, const Json *value,
                        void *into)
{
	if (json_kind(value) != JSON_KIND_OBJECT)
		wrong_type(r, place, row, value);
	else
		read_table(r, place, row->table, value, into);
}

static void read_json(const Reader *r, const Place *place, const Field *row, const Json *value,
                      void *into)
{
	(void)r, (void)place, (void)row;
	*(const Json **)into = value;
}

typedef void ReadFn(const Reader *r, const Place *place, const Field *row, const Json *value,
                    void *into);
static ReadFn *const readers[] = {
	[FIELD_STR] = read_str,   [FIELD_BOOL] = read_bool,     [FIELD_INT] = read_int,
	[FIELD_REAL] = read_real, [FIELD_TIME] = read_time,     [FIELD_ID] = read_id,
	[FIELD_ENUM] = read_enum, [FIELD_OBJECT] = read_object, [FIELD_JSON] = read_json,
};

/* --- tables ------------------------------------------------------------------------------------------------------------ */

typedef struct Array { /* as CONF_LIST_OF lies in memory */
	char *at;
	size_t count;
} Array;

/* A word alone is a list of one: forms know no lists. */
static void read_list(const Reader *r, const Place *place, const Field *row, const Json *value,
                      Array *into)
{
	size_t most = row->items_max ? row->items_max : ITEMS_MOST, count = json_count(value);
	bool alone = r->words && json_kind(value) == JSON_KIND_STR;

	if (!alone && json_kind(value) != JSON_KIND_ARRAY) {
		wrong(r, place, "type", "%s must be an array, not %s", row->name,
		      json_kind_name(json_kind(value)));
		return;
	}
	count = alone ? 1 : count;
	if (count > most) {
		wrong(r, place, "too_long", "%s has more than %zu items", row->name, most);
		return;
	}
	into->at = arena_alloc_array(r->m->arena, row->size, MAX(count, (size_t)1));
	into->count = count;
	for (size_t i = 0; i < count; i++) {
		Place item = { .up = place, .index = i, .is_index = true };

		readers[row->type](r, &item, row, alone ? value : json_at(value, i),
		                   into->at + i * row->size);
	}
}

static void read_row(const Reader *r, const Place *up, const Field *row, const Json *object,
                     char *into)
{
	Place place = { .up = up, .member = str_of(row->name) };
	const Json *value = json_get(object, place.member);
	bool null = value && json_kind(value) == JSON_KIND_NULL;

	if (row->given && value && (!null || row->nullable))
		*(bool *)(into + row->given - 1) = true;
	if (!value || (null && row->type != FIELD_JSON)) {
		if (row->required && !(null && row->nullable))
			wrong(r, &place, "required", "%s is missing", row->name);
		return;
	}
	if (row->shape == CONF_LIST)
		read_list(r, &place, row, value, (Array *)(void *)(into + row->offset));
	else
		readers[row->type](r, &place, row, null ? NULL : value, into + row->offset);
}

static const Field *find_row(const FieldTable *table, Str name)
{
	for (size_t i = 0; i < table->count; i++)
		if (str_eq(name, str_of(table->rows[i].name)))
			return &table->rows[i];
	return NULL;
}

static void read_table(const Reader *r, const Place *place, const FieldTable *table,
                       const Json *value, void *into)
{
	const Json *item;
	void *at = NULL;
	Str name;

	for (size_t i = 0; i < table->count; i++)
		read_row(r, place, &table->rows[i], value, into);
	while (!table->open && json_next(value, &at, &name, &item)) {
		Place member = { .up = place, .member = str_sub(name, 0, STRING_MOST) };

		if (!find_row(table, name))
			wrong(r, &member, "unknown", "%.*s is not known here",
			      STR_ARG(str_quote(r->m->arena, name)));
	}
}

void fields_read(const FieldTable *table, const Json *value, bool words, void *into,
                 FieldMistakes *m)
{
	Reader r = { m, words };
	Place whole = { 0 };

	memset(into, 0, table->size);
	if (json_kind(value) == JSON_KIND_OBJECT)
		read_table(&r, &whole, table, value, into);
	else
		wrong(&r, &whole, "type", "the body must be an object, not %s",
		      json_kind_name(json_kind(value)));
}

/* --- checks ------------------------------------------------------------------------------------------------------------ */

static size_t size_of(const Field *row)
{
	static const uint8_t sizes[] = {
		[FIELD_STR] = sizeof(Str),           [FIELD_BOOL] = sizeof(bool),
		[FIELD_INT] = sizeof(int64_t),       [FIELD_REAL] = sizeof(double),
		[FIELD_TIME] = sizeof(int64_t),      [FIELD_ID] = sizeof(Uuid),
		[FIELD_ENUM] = sizeof(uint8_t),      [FIELD_OBJECT] = 0,
		[FIELD_JSON] = sizeof(const Json *),
	};

	if (row->type == FIELD_OBJECT)
		return row->table ? row->table->size : 0;
	if (row->nullable && row->type == FIELD_STR)
		return sizeof(OptStr);
	if (row->nullable && row->type == FIELD_ID)
		return sizeof(OptUuid);
	return sizes[row->type];
}

static const char *row_mistake(const FieldTable *table, const Field *row)
{
	if (row->size != size_of(row))
		return "its size is not that of its type";
	if (row->offset + row->span > table->size || row->given > table->size)
		return "it lies outside of the struct";
	if (!row->help || !*row->help)
		return "it has no help";
	if ((row->type == FIELD_ENUM) != (row->names != NULL))
		return "words are for an enum, which needs them";
	if ((row->type == FIELD_OBJECT) != (row->table != NULL))
		return "a table is for an object, which needs it";
	return find_row(table, str_of(row->name)) == row ? NULL : "its name is another row's too";
}

Err *field_table_check_read(Arena *a, const FieldTable *table)
{
	TRY(field_table_check(a, table));
	for (size_t i = 0; i < table->count; i++) {
		const Field *row = &table->rows[i];

		if (row->nullable && !row->given && row->type != FIELD_JSON && !row->required)
			return err_new(a, ERR_INTERNAL, "field.table",
			               "%s.%s: null and absent could not be told apart: GIVEN",
			               table->name, row->name);
		if (row->table)
			TRY(field_table_check_read(a, row->table));
	}
	return NULL;
}

Err *field_table_check(Arena *a, const FieldTable *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const Field *row = &table->rows[i];
		const char *why = row_mistake(table, row);

		if (why)
			return err_new(a, ERR_INTERNAL, "field.table", "%s.%s: %s", table->name,
			               row->name, why);
		if (row->table)
			TRY(field_table_check(a, row->table));
	}
	return NULL;
}
