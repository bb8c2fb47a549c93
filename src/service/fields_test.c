/* SPDX-License-Identifier: Apache-2.0 */
#include "service/fields.c"

#include "unit.h"

typedef struct Inner {
	int64_t n;
	bool has_n;
} Inner;
static const Field inner_rows[] = {
	{ "n", FIELD_INT, AT(Inner, n), GIVEN(Inner, has_n), .required = true, .min = -5, .max = 5,
	  .help = "x" },
};
static const FieldTable inner = { "Inner", FIELD_ROWS(Inner, inner_rows), .help = "x" };

static const ConfWord words[] = { { "red", 3, "x" }, { "green", 4, "x" }, { 0 } };

typedef struct Outer {
	Str s;
	OptStr note;
	bool b, has_note, has_s, has_of, has_b;
	int64_t i, t;
	double r;
	Uuid id;
	OptUuid of;
	uint8_t e;
	Inner in;
	const Json *any;
	CONF_LIST_OF(Str) strs;
	CONF_LIST_OF(Inner) ins;
	CONF_LIST_OF(int64_t) ints;
} Outer;

static const char *no_at(Arena *a, Str text)
{
	(void)a;
	return str_find_char(text, '@') < 0 ? "has no @" : NULL;
}

static const Field outer_rows[] = {
	{ "s", FIELD_STR, AT(Outer, s), GIVEN(Outer, has_s), .min = 2, .max = 5, .verify = no_at,
	  .help = "x" },
	{ "note", FIELD_STR, AT(Outer, note), GIVEN(Outer, has_note), .nullable = true,
	  .controls = true, .help = "x" },
	{ "b", FIELD_BOOL, AT(Outer, b), GIVEN(Outer, has_b), .help = "x" },
	{ "i", FIELD_INT, AT(Outer, i), .help = "x" },
	{ "t", FIELD_TIME, AT(Outer, t), .help = "x" },
	{ "r", FIELD_REAL, AT(Outer, r), .help = "x" },
	{ "id", FIELD_ID, AT(Outer, id), .prefix = "x_", .help = "x" },
	{ "of", FIELD_ID, AT(Outer, of), GIVEN(Outer, has_of), .nullable = true, .help = "x" },
	{ "e", FIELD_ENUM, AT(Outer, e), .names = words, .help = "x" },
	{ "in", FIELD_OBJECT, AT(Outer, in), .table = &inner, .help = "x" },
	{ "any", FIELD_JSON, AT(Outer, any), .help = "x" },
	{ "strs", FIELD_STR, AT_LIST(Outer, strs), .items_max = 3, .help = "x" },
	{ "ins", FIELD_OBJECT, AT_LIST(Outer, ins), .table = &inner, .help = "x" },
	{ "ints", FIELD_INT, AT_LIST(Outer, ints), .help = "x" },
};
static const FieldTable outer = { "Outer", FIELD_ROWS(Outer, outer_rows), .help = "x" };

static Outer read_it(Arena *a, const char *text, bool plain, FieldMistakes *m)
{
	const Json *json;
	Outer out;

	*m = (FieldMistakes){ .arena = a };
	CHECK_OK(json_read(a, str_of(text), 0, &json));
	memset(&out, 0xee, sizeof out);
	fields_read(&outer, json, plain, &out, m);
	return out;
}

TEST(values_come_into_their_struct)
{
	FieldMistakes m;
	Outer o = read_it(
		a,
		"{\"s\":\"a@b\",\"note\":\"x\\ny\",\"b\":true,\"i\":-9007199254740993,"
		"\"t\":\"1970-01-01T00:00:01Z\",\"r\":1,\"id\":\"x_018f3c1e-7a4b-7cc0-b1f2-0123456789ab\","
		"\"of\":\"018f3c1e-7a4b-7cc0-b1f2-0123456789ab\",\"e\":\"green\",\"in\":{\"n\":-5},"
		"\"any\":[1],\"strs\":[\"p\",\"q\"],\"ins\":[{\"n\":1},{\"n\":2}],\"ints\":[]}",
		false, &m);

	CHECK_INT(m.count, 0);
	CHECK_STR(o.s, S("a@b"));
	CHECK(o.has_s && o.note.set && o.has_note && o.b && o.has_b);
	CHECK_STR(o.note.v, S("x\ny"));
	CHECK_INT(o.i, INT64_C(-9007199254740993));
	CHECK_INT(o.t, 1000000);
	CHECK(o.r == 1.0 && o.id.at[0] == 1 && o.of.set && o.has_of && uuid_eq(o.id, o.of.v));
	CHECK_INT(o.e, 4);
	CHECK(o.in.has_n);
	CHECK_INT(o.in.n, -5);
	CHECK_INT(json_count(o.any), 1);
	CHECK_INT(o.strs.count, 2);
	CHECK_STR(o.strs.at[1], S("q"));
	CHECK_INT(o.ins.count, 2);
	CHECK_INT(o.ins.at[1].n, 2);
	CHECK_INT(o.ints.count, 0);
}

