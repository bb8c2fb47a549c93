/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_read.c"

#include "unit.h"

static Str again(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text = { 0 };

	json_put(&w, value);
	CHECK_OK(json_done(&w, &text));
	return str_dup(a, text);
}

TEST(json_reads_and_writes_the_same)
{
	static const char *const cases[] = {
		"null",
		"true",
		"1",
		"\"x\"",
		"{}",
		"[]",
		"{\"z\":1,\"a\":[1,2.5,null,false,\"\xc3\xa4\"],\"m\":{\"k\":{}}}",
		"9007199254740993",
		"-9223372036854775808",
		"9223372036854775807",
		"1.0",
		"[[[]]]",
		"\"\\u001f\\\"\"",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Json *value;

		NOTE("%s", cases[i]);
		CHECK_OK(json_read(a, str_of(cases[i]), 0, &value));
		CHECK_STR(again(a, value), str_of(cases[i]));
	}
}

TEST(json_refuses)
{
	static const struct {
		const char *text, *slug;
	} cases[] = {
		{ "", "json.syntax" },
		{ " ", "json.syntax" },
		{ "{", "json.syntax" },
		{ "[1,]", "json.syntax" },
		{ "{'a':1}", "json.syntax" },
		{ "01", "json.syntax" },
		{ "+1", "json.syntax" },
		{ "NaN", "json.syntax" },
		{ "1 2", "json.syntax" },
		{ "\"\\u0000\"", "json.syntax" },
		{ "{\"\\u0000\":1}", "json.syntax" },
		{ "\"\xff\"", "json.syntax" },
		{ "\"\\ud800\"", "json.syntax" },
		{ "9223372036854775808", "json.syntax" },
		{ "1e999", "json.syntax" },
		{ "\"a\nb\"", "json.syntax" },
		{ "{\"a\":1,\"a\":2}", "json.duplicate_key" },
		{ "{\"a\":1,\"\\u0061\":2}", "json.duplicate_key" },
		{ "/**/1", "json.syntax" },
		{ "]", "json.syntax" },
		{ "\"", "json.syntax" },
		{ "\"\\", "json.syntax" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Json *value = NULL;

		NOTE("%s", cases[i].text);
		CHECK_ERR(json_read(a, str_of(cases[i].text), 0, &value), cases[i].slug);
		CHECK_NULL(value);
	}
}

TEST(json_says_where)
{
	const Json *value;
	Err *err = json_read(a, S("{\"a\": 1,\n \"b\": x}"), 0, &value);

	CHECK_ERR(err, "json.syntax");
	CHECK(str_starts(err->text, S("JSON line 2, column 8 (offset 16): ")));
}

static Str brackets(Arena *a, char open, char close, size_t depth)
{
	char *text = arena_alloc(a, depth * 2 + 1);

	memset(text, open, depth);
	memset(text + depth, close, depth);
	return (Str){ text, close ? depth * 2 : depth };
}

TEST(json_depth_is_counted_before_anything_recursive)
{
	const Json *value;

	CHECK_OK(json_read(a, brackets(a, '[', ']', 64), 0, &value));
	CHECK_ERR(json_read(a, brackets(a, '[', ']', 65), 0, &value), "json.too_deep");
	CHECK_ERR(json_read(a, brackets(a, '{', 0, 1000000), 0, &value), "json.too_deep");
	CHECK_OK(json_read(a, str_fmt(a, "\"\\\"%.*s\"", STR_ARG(brackets(a, '[', 0, 100))), 0,
	                   &value));
	CHECK_ERR(json_read(a, str_fmt(a, "[\"\\\\\", %.*s]", STR_ARG(brackets(a, '[', ']', 64))),
	                    0, &value),
	          "json.too_deep");
	CHECK_ERR(json_read(a, S("[1,2,3]"), 6, &value), "json.too_large");
	CHECK_OK(json_read(a, S("[1,2,3]"), 7, &value));
}

TEST(json_values_are_asked_by_kind)
{
	const Json *root, *value;
	void *at = NULL;
	size_t seen = 0;
	Str text = { 0 };
	int64_t n = 7;
	double real = 0;
	bool yes = false;

	CHECK_OK(json_read(a,
	                   S("{\"s\":\"x\",\"n\":3,\"r\":2.5,\"b\":true,\"l\":[1,2],\"z\":null}"),
	                   0, &root));
	CHECK(json_to_str(json_get(root, S("s")), &text));
	CHECK_STR(text, S("x"));
	CHECK(!json_to_i64(json_get(root, S("s")), &n) && n == 7);
	CHECK(json_to_i64(json_get(root, S("n")), &n) && n == 3);
	CHECK(json_to_real(json_get(root, S("n")), &real) && real == 3);
	CHECK(!json_to_i64(json_get(root, S("r")), &n));
	CHECK(json_to_bool(json_get(root, S("b")), &yes) && yes);
	CHECK_INT(json_count(json_get(root, S("l"))), 2);
	CHECK_INT(json_count(root), 6);
	CHECK_INT(json_count(json_get(root, S("s"))), 0);
	CHECK_INT(json_count(NULL), 0);
	CHECK_NULL(json_at(json_get(root, S("l")), 2));
	CHECK_NULL(json_at(root, 0));
	CHECK_NULL(json_get(json_get(root, S("l")), S("s")));
	CHECK_NULL(json_get(NULL, S("s")));
	CHECK_INT(json_kind(NULL), JSON_KIND_NULL);
	CHECK(json_get(root, S("z")) != NULL && json_get(root, (Str){ 0 }) == NULL);
	while (json_next(root, &at, &text, &value))
		CHECK(text.at[0] == "snrblz"[seen++]);
	CHECK_INT(seen, 6);
}

TEST(json_members_that_must_be_there)
{
	const Json *root, *value;
	Str text = { 0 };
	int64_t n = 0;
	bool yes = false;
	Err *err;

	CHECK_OK(json_read(a, S("{\"s\":\"x\",\"n\":3,\"b\":false,\"o\":{}}"), 0, &root));
	CHECK_OK(json_need_str(a, root, "s", &text));
	CHECK_OK(json_need_i64(a, root, "n", &n));
	CHECK_OK(json_need_bool(a, root, "b", &yes));
	CHECK_OK(json_need_kind(a, root, "o", JSON_KIND_OBJECT, &value));
	err = json_need_i64(a, root, "s", &n);
	CHECK_ERR(err, "json.member");
	CHECK_STR(err->text, S("\"s\" must be an integer"));
	err = json_need_str(a, root, "t", &text);
	CHECK_STR(err->text, S("\"t\" must be a string, and is missing"));
}

/* jansson takes one after a number for the end of what it has read so far. */
TEST(a_nul_byte_is_nowhere_in_json)
{
	const Json *root = NULL;
	Err *err = json_read(a, S("[12\0,\n3]"), 0, &root);

	CHECK_ERR(err, "json.syntax");
	CHECK(str_find(err->text, S("line 1, column 4")) >= 0);
	CHECK_ERR(json_read(a, S("[1]\0"), 0, &root), "json.syntax");
	CHECK_ERR(json_read(a, S("\0[1]"), 0, &root), "json.syntax");
	CHECK_ERR(json_read(a, S("[\"a\0b\"]"), 0, &root), "json.syntax");
	CHECK_NULL(root);
}
