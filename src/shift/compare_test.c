/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare.c"

#include "compare_base.h"
#include "unit.h"

static const CompareField json_type = { S("content-type"), S("application/json") };
static const CompareField html_type = { S("content-type"), S("text/html") };

static CompareAnswer json_answer(uint16_t status, Str body)
{
	return (CompareAnswer){ status, &json_type, 1, body, false };
}

static Comparison compare_both(Arena *a, const CompareRules *rules, CompareAnswer old,
                               CompareAnswer new, const CompareMap *map)
{
	static const CompareRules none = { 0 };
	const Comparer *comparer = NULL;
	Comparison found;

	CHECK_OK(compare_new(a, rules ? rules : &none, &comparer));
	compare_answers(comparer, a, &old, &new, map, &found);
	return found;
}

TEST(compare_names_its_kinds)
{
	for (int i = 0; i < COMPARE_KINDS; i++) {
		CompareKind kind;

		CHECK(compare_kind_name((CompareKind)i).len > 0);
		CHECK(compare_kind_of(compare_kind_name((CompareKind)i), &kind));
		CHECK_INT(kind, i);
	}
	CHECK(!compare_kind_of(S("values"), &(CompareKind){ 0 }));
	CHECK(!compare_kind_of(S(""), &(CompareKind){ 0 }));
}

