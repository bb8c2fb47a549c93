/* SPDX-License-Identifier: Apache-2.0
 *
 * What the provider tells everybody of itself: its addresses and its keys, kept for a while. Any loop. */
#pragma once
#include "auth/jwks.h"
#include "http/admin_openid.h"

typedef struct OpenidProvider {
	unsigned refs; /* atomic */
	Arena *arena;
	int64_t asked_us;                            /* when: the monotonic clock */
	Str authorize, token, userinfo, end_session; /* the last two: empty when it has none */
	bool says_issuer;                            /* in what it sends browsers back with */
	bool secret_in_form; /* its token address takes a secret there only */
	const Jwks *keys;
} OpenidProvider;

/* Good as long as the arena. newer: what was known before is not good enough, so ask anew, but not more often than every few seconds.
 * Parks. Fails with UPSTREAM "openid.provider". */
Err *openid_provider(Arena *a, const AdminOpenidConf *conf, bool newer, const OpenidProvider **out)
	MUST_USE;
/* One question, answered with a JSON object and 200, or with `status` when that is not NULL. Parks. Fails with UPSTREAM
 * "openid.provider". */
Err *openid_ask(Arena *a, const AdminOpenidAsk *ask, unsigned *status, const Json **out) MUST_USE;
