/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/differences_print.c"

#include "compare_base.h"
#include "unit.h"

static const int64_t noon = 1796040000 * US_PER_S; /* 2026-11-30T12:00:00Z */

static void note(Differences *d, Str path, CompareKind kind, Str old, Str new, bool noisy,
                 bool measured)
{
	const Difference one = { path, kind, old, new };
	const Comparison found = { .at = &one, .count = 1 }, none = { 0 };
	DifferencesSeen seen;

	differences_note(d, NULL, &found,
	                 !measured ? NULL
	                 : noisy   ? &found
	                           : &none,
	                 S("GET /items?page=2"), noon, &seen);
}

/* A table with a key of each verdict. */
static Differences *sample(Arena *a)
{
	Differences *d = differences_new(0.001);

	for (int i = 0; i < 20; i++) {
		note(d, S(".items[].price"), COMPARE_VALUE, S("12.5"), S("12.50"), false, true);
		note(d, S(".request_id"), COMPARE_VALUE, S("\"a\""), S("\"b\""), true, true);
	}
	note(d, S(".total"), COMPARE_TYPE, S("1"), S("\"1\""), false, false);
	note(d, S("content-type"), COMPARE_HEADER, S("text/html"), S("text/html; charset=utf-8"),
	     false, false);
	CHECK_OK(differences_accept(d, a, S("content-type"), COMPARE_HEADER, S("ann"), noon));
	return d;
}

static Str json_of(Arena *a, const Differences *d, void (*put)(const Differences *, JsonWriter *))
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text = { 0 };

	put(d, &w);
	CHECK_OK(json_done(&w, &text));
	return str_dup(a, text);
}

TEST(differences_tell_the_worst_first)
{
	AUTO(differences_freep) Differences *d = sample(a);
	static const struct {
		Str path, kind, verdict;
		int64_t raw, noise;
	} want[] = {
		{ S(".items[].price"), S("value"), S("mismatch"), 20, 0 },
		{ S(".total"), S("type"), S("open"), 1, 0 },
		{ S(".request_id"), S("value"), S("noise"), 20, 20 },
		{ S("content-type"), S("header"), S("accepted"), 1, 0 },
	};
	const Json *json = NULL, *keys;
	int64_t number = 0;

	CHECK_OK(json_read(a, json_of(a, d, differences_put_json), 0, &json));
	CHECK(json_to_i64(json_get(json, S("compared")), &number) && number == 42);
	CHECK(json_to_i64(json_get(json, S("measured")), &number) && number == 40);
	CHECK(json_to_i64(json_get(json, S("dropped")), &number) && number == 0);
	keys = json_get(json, S("keys"));
	CHECK_INT(json_count(keys), COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		const Json *key = json_at(keys, i);
		Str text = { 0 };

		NOTE("key %zu", i);
		CHECK(json_to_str(json_get(key, S("path")), &text));
		CHECK_STR(text, want[i].path);
		CHECK(json_to_str(json_get(key, S("kind")), &text));
		CHECK_STR(text, want[i].kind);
		CHECK(json_to_str(json_get(key, S("verdict")), &text));
		CHECK_STR(text, want[i].verdict);
		CHECK(json_to_i64(json_get(key, S("raw")), &number) && number == want[i].raw);
		CHECK(json_to_i64(json_get(key, S("noise")), &number) && number == want[i].noise);
		CHECK_INT(json_count(json_get(key, S("examples"))),
		          MIN(want[i].raw, DIFFERENCES_EXAMPLES));
		CHECK_INT(json_get(key, S("accepted_by")) != NULL,
		          str_eq(want[i].verdict, S("accepted")));
	}
}

TEST(differences_tell_examples_as_the_contract_says)
{
	AUTO(differences_freep) Differences *d = differences_new(0);

	note(d, S(".a"), COMPARE_VALUE, S("1"), S("2"), false, false);
	CHECK_STR(
		json_of(a, d, differences_put_json),
		S("{\"compared\":1,\"measured\":0,\"mismatches\":1,\"dropped\":0,\"keys\":[{\"path\":\".a\","
	          "\"kind\":\"value\",\"raw\":1,\"noise\":0,\"verdict\":\"open\",\"p\":1.0,"
	          "\"first\":\"2026-11-30T12:00:00.000000Z\",\"last\":\"2026-11-30T12:00:00.000000Z\",\"examples\":["
	          "{\"at\":\"2026-11-30T12:00:00.000000Z\",\"request\":\"GET /items?page=2\",\"old\":\"1\",\"new\":\"2\"}]}]}"));
}

