/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_json.c"

#include "compare_base.h"
#include "unit.h"

#include "base/rand.h"

typedef struct Case {
	Str old, new, want;
} Case;

static Comparison compare_as_json(Arena *a, const CompareRules *rules, Str old, Str new)
{
	return compare_typed(a, rules, S("application/json"), old, new);
}

static void check_cases(Arena *a, const CompareRules *rules, const Case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Comparison found = compare_as_json(a, rules, cases[i].old, cases[i].new);

		NOTE("%.*s against %.*s", STR_ARG(cases[i].old), STR_ARG(cases[i].new));
		CHECK_STR(compare_told(a, &found), cases[i].want);
		CHECK_INT(found.form, COMPARE_JSON);
	}
}

TEST(compare_json_names_what_differs)
{
	static const Case cases[] = {
		{ S("1"), S("2"), S("value .") },
		{ S("{\"a\":1}"), S("{ \"a\" : 1 }"), S("") },
		{ S("{\"a\":1,\"b\":2}"), S("{\"b\":2,\"a\":1}"), S("") },
		{ S("{\"a\":1}"), S("{\"a\":2}"), S("value .a") },
		{ S("{\"a\":1}"), S("{}"), S("missing .a") },
		{ S("{}"), S("{\"a\":1}"), S("extra .a") },
		{ S("{\"a\":1}"), S("{\"a\":\"1\"}"), S("type .a") },
		{ S("{\"a\":1}"), S("{\"a\":null}"), S("type .a") },
		{ S("{\"a\":null}"), S("{}"), S("missing .a") },
		{ S("{\"a\":true}"), S("{\"a\":false}"), S("value .a") },
		{ S("{\"a\":{\"b\":[{\"c\":1}]}}"), S("{\"a\":{\"b\":[{\"c\":2}]}}"),
		  S("value .a.b[].c") },
		{ S("[1,2,3]"), S("[1,2]"), S("size .") },
		{ S("[1,2,3]"), S("[3,1,2]"), S("order .") },
		{ S("[1,2,3]"), S("[1,2,4]"), S("value .[]") },
		{ S("[1,2,3]"), S("[4,5,6]"), S("value .[]") },
		{ S("{\"a\":[{\"x\":1},{\"x\":2}]}"), S("{\"a\":[{\"x\":2},{\"x\":1}]}"),
		  S("order .a") },
		{ S("[[1,2],[3]]"), S("[[2,1],[3]]"), S("order .[]") },
		{ S("[1,\"1\"]"), S("[\"1\",1]"), S("order .") },
		{ S("{\"a\":1,\"b\":[1],\"c\":\"x\"}"), S("{\"a\":2,\"b\":[1,2],\"d\":\"x\"}"),
		  S("value .a; size .b; missing .c; extra .d") },
		{ S("{\"a b\":1}"), S("{\"a b\":2}"), S("value .*") },
		{ S("{\"first-name\":1}"), S("{\"first-name\":2}"), S("value .[\"first-name\"]") },
		{ S("{\"17\":{\"x\":1}}"), S("{\"18\":{\"x\":1}}"), S("missing .*; extra .*") },
		{ S("\"a\""), S("\"a\\u0000\""), S("body .") },
		{ S("\"\\u00e9\""), S("\"\xc3\xa9\""), S("") },
	};

	check_cases(a, NULL, cases, COUNT(cases));
}

