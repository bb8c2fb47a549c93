/* SPDX-License-Identifier: Apache-2.0
 *
 * Dual writes: what one side of a route took of a request that changes something goes to the other side too (`writes: dual`).
 *
 * The intent is durable before the side that the user is on is asked, the outcome after it has answered; what it took (2xx, 3xx)
 * is delivered to the other side by one of the gateways that share the book: in order for each key, with one Idempotency-Key however often it
 * is tried. What nobody knows, and what the other side refuses, waits for a person, and holds up its own key only.
 * docs/decisions/0033 says why. */
#pragma once
#include "base/json.h"
#include "obs/metric.h"

typedef struct Book Book;       /* book.h */
typedef struct Passage Passage; /* gateway/passage.h */
typedef struct RouteConf RouteConf;
typedef struct Subject Subject;     /* subject.h */
typedef struct DualRules DualRules; /* of one route; as long as its configuration */
typedef struct DualWrite DualWrite; /* of one request */

/* NULL: its writes go to one side. Fails with INVALID where the key is none. */
Err *dual_rules(Arena *a, const RouteConf *route, Subject *subject, const DualRules **out) MUST_USE;
/* Must the user be known, whatever the phase? rules may be NULL. */
bool dual_asks_user(const DualRules *rules);

/* Why a write is not kept. */
typedef enum DualWhy { DUAL_FULL, DUAL_AWAY, DUAL_BEHIND, DUAL_LARGE } DualWhy;
/* What is counted of a subject's: SubjectWrites.counts. */
typedef enum DualCount {
	DUAL_COUNT_TAKEN,
	DUAL_COUNT_REFUSED,
	DUAL_COUNT_UNKNOWN,
	DUAL_COUNT_DELIVERED,
	DUAL_COUNT_RETRIED,
	DUAL_COUNT_DEAD,
	DUAL_COUNT_REPEATED,
	DUAL_COUNT_SAME,
	DUAL_COUNT_DIFFERS,
	DUAL_COUNT_PINNED,
	DUAL_COUNT_PASSED,
	DUAL_COUNT_SINGLE, /* + DualWhy */
	DUAL_COUNT_TURNED_AWAY = DUAL_COUNT_SINGLE + 4,
	DUAL_COUNTS = DUAL_COUNT_TURNED_AWAY + 4
} DualCount;
void dual_count(Subject *s, unsigned count); /* any thread */

/* --- the hooks of one request, after those of hooks.c --- */

/* Writes the intent. May set p->target, p->times to the side that has all earlier writes of its key. Parks. Fails with BUSY
 * "writes.full", "writes.away", "writes.behind" and TOO_LARGE "writes.large": nobody got the request then. */
Err *dual_ready(Passage *p) MUST_USE;
bool dual_may_rescue(const Passage *p); /* may the other side have it instead? */
void dual_answer(Passage *p);
void dual_piece(Passage *p, Str piece);
void dual_done(Passage *p, const Err *err);

/* --- all of them --- */

/* What is left of before is looked after from now on. Nothing without a book (NULL). On the gateway's own fiber of loop 0. */
Err *dual_begin(const Book *book, Str gateway) MUST_USE;
void dual_end(void); /* the same fiber, after the last request, before the book is closed; parks */

typedef struct DualBacklog {
	bool on;                 /* the configuration asks for it, or something is left */
	uint64_t to_new, to_old; /* that these sides lack */
	uint64_t open, unknown, dead;
	uint64_t skipped, differs; /* kept to be looked at */
	int64_t oldest_us;         /* UTC, of those that a side lacks; 0: none */
} DualBacklog;
/* As of a second ago. Any thread; with the subject's lock. */
DualBacklog dual_backlog(const Subject *s);
/* Something waits for a person, or for longer than those that are on their way always do. */
bool dual_is_late(const DualBacklog *backlog);
/* "3 writes have not reached shop-next (1 dead letter)"; empty: all have. */
Str dual_backlog_text(Arena *a, const DualBacklog *backlog, Str old, Str new);
void dual_put(JsonWriter *w, const DualBacklog *backlog); /* an object */

/* One page of a subject's, as JSON; state: empty: all. Park; fail as the book does, and with NOT_FOUND "writes.unknown". */
Err *dual_list(Arena *a, Str subject, Str state, int64_t after, JsonWriter *w) MUST_USE;
Err *dual_show(Arena *a, Str subject, int64_t seq, JsonWriter *w) MUST_USE;

typedef struct DualRepair {
	Str subject, action; /* retry, drop, skip */
	Str id;              /* a number, or "all" */
	bool dry_run;
} DualRepair;
/* *said: what was done, or would be. Fails as dual_show does, with INVALID "writes.action" and CONFLICT "writes.state". */
Err *dual_repair(Arena *a, const DualRepair *ask, Str *said) MUST_USE;

MetricList dual_metrics;
