/* SPDX-License-Identifier: Apache-2.0 */
#include "user/oidc_keys.c"

#include "store/schema.h"
#include "suite.h"
#include "user_schema.h"

#define DAY (86400 * US_PER_S)

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/test.db", unit_dir()), .create = true };

	return db_open(a, &conf, out);
}

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	return schema_apply(db, a, &user_schema, &applied);
}

static OidcKeyPlan plan_of(Arena *a)
{
	Str row = seal_make_row(a, S("test"));
	Seal *seal = NULL;

	CHECK_OK(seal_new(a, &row, 1, &seal));
	return (OidcKeyPlan){ seal, 90 * DAY, US_PER_S };
}

static const OidcRing *ring_at(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us)
{
	const OidcRing *ring = NULL;

	CHECK_OK(oidc_keys_list(db, a, now_us, &ring, plan->seal));
	return ring;
}

static Str signer(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us)
{
	const Jwk *key = NULL;

	CHECK_OK(oidc_ring_signer(ring_at(db, a, plan, now_us), a, JWS_ES256, now_us, &key));
	CHECK(key->signs);
	return key->kid;
}

SUITE_TEST(the_next_key_is_there_before_it_signs_and_the_last_until_its_tokens_are_over)
{
	OidcKeyPlan plan = plan_of(a);
	int64_t now_us = 1000 * DAY, later_us = now_us + 90 * DAY;
	Str first, second;

	TRY(oidc_keys_tend(db, a, &plan, now_us));
	CHECK_INT(ring_at(db, a, &plan, now_us)->count, 4);
	first = signer(db, a, &plan, now_us);
	TRY(oidc_keys_tend(db, a, &plan, now_us + DAY));
	CHECK_INT(ring_at(db, a, &plan, now_us + DAY)->count, 4);
	CHECK_STR(signer(db, a, &plan, later_us - 1), first);
	second = signer(db, a, &plan, later_us);
	CHECK(!str_eq(second, first));
	TRY(oidc_keys_tend(db, a, &plan, later_us));
	CHECK_INT(ring_at(db, a, &plan, later_us)->count, 6);
	CHECK_INT(ring_at(db, a, &plan, later_us + US_PER_S)->count, 4);
	CHECK_STR(signer(db, a, &plan, later_us + 89 * DAY), second);
	return NULL;
}

SUITE_TEST(a_rotation_takes_the_key_that_everybody_has_seen)
{
	OidcKeyPlan plan = plan_of(a);
	int64_t now_us = 1000 * DAY;
	Str first, second;

	TRY(oidc_keys_tend(db, a, &plan, now_us));
	first = signer(db, a, &plan, now_us);
	second = signer(db, a, &plan, now_us + 90 * DAY);
	TRY(oidc_keys_rotate(db, a, &plan, now_us + DAY));
	CHECK_STR(signer(db, a, &plan, now_us + DAY), second);
	CHECK_INT(ring_at(db, a, &plan, now_us + DAY)->count, 6);
	CHECK_INT(ring_at(db, a, &plan, now_us + DAY + US_PER_S)->count, 4);
	CHECK(!str_eq(first, second));
	TRY(oidc_keys_tend(db, a, &plan, now_us + DAY));
	CHECK_INT(ring_at(db, a, &plan, now_us + DAY + US_PER_S)->count, 4);
	return NULL;
}

SUITE_TEST(a_ring_in_use_outlives_the_one_after_it)
{
	OidcKeyPlan plan = plan_of(a);
	Arena *request = arena_new(0), *next = arena_new(0);
	const OidcRing *before, *after;
	OidcKeys *keys = NULL;

	TRY(oidc_keys_open(a, db, &plan, &keys));
	TRY(oidc_keys_ring(keys, request, false, &before));
	TRY(oidc_keys_rotate(db, a, &plan, time_utc_us()));
	keys->looked_us -= 3600 * US_PER_S;
	TRY(oidc_keys_ring(keys, next, false, &after));
	CHECK_INT(before->count, 4);
	CHECK_INT(after->count, 6);
	CHECK(before->keys[0].jwk->kid.len > 0);
	arena_free(request);
	CHECK(after->keys[5].jwk->kid.len > 0);
	arena_free(next);
	oidc_keys_close(keys);
	return NULL;
}

SUITE_TEST(keys_closed_with_another_secret_are_a_mistake_that_is_said)
{
	OidcKeyPlan plan = plan_of(a), other = plan_of(a);
	const OidcRing *ring;

	TRY(oidc_keys_tend(db, a, &plan, time_utc_us()));
	CHECK_ERR(oidc_keys_list(db, a, time_utc_us(), &ring, other.seal), "auth.seal_broken");
	return NULL;
}
