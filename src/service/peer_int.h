/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of peers share: issuers of tokens and their keys, keys of programs, the secret of services. */
#pragma once
#include "auth/jwks.h"
#include "service/conf_int.h"
#include "service/peer.h"

/* --- peer_keys.c: the keys of an issuer, fetched when they are needed ----------------------------------------------------- */

typedef struct IssuerKeys IssuerKeys;
typedef struct KeySet { /* counted; immutable */
	unsigned refs;
	Arena *arena;
	const Jwks *keys;
	Str text;            /* they were read of */
	uint32_t generation; /* others than before have another */
} KeySet;

IssuerKeys *issuer_keys_new(Str where) RETURNS_NONNULL; /* borrowed */
void issuer_keys_free(IssuerKeys *keys);
/* Parks when there are none yet; `anew`: a token has a key that is not among them (asked for once in some seconds). Fails with BUSY
 * "auth.keys". */
Err *issuer_keys_get(IssuerKeys *keys, Arena *a, bool anew, KeySet **out) MUST_USE;
/* Of the keys that there are; 0: none, or they are due to be fetched again. */
uint32_t issuer_keys_generation(IssuerKeys *keys);
void key_set_unrefp(KeySet **set);

/* --- peer.c ---------------------------------------------------------------------------------------------------------------- */

/* Where a service is, for ask(): *via empty: the host of the URL. Fails with "peer.unknown". */
Err *peer_place(Arena *a, const char *service, Str *base, Str *via) MUST_USE;
/* The secret of services; "peer.secret" where there is none that others could know. */
Err *peer_secret(Arena *a, bool elsewhere, const Jwk **out) MUST_USE;
/* A token by which `from` asks `to`. */
Err *peer_token(Arena *a, const char *from, const char *to, bool elsewhere, Str *token) MUST_USE;

/* --- peer_api_key.c ------------------------------------------------------------------------------------------------------------ */

Err *peer_api_key(ServiceCall *c, Str token, ServiceWho *who) MUST_USE;
