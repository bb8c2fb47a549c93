/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of peers share: issuers of tokens and their keys, keys of programs, the secret of services. */
#pragma once
#include "auth/jwks.h"
#include "base/conf.h"
#include "service/peer.h"

/* One of `services.NAME.issuers`. */
typedef struct IssuerConf {
	Str issuer;
	Str keys;
	CONF_LIST_OF(Str) audience;
	Str scopes;
} IssuerConf;
typedef CONF_LIST_OF(IssuerConf) IssuerList;
const ConfTable *issuer_conf_table(void);

/* --- peer_keys.c: the keys of an issuer, fetched when they are needed ----------------------------------------------------- */

typedef struct IssuerKeys IssuerKeys;
typedef struct KeySet { /* counted; immutable */
	unsigned refs;
	Arena *arena;
	const Jwks *keys;
} KeySet;

IssuerKeys *issuer_keys_new(Str where) RETURNS_NONNULL; /* borrowed */
void issuer_keys_free(IssuerKeys *keys);
/* Parks when there are none yet; `anew`: a token has a key that is not among them (asked for once in some seconds). Fails with BUSY
 * "auth.keys". */
Err *issuer_keys_get(IssuerKeys *keys, Arena *a, bool anew, KeySet **out) MUST_USE;
void key_set_unrefp(KeySet **set);

/* --- peer.c ---------------------------------------------------------------------------------------------------------------- */

/* The client that all share; in a fiber. */
Err *peer_begin(Arena *a) MUST_USE;
void peer_end(void);
/* Where a service is, for ask(): *via empty: the host of the URL. Fails with "peer.unknown". */
Err *peer_place(Arena *a, const char *service, Str *base, Str *via) MUST_USE;
/* The secret of services; "peer.secret" where there is none that others could know. */
Err *peer_secret(Arena *a, bool elsewhere, const Jwk **out) MUST_USE;
/* A token by which `from` asks `to`. */
Err *peer_token(Arena *a, const char *from, const char *to, bool elsewhere, Str *token) MUST_USE;

/* --- peer_token.c ------------------------------------------------------------------------------------------------------------ */

typedef struct PeerIssuers PeerIssuers;
/* Of a service at work; list borrowed. When it is empty, tokens of the user service are believed. */
PeerIssuers *peer_issuers_new(Arena *a, const IssuerList *list) RETURNS_NONNULL;
void peer_issuers_end(PeerIssuers *issuers); /* NULL is fine */

/* --- peer_api_key.c ------------------------------------------------------------------------------------------------------------ */

Err *peer_api_key(ServiceCall *c, Str token, ServiceWho *who) MUST_USE;
typedef struct Command Command;
Command peer_key_command(const char *name); /* `banyan NAME key` */
