/* SPDX-License-Identifier: Apache-2.0
 *
 * Between auth.c (the step) and the ways in which somebody can be known. */
#pragma once
#include "gateway/auth.h"
#include "auth/proved.h"
#include "gateway/passage.h"

typedef struct ApiKeys ApiKeys;
typedef struct Basic Basic;
typedef struct Bridge Bridge;
typedef struct Forward Forward;
typedef struct JwtGuard JwtGuard;
typedef struct Mint Mint;

typedef enum AuthOutcome {
	AUTH_FRESH,
	AUTH_KNOWN,
	AUTH_NOBODY,
	AUTH_MISSING,
	AUTH_REFUSED,
	AUTH_DENIED,
	AUTH_LIMITED,
	AUTH_UNAVAILABLE,
	AUTH_OUTCOMES
} AuthOutcome;

struct AuthPolicy {
	const AuthConf *conf;
	/* NULL: not in this way */
	JwtGuard *jwt;
	ApiKeys *keys;
	Basic *basic;
	Bridge *bridge;
	Forward *forward;
	Mint *mint;
	const Rule *allow; /* NULL: whoever is known */
	MetricCell outcomes[AUTH_OUTCOMES];
};

/* What a way found. */
typedef struct AuthFound {
	bool there; /* the request has credentials of this kind */
	bool known; /* and they had been proved before */
	const char *by;
	const Json *claims; /* an object */
	AuthId id;          /* of what was shown */
} AuthFound;

/* found->there stays false when there is nothing of its kind. Errors as auth_check. Parks. */
typedef Err *AuthTry(const AuthPolicy *policy, Passage *p, AuthFound *found);
AuthTry auth_try_keys, auth_try_basic, auth_try_certificate, auth_try_bridge, auth_try_forward;

/* Blocks. snap has its upstreams. */
Err *bridge_new(Arena *a, const BridgeConf *conf, Str policy, const Snapshot *snap, Bridge **out)
	MUST_USE;
void bridge_free(Bridge *bridge); /* NULL is fine; on any loop */
Err *forward_new(Arena *a, const ForwardConf *conf, Str policy, const Snapshot *snap, Forward **out)
	MUST_USE;
void forward_free(Forward *forward);

/* A place whose host is called as an upstream is that upstream. */
typedef struct FetchPlace FetchPlace;
Err *auth_place(Arena *a, const Snapshot *snap, Str url, Str ca, FetchPlace *out) MUST_USE;

/* Did a page of another site send this (Sec-Fetch-Site, Origin), and is it no reading? A WebSocket is none: no other site's
 * page may read an answer, but it may read what comes through a tunnel. */
bool auth_is_cross_site(const Passage *p);
