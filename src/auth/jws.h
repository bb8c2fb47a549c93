/* SPDX-License-Identifier: Apache-2.0
 *
 * JWS in its compact form (RFC 7515), as RFC 8725 wants it: the algorithm is the key's, never the token's choice. Refused
 * are `none`, any `crit`, keys and addresses of keys in the header (jwk, jku, x5c, x5u), JSON and detached forms, headers with a member given
 * twice, and Base64 that is not the one way to write those bytes. */
#pragma once
#include "auth/jwks.h"

enum { JWS_BYTES = 16 << 10, JWS_HEADER_BYTES = 2 << 10 };

typedef struct JwsRules {
	uint32_t algs;    /* JWS_BIT()s that may be used; 0: all that the key allows */
	size_t max_bytes; /* of the token; 0: JWS_BYTES */
	Str typ; /* what `typ` must be, in any case, "application/" before it or not; empty: anything */
} JwsRules;

typedef struct Jws {
	JwsAlg alg;
	Str kid; /* empty: none */
	Str typ;
	Str payload; /* the bytes, not Base64; after jws_open without a proof of who wrote them */
	Str signature;
	Str signed_part; /* of the token */
	const Json *header;
	const Jwk *key; /* that it was verified with */
} Jws;

/* `typ` empty: none. The algorithm is the only one of the key, or `alg` when it may be used with several. Fails with INVALID
 * "jws.key" when the key cannot sign. Burns: ES256 30 us, RSA-2048 220 us. */
Err *jws_sign(Arena *a, const Jwk *key, JwsAlg alg, Str typ, Str payload, Str *token) MUST_USE;

/* Taken apart, but nothing is proved: to know the kid. Fails with UNAUTHENTICATED "jws.malformed", "jws.header",
 * "jws.algorithm", "jws.too_large". */
Err *jws_open(Arena *a, Str token, const JwsRules *rules, Jws *out) MUST_USE;
/* Of one that was taken apart. Fails with UNAUTHENTICATED "jws.key" (none of that kid and algorithm), "jws.signature". */
Err *jws_prove(Arena *a, Jws *jws, const Jwks *keys) MUST_USE;
/* Both. */
Err *jws_verify(Arena *a, Str token, const Jwks *keys, const JwsRules *rules, Jws *out) MUST_USE;
