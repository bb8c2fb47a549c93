/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/proved.c"

#include "unit.h"

#include <string.h>

static const Json *claims_of(Arena *a, const char *text)
{
	const Json *claims;

	CHECK_OK(json_read(a, str_of(text), 0, &claims));
	return claims;
}

TEST(what_was_proved_is_known_until_it_ends_or_the_keys_change)
{
	AuthCache *cache = auth_cache_new(100, S("p"));
	AuthId id = auth_id(S("token"));
	const AuthEntry *entry;

	CHECK_NULL(auth_cache_find(cache, id, 1, 10));
	auth_cache_add(cache, id, 1, claims_of(a, "{\"sub\":\"7\"}"), 20);
	entry = auth_cache_find(cache, id, 1, 19);
	CHECK(entry && json_count(entry->claims) == 1);
	auth_cache_add(cache, id, 1, claims_of(a, "{}"), 30); /* the other goes on for who has it */
	CHECK_INT(json_count(entry->claims), 1);
	auth_entry_unref(entry);
	entry = auth_cache_find(cache, id, 1, 29);
	CHECK(entry && json_count(entry->claims) == 0);
	auth_entry_unref(entry);
	CHECK_NULL(auth_cache_find(cache, id, 1, 30));
	auth_cache_add(cache, id, 1, claims_of(a, "{}"), 30);
	CHECK_NULL(auth_cache_find(cache, id, 2, 10));
	auth_cache_add(cache, id, 2, claims_of(a, "{}"), 30);
	auth_cache_forget(cache, id);
	CHECK_NULL(auth_cache_find(cache, id, 2, 10));
	auth_cache_free(cache);
}

TEST(the_one_that_was_not_used_for_longest_makes_room)
{
	AuthCache *cache = auth_cache_new(16 * 4, S("p"));
	const Json *claims = claims_of(a, "{}");
	AuthId first = { { 0, 1 } };
	const AuthEntry *entry;

	auth_cache_add(cache, first, 0, claims, 100);
	for (uint8_t i = 2; i < 50; i++) { /* all in one shard */
		auth_cache_add(cache, (AuthId){ { 16, i } }, 0, claims, 100);
		entry = auth_cache_find(cache, first, 0, 1);
		CHECK(entry != NULL);
		auth_entry_unref(entry);
	}
	CHECK_NULL(auth_cache_find(cache, (AuthId){ { 16, 2 } }, 0, 1));
	CHECK_INT(metric_value(cache->entries), 4);
	CHECK_INT(metric_value(cache->evicted), 45);
	auth_cache_free(cache);
}

TEST(ids_have_borders_and_an_empty_cache_holds_nothing)
{
	AuthCache *none = auth_cache_new(0, S("p"));
	AuthId x = auth_id2(S("ab"), S("c")), y = auth_id2(S("a"), S("bc"));

	CHECK(memcmp(&x, &y, sizeof x) != 0);
	auth_cache_add(none, x, 0, claims_of(a, "{}"), 100);
	CHECK_NULL(auth_cache_find(none, x, 0, 1));
	auth_cache_free(none);
}
