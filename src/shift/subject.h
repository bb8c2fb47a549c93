/* SPDX-License-Identifier: Apache-2.0
 *
 * Subjects: what is moved (a route, a group of routes, a whole upstream) and all that is known of it here. One lives as long as
 * the process, whatever the configuration does. Any loop; everything is under its lock, which is never held across a park. */
#pragma once
#include "base/list.h"
#include "gateway/conf_shift.h"
#include "shift/differences.h"
#include "shift/judge.h"
#include "shift/objective.h"
#include "shift/sight.h"
#include "shift/split.h"
#include "shift/state.h"
#include "shift/tripwire.h"

#include <pthread.h>

typedef struct ConfHold ConfHold; /* gateway/upstream.h */

typedef enum SubjectKind { SUBJECT_ROUTE, SUBJECT_GROUP, SUBJECT_UPSTREAM } SubjectKind;

enum {
	SUBJECT_COUNTERS = COUNTERS_MAX,
	SUBJECT_USERS = 1 << 16,
	SUBJECT_SHADOW_RESULTS = 20,
	SUBJECT_WRITE_COUNTS = 24
};

/* Which metric of the judge is which; -1: it is not judged. */
typedef struct SubjectMetrics {
	int8_t errors, slow[SHIFT_PERCENTILES], mismatch;
	int8_t counters[SUBJECT_COUNTERS]; /* in the order of the configuration in force */
} SubjectMetrics;

/* Answers of the old side that say something of a counter, lately; in the order of the configuration in force. */
typedef struct SubjectRatio {
	uint64_t what; /* a hash of what it counts */
	uint32_t requests, with;
} SubjectRatio;

typedef struct SubjectShadow {
	uint64_t sent, compared, dropped, failed;
	uint64_t results[SUBJECT_SHADOW_RESULTS]; /* by ShadowResult */
} SubjectShadow;

/* Writes that both sides are to have (dual.h), as of a second ago. */
typedef struct SubjectWrites {
	bool on;                               /* a route of it has `writes: dual` */
	bool left;                             /* or had it, and something is left */
	uint64_t counts[SUBJECT_WRITE_COUNTS]; /* atomic, without the lock */
	uint64_t kept;  /* atomic: those of `queue`, since the last look too */
	uint64_t added; /* atomic: of them by this process, ever */
	bool hint;      /* atomic: something may be due */
	uint64_t to_side[JUDGE_SIDES];
	uint64_t open, unknown, dead, skipped, differs;
	int64_t oldest_us;
} SubjectWrites;

typedef struct Subject {
	Node node;
	Str name;
	SubjectKind kind;
	Arena *arena;
	pthread_mutex_t lock;
	/* of the configuration in force */
	ConfHold *hold;
	const ShiftConf *conf; /* NULL: it is not in it any more */
	Str old, new;          /* upstreams */
	bool old_is_up;        /* at the last look, of its servers at least one */
	/* where it stands */
	uint8_t phase; /* state.phase, for a first look without the lock: atomic */
	ShiftState state;
	unsigned changing; /* somebody writes a change into the book just now */
	bool halted;       /* all users are on the old side again, and the book does not know yet */
	bool foreign; /* the book's state is of another new side than the configuration's: all are on the old one */
	bool plan_due; /* the step began and how long it lasts is not worked out yet */
	char halted_line[SHIFT_LINE_BYTES];
	char halted_by
		[SHIFT_NAME_BYTES]; /* a person; empty: the judge. Ends in NUL, as those beside it */
	char blocked[SHIFT_LINE_BYTES]; /* what it waits for; empty: nothing */
	char verdict[SHIFT_LINE_BYTES];
	JudgeSay say;
	/* of this attempt */
	SubjectMetrics metrics;
	ShiftState
		judged; /* what the judge was begun with; of another attempt than state: not yet */
	Judge judge;
	Judge others;              /* what other gateways have seen; count 0: nothing */
	Seen seen, drawn, touched; /* events; users of this step; users on new, ever */
	uint64_t touched_count;
	uint64_t strangers_before, requests_before; /* when it began */
	Tripwire wire;
	uint32_t others_count;    /* gateways */
	uint32_t watchers;        /* of whose counts the sum may have a user twice; 0 counts as 1 */
	struct SubjectRuns *runs; /* keeper_evidence.c; loop 0, without the lock */
	/* always */
	Sight sight;
	SubjectRatio ratios[SUBJECT_COUNTERS];
	uint64_t unread;      /* answers whose body was not read for its counters */
	Objective *objective; /* of both sides; NULL: there was no traffic yet */
	const char *alert[JUDGE_SIDES];
	uint64_t backs;                                  /* that nobody asked for */
	uint64_t strangers, by_address, capped, rescued; /* requests */
	Differences *differences;                        /* this gateway's; NULL: none yet */
	bool differences_changed;                        /* since they were kept */
	uint32_t
		accepted_said; /* times that somebody said here what is accepted, and what is not */
	bool differences_taken_up; /* what was kept before the start is in them */
	DifferencesTotals totals;  /* of them, a second ago at most */
	SubjectShadow shadow;
	SubjectWrites writes;
	uint32_t shadow_running; /* atomic, without the lock */
} Subject;

