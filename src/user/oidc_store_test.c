/* SPDX-License-Identifier: Apache-2.0 */
#include "user/oidc_store.c"

#include "store/schema.h"
#include "suite.h"
#include "user/secret.h"
#include "user_schema.h"
#include "user_session_sql.h"
#include "user_sql.h"

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/test.db", unit_dir()), .create = true };

	return db_open(a, &conf, out);
}

static const OidcClient shop = { .id = S("shop"),
	                         .name = S("The Shop"),
	                         .auth = OIDC_AUTH_BASIC,
	                         .grants = OIDC_GRANT_CODE | OIDC_GRANT_REFRESH,
	                         .redirects = S("https://shop.test/back"),
	                         .scope = S("openid email"),
	                         .secret_hash = S("12345678901234567890123456789012") };
static const Uuid ann = { { 1 } }, grant_id = { { 2 } }, session_id = { { 3 } };

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, &user_schema, &applied));
	TRY(db_exec(db, a, user_add, NULL, .id = ann, .status = S("active"), .profile = S("{}")));
	return oidc_client_store(db, a, &shop, 1);
}

static Err *begin(Db *db, Arena *a, OidcKept *code)
{
	OidcGrant grant = { .id = grant_id,
		            .client = S("shop"),
		            .user = ann,
		            .session = session_id,
		            .scope = S("openid"),
		            .level = 1,
		            .methods = S("pwd"),
		            .until_us = 1000 };

	bool begun;

	*code = (OidcKept){ .hash = secret_hash(a, S("code")), .until_us = 500 };
	code->grant = grant_id;
	TRY(db_exec(db, a, session_add, NULL, .id = session_id,
	            .token_hash = secret_hash(a, S("s")), .user_id = ann, .level = 1,
	            .until = 1000));
	TRY(oidc_grant_begin(db, a, &grant, code, &begun));
	CHECK(begun);
	return NULL;
}

SUITE_TEST(a_session_that_has_ended_grants_nothing_any_more)
{
	OidcGrant grant = {
		.id = { { 7 } }, .client = S("shop"), .user = ann, .session = session_id
	};
	OidcKept code, *found;
	OidcGrant *g;
	bool begun;

	TRY(begin(db, a, &code));
	TRY(db_exec(db, a, session_end, NULL, .id = session_id, .now = 5));
	code.hash = secret_hash(a, S("late"));
	TRY(oidc_grant_begin(db, a, &grant, &code, &begun));
	CHECK(!begun);
	TRY(oidc_grant_load(db, a, grant.id, &g));
	CHECK_NULL(g);
	TRY(oidc_code_load(db, a, code.hash, &found));
	CHECK_NULL(found);
	return NULL;
}

SUITE_TEST(a_client_is_kept_as_it_is)
{
	OidcClient *client;
	bool removed;

	CHECK_ERR(oidc_client_store(db, a, &shop, 1), "db.unique");
	TRY(oidc_client_load(db, a, S("shop"), &client));
	CHECK_STR(client->redirects, shop.redirects);
	CHECK_STR(client->secret_hash, shop.secret_hash);
	CHECK_INT(client->grants, shop.grants);
	CHECK_INT(client->auth, shop.auth);
	TRY(oidc_client_load(db, a, S("nobody"), &client));
	CHECK_NULL(client);
	TRY(oidc_client_remove(db, a, S("nobody"), &removed));
	CHECK(!removed);
	return NULL;
}