TEST(compare_json_takes_numbers_exactly)
{
	static const Case cases[] = {
		{ S("9007199254740993"), S("9007199254740992"), S("value .") },
		{ S("9223372036854775807"), S("9223372036854775807 "), S("") },
		{ S("9223372036854775808"), S("9223372036854775809"), S("value .") },
		{ S("9223372036854775808"), S(" 9223372036854775808"), S("") },
		{ S("[9223372036854775807,1]"), S("[9223372036854775807,123456789012345678901]"),
		  S("value .[]") },
		{ S("-123456789012345678901234567890"), S("-123456789012345678901234567891"),
		  S("value .") },
		{ S("123456789012345678901"), S("1.5"), S("type .") },
		{ S("123456789012345678901"), S("\"123456789012345678901\""), S("type .") },
		{ S("1"), S("1.0"), S("type .") },
		{ S("1.1"), S("1.10"), S("") },
		{ S("0.1"), S("0.1000000000000000055511151231257827"), S("") },
		{ S("0.0"), S("-0.0"), S("") },
		{ S("1e2"), S("100.0"), S("") },
		{ S("NaN"), S(" NaN"), S("") },
		{ S("NaN"), S("Infinity"), S("value .") },
		{ S("[-Infinity]"), S("[-1.0]"), S("value .[]") },
		{ S("[1e999]"), S("[1.0]"), S("value .[]") },
		{ S("{\"NaN\":\"Infinity 123456789012345678901\",\"b\":NaN}"),
		  S("{\"NaN\":\"Infinity 123456789012345678901\",\"b\":NaN }"), S("") },
	};

	check_cases(a, NULL, cases, COUNT(cases));
}

TEST(compare_json_leaves_out_what_is_ignored)
{
	const CompareRules rules = {
		.ignore = STRS(S(".request_id"), S(".items[].updated"), S(".[\"odd key\"]"),
		               S("..at"), S(".list")),
	};
	static const Case cases[] = {
		{ S("{\"request_id\":1}"), S("{\"request_id\":2}"), S("") },
		{ S("{\"request_id\":1}"), S("{}"), S("") },
		{ S("{}"), S("{\"request_id\":{}}"), S("") },
		{ S("{\"a\":{\"request_id\":1}}"), S("{\"a\":{\"request_id\":2}}"),
		  S("value .a.request_id") },
		{ S("{\"items\":[{\"updated\":1,\"x\":1}]}"),
		  S("{\"items\":[{\"updated\":2,\"x\":2}]}"), S("value .items[].x") },
		{ S("{\"odd key\":1,\"x\":1}"), S("{\"odd key\":2,\"x\":2}"), S("value .*") },
		{ S("{\"a\":{\"b\":[{\"at\":1}]},\"at\":1}"),
		  S("{\"a\":{\"b\":[{\"at\":2}]},\"at\":2}"), S("") },
		{ S("{\"list\":[1,{\"x\":2}]}"), S("{\"list\":\"no\"}"), S("") },
		/* the order shows through what is ignored */
		{ S("{\"items\":[{\"updated\":1,\"x\":1},{\"updated\":2,\"x\":2}]}"),
		  S("{\"items\":[{\"updated\":3,\"x\":2},{\"updated\":4,\"x\":1}]}"),
		  S("order .items") },
	};
	static const Case absent[] = {
		{ S("{\"items\":[{\"updated\":1,\"x\":1},{\"x\":2}]}"),
		  S("{\"items\":[{\"updated\":3,\"x\":2},{\"x\":1}]}"), S("order .items") },
	};
	const CompareRules all = { .ignore = STRS(S(".*")) };
	const CompareRules root = { .ignore = STRS(S(".")) };
	Comparison found = compare_as_json(a, &all, S("{\"a\":1,\"b\":2}"), S("{\"a\":2,\"c\":2}"));

	check_cases(a, &rules, cases, COUNT(cases));
	check_cases(a, &rules, absent, COUNT(absent));
	CHECK_STR(compare_told(a, &found), S(""));
	found = compare_as_json(a, &root, S("1"), S("[]"));
	CHECK_STR(compare_told(a, &found), S(""));
}

