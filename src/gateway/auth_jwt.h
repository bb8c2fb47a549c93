/* SPDX-License-Identifier: Apache-2.0
 *
 * JwtGuard: tokens of one issuer. Counted, as it goes on over reloads that do not change it. */
#pragma once
#include "auth/proved.h"
#include "gateway/auth_keys.h"

typedef struct JwtGuard JwtGuard;
typedef struct Headers Headers;

/* Fails as key_source_new does. Blocks. */
Err *jwt_guard_new(Arena *a, ConfHold *hold, const JwtConf *conf, Str name, JwtGuard **out)
	MUST_USE;
JwtGuard *jwt_guard_ref(JwtGuard *guard);
void jwt_guard_unref(JwtGuard *guard); /* NULL is fine */
const JwtConf *jwt_guard_conf(const JwtGuard *guard);
KeySource *jwt_guard_keys(const JwtGuard *guard);
AuthCache *jwt_guard_cache(const JwtGuard *guard);

/* The word that credentials begin with, and what follows (RFC 9110, 11.4; a tab is taken for a space, as servers take it).
 * False: there is no word. */
bool auth_scheme(Str credentials, Str *word, Str *rest);
/* The token of a request; false: it has none. More than one is none, and an error: UNAUTHENTICATED "auth.twice". */
Err *jwt_guard_token(const JwtGuard *guard, const Headers *headers, bool *there, bool *by_cookie,
                     Str *token) MUST_USE;
/* id: the token's auth_id. The claims, for as long as the arena lives. now_us: UTC. *cached: it had been seen before. Parks when keys have to be
 * fetched. Fails as jws_verify and jwt_check do, DENIED "auth.scope", BUSY "auth.unavailable". */
Err *jwt_guard_verify(JwtGuard *guard, Arena *a, AuthId id, Str token, int64_t now_us,
                      const Json **claims, bool *cached) MUST_USE;