SUITE_TEST(a_code_is_spent_once_and_its_family_turns_one_token_at_a_time)
{
	Str handle = secret_hash(a, S("handle")), first = secret_hash(a, S("1"));
	Str second = secret_hash(a, S("2")), third = secret_hash(a, S("3"));
	OidcGrant *g;
	OidcKept code;
	bool done;

	TRY(begin(db, a, &code));
	TRY(oidc_code_spend(db, a, &code, handle, first, 9000, 10, &done));
	CHECK(done);
	TRY(oidc_code_spend(db, a, &code, handle, second, 9000, 10, &done));
	CHECK(!done);
	TRY(oidc_grant_rotate(db, a, grant_id, first, second, S("sealed"), 20, &done));
	CHECK(done);
	TRY(oidc_grant_rotate(db, a, grant_id, first, third, S("sealed"), 21, &done));
	CHECK(!done);
	TRY(oidc_grant_rotate(db, a, grant_id, second, third, S("again"), 30, &done));
	CHECK(done);
	TRY(oidc_grant_of_refresh(db, a, handle, &g));
	CHECK_STR(g->newest, third);
	CHECK_STR(g->last, second);
	CHECK_STR(g->before, first);
	CHECK_INT(g->last_used_us, 30);
	CHECK_INT(g->before_used_us, 20);
	CHECK_INT(g->until_us, 9000);
	CHECK(g->active);
	TRY(oidc_grant_end(db, a, grant_id, 40, &done));
	TRY(oidc_grant_rotate(db, a, grant_id, third, first, S("no"), 50, &done));
	CHECK(!done);
	return NULL;
}

SUITE_TEST(grants_end_with_their_session_but_for_offline_access_and_one_that_is_kept)
{
	OidcGrant *g;
	OidcKept code;

	TRY(begin(db, a, &code));
	TRY(oidc_grants_end_of_session(db, a, ann, (Uuid){ { 0 } }, session_id, 5));
	TRY(oidc_grants_end_of_session(db, a, ann, (Uuid){ { 9 } }, (Uuid){ { 0 } }, 5));
	TRY(oidc_grants_end_of_user(db, a, ann, session_id, 5));
	TRY(oidc_grant_load(db, a, grant_id, &g));
	CHECK(!g->ended);
	TRY(oidc_grants_end_of_session(db, a, ann, session_id, (Uuid){ { 0 } }, 5));
	TRY(oidc_grant_load(db, a, grant_id, &g));
	CHECK(g->ended);
	return NULL;
}

SUITE_TEST(what_nobody_asks_for_any_more_goes_and_takes_its_codes_along)
{
	OidcKept code, *found;
	OidcGrant *g;
	bool first;

	TRY(begin(db, a, &code));
	TRY(oidc_spend(db, a, secret_hash(a, S("x")), 1000, &first));
	CHECK(first);
	TRY(oidc_spend(db, a, secret_hash(a, S("x")), 1000, &first));
	CHECK(!first);
	TRY(oidc_purge(db, a, 1001));
	TRY(oidc_grant_load(db, a, grant_id, &g));
	CHECK(g != NULL);
	TRY(oidc_purge(db, a, 3601 * US_PER_S));
	TRY(oidc_grant_load(db, a, grant_id, &g));
	CHECK_NULL(g);
	TRY(oidc_code_load(db, a, code.hash, &found));
	CHECK_NULL(found);
	TRY(oidc_is_spent(db, a, secret_hash(a, S("x")), &first));
	CHECK(!first);
	return NULL;
}

SUITE_TEST(a_client_that_goes_takes_what_was_granted_to_it_along)
{
	OidcConsent *list;
	OidcGrant *g;
	OidcKept code;
	size_t count;
	bool removed;
	Str scope;

	TRY(begin(db, a, &code));
	TRY(oidc_consent_store(db, a, ann, S("shop"), S("openid"), 1));
	TRY(oidc_consent_store(db, a, ann, S("shop"), S("openid email"), 2));
	TRY(oidc_consent_list(db, a, ann, &list, &count));
	CHECK_INT(count, 1);
	CHECK_STR(list[0].name, S("The Shop"));
	CHECK_STR(list[0].scope, S("openid email"));
	TRY(oidc_client_remove(db, a, S("shop"), &removed));
	CHECK(removed);
	TRY(oidc_grant_load(db, a, grant_id, &g));
	CHECK_NULL(g);
	TRY(oidc_consent_load(db, a, ann, S("shop"), &scope));
	CHECK_INT(scope.len, 0);
	return NULL;
}
