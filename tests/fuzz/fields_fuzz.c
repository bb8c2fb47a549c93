/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies by a table of fields, and the place of what is no JSON. Whatever is read lies within its bounds; every mistake has a
 * pointer that begins with "/" or is empty, and text that can be written as JSON. */
#include "base/arena.h"
#include "service/fields.h"
#include "service/pointer_int.h"
#include "store/sql.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct In {
	int64_t n;
} In;
static const Field in_rows[] = { { "n", FIELD_INT, AT(In, n), .required = true, .min = -5, .max = 5,
	                           .help = "x" } };
static const FieldTable in_table = { "In", FIELD_ROWS(In, in_rows), .help = "x" };

static const ConfWord words[] = { { "red", 1, "x" }, { "green", 2, "x" }, { 0 } };

typedef struct Body {
	Str s;
	OptStr o;
	bool b, has_o;
	int64_t i, t;
	double r;
	Uuid id;
	uint8_t e;
	In in;
	const Json *j;
	CONF_LIST_OF(Str) l;
	CONF_LIST_OF(In) ins;
} Body;
static const Field rows[] = {
	{ "s", FIELD_STR, AT(Body, s), .min = 1, .max = 5, .required = true, .help = "x" },
	{ "o", FIELD_STR, AT(Body, o), GIVEN(Body, has_o), .nullable = true, .controls = true,
	  .help = "x" },
	{ "b", FIELD_BOOL, AT(Body, b), .help = "x" },
	{ "i", FIELD_INT, AT(Body, i), .help = "x" },
	{ "t", FIELD_TIME, AT(Body, t), .help = "x" },
	{ "r", FIELD_REAL, AT(Body, r), .help = "x" },
	{ "id", FIELD_ID, AT(Body, id), .prefix = "x_", .help = "x" },
	{ "e", FIELD_ENUM, AT(Body, e), .names = words, .help = "x" },
	{ "in", FIELD_OBJECT, AT(Body, in), .table = &in_table, .help = "x" },
	{ "j", FIELD_JSON, AT(Body, j), .help = "x" },
	{ "l", FIELD_STR, AT_LIST(Body, l), .items_max = 3, .help = "x" },
	{ "ins", FIELD_OBJECT, AT_LIST(Body, ins), .table = &in_table, .items_max = 3,
	  .help = "x" },
};
static const FieldTable table = { "Body", FIELD_ROWS(Body, rows), .help = "x" };

static void need(bool is, const char *what)
{
	if (is)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_body(const Body *body)
{
	need(body->s.len >= 1 && body->s.len <= 5, "a string out of its bounds");
	need(body->o.v.len <= 1000 && (!body->o.set || body->has_o), "null and absent");
	need(body->e <= 2 && body->l.count <= 3 && body->ins.count <= 3,
	     "a word or a list out of bounds");
	for (size_t i = 0; i < body->ins.count; i++)
		need(body->ins.at[i].n >= -5 && body->ins.at[i].n <= 5, "a number out of bounds");
}

static void check_mistakes(const FieldMistakes *m)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_array(&w);
	for (size_t i = 0; i < m->count; i++) {
		need(!m->at[i].pointer.len || m->at[i].pointer.at[0] == '/', "no pointer");
		json_add_str(&w, m->at[i].pointer);
		json_add_str(&w, m->at[i].text);
	}
	json_end(&w);
	need(!json_done(&w, &text), "not written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	FieldMistakes m = { .arena = a };
	Str text = { (const char *)data, size };
	const Json *json;
	Body body;
	Str pointer = pointer_at(a, text, size);

	need(!pointer.len || pointer.at[0] == '/', "no place");
	if (json_read(a, text, 0, &json))
		return 0;
	fields_read(&table, json, size % 2, &body, &m);
	if (!m.count)
		check_body(&body);
	check_mistakes(&m);
	return 0;
}