TEST(compare_json_matches_arrays_in_any_order)
{
	const CompareRules rules = {
		.unordered = STRS(S(".bag"), S(".bag[].tags")),
		.sets = STRS(S(".set")),
		.keyed = { .at = (CompareKeyed[]){ { S(".keyed"), S(".id") },
		                                   { S(".deep"), S(".a.b") } },
		           .count = 2 },
	};
	static const Case cases[] = {
		{ S("{\"bag\":[1,2,2]}"), S("{\"bag\":[2,1,2]}"), S("") },
		{ S("{\"bag\":[1,2,2]}"), S("{\"bag\":[2,1]}"), S("missing .bag[]") },
		{ S("{\"bag\":[1,2]}"), S("{\"bag\":[2,1,1]}"), S("extra .bag[]") },
		{ S("{\"bag\":[1,2]}"), S("{\"bag\":[3,2]}"), S("value .bag[]") },
		{ S("{\"bag\":[{\"a\":1,\"b\":1},{\"a\":2,\"b\":2}]}"),
		  S("{\"bag\":[{\"a\":2,\"b\":2},{\"a\":1,\"b\":9}]}"), S("value .bag[].b") },
		{ S("{\"bag\":[{\"a\":1,\"b\":1,\"c\":1},{\"a\":2,\"b\":2,\"c\":2}]}"),
		  S("{\"bag\":[{\"a\":2,\"b\":2,\"c\":9},{\"a\":1,\"b\":9,\"c\":1}]}"),
		  S("value .bag[].b; value .bag[].c") },
		{ S("{\"bag\":[{\"tags\":[1,2]},{\"tags\":[3]}]}"),
		  S("{\"bag\":[{\"tags\":[3]},{\"tags\":[2,1]}]}"), S("") },
		{ S("{\"bag\":[]}"), S("{\"bag\":[]} "), S("") },
		{ S("{\"set\":[1,2,2,1]}"), S("{\"set\":[2,1]}"), S("") },
		{ S("{\"set\":[1,2]}"), S("{\"set\":[2,3,1]}"), S("extra .set[]") },
		{ S("{\"keyed\":[{\"id\":1,\"x\":1},{\"id\":2,\"x\":2}]}"),
		  S("{\"keyed\":[{\"id\":2,\"x\":2},{\"id\":1,\"x\":9}]}"), S("value .keyed[].x") },
		{ S("{\"keyed\":[{\"id\":1},{\"id\":2}]}"),
		  S("{\"keyed\":[{\"id\":2},{\"id\":3}]}"), S("missing .keyed[]; extra .keyed[]") },
		{ S("{\"keyed\":[{\"id\":1},{\"id\":\"1\"}]}"),
		  S("{\"keyed\":[{\"id\":\"1\"},{\"id\":1}]}"), S("") },
		/* without a key, or with one twice, it is a multiset */
		{ S("{\"keyed\":[{\"id\":1},{\"x\":2}]}"), S("{\"keyed\":[{\"x\":2},{\"id\":1}]}"),
		  S("") },
		{ S("{\"keyed\":[{\"id\":1,\"x\":1},{\"id\":1,\"x\":2}]}"),
		  S("{\"keyed\":[{\"id\":1,\"x\":2},{\"id\":1,\"x\":1}]}"), S("") },
		{ S("{\"deep\":[{\"a\":{\"b\":\"k\"},\"c\":1},1]}"),
		  S("{\"deep\":[1,{\"a\":{\"b\":\"k\"},\"c\":2}]}"), S("value .deep[].c") },
	};

	check_cases(a, &rules, cases, COUNT(cases));
}

TEST(compare_json_ignores_within_arrays_in_any_order)
{
	const CompareRules rules = { .ignore = STRS(S(".[].at")), .unordered = STRS(S(".")) };
	static const Case cases[] = {
		{ S("[{\"at\":1,\"x\":1},{\"at\":2,\"x\":2}]"),
		  S("[{\"at\":3,\"x\":2},{\"at\":4,\"x\":1}]"), S("") },
		{ S("[{\"at\":1,\"x\":1},{\"at\":2,\"x\":2}]"),
		  S("[{\"at\":3,\"x\":2},{\"at\":4,\"x\":3}]"), S("value .[].x") },
	};

	check_cases(a, &rules, cases, COUNT(cases));
}