TEST(compare_takes_the_status_first)
{
	static const struct {
		uint16_t old, new;
		Str want;
	} cases[] = {
		{ 200, 200, S("value .a") },
		{ 200, 201, S("status 200:201; value .a") },
		{ 200, 404, S("status 200:404") },
		{ 503, 500, S("status 503:500; value .a") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_both(a, NULL, json_answer(cases[i].old, S("{\"a\":1}")),
		                                json_answer(cases[i].new, S("{\"a\":2}")), NULL);

		NOTE("%u and %u", cases[i].old, cases[i].new);
		CHECK_STR(compare_told(a, &found), cases[i].want);
	}
}

TEST(compare_does_not_look_into_equal_bytes)
{
	Comparison found = compare_both(a, NULL, json_answer(200, S("{broken")),
	                                json_answer(200, S("{broken")), NULL);

	CHECK(found.same_bytes);
	CHECK_INT(found.count, 0);
	CHECK_INT(found.form, COMPARE_NOTHING);
	found = compare_both(a, NULL, json_answer(200, S("")), json_answer(200, S("")), NULL);
	CHECK(found.same_bytes);
}

TEST(compare_takes_broken_json_for_a_body)
{
	static const struct {
		Str old, new, want, was;
		CompareForm form;
	} cases[] = {
		{ S("{}"), S("{"), S("body ."), S("JSON, 2 bytes"), COMPARE_JSON },
		{ S("{\"a\":1,\"a\":1}"), S("{}"), S("body ."),
		  S("JSON with a key given twice, 13 bytes"), COMPARE_JSON },
		{ S(""), S("{}"), S("body ."), S("empty"), COMPARE_JSON },
		{ S("{"), S("["), S("body ."), S("1 bytes"), COMPARE_BYTES },
		{ S("{\"a\":1,\"a\":2}"), S("{\"a\":1,\"a\":3}"), S("body ."), S("13 bytes"),
		  COMPARE_BYTES },
		{ S("nul"), S("null"), S("body ."), S("no JSON, 3 bytes"), COMPARE_JSON },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_both(a, NULL, json_answer(200, cases[i].old),
		                                json_answer(200, cases[i].new), NULL);

		NOTE("%.*s", STR_ARG(cases[i].old));
		CHECK_STR(compare_told(a, &found), cases[i].want);
		CHECK_STR(found.at[0].old, cases[i].was);
		CHECK_INT(found.form, cases[i].form);
	}
}

TEST(compare_has_a_limit_of_depth)
{
	AUTO(buf_fini) Buf old = { 0 };
	AUTO(buf_fini) Buf new = { 0 };
	Comparison found;

	for (int deep = JSON_MAX_DEPTH; deep <= JSON_MAX_DEPTH + 1; deep++) {
		buf_clear(&old);
		buf_clear(&new);
		for (int i = 0; i < deep; i++) {
			buf_put(&old, S("["));
			buf_put(&new, S("["));
		}
		buf_putc(&new, '1');
		for (int i = 0; i < deep; i++) {
			buf_put(&old, S("]"));
			buf_put(&new, S("]"));
		}
		found = compare_both(a, NULL, json_answer(200, buf_str(&old)),
		                     json_answer(200, buf_str(&new)), NULL);
		CHECK_INT(found.count, 1);
		CHECK_INT(found.at[0].kind, deep > JSON_MAX_DEPTH ? COMPARE_BODY : COMPARE_SIZE);
	}
}

TEST(compare_takes_forms_from_both_sides)
{
	const CompareRules rules = { .headers_given = true };
	const CompareRules as_json = { .headers_given = true, .form = COMPARE_JSON };
	const CompareRules nothing = { .headers_given = true, .form = COMPARE_NOTHING };
	const struct {
		const CompareField *old, *new;
		const CompareRules *rules;
		CompareForm form;
	} cases[] = {
		{ &json_type, &json_type, &rules, COMPARE_JSON },
		{ &json_type, NULL, &rules, COMPARE_JSON },
		{ NULL, &html_type, &rules, COMPARE_HTML },
		{ &json_type, &html_type, &rules, COMPARE_BYTES },
		{ NULL, NULL, &rules, COMPARE_JSON },
		{ &html_type, NULL, &as_json, COMPARE_JSON },
		{ &json_type, &json_type, &nothing, COMPARE_NOTHING },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CompareAnswer old = { 200, cases[i].old, cases[i].old != NULL, S("{\"a\":1}"),
			              false };
		CompareAnswer new = { 200, cases[i].new, cases[i].new != NULL, S("\n{\"a\":2}"),
			              false };
		Comparison found = compare_both(a, cases[i].rules, old, new, NULL);

		NOTE("case %zu", i);
		CHECK_INT(found.form, cases[i].form);
		CHECK_INT(found.count, cases[i].form != COMPARE_NOTHING);
	}
}

TEST(compare_has_a_limit_of_size)
{
	const CompareRules rules = { .body_max = 8 };
	CompareAnswer small = json_answer(200, S("{\"a\":1}")),
		      large = json_answer(200, S("{\"a\":1000}"));
	CompareAnswer other = json_answer(200, S("{\"a\":2000}")), cut = small;
	Comparison found = compare_both(a, &rules, small, large, NULL);

	CHECK_STR(compare_told(a, &found), S("size ."));
	CHECK_STR(found.at[0].old, S("7 bytes"));
	found = compare_both(a, &rules, large, other, NULL);
	CHECK_INT(found.count, 0);
	CHECK(found.too_large);
	found = compare_both(a, &rules, large, large, NULL);
	CHECK(found.same_bytes && !found.too_large);
	cut.cut = true;
	found = compare_both(a, &rules, cut, cut, NULL);
	CHECK(found.too_large && !found.same_bytes);
	found = compare_both(a, &rules, small, cut, NULL);
	CHECK_STR(compare_told(a, &found), S("size ."));
}

static Err *map_to_one(void *arg, CompareSide side, Arena *a, Str body, Str *out)
{
	int *calls = arg;

	calls[side]++;
	if (str_find(body, S("bad")) >= 0)
		return err_new(a, ERR_INVALID, "test.bad", "bad");
	*out = S("{\"a\":1}");
	return NULL;
}

TEST(compare_maps_before_it_compares)
{
	int calls[2] = { 0 };
	const CompareMap map = { map_to_one, calls, false }, alike = { map_to_one, calls, true };
	CompareAnswer one = json_answer(200, S("{\"a\":1}")),
		      two = json_answer(200, S("{\"b\":2}"));
	CompareAnswer bad = json_answer(200, S("{\"bad\":2}"));
	Comparison found = compare_both(a, NULL, one, two, &map);

	CHECK_INT(found.count, 0);
	CHECK_INT(calls[COMPARE_OLD], 1);
	CHECK_INT(calls[COMPARE_NEW], 1);
	found = compare_both(a, NULL, one, one, &map);
	CHECK_INT(calls[COMPARE_NEW], 2);
	found = compare_both(a, NULL, one, one, &alike);
	CHECK_INT(calls[COMPARE_NEW], 2);
	found = compare_both(a, NULL, one, bad, &map);
	CHECK_STR(compare_told(a, &found), S("body ."));
	CHECK_STR(found.at[0].old, S("mapped"));
	CHECK_STR(found.at[0].new, S("could not be mapped"));
}

TEST(compare_keeps_so_many_keys)
{
	AUTO(buf_fini) Buf old = { 0 };
	AUTO(buf_fini) Buf new = { 0 };
	Comparison found;

	for (int i = 0; i < 200; i++) {
		buf_fmt(&old, "%s{\"k%c%c\":1}", i ? "," : "[", 'a' + i % 26, 'a' + i / 26);
		buf_put(&new, i ? S(",{}") : S("[{}"));
	}
	buf_putc(&old, ']');
	buf_putc(&new, ']');
	found = compare_typed(a, NULL, S("application/json"), buf_str(&old), buf_str(&new));
	CHECK_INT(found.count, COMPARE_KEYS_MAX);
	CHECK_INT(found.dropped, 200 - COMPARE_KEYS_MAX);
}

TEST(compare_refuses_rules_that_are_none)
{
	CompareKeyed keyed[] = { { S(".items"), S(".[]") } };
	CompareTolerance tolerances[] = { { S("items"), 1, 0 } };
	const CompareRules cases[] = {
		{ .ignore = STRS(S("a")) },
		{ .unordered = STRS(S(".a[0]")) },
		{ .sets = STRS(S("")) },
		{ .maps = STRS(S("..")) },
		{ .mask.paths = STRS(S("a")) },
		{ .keyed = { .at = keyed, .count = 1 } },
		{ .tolerances = { .at = tolerances, .count = 1 } },
	};
	const Comparer *comparer = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_ERR(compare_new(a, &cases[i], &comparer), "compare.path");
	}
}

TEST(compare_cuts_what_it_shows)
{
	AUTO(buf_fini) Buf b = { 0 };
	Comparison found;

	buf_put(&b, S("{\"a\":\""));
	for (int i = 0; i < 500; i++)
		buf_put(&b, S("\xc3\xa9"));
	buf_put(&b, S("\"}"));
	found = compare_typed(a, NULL, S("application/json"), buf_str(&b), S("{\"a\":\"\"}"));
	CHECK_INT(found.count, 1);
	CHECK(found.at[0].old.len <= COMPARE_VALUE_MAX);
	CHECK(str_ends(found.at[0].old, S("...")));
	for (Str rest = found.at[0].old; rest.len;) {
		uint32_t code;
		size_t len = str_utf8(rest, &code);

		CHECK(len > 0);
		rest = str_sub(rest, len, rest.len);
	}
}
