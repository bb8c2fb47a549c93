/* SPDX-License-Identifier: Apache-2.0
 *
 * What of the services' configuration concerns all of them, and what peers share of a service at work. */
#pragma once
#include "base/conf.h"

typedef struct Cmd Cmd;
typedef struct Command Command;
typedef struct PeerIssuers PeerIssuers;
typedef struct Service Service;
typedef struct ServiceCall ServiceCall;

/* One of `services.NAME.issuers`: whose tokens are believed. */
typedef struct IssuerConf {
	Str issuer;
	Str keys;
	CONF_LIST_OF(Str) audience;
	Str scopes;
} IssuerConf;
const ConfTable *issuer_conf_table(void);

/* peer_token.c: of a service at work; rows borrowed. None: tokens of the user service are believed. */
PeerIssuers *peer_issuers_new(Arena *a, const IssuerConf *at, size_t count) RETURNS_NONNULL;
void peer_issuers_end(PeerIssuers *issuers); /* NULL is fine */

/* The configuration that this process works with. outside: of a command, to whom no service is in its own process. */
void services_use(const void *conf, bool outside);
Str services_secret(void);               /* of that: empty, there is none */
bool services_is_here(const char *name); /* in this process */
/* As services_place, of that configuration. */
const char *services_peer_place(Arena *a, Str name, Str *address, bool *tls);
const Service *service_of_command(const Cmd *cmd); /* by its first word; NULL: none */
PeerIssuers *issuers_of(const ServiceCall *c);     /* home.c */
Command peer_key_command(const char *name);        /* `banyan NAME key`: peer_api_key.c */
/* The client that all share, of peer.c; in a fiber. */
Err *peer_begin(Arena *a) MUST_USE;
void peer_end(void);