TEST(compare_json_tolerates_what_a_rule_allows)
{
	const CompareRules rules = {
		.unordered = STRS(S(".bag")),
		.tolerances = { .at = (CompareTolerance[]){ { S(".abs"), 0.01, 0 },
		                                            { S(".rel"), 0, 0.1 },
		                                            { S(".bag[]"), 0.01, 0 } },
		                .count = 3 },
	};
	static const Case cases[] = {
		{ S("{\"abs\":1.00}"), S("{\"abs\":1.005}"), S("") },
		{ S("{\"abs\":1.00}"), S("{\"abs\":1.02}"), S("value .abs") },
		{ S("{\"abs\":1}"), S("{\"abs\":1.0}"), S("") },
		{ S("{\"abs\":1}"), S("{\"abs\":\"1\"}"), S("type .abs") },
		{ S("{\"rel\":100}"), S("{\"rel\":110}"), S("") },
		{ S("{\"rel\":100}"), S("{\"rel\":112}"), S("value .rel") },
		{ S("{\"rel\":-100}"), S("{\"rel\":100}"), S("value .rel") },
		{ S("{\"rel\":123456789012345678901}"), S("{\"rel\":123456789012345678902}"),
		  S("") },
		{ S("{\"abs\":NaN}"), S("{\"abs\":NaN }"), S("") },
		{ S("{\"abs\":NaN}"), S("{\"abs\":1.0}"), S("value .abs") },
		{ S("{\"bag\":[1.0,2.0,3.0]}"), S("{\"bag\":[3.001,1.001,2.001]}"), S("") },
		{ S("{\"bag\":[1.0,2.0,3.0]}"), S("{\"bag\":[3.001,1.001,2.5]}"),
		  S("value .bag[]") },
	};

	check_cases(a, &rules, cases, COUNT(cases));
}

TEST(compare_json_takes_large_objects_for_maps)
{
	AUTO(buf_fini) Buf old = { 0 };
	AUTO(buf_fini) Buf new = { 0 };
	Comparison found;

	for (int keys = COMPARE_MAP_KEYS; keys <= COMPARE_MAP_KEYS + 1; keys++) {
		buf_clear(&old);
		buf_clear(&new);
		for (int i = 0; i < keys; i++) {
			buf_fmt(&old, "%c\"k%c%c\":1", i ? ',' : '{', 'a' + i % 26, 'a' + i / 26);
			buf_fmt(&new, "%c\"k%c%c\":%d", i ? ',' : '{', 'a' + i % 26, 'a' + i / 26,
			        i == 3 ? 2 : 1);
		}
		buf_putc(&old, '}');
		buf_putc(&new, '}');
		found = compare_as_json(a, NULL, buf_str(&old), buf_str(&new));
		CHECK_STR(compare_told(a, &found),
		          keys > COMPARE_MAP_KEYS ? S("value .*") : S("value .kda"));
	}
}

TEST(compare_json_takes_for_maps_what_is_large_on_one_side)
{
	AUTO(buf_fini) Buf b = { 0 };
	Comparison found;
	Str less;

	for (int i = 0; i < COMPARE_MAP_KEYS; i++)
		buf_fmt(&b, "%c\"k%c%c\":1", i ? ',' : '{', 'a' + i % 26, 'a' + i / 26);
	less = str_fmt(a, "%.*s}", STR_ARG(buf_str(&b)));
	buf_put(&b, S(",\"more\":1}"));
	found = compare_as_json(a, NULL, buf_str(&b), less);
	CHECK_STR(compare_told(a, &found), S("missing .*"));
	found = compare_as_json(a, NULL, less, buf_str(&b));
	CHECK_STR(compare_told(a, &found), S("extra .*"));
}

