/* SPDX-License-Identifier: Apache-2.0
 *
 * Shadow: requests that the old side serves go to the new side too, off the user's path, and the two answers are compared.
 *
 * Which: those of a route with `shadow: { effects: none }` whose subject is in shadow, canary or new; GET and HEAD, others only with
 * a sandbox header; no upgrades, ranges, conditions or event streams; bodies that were small; a share of them, so many at a time.
 * Every request that might have been shadowed has one result, and each is counted.
 *
 * A shadow has an arena, a fiber and a time of its own, and never waits for a connection that a user could have. It holds the
 * configuration it was made of. */
#pragma once
#include "obs/metric.h"
#include "shift/differences.h"

typedef struct Passage Passage;     /* gateway/passage.h */
typedef struct ShiftConf ShiftConf; /* gateway/conf_shift.h */
typedef struct Subject Subject;     /* shift/subject.h */

typedef enum ShadowResult {
	SHADOW_COMPARED,
	/* no answer of the new side */
	SHADOW_REFUSED, /* no connection */
	SHADOW_TIMEOUT, /* none in time */
	SHADOW_BROKEN,  /* it closed the connection, or what it sent was no answer */
	/* wanted, but it could not be */
	SHADOW_DOWN,   /* no server of the new side is up */
	SHADOW_BUSY,   /* as many are on their way as may, or connections are for users */
	SHADOW_CUT,    /* the old side's answer did not come whole: the client left, or it failed */
	SHADOW_LARGE,  /* both bodies are larger than shadow.body */
	SHADOW_CODING, /* compressed in a way that is not read here */
	SHADOW_FILE,   /* the answer named a file, which the gateway gave */
	SHADOW_ENDED,  /* the gateway stopped, or shadowing began anew meanwhile */
	/* not to be */
	SHADOW_METHOD,
	SHADOW_UPGRADE,
	SHADOW_RANGE,
	SHADOW_CONDITION, /* If-None-Match and the like */
	SHADOW_STREAM,    /* an event stream */
	SHADOW_BODY,      /* the request's was large, or came in pieces */
	SHADOW_SAMPLE,    /* not in the sample */
	SHADOW_RESULTS
} ShadowResult;

Str shadow_result_name(ShadowResult result); /* "compared" */

/* One side's answer, its own copy. */
typedef struct ShadowAnswer {
	uint16_t status; /* 0: none yet */
	CompareField *fields;
	size_t field_count;
	Buf body;
	bool cut; /* there was more */
} ShadowAnswer;

typedef struct ShadowRules ShadowRules; /* of one route; as long as its configuration */

/* Of a configuration without mistakes in its rows; fails with INVALID "compare.path" all the same where a path is none. */
Err *shadow_rules(Arena *a, const ShiftConf *conf, const ShadowRules **out) MUST_USE;

/* --- the hooks of one request, after those of hooks.c; none parks --- */

void shadow_ready(Passage *p);
void shadow_answer(Passage *p);
void shadow_piece(Passage *p, Str piece);
void shadow_done(Passage *p, const Err *err);

/* --- what was found (shadow_state.c); these park --- */

/* Before a configuration's first request, and once a second: takes up what this gateway kept before it ended, accepted
 * differences of all gateways, and keeps what has changed. Loop 0. */
Err *shadow_share(Arena *a) MUST_USE;
/* This gateway's differences and those of the others that share the subject: a copy to look at. */
Err *shadow_differences(Subject *s, Arena *a, Differences **out) MUST_USE;
/* A person says that a difference is meant: durable when it returns. Fails as differences_accept and the book do. */
Err *shadow_accept(Subject *s, Arena *a, Str path, CompareKind kind, Str who) MUST_USE;

bool shadow_is_accepted(Subject *s, Str path, CompareKind kind); /* does not park */
/* And that it is not, after all: it counts again from now on. Fails as the book does. */
Err *shadow_unaccept(Subject *s, Arena *a, Str path, CompareKind kind) MUST_USE;

/* Opens what shadows need, once, before anything is served; ends those that are on their way, and keeps what was found. On loop
 * 0; end parks, and needs the book. */
void shadow_begin(void);
void shadow_end(void);

MetricList shadow_metrics;
