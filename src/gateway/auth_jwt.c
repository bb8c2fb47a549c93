/* SPDX-License-Identifier: Apache-2.0
 *
 * A token is verified once and then known by its hash until it ends, or until the issuer has other keys: what was proved by
 * a key that is gone has to be proved anew. Scopes are looked at each time, being a policy's and not a token's. */
#include "gateway/auth_jwt.h"

#include "auth/jwt.h"
#include "base/arena.h"
#include "base/time.h"
#include "gateway/upstream.h"
#include "http/cookie.h"

#include <stdlib.h>

#define FOREVER_US (3600 * US_PER_S) /* a token that never ends is looked at again after that */

static Err unavailable =
	ERR_STATIC(BUSY, "auth.unavailable", "the issuer's keys are not known yet");
/* Which of them does the server behind look at? */
static Err twice = ERR_STATIC(UNAUTHENTICATED, "auth.twice", "there are two sets of credentials");

struct JwtGuard {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const JwtConf *conf;
	KeySource *keys;
	AuthCache *cache;
	JwsRules jws;
	JwtRules jwt;
};

static void guard_drop(JwtGuard **guard)
{
	jwt_guard_unref(*guard);
}

static JwtRules claim_rules(const JwtConf *conf)
{
	return (JwtRules){ .issuer = conf->issuer,
		           .audiences = conf->audience.at,
		           .audience_count = conf->audience.count,
		           .required = conf->require.at,
		           .required_count = conf->require.count,
		           .skew_us = conf->skew_us,
		           .need_expiry = conf->need_expiry };
}

Err *jwt_guard_new(Arena *a, ConfHold *hold, const JwtConf *conf, Str name, JwtGuard **out)
{
	AUTO(guard_drop) JwtGuard *guard = calloc(1, sizeof *guard);

	if (!guard)
		abort();
	*guard = (JwtGuard){ .refs = 1,
		             .hold = conf_hold_ref(hold),
		             .conf = conf,
		             .cache = auth_cache_new(conf->cache, name),
		             .jws = { .max_bytes = conf->bytes, .typ = conf->typ },
		             .jwt = claim_rules(conf) };
	for (size_t i = 0; i < conf->algorithms.count; i++)
		guard->jws.algs |= JWS_BIT(conf->algorithms.at[i]);
	TRY(key_source_new(a, hold, conf, name, &guard->keys));
	*out = TAKE(guard);
	return NULL;
}

JwtGuard *jwt_guard_ref(JwtGuard *guard)
{
	__atomic_add_fetch(&guard->refs, 1, __ATOMIC_RELAXED);
	return guard;
}

void jwt_guard_unref(JwtGuard *guard)
{
	if (!guard || __atomic_sub_fetch(&guard->refs, 1, __ATOMIC_ACQ_REL))
		return;
	key_source_unref(guard->keys);
	auth_cache_free(guard->cache);
	conf_hold_unref(guard->hold);
	free(guard);
}

const JwtConf *jwt_guard_conf(const JwtGuard *guard)
{
	return guard->conf;
}

KeySource *jwt_guard_keys(const JwtGuard *guard)
{
	return guard->keys;
}

AuthCache *jwt_guard_cache(const JwtGuard *guard)
{
	return guard->cache;
}

/* --- the token of a request --------------------------------------------------------------------------------------------- */

static bool is_scheme(const JwtConf *conf, Str word)
{
	for (size_t i = 0; i < conf->scheme.count; i++)
		if (str_eq_nocase(conf->scheme.at[i], word))
			return true;
	return false;
}

static bool is_left(const JwtConf *conf, Str token)
{
	for (size_t i = 0; i < conf->leave.count; i++)
		if (str_starts(token, conf->leave.at[i]))
			return true;
	return false;
}