TEST(compare_json_takes_for_maps_what_a_rule_says)
{
	const CompareRules rules = { .maps = STRS(S(".prices")), .ignore = STRS(S(".prices.eur")) };
	static const Case cases[] = {
		{ S("{\"prices\":{\"usd\":1}}"), S("{\"prices\":{\"usd\":2}}"),
		  S("value .prices.*") },
		{ S("{\"prices\":{\"eur\":1}}"), S("{\"prices\":{\"eur\":2}}"), S("") },
		{ S("{\"other\":{\"usd\":1}}"), S("{\"other\":{\"usd\":2}}"),
		  S("value .other.usd") },
	};

	check_cases(a, &rules, cases, COUNT(cases));
}

TEST(compare_json_shows_examples)
{
	static const struct {
		Str old, new, was, is;
	} cases[] = {
		{ S("{\"a\":1}"), S("{\"a\":\"x\"}"), S("1"), S("\"x\"") },
		{ S("{\"a\":{\"b\":[1,\"c\",null,1.5,true]}}"), S("{}"),
		  S("{\"b\":[1,\"c\",null,1.5,true]}"), S("") },
		{ S("[1]"), S("[]"), S("1 item"), S("0 items") },
		{ S("[1,2]"), S("[2,1]"), S("[1,2]"), S("[2,1]") },
		{ S("{\"a\":123456789012345678901}"), S("{\"a\":1}"), S("123456789012345678901"),
		  S("1") },
		{ S("{\"a\":{\"password\":\"x\",\"b\":1}}"), S("{}"),
		  S("{\"password\":***,\"b\":1}"), S("") },
		{ S("{\"card\":{\"number\":1}}"), S("{\"card\":{\"number\":2}}"), S("***"),
		  S("***") },
		{ S("{\"a\":4111111111111111}"), S("{\"a\":1}"), S("***"), S("1") },
		{ S("{\"a\":\"to ann@example.org\"}"), S("{\"a\":\"\"}"), S("\"to ***\""),
		  S("\"\"") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_as_json(a, NULL, cases[i].old, cases[i].new);

		NOTE("%.*s", STR_ARG(cases[i].old));
		CHECK_INT(found.count, 1);
		CHECK_STR(found.at[0].old, cases[i].was);
		CHECK_STR(found.at[0].new, cases[i].is);
	}
}

TEST(compare_json_keeps_no_secret)
{
	const CompareRules rules = { .mask = { .names = STRS(S("nick")),
		                               .paths = STRS(S(".user.name")) } };
	static const Str bodies[] = {
		S("{\"password\":\"S3CRET\"}"),
		S("{\"a\":[{\"userPassword\":{\"x\":[\"S3CRET\"]}}]}"),
		S("{\"tokens\":{\"S3CRET\":{\"x\":1}}}"),
		S("{\"user\":{\"name\":\"S3CRET\"}}"),
		S("{\"user\":{\"name\":{\"S3CRET\":1}}}"),
		S("{\"nick\":\"S3CRET\"}"),
		S("{\"note\":\"the token S3CRET\"}"),
		S("{\"note\":\"token=S3CRET\",\"x\":[\"csrf S3CRET\"]}"),
		S("[\"S3CRET@example.org\"]"),
		S("{\"S3CRET@example.org\":1}"),
		S("{\"x\":{\"S3CRET@example.org\":1}}"),
		S("{\"url\":\"https://x/?access_token=S3CRET\"}"),
		S("{\"token\":\"S3CRET\" broken"),
		S("S3CRET"),
		S("{\"a\":\"S3CRET\",\"a\":1}"),
	};
	static const Str others[] = {
		S("{}"),
		S("{\"password\":1,\"nick\":2,\"note\":3,\"url\":4,\"user\":{\"name\":5}}"),
		S("[1]"),
		S("[\"\"]"),
		S("{broken"),
		S("")
	};

	for (size_t i = 0; i < COUNT(bodies); i++) {
		for (size_t k = 0; k < COUNT(others); k++) {
			Comparison found = compare_as_json(a, &rules, bodies[i], others[k]);

			NOTE("%.*s against %.*s", STR_ARG(bodies[i]), STR_ARG(others[k]));
			CHECK(found.count > 0);
			CHECK(!compare_keeps(&found, S("S3CRET")));
			found = compare_as_json(a, &rules, others[k], bodies[i]);
			CHECK(!compare_keeps(&found, S("S3CRET")));
		}
	}
}

TEST(compare_json_stops_when_it_is_too_much)
{
	const CompareRules rules = { .unordered = STRS(S("..[]"), S(".")), .body_max = 1 << 24 };
	AUTO(buf_fini) Buf old = { 0 };
	AUTO(buf_fini) Buf new = { 0 };
	Comparison found;

	/* nothing equals anything, and each pairing looks into all that is below */
	for (int i = 0; i < 60; i++) {
		buf_put(&old, i ? S(",[") : S("[["));
		buf_put(&new, i ? S(",[") : S("[["));
		for (int k = 0; k < 60; k++) {
			buf_fmt(&old, "%s[%d,%d.5,[\"a%d\"],[%d]]", k ? "," : "", i, k, k * i, i);
			buf_fmt(&new, "%s[%d,%d.5,[\"b%d\"],[%d]]", k ? "," : "", i + 100, k + 100,
			        k * i, -i - 1);
		}
		buf_putc(&old, ']');
		buf_putc(&new, ']');
	}
	buf_putc(&old, ']');
	buf_putc(&new, ']');
	found = compare_as_json(a, &rules, buf_str(&old), buf_str(&new));
	CHECK(found.dropped > 0);
}

/* --- properties ----------------------------------------------------------------------------------------------------- */

static void put_random(JsonWriter *w, int depth);

static void put_random_scalar(JsonWriter *w)
{
	static const Str texts[] = { S(""),         S("a"),    S("two words"),
		                     S("\xc3\xa9"), S("\"\\"), S("17") };

	switch (rand_below(6)) {
	case 0:
		json_add_null(w);
		break;
	case 1:
		json_add_bool(w, rand_below(2));
		break;
	case 2:
		json_add_real(w, (double)rand_below(1000) / 8);
		break;
	case 3:
		json_add_i64(w, (int64_t)rand_u64());
		break;
	default:
		json_add_str(w, texts[rand_below(COUNT(texts))]);
	}
}

static void put_random(JsonWriter *w, int depth)
{
	uint64_t what = depth ? rand_below(3) : 2, count = rand_below(6);

	if (what == 2) {
		put_random_scalar(w);
		return;
	}
	what ? json_begin_array(w) : json_begin_object(w);
	for (uint64_t i = 0; i < count; i++) {
		const char key[] = { 'k', (char)('a' + i) };

		if (!what)
			json_key(w, (Str){ key, 2 });
		put_random(w, depth - 1);
	}
	json_end(w);
}

static Str random_json(Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	put_random(&w, 5);
	CHECK_OK(json_done(&w, &text));
	return str_dup(a, text);
}

TEST(compare_json_finds_nothing_between_equals)
{
	const CompareRules bags = { .unordered = STRS(S("."), S("..[]"), S("..*")) };

	for (int i = 0; i < 2000; i++) {
		Str text = random_json(a);
		Comparison found =
			compare_as_json(a, NULL, text, str_fmt(a, " %.*s", STR_ARG(text)));

		NOTE("%.*s", STR_ARG(text));
		CHECK_STR(compare_told(a, &found), S(""));
		CHECK(!found.same_bytes);
		found = compare_as_json(a, &bags, text, str_fmt(a, " %.*s", STR_ARG(text)));
		CHECK_STR(compare_told(a, &found), S(""));
	}
}

typedef struct Mutant { /* one place of a random value, changed or shuffled */
	size_t countdown;
	Step steps[COMPARE_STEPS_MAX];
	size_t depth;
	Str path; /* of the mutation; empty: not yet */
	bool shuffle;
} Mutant;

static void put_mutant(Arena *a, JsonWriter *w, Mutant *m, const Json *value);

static void put_mutant_members(Arena *a, JsonWriter *w, Mutant *m, const Json *object)
{
	void *at = NULL;
	const Json *value;
	Str key;

	json_begin_object(w);
	while (json_next(object, &at, &key, &value)) {
		m->steps[m->depth++] = (Step){ .key = key };
		json_key(w, key);
		put_mutant(a, w, m, value);
		m->depth--;
	}
	json_end(w);
}

static void put_mutant_items(Arena *a, JsonWriter *w, Mutant *m, const Json *array)
{
	size_t count = json_count(array), first = m->shuffle && count ? rand_below(count) : 0;

	json_begin_array(w);
	m->steps[m->depth++] = (Step){ .kind = STEP_ITEM };
	for (size_t i = 0; i < count; i++)
		put_mutant(a, w, m, json_at(array, (first + i) % count));
	m->depth--;
	json_end(w);
}

static void put_mutant(Arena *a, JsonWriter *w, Mutant *m, const Json *value)
{
	JsonKind kind = json_kind(value);

	if (!m->shuffle && !m->path.at && !m->countdown--) {
		AUTO(buf_fini) Buf path = { 0 };

		compare_path_put(&path, m->steps, m->depth, false);
		m->path = str_dup(a, buf_str(&path));
		json_add_str(w, S("mutated"));
	} else if (kind == JSON_KIND_OBJECT) {
		put_mutant_members(a, w, m, value);
	} else if (kind == JSON_KIND_ARRAY) {
		put_mutant_items(a, w, m, value);
	} else {
		json_put(w, value);
	}
}

static Str mutate(Arena *a, Str text, Mutant *m)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *value = NULL;
	Str out;

	CHECK_OK(json_read(a, text, 0, &value));
	put_mutant(a, &w, m, value);
	CHECK_OK(json_done(&w, &out));
	return str_dup(a, out);
}

