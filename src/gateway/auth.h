/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come: the policies of a configuration at work, and the step that every request goes through. */
#pragma once
#include "gateway/conf.h"
#include "gateway/identity.h"
#include "obs/metric.h"

typedef struct Auth Auth; /* all policies of one configuration */
typedef struct AuthPolicy AuthPolicy;
typedef struct Snapshot Snapshot;
typedef struct Passage Passage;
typedef struct Headers Headers;
typedef struct Head Head;

/* Of a configuration whose upstreams are there. before: NULL, or that of the one at work: what did not change goes on (keys that
 * were fetched, tokens that were verified). Blocks. Fails as what it reads does. */
Err *auth_new(Arena *a, const Snapshot *snap, const Auth *before, Auth **out) MUST_USE;
void auth_free(Auth *auth); /* NULL is fine; on any loop */
/* What asks in the background. On loop 0. */
Err *auth_begin(Auth *auth) MUST_USE;
void auth_end(Auth *auth, const Auth *after);

/* What a route needs; NULL: anybody may come. */
const AuthPolicy *auth_policy(const Auth *auth, const RouteConf *route);

/* Of a route's `allow`, which is in order; NULL: none. Lives as long as the arena. */
typedef struct Rule Rule;
const Rule *auth_rule(Arena *a, Str text);

/* Sets p->identity, or p->challenge and an error: UNAUTHENTICATED (401), DENIED (403), BUSY "auth.unavailable" (503). Parks
 * when somebody has to be asked. It may have answered already (x->begun). */
Err *auth_check(Passage *p) MUST_USE;
/* Is it asked for the public keys of tokens that the gateway makes itself? */
bool auth_publishes(const Auth *auth, const Head *request, Str *jwks);
/* On the way to a server: what only we may say is taken out, in every spelling, and said. */
Err *auth_headers(const Passage *p, Headers *headers) MUST_USE; /* fails as mint_token does */
/* Is it a name that only we may say, in any spelling? */
bool auth_is_own(const Auth *auth, Str name);

MetricList auth_metrics;
