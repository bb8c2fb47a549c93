/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that the provider signs with. Of each algorithm there are two at least: the one that signs and the one that will; so every
 * key was published long before anybody sees a signature of it. One that signs no more is published until the last of its tokens
 * is over. */
#pragma once
#include "auth/jwks.h"
#include "store/db.h"

typedef struct OidcKeys OidcKeys; /* of one process; any loop */
typedef struct Seal Seal;

typedef struct OidcKeyPlan {
	const Seal *seal;
	int64_t rotate_us; /* how long each signs */
	int64_t keep_us;   /* how long one is published afterwards */
} OidcKeyPlan;

typedef struct OidcKey {
	const Jwk *jwk;
	JwsAlg alg;
	int64_t created_us, signs_us;
	int64_t until_us; /* INT64_MAX: not known yet */
} OidcKey;

typedef struct OidcRing { /* of one moment */
	Jwks all;
	const OidcKey *keys;
	size_t count;
} OidcRing;

/* Lives as long as the arena. Makes the first keys where there are none. Parks, as all here but oidc_ring_signer. */
Err *oidc_keys_open(Arena *a, Db *db, const OidcKeyPlan *plan, OidcKeys **out) MUST_USE;
void oidc_keys_close(OidcKeys *keys); /* NULL is fine */

/* What there is, two seconds old at most; for as long as the arena. fresh: looked up now, once a second at most. */
Err *oidc_keys_ring(OidcKeys *keys, Arena *a, bool fresh, const OidcRing **out) MUST_USE;
/* The key that signs at that time. Fails with INTERNAL "oidc.no_key". */
Err *oidc_ring_signer(const OidcRing *ring, Arena *a, JwsAlg alg, int64_t now_us, const Jwk **out)
	MUST_USE;

/* What the database has; the private halves are not opened when seal is NULL: then jwk is NULL, and kids tell. */
Err *oidc_keys_list(Db *db, Arena *a, int64_t now_us, const OidcRing **out, const Seal *seal)
	MUST_USE;
/* The next keys sign from now on, others become the next. */
Err *oidc_keys_rotate(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us) MUST_USE;
/* Makes what is missing. */
Err *oidc_keys_tend(Db *db, Arena *a, const OidcKeyPlan *plan, int64_t now_us) MUST_USE;
