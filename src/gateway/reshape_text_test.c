/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reshape_text.c"

#include "unit.h"

static Str rewritten(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };
	TextNode *root;

	CHECK_OK(reshape_text_read(a, text, &root));
	reshape_text_put(&b, root);
	return str_dup(a, buf_str(&b));
}

TEST(leaves_stay_as_they_are_written)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S(" { } "), S("{}") },
		{ S("[ ]"), S("[]") },
		{ S("{\"a\" : [ 1 , -0.50e+3, true,null ,\"x\\u00e4\\\"\" ]}"),
		  S("{\"a\":[1,-0.50e+3,true,null,\"x\\u00e4\\\"\"]}") },
		{ S("123456789012345678901234567890.10"), S("123456789012345678901234567890.10") },
		{ S("{\"a\":1,\"a\":2}"), S("{\"a\":1,\"a\":2}") },
		{ S("\"\\ud800\""), S("\"\\ud800\"") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_STR(rewritten(a, cases[i].text), cases[i].want);
	}
}

TEST(what_is_no_json_is_refused)
{
	static const Str cases[] = {
		S(""),
		S("{"),
		S("}"),
		S("[1,]"),
		S("[1 2]"),
		S("{\"a\"}"),
		S("{\"a\":}"),
		S("{a:1}"),
		S("{\"a\":1,}"),
		S("01"),
		S("-"),
		S("1."),
		S(".5"),
		S("1e"),
		S("+1"),
		S("nul"),
		S("\"a"),
		S("\"\n\""),
		S("\"\\x\""),
		S("\"\\u12g4\""),
		S("\"\\"),
		S("\"\\u\""),
		S("\"\xff\""),
		S("\"\xed\xa0\x80\""),
		S("1 2"),
		S("NaN"),
		S("[1]]"),
		S("\0"),
		S("\"\\ud800\\u12\""),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TextNode *root;

		NOTE("%zu: %.*s", i, STR_ARG(cases[i]));
		CHECK_ERR(reshape_text_read(a, cases[i], &root), "json.syntax");
	}
}

