/* SPDX-License-Identifier: Apache-2.0
 *
 * What a saga is and where it goes from where: types as tables of steps, states, and the one function that says what comes after
 * what. Nothing here knows of a database; nothing parks. */
#pragma once
#include "base/err.h"

typedef struct SagaCall SagaCall;

/* One attempt at a step, forward or back: see saga.h for what it gets and may return. Parks. */
typedef Err *SagaFn(SagaCall *call);

typedef enum SagaKind {
	SAGA_COMPENSATABLE, /* before the pivot: can be undone */
	SAGA_PIVOT, /* go or no go: one at most. Before it all can be undone, after it all is done */
	SAGA_RETRIABLE, /* after the pivot: is tried until it works */
} SagaKind;

typedef struct SagaStep {
	const char *name; /* "reserve": stays the same as long as any saga of this version lives */
	SagaKind kind;
	SagaFn *run;
	/* Undoes it, and takes "there is nothing to undo" for done: nobody knows whether an attempt that timed out did its work.
	 * NULL: the step leaves nothing behind. Of a pivot, and of what comes after it: only people ask for it. */
	SagaFn *undo;
	int64_t timeout_us; /* of one attempt; 0: 30 s */
	/* That may fail before the saga gives up: it is undone, or, at the pivot and behind it, STUCK. 0: 8 of what is compensatable,
	 * else no limit. An undo has no limit. */
	uint32_t attempts;
	int64_t backoff_us;     /* after the first failure, then doubled, with jitter; 0: 500 ms */
	int64_t backoff_max_us; /* 0: 5 min */
	const char *help;       /* one line */
} SagaStep;

typedef struct SagaType {
	const char *name; /* "checkout" */
	/* Rises with every change of the steps. Those before stay in the table of types until no saga of theirs runs. */
	uint32_t version;
	const SagaStep *steps;
	size_t count;
	int64_t deadline_us; /* from its begin until the pivot's first attempt; then it is undone. 0: none */
	const char *help;
} SagaType;

/* running -> committing (the pivot is passed) -> done; running -> compensating -> compensated; from each of the three that are at
 * work -> stuck, and back when a person says so. */
typedef enum SagaState {
	SAGA_RUNNING,
	SAGA_COMMITTING,
	SAGA_COMPENSATING,
	SAGA_DONE,
	SAGA_COMPENSATED,
	SAGA_STUCK,
	SAGA_STATES
} SagaState;

Str saga_state_name(SagaState state);
bool saga_state_read(Str text, SagaState *out);
bool saga_is_over(SagaState state); /* done or compensated */

/* Where a saga stands: in which state, before which step (forward: the one to do; compensating: the one to undo). */
typedef struct SagaAt {
	SagaState state;
	SagaState stuck_in; /* of a stuck one */
	int64_t step;
	bool fresh; /* that step was never attempted: there is nothing of it to undo */
} SagaAt;

typedef enum SagaEvent {
	SAGA_STEP_DONE,
	SAGA_STEP_REFUSED, /* the other side said no, for good: it has done nothing */
	SAGA_STEP_SPENT,   /* all attempts failed: nobody knows what it did */
	SAGA_LATE,         /* the deadline is over */
	SAGA_RETRY,        /* a person: go on */
	SAGA_UNDO,         /* a person: undo it all */
} SagaEvent;

/* What comes after. A refusal where nothing can be taken back (of an undo, or behind the pivot) is stuck. What makes no sense
 * where it stands (RETRY of what is not stuck, LATE behind the pivot) changes nothing. */
SagaAt saga_after(const SagaType *type, SagaAt at, SagaEvent event);
SagaAt saga_first(const SagaType *type);

uint32_t saga_attempts(const SagaStep *step, bool undo); /* 0: no limit */
/* How long to wait after so many failures, before jitter. */
int64_t saga_pause_us(const SagaStep *step, int64_t failures);

/* What is wrong with a table of types, or NULL: names (a-z 0-9 _), steps, one pivot at most and the order around it, the same
 * type and version twice. */
const char *saga_types_mistake(Arena *a, const SagaType *types, size_t count);