TEST(differences_are_taken_up_again)
{
	AUTO(differences_freep) Differences *d = sample(a);
	AUTO(differences_freep) Differences *again = differences_new(0.001);
	Str state = json_of(a, d, differences_put_state);
	const Json *json = NULL;

	CHECK_OK(json_read(a, state, 0, &json));
	CHECK_OK(differences_read_state(again, a, json));
	CHECK_STR(json_of(a, again, differences_put_state), state);
	CHECK_STR(json_of(a, again, differences_put_json), json_of(a, d, differences_put_json));
}

TEST(differences_stay_mismatches_when_they_are_taken_up_again)
{
	AUTO(differences_freep) Differences *d = differences_new(0.001);
	AUTO(differences_freep) Differences *again = differences_new(0.001);
	const Difference one = { S(".a"), COMPARE_VALUE, S("1"), S("2") };
	const Comparison found = { .at = &one, .count = 1 }, none = { 0 };
	DifferencesSeen seen;
	const Json *json = NULL;

	for (int i = 0; i < 20; i++)
		differences_note(d, NULL, &found, &none, S("GET /"), noon, &seen);
	for (int i = 0; i < 20; i++)
		differences_note(d, NULL, &none, &found, S("GET /"), noon, &seen);
	CHECK_INT(differences_totals(d).mismatch, 1);
	CHECK_OK(json_read(a, json_of(a, d, differences_put_state), 0, &json));
	CHECK_OK(differences_read_state(again, a, json));
	CHECK_INT(differences_totals(again).mismatch, 1);
}

TEST(differences_of_two_gateways_add_up)
{
	AUTO(differences_freep) Differences *d = sample(a);
	AUTO(differences_freep) Differences *sum = sample(a);
	Str state = json_of(a, d, differences_put_state);
	const DifferencesKey *key = differences_key(sum, S(".items[].price"), COMPARE_VALUE);
	const Json *json = NULL;

	CHECK_OK(json_read(a, state, 0, &json));
	CHECK_OK(differences_read_state(sum, a, json));
	CHECK_INT(differences_totals(sum).compared, 84);
	CHECK_INT(differences_totals(sum).keys, 4);
	CHECK_INT(key->raw, 40);
	CHECK_INT(key->paired.raw_only, 40);
	CHECK_INT(key->example_count, DIFFERENCES_EXAMPLES);
	CHECK_INT(key->first_us, noon);
}

TEST(differences_refuse_a_state_that_is_none)
{
	AUTO(differences_freep) Differences *d = sample(a);
	Str state = json_of(a, d, differences_put_state);
	static const struct {
		Str what, with;
	} cases[] = {
		{ S("\"compared\":42"), S("\"compared\":-1") },
		{ S("\"compared\":42"), S("\"compared\":\"x\"") },
		{ S("\"keys\":["), S("\"keys\":[1,") },
		{ S("\"kind\":\"value\""), S("\"kind\":\"values\"") },
		{ S("\"raw\":20"), S("\"raw\":null") },
		{ S("\"accepted\":false"), S("\"accepted\":0") },
		{ S("\"paired\":{"), S("\"paired\":{\"x\":1},\"y\":{") },
		{ S("\"at\":\"2026"), S("\"at\":\"x2026") },
		{ S("\"old\":\"12.5\""), S("\"old\":12.5") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(differences_freep) Differences *into = differences_new(0);
		ptrdiff_t at = str_find(state, cases[i].what);
		const Json *json = NULL;
		Str head, tail;

		NOTE("%.*s", STR_ARG(cases[i].with));
		CHECK(at >= 0);
		head = str_sub(state, 0, (size_t)at);
		tail = str_sub(state, (size_t)at + cases[i].what.len, state.len);
		CHECK_OK(json_read(a,
		                   str_fmt(a, "%.*s%.*s%.*s", STR_ARG(head), STR_ARG(cases[i].with),
		                           STR_ARG(tail)),
		                   0, &json));
		CHECK_ERR(differences_read_state(into, a, json), "differences.state");
	}
	CHECK_ERR(differences_read_state(d, a, NULL), "differences.state");
}
