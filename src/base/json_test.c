/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.c"

#include "base/arena.h"
#include "unit.h"

TEST(json_writer_puts_the_commas)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	json_put_str(&w, "name", S("x\"y"));
	json_put_i64(&w, "least", INT64_MIN);
	json_put_u64(&w, "most", UINT64_MAX);
	json_key(&w, S("list"));
	json_begin_array(&w);
	json_add_null(&w);
	json_begin_object(&w);
	json_end(&w);
	json_begin_array(&w);
	json_end(&w);
	json_add_raw(&w, S("[1]"));
	json_end(&w);
	json_put_bool(&w, "yes", true);
	json_put_real(&w, "real", 0.1);
	json_key(&w, S("time"));
	json_add_time(&w, 0);
	json_end(&w);
	CHECK_OK(json_done(&w, &text));
	CHECK_STR(
		text,
		S("{\"name\":\"x\\\"y\",\"least\":-9223372036854775808,\"most\":18446744073709551615,"
	          "\"list\":[null,{},[],[1]],\"yes\":true,\"real\":0.1,\"time\":\"1970-01-01T00:00:00.000000Z\"}"));
	(void)a;
}

TEST(json_strings_are_utf8_whatever_comes)
{
	static const struct {
		Str raw;
		const char *want;
	} cases[] = {
		{ { NULL, 0 }, "\"\"" },
		{ { "a/b", 3 }, "\"a/b\"" },
		{ { "\"\\\b\f\n\r\t", 7 }, "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
		{ { "\0\x1f\x7f", 3 }, "\"\\u0000\\u001f\\u007f\"" },
		{ { "\xc3\xa4\xf0\x9f\x8c\xb3", 6 }, "\"\xc3\xa4\xf0\x9f\x8c\xb3\"" },
		{ { "\xe2\x80\xa8", 3 }, "\"\\u2028\"" },
		{ { "a\xff"
		    "b",
		    3 },
		  "\"a\xef\xbf\xbd"
		  "b\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xc3", 1 }, "\"\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		json_put_quoted(&b, cases[i].raw);
		CHECK_STR(buf_str(&b), str_of(cases[i].want));
	}
	(void)a;
}

TEST(json_reals_read_back_and_stay_reals)
{
	static const struct {
		double n;
		const char *want;
	} cases[] = {
		{ 0, "0.0" },
		{ 1, "1.0" },
		{ -2.5, "-2.5" },
		{ 1e300, "1e+300" },
		{ 0.1, "0.1" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ INFINITY, "null" },
		{ NAN, "null" },
		{ 123456789012345680, "1.2345678901234568e+17" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		JsonWriter w = json_writer(&b);

		json_add_real(&w, cases[i].n);
		CHECK_STR(buf_str(&b), str_of(cases[i].want));
	}
	(void)a;
}

/* Each letter is a call: { [ ) end, k key, 1 value. */
static Err *play(const char *calls, Buf *b)
{
	JsonWriter w = json_writer(b);
	Str text;

	for (; *calls; calls++) {
		if (*calls == '{')
			json_begin_object(&w);
		else if (*calls == '[')
			json_begin_array(&w);
		else if (*calls == ')')
			json_end(&w);
		else if (*calls == 'k')
			json_key(&w, S("k"));
		else
			json_add_i64(&w, 1);
	}
	return json_done(&w, &text);
}

TEST(json_writer_notices_misuse)
{
	static const struct {
		const char *calls;
		bool good;
	} cases[] = {
		{ "1", true },      { "{)", true },    { "[11[{k1)))", true }, { "[1)", true },
		{ "", false },      { "11", false },   { "{1)", false },       { "{k)", false },
		{ "{kk1)", false }, { "[k1)", false }, { "k1", false },        { ")", false },
		{ "[", false },     { "[))", false },  { "{k1", false },       { "{)1", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		NOTE("%s", cases[i].calls);
		CHECK_ERR(play(cases[i].calls, &b), cases[i].good ? NULL : "json.writer");
	}
	(void)a;
}

TEST(json_writer_has_a_depth_and_a_full_buffer)
{
	char calls[200] = { 0 };
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf small = { .limit = 3 };

	memset(calls, '[', 64);
	memset(calls + 64, ')', 64);
	CHECK_OK(play(calls, &b));
	memset(calls, '[', 65);
	memset(calls + 65, ')', 65);
	buf_clear(&b);
	CHECK_ERR(play(calls, &b), "json.writer");
	CHECK_ERR(play("[11)", &small), "base.buffer_full");
	(void)a;
}