/* The one of this name and kind; made when there is none. Names of upstreams begin with "upstream:". */
Subject *subject_need(SubjectKind kind, Str name) RETURNS_NONNULL;
Subject *subject_find(Str name); /* NULL: there is none */
/* Every one, in the order they were made: `Subject *s = NULL; while ((s = subject_next(s)))`. */
Subject *subject_next(Subject *s);

void subject_lock(Subject *s);
void subject_unlock(Subject *s);

/* The rest with the lock held. */

/* What it is moved by, from now on; takes a reference to hold. */
void subject_configure(Subject *s, ConfHold *hold, const ShiftConf *conf, Str old, Str new);
/* The book says so: taken when it is newer than what is known. True: it was. */
bool subject_apply(Subject *s, const ShiftState *state);
/* Everybody to the old side at once; the keeper tells the book. who: empty: the judge. */
void subject_halt(Subject *s, Str line, Str who);

typedef struct SubjectDraw {
	bool is_new, drawn; /* drawn: not by an override, and known */
	uint32_t attempt;   /* that it belongs to; 0: none */
} SubjectDraw;
/* The side of a request. */
SubjectDraw subject_draw(Subject *s, const SplitUser *user, bool overridden, bool told_new);

typedef struct SubjectOutcome {
	JudgeSide side;
	uint64_t user;
	bool drawn;
	uint32_t attempt; /* of its draw: what ends in another says nothing of that */
	TripwireFate fate;
	int64_t took_us; /* to the answer's head; below 0: there was none */
} SubjectOutcome;
void subject_note(Subject *s, const SubjectOutcome *o, int64_t now_us);

/* What a request's answer says of counters, perhaps a moment after it was noted. */
typedef struct SubjectCounted {
	const ShiftConf *
		conf; /* whose counters: of another configuration than that in force they say nothing */
	JudgeSide side;
	uint64_t user;
	bool drawn;
	uint32_t attempt;
	uint32_t measured, with; /* a bit a counter: it says something of it; and has it */
} SubjectCounted;
void subject_count(Subject *s, const SubjectCounted *c);
/* Is enough known of what the old side's answers have? */
bool subject_knows_counters(const Subject *s);
/* Adds what is known of counters to a state that does not have it yet. True: it did. */
bool subject_freeze_counters(const Subject *s, ShiftState *next);

/* Own and others' evidence together. */
Judge subject_judge(const Subject *s);
/* A second is over: its counts go to the objective; *news when an alert begins or ends on a side. */
void subject_turn(Subject *s, int64_t utc_us, bool news[JUDGE_SIDES]);
double subject_objective(const Subject *s); /* share of requests that succeed */
/* Most requests of this attempt are of nobody known, so that nobody is drawn. */
bool subject_knows_nobody(const Subject *s);
/* Share of users that the state gives the new side. */
uint32_t subject_share_ppm(const Subject *s);
