/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields: what a body or a query may hold, as rows of a table that fill a struct. The rows are the documentation too.
 *
 *   typedef struct NewUser { Str email; OptStr phone; bool has_phone; uint8_t locale; struct { Str *at; size_t count; } roles; } NewUser;
 *
 *   static const Field new_user_rows[] = {
 *           { "email", FIELD_STR, AT(NewUser, email), .required = true, .max = 254, .verify = verify_email, .help = "..." },
 *           { "phone", FIELD_STR, AT(NewUser, phone), GIVEN(NewUser, has_phone), .nullable = true, .max = 20, .help = "..." },
 *           { "locale", FIELD_ENUM, AT(NewUser, locale), .names = locales, .help = "..." },
 *           { "roles", FIELD_STR, AT_LIST(NewUser, roles), .items_max = 20, .max = 64, .help = "..." },
 *   };
 *   static const FieldTable new_user = { "NewUser", FIELD_ROWS(NewUser, new_user_rows), .help = "somebody who registers" };
 *
 * Reading is strict: a member that no row names, a value of another type, a length or number outside its bounds is a mistake,
 * and all of them are told at once, each with its JSON pointer. Strings are UTF-8 without NUL (json.h) and, unless `controls`,
 * without control characters. A row without `max` takes 1000 bytes. A member that is absent leaves zero; null counts as absent
 * unless the row is nullable. Tables are checked by field_table_check, in tests and when a service begins. */
#pragma once
#include "base/conf.h"
#include "base/json.h"

typedef struct Field Field;
typedef struct FieldTable FieldTable;

typedef enum FieldType {
	FIELD_STR,    /* Str, or OptStr when nullable (null: .set is false) */
	FIELD_BOOL,   /* bool */
	FIELD_INT,    /* int64_t; .min and .max are its bounds, where .max is not 0 */
	FIELD_REAL,   /* double */
	FIELD_TIME,   /* int64_t, microseconds UTC; RFC 3339 */
	FIELD_ID,     /* Uuid, or OptUuid when nullable; written with .prefix: "usr_018f3c1e-..." */
	FIELD_ENUM,   /* uint8_t, a value of .names */
	FIELD_OBJECT, /* a struct in place, of .table */
	FIELD_JSON,   /* const Json *: anything; null is NULL */
} FieldType;

/* Is this text in order? NULL, or a sentence that goes on after the member's name: "has no @". Text may be of the arena. */
typedef const char *FieldVerify(Arena *a, Str text);

struct Field {
	const char *name;
	FieldType type;
	size_t offset;
	uint16_t size, span;
	ConfShape shape; /* CONF_ONE or, by AT_LIST, CONF_LIST */
	uint32_t given; /* GIVEN(type, field): a bool, true when the member is there, null or not */
	int64_t min, max; /* bytes of a string (max 0: 1000), bounds of an integer (both 0: none) */
	uint32_t items_max;      /* of a list; 0: 100 */
	const ConfWord *names;   /* FIELD_ENUM */
	const FieldTable *table; /* FIELD_OBJECT */
	const char *prefix;      /* FIELD_ID: "usr_" */
	FieldVerify *verify;     /* FIELD_STR */
	bool required;
	bool nullable;
	bool controls;      /* line breaks and tabs may be in it */
	bool secret;        /* never told in answers, logs or mistakes: a password */
	const char *format; /* of OpenAPI: "email", "uri"; NULL: by type */
	const char *help;   /* one line, no full stop */
};

struct FieldTable {
	const char *name; /* of its schema in OpenAPI: "NewUser" */
	size_t size;
	const Field *rows;
	size_t count;
	bool open; /* members that no row names are let pass: only for bodies of others' protocols */
	const char *help;
};
#define FIELD_ROWS(type, table_rows) \
	.size = sizeof(type), .rows = (table_rows), .count = COUNT(table_rows)

/* One thing that is wrong with what was sent. */
typedef struct FieldMistake {
	Str pointer; /* RFC 6901: "/roles/0"; of a query, its parameter's name */
	const char *
		code; /* "required", "type", "unknown", "too_long", "too_short", "range", "choice", "format", "control", "invalid" */
	Str text;     /* a sentence: "email has no @" */
} FieldMistake;

typedef struct FieldMistakes {
	Arena *arena;
	FieldMistake *at;
	size_t count, cap;
	size_t more; /* beyond FIELD_MISTAKES, not kept */
} FieldMistakes;
enum { FIELD_MISTAKES = 50 };

void field_mistake(FieldMistakes *m, Str pointer, const char *code, const char *fmt, ...)
	PRINTF(4, 5);
/* "/roles/0": under a pointer one more member or index, escaped. */
Str field_pointer(Arena *a, Str under, Str member);
Str field_pointer_at(Arena *a, Str under, size_t index);

/* Fills table->size bytes at `into` (zeroed first) from a JSON value; views into it and the arena. words: every scalar is a
 * string, as forms and queries have them. Adds mistakes; goes on after each. */
void fields_read(const FieldTable *table, const Json *value, bool words, void *into,
                 FieldMistakes *m);

/* Does each row fit its struct, has it a help, are names told apart? Fails with INTERNAL "field.table". */
Err *field_table_check(Arena *a, const FieldTable *table) MUST_USE;
/* The same, of a table that values are read by: is null told from absent? */
Err *field_table_check_read(Arena *a, const FieldTable *table) MUST_USE;
/* The table as a JSON Schema (draft 2020-12, as OpenAPI 3.1 has it), objects within referred to by name. */
void fields_put_schema(JsonWriter *w, const FieldTable *table);