bool auth_scheme(Str credentials, Str *word, Str *rest)
{
	size_t at = 0;

	while (at < credentials.len && credentials.at[at] != ' ' && credentials.at[at] != '\t')
		at++;
	*word = str_sub(credentials, 0, at);
	*rest = str_trim(str_sub(credentials, at, credentials.len));
	return at > 0;
}

static Err *find_cookie(const JwtConf *conf, const Headers *headers, Str *token)
{
	CookieAt at = { 0 };
	Str value;

	*token = (Str){ 0 };
	while (http_cookie_next(headers, conf->cookie, &at, &value)) {
		if (token->len && !str_eq(*token, value))
			return &twice;
		*token = value;
	}
	return NULL;
}

Err *jwt_guard_token(const JwtGuard *guard, const Headers *headers, bool *there, bool *by_cookie,
                     Str *token)
{
	unsigned lines = 0;

	*there = *by_cookie = false;
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest, word;

		if (headers->at[i].id != HTTP_AUTHORIZATION)
			continue;
		lines++;
		if (!auth_scheme(headers->at[i].value, &word, &rest) ||
		    !is_scheme(guard->conf, word) || is_left(guard->conf, rest))
			continue;
		*token = rest;
		*there = true;
	}
	if (*there && lines > 1)
		return &twice;
	if (!*there && !lines && guard->conf->cookie.len) {
		TRY(find_cookie(guard->conf, headers, token));
		*there = *by_cookie = token->len > 0;
	}
	return NULL;
}

/* --- proof -------------------------------------------------------------------------------------------------------------- */

static void drop_set(KeySet **set)
{
	key_set_unref(*set);
}

/* By the keys that there are. *known: one of them is the token's. */
static Err *prove_once(JwtGuard *guard, Arena *a, Jws *jws, uint32_t *generation, bool *known)
{
	AUTO(drop_set) KeySet *set = key_source_get(guard->keys);

	*generation = set ? set->generation : 0;
	*known = set && jwks_find(set->keys, jws->kid, jws->alg);
	if (!set)
		return &unavailable;
	return jws_prove(a, jws, set->keys);
}

static Err *prove(JwtGuard *guard, Arena *a, Jws *jws, uint32_t *generation)
{
	bool known;
	Err *err = prove_once(guard, a, jws, generation, &known);

	if (err && !known && key_source_learn(guard->keys, *generation))
		err = prove_once(guard, a, jws, generation, &known);
	return err;
}

static Err *check_scopes(Arena *a, const JwtConf *conf, const Json *claims)
{
	for (size_t i = 0; i < conf->scopes.count; i++)
		if (!jwt_has_scope(claims, conf->scopes.at[i]))
			return err_new(a, ERR_DENIED, "auth.scope",
			               "the token lacks the scope %.*s",
			               STR_ARG(conf->scopes.at[i]));
	return NULL;
}

static void let_go(void *entry)
{
	auth_entry_unref(entry);
}

Err *jwt_guard_verify(JwtGuard *guard, Arena *a, AuthId id, Str token, int64_t now_us,
                      const Json **claims, bool *cached)
{
	const AuthEntry *entry =
		auth_cache_find(guard->cache, id, key_source_generation(guard->keys), now_us);
	uint32_t generation;
	Jws jws;
	Jwt jwt;

	*cached = entry != NULL;
	if (entry) {
		arena_defer(a, let_go, (void *)entry);
		*claims = entry->claims;
		return check_scopes(a, guard->conf, *claims);
	}
	TRY(jws_open(a, token, &guard->jws, &jws));
	TRY(prove(guard, a, &jws, &generation));
	TRY(jwt_check(a, jws.payload, &guard->jwt, now_us, &jwt));
	auth_cache_add(guard->cache, id, generation, jwt.claims,
	               jwt.expires_us == INT64_MAX ? now_us + FOREVER_US
	                                           : jwt.expires_us + guard->jwt.skew_us);
	*claims = jwt.claims;
	return check_scopes(a, guard->conf, *claims);
}
