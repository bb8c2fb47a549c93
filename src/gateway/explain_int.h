/* SPDX-License-Identifier: Apache-2.0
 *
 * Between explain.c (the command), explain_route.c (which route, and why), explain_then.c (what happens with it) and
 * explain_print.c (how it is told). */
#pragma once
#include "gateway/route.h"

typedef struct Passage Passage;
typedef struct Snapshot Snapshot;

typedef struct Fact {
	Str key, value;
	bool item; /* one of several under its key */
} Fact;

/* A part of the story: "request", "route", "upstream". */
typedef struct Section {
	const char *name;
	Fact *at;
	size_t count, cap;
} Section;

/* What is said of one route. */
typedef struct Verdict {
	const Route *route;
	const char *fate; /* "taken", "also", "not" */
	Str pattern, why;
} Verdict;

enum { EXPLAIN_SECTIONS = 12, EXPLAIN_LISTED = 20 };

typedef struct Explain {
	Arena *arena;
	Conf *conf; /* for places in the file */
	Passage *p;
	const RouteTable *table;
	const Route *winner; /* NULL: none */
	bool own;            /* the gateway answers it itself */
	RouteAsk ask;
	RouteMiss miss;
	Err *refused; /* before a route was looked for, or after it was found */
	Verdict *verdicts;
	size_t verdict_count;
	size_t also, not ; /* routes of that fate, listed or not */
	Section sections[EXPLAIN_SECTIONS];
	size_t count;
} Explain;

/* explain_print.c: facts go to the section that was begun last. */
void explain_begin(Explain *e, const char *section);
void explain_fact(Explain *e, const char *key, Str value);
void explain_item(Explain *e, const char *key, Str value);
void explain_fmt(Explain *e, const char *key, const char *fmt, ...) PRINTF(3, 4);
void explain_refused(Explain *e, Err *err); /* and then it is not taken */
void explain_put_text(const Explain *e, Buf *b);
void explain_put_json(const Explain *e, Buf *b);

/* explain_route.c */
void explain_route(Explain *e);
/* explain_auth.c: policies as they would be at work; then who asks, and whether they may. */
void explain_auth_begin(Explain *e, Snapshot *snap);
void explain_auth(Explain *e);
/* explain_then.c: of a request that has a route. */
void explain_then(Explain *e);
/* explain_upstream.c: of a route that has an upstream. */
void explain_upstream(Explain *e);