TEST(depth_has_a_limit)
{
	AUTO(buf_fini) Buf b = { 0 };
	TextNode *root;

	for (size_t i = 0; i < TEXT_DEPTH; i++)
		buf_putc(&b, '[');
	for (size_t i = 0; i < TEXT_DEPTH; i++)
		buf_putc(&b, ']');
	CHECK_OK(reshape_text_read(a, buf_str(&b), &root));
	buf_clear(&b);
	for (size_t i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	CHECK_ERR(reshape_text_read(a, buf_str(&b), &root), "json.too_deep");
}

TEST(numbers_that_doubles_keep)
{
	static const struct {
		Str text;
		bool kept;
	} cases[] = {
		{ S("0"), true },
		{ S("-0"), true },
		{ S("0.0"), true },
		{ S("12.50"), true },
		{ S("0.1"), true },
		{ S("1e3"), true },
		{ S("-1.5E-7"), true },
		{ S("9007199254740992"), true },
		{ S("9007199254740993"), false },
		{ S("-9007199254740992"), true },
		{ S("-9007199254740993"), false },
		{ S("100000000000000000000"), false },
		{ S("1e20"), true },
		{ S("1e400"), false },
		{ S("1e-400"), false },
		{ S("0e-400"), true },
		{ S("0.30000000000000004"), true },
		{ S("0.3000000000000000444"), false },
		{ S("0.10000000000000001"), false },
		{ S("1234567890123456.7"), false },
		{ S("12345678901.25"), true },
		{ S("1.00000000000000000000000"), true },
		{ S("[1, {\"a\": 9007199254740993}]"), false },
		{ S("\"9007199254740993\""), true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		TextNode *root;
		Str which;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(reshape_text_read(a, cases[i].text, &root));
		CHECK_INT(reshape_text_is_double(root, &which), cases[i].kept);
	}
}

/* --- moving --------------------------------------------------------------------------------------------------------- */

typedef struct MoveCase {
	Str text, want;
	Str moves[6]; /* from, to, ... */
	size_t count; /* of values */
} MoveCase;

static const MoveCase moved[] = {
	{ S("{\"user\":{\"id\":1,\"name\":\"A\",\"x\":2}}"),
	  S("{\"user\":{\"id\":1,\"full_name\":\"A\",\"x\":2}}"),
	  { S(".user.name"), S(".user.full_name") },
	  1 },
	{ S("{\"id\":12345678901234567890,\"price\":12.50}"),
	  S("{\"key\":12345678901234567890,\"money\":{\"price\":12.50}}"),
	  { S(".id"), S(".key"), S(".price"), S(".money.price") },
	  2 },
	{ S("{\"a\":1,\"b\":2}"),
	  S("{\"b\":1,\"a\":2}"),
	  { S(".a"), S(".b"), S(".b"), S(".a") },
	  2 },
	{ S("{\"a\":1,\"b\":2}"), S("{\"b\":1}"), { S(".a"), S(".b") }, 1 },
	{ S("{\"b\":2,\"a\":1}"), S("{\"b\":1}"), { S(".a"), S(".b") }, 1 },
	{ S("{\"b\":2}"), S("{\"b\":2}"), { S(".a"), S(".b") }, 0 },
	{ S("{\"a\":1}"), S("{\"a\":{\"b\":1}}"), { S(".a"), S(".a.b") }, 1 },
	{ S("{\"a\":{\"b\":1}}"), S("{\"a\":1}"), { S(".a.b"), S(".a") }, 1 },
	{ S("{\"a\":1,\"c\":null}"), S("{\"c\":{\"d\":1}}"), { S(".a"), S(".c.d") }, 1 },
	{ S("{\"items\":[{\"p\":1},{},{\"p\":2,\"q\":3},7]}"),
	  S("{\"items\":[{\"price\":1},{},{\"price\":2,\"q\":3},7]}"),
	  { S(".items[].p"), S(".items[].price") },
	  2 },
	{ S("{\"items\":[{\"a\":[{\"x\":1},{\"x\":2}]}]}"),
	  S("{\"items\":[{\"a\":[{\"y\":{\"z\":1}},{\"y\":{\"z\":2}}]}]}"),
	  { S(".items[].a[].x"), S(".items[].a[].y.z") },
	  2 },
	{ S("[{\"a\":1}]"), S("[{\"b\":1}]"), { S(".[].a"), S(".[].b") }, 1 },
	{ S("{\"a\":1,\"a\":2,\"c\":3}"), S("{\"b\":2,\"c\":3}"), { S(".a"), S(".b") }, 1 },
	{ S("{\"\\u0061\":1}"), S("{\"b\":1}"), { S(".a"), S(".b") }, 1 },
	{ S("{\"odd name\":{\"\\ud83d\\ude00\":1}}"),
	  S("{\"odd name\":{},\"\xc3\xa4\":1}"),
	  { S(".\"odd name\".\"\xf0\x9f\x98\x80\""), S(".\"\xc3\xa4\"") },
	  1 },
	{ S("{\"x\":{\"y\":1,\"r\":2},\"m\":3}"),
	  S("{\"x\":3,\"k\":1}"),
	  { S(".x.y"), S(".k"), S(".m"), S(".x") },
	  2 },
	{ S("[1]"), S("[1]"), { S(".a"), S(".b") }, 0 },
	{ S("\"a\""), S("\"a\""), { S(".a"), S(".b") }, 0 },
	{ S("{\"a\":{\"b\":1}}"), S("{\"a\":{\"b\":1}}"), { S(".a[].b"), S(".a[].c") }, 0 },
};

static size_t read_moves(Arena *a, const Str *texts, TextMove *moves)
{
	size_t count = 0;

	for (; count < 3 && texts[2 * count].len; count++) {
		ReshapePath *pair = ARENA_ARRAY(a, ReshapePath, 2);

		CHECK_OK(reshape_path_read(a, texts[2 * count], &pair[0]));
		CHECK_OK(reshape_path_read(a, texts[2 * count + 1], &pair[1]));
		moves[count] = (TextMove){ &pair[0], &pair[1] };
	}
	return count;
}

TEST(values_move_all_at_once)
{
	for (size_t i = 0; i < COUNT(moved); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		TextMove moves[3];
		size_t count = 0;
		TextNode *root;

		NOTE("%zu: %.*s", i, STR_ARG(moved[i].text));
		CHECK_OK(reshape_text_read(a, moved[i].text, &root));
		CHECK_OK(reshape_text_move(a, root, moves, read_moves(a, moved[i].moves, moves),
		                           &count));
		reshape_text_put(&b, root);
		CHECK_STR(buf_str(&b), moved[i].want);
		CHECK_INT(count, moved[i].count);
	}
}

TEST(what_is_in_the_way_is_named)
{
	static const Str moves_of[] = { S(".a"), S(".b.c"), S("") };
	TextMove moves[3];
	size_t count = 0;
	TextNode *root;
	Err *err;

	CHECK_OK(reshape_text_read(a, S("{\"a\":1,\"b\":[2]}"), &root));
	err = reshape_text_move(a, root, moves, read_moves(a, moves_of, moves), &count);
	CHECK_ERR(err, "shift.reshape_place");
	CHECK(str_find(err->text, S("\"c\"")) >= 0);
}

TEST(fields_are_removed)
{
	static const struct {
		Str text, path, want;
		size_t count;
	} cases[] = {
		{ S("{\"a\":1,\"b\":2}"), S(".a"), S("{\"b\":2}"), 1 },
		{ S("{\"a\":1,\"a\":2}"), S(".a"), S("{}"), 1 },
		{ S("{\"l\":[{\"a\":1,\"b\":2},{\"b\":3},4]}"), S(".l[].a"),
		  S("{\"l\":[{\"b\":2},{\"b\":3},4]}"), 1 },
		{ S("{\"a\":{\"b\":{\"c\":1}}}"), S(".a.b.c"), S("{\"a\":{\"b\":{}}}"), 1 },
		{ S("{\"a\":1}"), S(".a.b"), S("{\"a\":1}"), 0 },
		{ S("{\"b\":1}"), S(".a"), S("{\"b\":1}"), 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		ReshapePath path;
		size_t count = 0;
		TextNode *root;

		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_OK(reshape_text_read(a, cases[i].text, &root));
		CHECK_OK(reshape_path_read(a, cases[i].path, &path));
		reshape_text_remove(root, &path, &count);
		reshape_text_put(&b, root);
		CHECK_STR(buf_str(&b), cases[i].want);
		CHECK_INT(count, cases[i].count);
	}
}
