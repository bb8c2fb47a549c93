/* SPDX-License-Identifier: Apache-2.0
 *
 * The judge of one subject's attempt: what its metrics say of the new side, and so whether to go back, on, or wait.
 *
 * Each metric counts requests and events by side, one event a user (seen.h), in batches, and has its own evidence
 * (evidence.h) and its own part of alpha. Evidence is kept over the steps of an attempt; a new attempt is a new judge.
 * Who calls keeps the clock and the lock: times are arguments, nothing here blocks. Plain and copyable. */
#pragma once
#include "shift/evidence.h"
#include "shift/ratio.h"
#include "shift/seen.h"

enum { JUDGE_MAX = 12, JUDGE_NAME_BYTES = 48, JUDGE_SIDES = 2 };

typedef enum JudgeSide { JUDGE_OLD, JUDGE_NEW } JudgeSide;

typedef enum JudgeKind {
	JUDGE_ERRORS,
	JUDGE_LATENCY, /* the event is an answer later than the threshold */
	JUDGE_MISMATCH, /* the event is a difference; new: from the other side, old: from itself (noise) */
	JUDGE_WITHOUT, /* a counter that most requests raise: the event is a request without it */
	JUDGE_WITH, /* a counter that few requests raise: the event is a request with it, and fewer are worse */
	JUDGE_RISE, /* a counter of what nobody wants: the event is a request with it, and more are worse */
	JUDGE_KINDS
} JudgeKind;

typedef struct JudgeRule {
	char name
		[JUDGE_NAME_BYTES]; /* "errors", "p99", "mismatch", "checkout_ok"; ends in NUL, cut to fit */
	JudgeKind kind;
	double weight; /* its part of alpha is weight / sum of weights; 0 counts as 1 */
	double margin; /* so much worse is still no reason to go back: 0.2 is a fifth; usually 0 */
	double prove; /* 0: nothing; 0.5: on only when it is proven to be at most half again as bad */
	int64_t threshold_us; /* of JUDGE_LATENCY */
} JudgeRule;

typedef struct JudgeTally {
	uint64_t requests, events;
} JudgeTally;

typedef struct JudgeMetric {
	JudgeRule rule;
	double alpha;
	JudgeTally judged[JUDGE_SIDES]; /* in batches that are closed: what the evidence rests on */
	JudgeTally batch[JUDGE_SIDES];
	uint64_t in_step[JUDGE_SIDES]; /* of the requests judged, those of this step */
	uint32_t
		watchers; /* gateways that counted and may have counted the same user; 0 counts as 1 */
	Evidence worse, fine; /* fine: against "new is at least 1 + prove times as bad" */
	bool back;            /* the limit was reached */
} JudgeMetric;

typedef struct JudgeStep {
	double share;      /* of users that the split sends to new, 0 to 1; 0: not known */
	int64_t since_us;  /* push it forward by the length of a pause */
	int64_t hold_us;   /* it lasts at least so long */
	uint64_t requests; /* and until new has had so many (plan.h) */
} JudgeStep;

typedef struct Judge {
	double alpha;
	unsigned count;
	JudgeMetric metrics[JUDGE_MAX];
	JudgeStep step;
	uint64_t requests[JUDGE_SIDES]; /* of this step, everybody's */
	uint64_t uncounted
		[JUDGE_SIDES]; /* of them, of users who have had an event of the first metric */
	Ratio ratio;
	bool full; /* the table of users was, in this step */
} Judge;

/* Whether a counter that this share of requests raises (on old) is one of JUDGE_WITHOUT or of JUDGE_WITH. */
JudgeKind judge_counter_kind(double ratio);

/* At most JUDGE_MAX rules; alpha is for all together: the probability that an attempt of a side just like the old is ever
 * sent back. */
Judge judge_new(double alpha, const JudgeRule *rules, unsigned count);
/* A step begins: open batches are closed, evidence stays, users on old may count anew. seen may be NULL. */
void judge_begin(Judge *judge, Seen *seen, JudgeStep step);

/* A request of a user who was drawn has ended (not of those who could not be, or were sent to a side by an order: they would
 * not be alike). measured, events: a bit for each metric, in the order of the rules. user: a hash, 0 when not known (then
 * each of his requests is on its own). A few dozen instructions while nothing happens. */
void judge_note(Judge *judge, Seen *seen, JudgeSide side, uint64_t user, uint32_t measured,
                uint32_t events);
/* More of a request that was noted: metrics that were not known yet then. */
void judge_note_more(Judge *judge, Seen *seen, JudgeSide side, uint64_t user, uint32_t measured,
                     uint32_t events);
/* The same for who counts elsewhere: one metric's requests and events, both sides at the same time, one event a user. */
void judge_add(Judge *judge, unsigned metric, JudgeTally old_side, JudgeTally new_side);
/* A user who was drawn appears for the first time in this step. */
void judge_note_user(Judge *judge, JudgeSide side);

/* Another gateway's part of the same attempt and step: a sum. The rules must be the same (else it is left out, false). */
bool judge_merge(Judge *into, const Judge *from);
/* The same of a run that has ended: its open batches go on, too, so that nothing of it is lost. */
bool judge_take_over(Judge *into, const Judge *from);
/* An event that was counted is another gateway's: it is counted here no more. Its request stays. */
void judge_give_up(Judge *judge, unsigned metric, JudgeSide side);

typedef enum JudgeSay { JUDGE_WAIT, JUDGE_ON, JUDGE_BACK } JudgeSay;

typedef struct JudgeVerdict {
	JudgeSay say;
	int metric; /* that decided or holds it up; -1: none */
	Str line;   /* one line that a person can check by hand; in the arena */
} JudgeVerdict;

/* BACK as soon as a metric's evidence reaches its limit. ON when the step has lasted and had its requests, nothing is
 * suspicious (evidence of JUDGE_SUSPICIOUS or more now), the split is as it should be and what must be proven is. Else WAIT;
 * without traffic, for ever. */
JudgeVerdict judge_look(const Judge *judge, int64_t now_us, Arena *a);

/* Evidence as high as this comes to one in ten metrics of a side that is like the old, at some time; it goes away again. */
#define JUDGE_SUSPICIOUS 10.0
/* What `prove` asks of the evidence that new is no worse than that: wrong in at most one step of twenty. */
#define JUDGE_PROOF 20.0
/* A side is not sent back for fewer users' events than this, however unlikely they are. */
enum { JUDGE_LEAST_EVENTS = 3 };
/* A batch is closed when both sides have so many requests in it. */
enum { JUDGE_BATCH = 10 };

typedef struct JudgeView {
	Str name; /* borrowed from the judge */
	JudgeTally old_side, new_side;
	double share;    /* of the events, were both alike */
	double evidence; /* now */
	double limit, alpha, p;
	bool suspicious;
} JudgeView;

JudgeView judge_view(const Judge *judge, unsigned metric);
Str judge_metric_line(const Judge *judge, unsigned metric, Arena *a);
const char *judge_say_name(JudgeSay say); /* "wait", "on", "back" */

void judge_put(JsonWriter *w, const Judge *judge); /* an object */
/* Fails with INVALID "shift.state". */
Err *judge_read(Arena *a, const Json *from, Judge *out) MUST_USE;
