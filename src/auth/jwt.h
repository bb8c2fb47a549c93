/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims (RFC 7519): what a JWS says, and whether it is said to us, now. */
#pragma once
#include "auth/jws.h"

typedef struct JwtRules {
	Str issuer;           /* `iss` must be that; empty: anything */
	const Str *audiences; /* one of them must be in `aud`; none: not looked at */
	size_t audience_count;
	const Str *required; /* claims that must be there and not null */
	size_t required_count;
	int64_t skew_us;  /* how far clocks may be apart */
	bool need_expiry; /* without `exp` it is refused */
} JwtRules;

typedef struct Jwt {
	const Json *claims;
	Str subject;        /* empty: none */
	int64_t expires_us; /* UTC; INT64_MAX: it says nothing of that */
} Jwt;

/* The payload of a proved JWS, at that time (UTC). Fails with UNAUTHENTICATED "jwt.malformed", "jwt.expired", "jwt.early",
 * "jwt.issuer", "jwt.audience", "jwt.claim". */
Err *jwt_check(Arena *a, Str payload, const JwtRules *rules, int64_t now_us, Jwt *out) MUST_USE;

/* Is `scope` in the claims: in `scope` or `scp`, words of a string or items of a list? */
bool jwt_has_scope(const Json *claims, Str scope);
