/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/b64.c"

#include "unit.h"

TEST(bytes_come_back_as_they_were)
{
	static const struct {
		Str bytes, url, plain;
	} cases[] = {
		{ S(""), S(""), S("") },
		{ S("f"), S("Zg"), S("Zg==") },
		{ S("fo"), S("Zm8"), S("Zm8=") },
		{ S("foo"), S("Zm9v"), S("Zm9v") },
		{ S("foob"), S("Zm9vYg"), S("Zm9vYg==") },
		{ S("\xff\xfe\xfb\x00"), S("__77AA"), S("//77AA==") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str out;

		NOTE("row %zu", i);
		CHECK_STR(b64url(a, cases[i].bytes), cases[i].url);
		CHECK_STR(b64(a, cases[i].bytes), cases[i].plain);
		CHECK(b64url_read(a, cases[i].url, &out));
		CHECK_STR(out, cases[i].bytes);
		CHECK(b64_read(a, cases[i].plain, &out));
		CHECK_STR(out, cases[i].bytes);
	}
}

TEST(there_is_one_way_to_write_them)
{
	static const Str url[] = { S("Z"),    S("Zh"),       S("Zm9"),   S("Zg=="),
		                   S("Zm 8"), S("Zm8\n"),    S("Zm9vY"), S("//77AA"),
		                   S("Zm.8"), S("\xff\xff"), S("Zm9vYh") };
	static const Str plain[] = { S("Zg"), S("Zg="),  S("Zh=="), S("__77AA=="),
		                     S("="),  S("Z==="), S("===="), S("Zm8=Zm8=") };
	Str out;

	for (size_t i = 0; i < COUNT(url); i++) {
		NOTE("row %zu", i);
		CHECK(!b64url_read(a, url[i], &out));
	}
	for (size_t i = 0; i < COUNT(plain); i++) {
		NOTE("row %zu", i);
		CHECK(!b64_read(a, plain[i], &out));
	}
}
