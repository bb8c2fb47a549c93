/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/hit.c"

#include "unit.h"

static const HitLimits limits = { .now_ms = 1700000000000,
	                          .past_ms = 86400000,
	                          .future_ms = 60000 };

static bool read_text(Arena *a, Str text, Hit *hit, HitRefusal *refusal)
{
	const Json *value;

	CHECK_OK(json_read(a, text, 0, &value));
	*hit = (Hit){ .project = 7 };
	return hit_read(a, value, &limits, 0, hit, refusal);
}

TEST(what_is_no_event_is_told_why)
{
	static const struct {
		Str text;
		const char *code; /* NULL: it is one */
	} cases[] = {
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\"}"), NULL },
		{ S("{\"event\":\"x\",\"distinct_id\":7}"), NULL },
		{ S("{\"event\":\"x\",\"properties\":{\"distinct_id\":\"u\"}}"), NULL },
		{ S("[]"), "event.type" },
		{ S("{\"distinct_id\":\"u\"}"), "event" },
		{ S("{\"event\":\"\",\"distinct_id\":\"u\"}"), "event" },
		{ S("{\"event\":\"a\\nb\",\"distinct_id\":\"u\"}"), "event" },
		{ S("{\"event\":\"x\"}"), "distinct_id" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"\"}"), "distinct_id" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"properties\":[1]}"),
		  "properties.type" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"properties\":{\"\":1}}"),
		  "properties.name" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"id\":5}"), "id" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":\"yesterday\"}"),
		  "timestamp" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":1700000060000}"), NULL },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":1700000060001}"),
		  "timestamp.future" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":1699913600000}"), NULL },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":1699913599999}"),
		  "timestamp.past" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":\"1969-01-01T00:00:00Z\"}"),
		  "timestamp.past" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":9223372036854775807}"),
		  "timestamp.future" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"timestamp\":-9223372036854775808}"),
		  "timestamp.past" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"offset\":86400000}"), NULL },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"offset\":86400001}"),
		  "timestamp.past" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"u\",\"offset\":9223372036854775807}"),
		  "timestamp.past" },
		{ S("{\"event\":\"x\",\"distinct_id\":\"erased:7\"}"), "distinct_id" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		HitRefusal refusal = { 0 };
		Hit hit;
		bool is = read_text(a, cases[i].text, &hit, &refusal);

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_STR(str_of(refusal.code), str_of(cases[i].code));
		CHECK_INT(is, cases[i].code == NULL);
	}
}

TEST(ids_of_all_clients_are_the_same_when_they_say_the_same)
{
	static const Str texts[] = {
		S("{\"event\":\"x\",\"distinct_id\":\"u\",\"id\":\"order 7\"}"),
		S("{\"event\":\"x\",\"distinct_id\":\"u\",\"uuid\":\"order 7\"}"),
		S("{\"event\":\"x\",\"distinct_id\":\"u\",\"properties\":{\"$insert_id\":\"order 7\"}}"),
	};
	HitRefusal refusal;
	Hit first, hit;
	Uuid known;

	CHECK(read_text(a, texts[0], &first, &refusal));
	for (size_t i = 1; i < COUNT(texts); i++) {
		CHECK(read_text(a, texts[i], &hit, &refusal));
		CHECK(uuid_eq(hit.id, first.id));
	}
	CHECK(uuid_read(S("018f3c1e-7a4b-7cc0-b1f2-0123456789ab"), &known));
	CHECK(uuid_eq(hit_id(S("018F3C1E-7A4B-7CC0-B1F2-0123456789AB")), known));
	CHECK(!uuid_eq(hit_id(S("order 8")), first.id));
	CHECK(read_text(a, S("{\"event\":\"x\",\"distinct_id\":\"u\"}"), &first, &refusal));
	CHECK(read_text(a, S("{\"event\":\"x\",\"distinct_id\":\"u\"}"), &hit, &refusal));
	CHECK(!uuid_eq(hit.id, first.id)); /* without one each is another */
}

TEST(values_keep_their_text_and_kind)
{
	static const struct {
		Str key, text;
		CellKind kind;
	} cases[] = {
		{ S("s"), S("12.50"), CELL_STR },
		{ S("i"), S("9007199254740993"), CELL_INT },
		{ S("r"), S("0.5"), CELL_REAL },
		{ S("b"), S("true"), CELL_BOOL },
		{ S("j"), S("{\"a\":[1,2]}"), CELL_JSON },
	};
	HitRefusal refusal;
	Hit hit;

	CHECK(read_text(
		a,
		S("{\"event\":\"x\",\"distinct_id\":\"u\",\"properties\":{\"s\":\"12.50\","
	          "\"i\":9007199254740993,\"r\":0.5,\"b\":true,\"n\":null,\"j\":{\"a\":[1,2]}}}"),
		&hit, &refusal));
	CHECK_INT(hit.prop_count, COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++) {
		const HitProp *prop = hit_prop(&hit, cases[i].key);

		CHECK(prop != NULL);
		CHECK_INT(prop->value.kind, cases[i].kind);
		CHECK_STR(prop->value.text, cases[i].text);
	}
	CHECK_NULL(hit_prop(&hit, S("n")));
}

TEST(a_number_is_one_however_it_was_sent)
{
	static const struct {
		Cell cell;
		bool is;
		double n;
	} cases[] = {
		{ { CELL_INT, S("42") }, true, 42 },       { { CELL_REAL, S("1e3") }, true, 1000 },
		{ { CELL_STR, S("-0.25") }, true, -0.25 }, { { CELL_STR, S("") }, false, 0 },
		{ { CELL_STR, S("12 EUR") }, false, 0 },   { { CELL_STR, S("inf") }, false, 0 },
		{ { CELL_STR, S("0x10") }, false, 0 },     { { CELL_BOOL, S("true") }, false, 0 },
		{ { CELL_NONE, S("") }, false, 0 },        { { CELL_STR, S("1e999") }, false, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		double n = 0;

		NOTE("%.*s", STR_ARG(cases[i].cell.text));
		CHECK_INT(cell_number(cases[i].cell, &n), cases[i].is);
		CHECK_NEAR(n, cases[i].n, 1e-9);
	}
}
