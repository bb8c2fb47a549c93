/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/api_key.c"

#include "unit.h"

TEST(a_key_is_known_by_its_text_and_never_kept)
{
	static const Str scopes[] = { S("read"), S("orders") };
	AUTO(buf_fini) Buf b = { 0 };
	ApiKey made[3];
	ApiKeySet set = { .at = made, .count = 3 }, *again = ARENA_NEW(a, ApiKeySet);
	Str text[3], wrong, scope;
	const ApiKey *found;

	for (size_t i = 0; i < 3; i++)
		CHECK_OK(api_key_make(a, S("shop \"x\""), scopes, i, 1000000, i == 1 ? 2000000 : 0,
		                      &made[i], &text[i]));
	made[0].revoked_us = 1500000;
	api_keys_put(&set, &b);
	CHECK_INT(str_find(buf_str(&b), str_sub(text[2], API_KEY_ID, text[2].len)), -1);
	CHECK_OK(api_keys_read(a, str_dup(a, buf_str(&b)), again));
	CHECK_INT(again->count, 3);
	CHECK_OK(api_key_find(again, text[2], 1000000, &found));
	CHECK_STR(found->owner, S("shop \"x\""));
	CHECK(api_key_has_scope(found, S("orders")));
	CHECK(!api_key_has_scope(found, S("order")));
	CHECK(json_to_str(json_get(found->claims, S("scope")), &scope));
	CHECK_STR(scope, S("read orders"));
	CHECK_ERR(api_key_find(again, text[0], 1000000, &found), "keys.revoked");
	CHECK_OK(api_key_find(again, text[1], 1999999, &found));
	CHECK_ERR(api_key_find(again, text[1], 2000000, &found), "keys.expired");
	for (size_t i = 0; i < text[2].len; i++) {
		wrong = str_dup(a, text[2]);
		((char *)wrong.at)[i] ^= 1;
		CHECK_ERR(api_key_find(again, wrong, 1000000, &found), "keys.unknown");
		CHECK_ERR(api_key_find(again, str_sub(text[2], 0, i), 1000000, &found),
		          "keys.unknown");
	}
}

TEST(files_that_are_not_in_order)
{
	static const Str cases[] = {
		S("{}"),
		S("[]"),
		S("{\"keys\":[{}]}"),
		S("{\"keys\":[1]}"),
		S("{\"keys\":[{\"id\":\"bk_0123456789ab\",\"hash\":\"00\",\"owner\":\"x\"}]}"),
		S("{\"keys\":[{\"id\":\"bk_0123456789aG\",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"owner\":\"x\"}]}"),
		S("{\"keys\":[{\"id\":\"bk_0123456789ab\",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"owner\":\"x\",\"expires\":\"soon\"}]}"),
		S("{\"keys\":[{\"id\":\"bk_0123456789ab\",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"owner\":\"x\",\"scopes\":[1]}]}"),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ApiKeySet *set = ARENA_NEW(a, ApiKeySet);

		NOTE("row %zu", i);
		CHECK_ERR(api_keys_read(a, cases[i], set), "keys.invalid");
	}
}