TEST(compare_json_names_the_place_that_was_changed)
{
	const CompareRules bags = { .unordered = STRS(S("."), S("..[]"), S("..*")) };
	int changed = 0;

	for (int i = 0; i < 3000; i++) {
		Str text = random_json(a);
		Mutant m = { .countdown = rand_below(12) };
		Str other = mutate(a, text, &m);
		Comparison found = compare_as_json(a, NULL, text, other);
		bool listed = false;

		NOTE("%.*s against %.*s", STR_ARG(text), STR_ARG(other));
		if (!m.path.at)
			continue;
		changed++;
		CHECK_INT(found.count, 1);
		CHECK_STR(found.at[0].path, m.path);
		found = compare_as_json(a, &bags, text, other);
		for (size_t k = 0; k < found.count; k++)
			listed |= str_eq(found.at[k].path, m.path);
		CHECK(listed);
	}
	CHECK(changed > 1000);
}

TEST(compare_json_does_not_see_order_where_it_does_not_count)
{
	const CompareRules bags = { .unordered = STRS(S("."), S("..[]"), S("..*")) };
	int moved = 0;

	for (int i = 0; i < 2000; i++) {
		Str text = random_json(a);
		Mutant m = { .shuffle = true };
		Str other = mutate(a, text, &m);
		Comparison found = compare_as_json(a, &bags, text, other);

		NOTE("%.*s against %.*s", STR_ARG(text), STR_ARG(other));
		CHECK_STR(compare_told(a, &found), S(""));
		found = compare_as_json(a, NULL, text, other);
		moved += found.count > 0;
	}
	CHECK(moved > 300);
}