TEST(null_and_absent_are_told_apart_where_that_matters)
{
	FieldMistakes m;
	Outer o = read_it(a, "{\"note\":null,\"of\":null,\"b\":null,\"any\":null}", false, &m);

	CHECK_INT(m.count, 0);
	CHECK(o.has_note && !o.note.set && o.has_of && !o.of.set);
	CHECK(!o.has_b && !o.any);
	o = read_it(a, "{}", false, &m);
	CHECK_INT(m.count, 0);
	CHECK(!o.has_note && !o.note.set && !o.has_of && !o.has_s && !o.s.len && !o.in.n);
}

TEST(words_of_forms_are_every_scalar)
{
	FieldMistakes m;
	Outer o = read_it(
		a, "{\"b\":\"true\",\"i\":\"-7\",\"strs\":\"one\",\"e\":\"red\",\"ints\":\"5\"}",
		true, &m);

	CHECK_INT(m.count, 0);
	CHECK(o.b);
	CHECK_INT(o.i, -7);
	CHECK_INT(o.strs.count, 1);
	CHECK_INT(o.ints.at[0], 5);
	CHECK_INT(o.e, 3);
	o = read_it(a, "{\"b\":\"True\"}", true, &m); /* as Python writes it into forms */
	CHECK(o.b && m.count == 0);
	o = read_it(a, "{\"b\":\"yes\",\"i\":\"7.0\"}", true, &m);
	CHECK_INT(m.count, 2);
	o = read_it(a, "{\"b\":\"true\",\"i\":\"7\"}", false, &m);
	CHECK_INT(m.count, 2);
}

TEST(mistakes_have_their_pointer_and_code)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "[]", " type" },
		{ "null", " type" },
		{ "{\"s\":\"a\"}", "/s too_short" },
		{ "{\"s\":\"\"}", "/s required" },
		{ "{\"s\":\"abcdef@\"}", "/s too_long" },
		{ "{\"s\":\"abc\"}", "/s format" },
		{ "{\"s\":\"a\\t@\"}", "/s control" },
		{ "{\"note\":\"a\\u0007\"}", "/note control" },
		{ "{\"note\":7}", "/note type" },
		{ "{\"b\":1,\"i\":1.5,\"r\":\"1\",\"t\":5,\"e\":1}",
		  "/b type/i type/t type/r type/e type" },
		{ "{\"t\":\"soon\",\"id\":\"018f3c1e-7a4b-7cc0-b1f2-0123456789ab\",\"e\":\"RED\"}",
		  "/t format/id format/e choice" },
		{ "{\"in\":{}}", "/in/n required" },
		{ "{\"in\":{\"n\":null}}", "/in/n required" },
		{ "{\"in\":{\"n\":6}}", "/in/n range" },
		{ "{\"in\":7}", "/in type" },
		{ "{\"strs\":[\"a\",null,2]}", "/strs/1 type/strs/2 type" },
		{ "{\"strs\":[1,2,3,4]}", "/strs too_long" },
		{ "{\"strs\":7}", "/strs type" },
		{ "{\"ins\":[{\"n\":1},{\"n\":9,\"m\":1},4]}",
		  "/ins/1/n range/ins/1/m unknown/ins/2 type" },
		{ "{\"a/b\":1,\"~\":{},\"\":1}", "/a~1b unknown/~0 unknown/ unknown" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf got = { 0 };
		FieldMistakes m;

		read_it(a, cases[i].text, false, &m);
		for (size_t k = 0; k < m.count; k++)
			buf_fmt(&got, "%.*s %s", STR_ARG(m.at[k].pointer), m.at[k].code);
		NOTE("%s", cases[i].text);
		CHECK_STR(buf_str(&got), str_of(cases[i].want));
	}
}

TEST(a_table_that_does_not_fit_its_struct_is_refused)
{
	static const Field wrong[] = {
		{ "s", FIELD_INT, AT(Outer, s), .help = "x" },
		{ "note", FIELD_STR, AT(Outer, note), .help = "x" },
		{ "note", FIELD_STR, AT(Outer, note), .nullable = true, .help = "x" },
		{ "i", FIELD_INT, AT(Outer, i) },
		{ "e", FIELD_ENUM, AT(Outer, e), .help = "x" },
		{ "in", FIELD_OBJECT, AT(Outer, in), .help = "x" },
		{ "s", FIELD_STR, AT(Outer, s), .names = words, .help = "x" },
	};

	CHECK_OK(field_table_check_read(a, &outer));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		FieldTable table = { "Wrong", .size = sizeof(Outer), .rows = &wrong[i],
			             .count = 1 };

		NOTE("row %zu", i);
		CHECK_ERR(field_table_check_read(a, &table), "field.table");
	}
}
