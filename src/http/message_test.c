/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.c"
#include "unit.h"

TEST(message_every_name_has_its_id_in_any_case)
{
	for (unsigned id = HTTP_OTHER + 1; id < HTTP_HEADER_IDS; id++) {
		Str name = header_id_name((HeaderId)id);
		char upper[NAME_MAX_BYTES];

		NOTE("%.*s", STR_ARG(name));
		CHECK(name.len > 0 && name.len <= NAME_MAX_BYTES);
		CHECK_INT(header_id(name), id);
		for (size_t i = 0; i < name.len; i++)
			upper[i] = (char)(name.at[i] >= 'a' ? name.at[i] - 32 : name.at[i]);
		CHECK_INT(header_id((Str){ upper, name.len }), id);
	}
}

/* One byte changed to any other, but for its case, is another name. */
TEST(message_a_name_that_is_nearly_known_is_other)
{
	for (unsigned id = HTTP_OTHER + 1; id < HTTP_HEADER_IDS; id++) {
		Str name = header_id_name((HeaderId)id);

		for (size_t i = 0; i < name.len; i++) {
			for (unsigned c = 0; c < 256; c++) {
				char near[NAME_MAX_BYTES];
				bool same;

				memcpy(near, name.at, name.len);
				near[i] = (char)c;
				same = str_eq_nocase((Str){ near, name.len }, name);
				NOTE("%.*s at %zu with 0x%02x", STR_ARG(name), i, c);
				if (same)
					CHECK_INT(header_id((Str){ near, name.len }), id);
				else
					CHECK(header_id((Str){ near, name.len }) != id);
			}
		}
		CHECK_INT(header_id(str_sub(name, 0, name.len - 1)), HTTP_OTHER);
	}
	CHECK_INT(header_id(S("")), HTTP_OTHER);
	CHECK_INT(header_id((Str){ 0 }), HTTP_OTHER);
	CHECK_INT(header_id(S("x-a-name-that-is-longer-than-all")), HTTP_OTHER);
	CHECK_STR(header_id_name(HTTP_OTHER), S(""));
}

TEST(message_headers_keep_order_and_case)
{
	Headers headers = { 0 };

	for (unsigned i = 0; i < 40; i++)
		headers_add(&headers, a, str_fmt(a, "X-%u", i), str_fmt(a, "%u", i));
	headers_add(&headers, a, S("Set-Cookie"), S("a=1"));
	headers_add_id(&headers, a, HTTP_VIA, S("1.1 x"));
	headers_add(&headers, a, S("SET-COOKIE"), S("b=2"));
	CHECK_INT(headers.count, 43);
	CHECK_STR(headers.at[39].name, S("X-39"));
	CHECK_STR(headers.at[42].name, S("SET-COOKIE"));
	CHECK_STR(headers_get(&headers, HTTP_SET_COOKIE), S("a=1"));
	CHECK_STR(headers_get_name(&headers, S("x-17")), S("17"));
	CHECK_STR(headers_get_name(&headers, S("VIA")), S("1.1 x"));
	CHECK_NULL(headers_get_name(&headers, S("x-none")).at);
	CHECK_NULL(headers_find(&headers, HTTP_HOST));
	headers_remove(&headers, HTTP_SET_COOKIE);
	CHECK_INT(headers.count, 41);
	CHECK_STR(headers.at[40].name, S("via"));
	CHECK_NULL(headers_find(&headers, HTTP_SET_COOKIE));
}

TEST(message_tokens_are_found_in_all_lines_and_whole_only)
{
	static const struct {
		Str token;
		bool there;
	} cases[] = {
		{ S("close"), true },      { S("upgrade"), true }, { S("keep"), false },
		{ S("x-thing"), true },    { S("x-thin"), false }, { S("keep-alive"), true },
		{ S("websocket"), false },
	};
	Headers headers = { 0 };

	headers_add(&headers, a, S("Connection"), S("Close ,\tUPGRADE"));
	headers_add(&headers, a, S("Upgrade"), S("websocket"));
	headers_add(&headers, a, S("connection"), S("keep-alive,,X-Thing"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].token));
		CHECK_INT(headers_has_token(&headers, HTTP_CONNECTION, cases[i].token),
		          cases[i].there);
	}
}

TEST(message_words)
{
	CHECK_STR(http_reason(200), S("OK"));
	CHECK_STR(http_reason(404), S("Not Found"));
	CHECK_STR(http_reason(511), S("Network Authentication Required"));
	CHECK_STR(http_reason(299), S("Status"));
	CHECK_STR(http_reason(999), S("Status"));
	CHECK_STR(http_reason(0), S("Status"));
	CHECK(http_is_idempotent(S("GET")) && http_is_idempotent(S("DELETE")));
	CHECK(!http_is_idempotent(S("POST")) && !http_is_idempotent(S("get")) &&
	      !http_is_idempotent(S("PATCH")));
	CHECK(http_is_token(S("X-Request-Id")) && http_is_token(S("a")));
	CHECK(!http_is_token(S("")) && !http_is_token(S("a b")) && !http_is_token(S("a:")) &&
	      !http_is_token(S("\xc3\xa9")));
}
