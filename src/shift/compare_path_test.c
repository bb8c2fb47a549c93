/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_path.c"

#include "unit.h"

TEST(compare_path_reads_and_writes_paths)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("."), S(".") },
		{ S(".a"), S(".a") },
		{ S(".a.b_c.D9"), S(".a.b_c.D9") },
		{ S(".items[].price"), S(".items[].price") },
		{ S(".[]"), S(".[]") },
		{ S(".[].x"), S(".[].x") },
		{ S(".a[][]"), S(".a[][]") },
		{ S(".[\"odd key\"]"), S(".[\"odd key\"]") },
		{ S(".a[\"odd key\"].b"), S(".a[\"odd key\"].b") },
		{ S(".\"odd key\""), S(".[\"odd key\"]") },
		{ S(".a.\"b\""), S(".a.b") },
		{ S(".first-name"), S(".[\"first-name\"]") },
		{ S(".$ref"), S(".[\"$ref\"]") },
		{ S(".[\"a\\\"]b\"]"), S(".[\"a\\\"]b\"]") },
		{ S(".*"), S(".*") },
		{ S(".a.*.b"), S(".a.*.b") },
		{ S("/"), S("/") },
		{ S("/html/body/P"), S("/html/body/p") },
		{ S("/html/body/a/@HREF"), S("/html/body/a/@href") },
		{ S("/my-element/svg:g"), S("/my-element/svg:g") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Pattern pattern = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(compare_path_read(a, cases[i].text, &pattern));
		compare_path_put(&b, pattern.steps, pattern.count, pattern.html);
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}

TEST(compare_path_refuses_what_is_none)
{
	static const Str cases[] = {
		S(""),        S("a"),       S("a.b"),          S(" .a"),        S(".a."),
		S(".a..[0]"), S(".a[0]"),   S(".a["),          S(".a[\"x\""),   S(".[\"x"),
		S(".a b"),    S(".a[]b"),   S("..a..b..c..d"), S("//"),         S("/a//"),
		S("/a/@"),    S("/a/@b/c"), S("/a b"),         S(".[\"\\x\"]"), S(".a\"b\"")
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i]));
		CHECK_ERR(compare_verify_path(a, cases[i]), "compare.path");
	}
}

TEST(compare_path_has_a_limit_of_steps)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (int i = 0; i < COMPARE_DEPTH_MAX; i++)
		buf_put(&b, S(".a"));
	CHECK_OK(compare_verify_path(a, buf_str(&b)));
	buf_put(&b, S(".a"));
	CHECK_ERR(compare_verify_path(a, buf_str(&b)), "compare.path");
}

TEST(compare_path_matches_places)
{
	static const struct {
		Str pattern, place;
		bool fits;
	} cases[] = {
		{ S("."), S("."), true },
		{ S("."), S(".a"), false },
		{ S(".a"), S(".a"), true },
		{ S(".a"), S(".b"), false },
		{ S(".a"), S(".a.b"), false },
		{ S(".a.b"), S(".a"), false },
		{ S(".a[].b"), S(".a[].b"), true },
		{ S(".a[].b"), S(".a.b.b"), true }, /* as in jq */
		{ S(".a.*.b"), S(".a[].b"), false },
		{ S(".a.*.b"), S(".a.x.b"), true },
		{ S(".*"), S(".a"), true },
		{ S("..b"), S(".b"), true },
		{ S("..b"), S(".a[].c.b"), true },
		{ S("..b"), S(".a[].b.c"), false },
		{ S("..a..b"), S(".a.x.a.b"), true },
		{ S("..a..b"), S(".b.a"), false },
		{ S("..a.b"), S(".a.c.a.b"), true },
		{ S(".x..b"), S(".a.b"), false },
		{ S("..a.b"), S(".x.b"), false },
		{ S("..[]"), S(".a[]"), true },
		{ S("//p"), S("/html/body/p"), true },
		{ S("/html/*/p"), S("/html/body/p"), true },
		{ S("//@href"), S("/a/@href"), true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Pattern pattern = { 0 }, place = { 0 };

		NOTE("%.*s at %.*s", STR_ARG(cases[i].pattern), STR_ARG(cases[i].place));
		CHECK_OK(compare_path_read(a, cases[i].pattern, &pattern));
		CHECK_OK(compare_path_read(a, cases[i].place, &place));
		CHECK_INT(compare_path_fits(&pattern, place.steps, place.count), cases[i].fits);
	}
}

TEST(compare_path_tells_names_from_data)
{
	static const struct {
		Str key;
		bool data;
	} cases[] = {
		{ S("name"), false },
		{ S("first_name"), false },
		{ S("first-name"), false },
		{ S("addressLine2"), false },
		{ S("$ref"), false },
		{ S("@type"), false },
		{ S("_links"), false },
		{ S(""), true },
		{ S("17"), true },
		{ S("2026-01-31"), true },
		{ S("order-17"), true },
		{ S("ann@example.org"), true },
		{ S("odd key"), true },
		{ S("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), true },
		{ S("a1b2c3d4e5f6a7b8"), true },
		{ S("caf\xc3\xa9"), true },
		{ S("a.b"), true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].key));
		CHECK_INT(compare_key_is_data(cases[i].key), cases[i].data);
	}
}

TEST(compare_path_keeps_long_paths_apart)
{
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };
	Step steps[30];

	for (size_t i = 0; i < COUNT(steps); i++)
		steps[i] = (Step){ .key = S("a_rather_long_name") };
	compare_path_put(&first, steps, COUNT(steps), false);
	steps[COUNT(steps) - 1].key = S("b");
	compare_path_put(&second, steps, COUNT(steps), false);
	CHECK(first.len <= COMPARE_PATH_MAX && second.len <= COMPARE_PATH_MAX);
	CHECK(!str_eq(buf_str(&first), buf_str(&second)));
}
