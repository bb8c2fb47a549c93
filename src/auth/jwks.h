/* SPDX-License-Identifier: Apache-2.0
 *
 * Jwks: a set of keys (RFC 7517, section 5). Keys of other kinds and uses are left out, and so are all of one kid when it is
 * given to more than one key that could be meant; a set with keys, none of which is of use, is refused. */
#pragma once
#include "auth/jwk.h"

enum { JWKS_BYTES = 256 << 10, JWKS_KEYS = 100 };

typedef struct Jwks {
	const Jwk *const *at;
	size_t count;
	size_t left_out;
} Jwks;

/* Fails with INVALID "jwks.invalid", "jwks.empty", "jwks.mixed" (secrets beside other keys), as json_read does, or, when one
 * key is all there is, with what is wrong with it. */
Err *jwks_read(Arena *a, Str text, JwkTake take, const Jwks **out) MUST_USE;
/* One key as a set. */
const Jwks *jwks_of(Arena *a, const Jwk *key);

/* The key for a token: by kid; a token without one gets the only key of that algorithm. NULL: there is none. */
const Jwk *jwks_find(const Jwks *keys, Str kid, JwsAlg alg);

/* {"keys": [...]}, public halves only; secrets are left out. */
void jwks_put(JsonWriter *w, const Jwks *keys);
