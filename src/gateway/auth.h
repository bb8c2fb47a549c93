/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may come: the policies of a configuration at work, and the step that every request goes through. */
#pragma once
#include "gateway/conf.h"
#include "gateway/identity.h"
#include "obs/metric.h"

typedef struct Auth Auth; /* all policies of one configuration */
typedef struct AuthPolicy AuthPolicy;
typedef struct ConfHold ConfHold;
typedef struct Passage Passage;
typedef struct Headers Headers;

/* before: NULL, or that of the configuration at work: what did not change goes on (keys that were fetched, tokens that were
 * verified). Blocks. Fails as key_source_new does. */
Err *auth_new(Arena *a, ConfHold *hold, const GatewayConf *conf, const Auth *before, Auth **out)
	MUST_USE;
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
 * when an issuer has to be asked. */
Err *auth_check(Passage *p) MUST_USE;
/* On the way to a server: what only we may say is taken out, in every spelling, and said. */
void auth_headers(const Passage *p, Headers *headers);

MetricList auth_metrics;
