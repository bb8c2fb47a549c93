/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas: work across several systems, step by step, that ends done or undone whatever dies in between. A type is a table of
 * steps (saga_domain.h); what has been reached is in the database; jobs (store/job.h) carry it on.
 *
 *	static Err *reserve(SagaCall *call)                       parks; runs again with the same key until its outcome is known
 *	{
 *		TRY(ask_the_warehouse(call->arena, saga_text(call, "sku"), call->key, &status, &answer));
 *		if (status == 409)
 *			return saga_refuse(call, "sold_out", "there are none left");    what was done before is undone at once
 *		saga_say(call, answer);                                             later steps read it: saga_said(call, "reserve")
 *		return status == 200 ? NULL : err_new(...);                         again later
 *	}
 *	static const SagaStep steps[] = {
 *		{ "reserve", SAGA_COMPENSATABLE, reserve, release },
 *		{ "charge", SAGA_PIVOT, charge },
 *		{ "ship", SAGA_RETRIABLE, ship },
 *	};
 *	static const SagaType types[] = { { "order", 1, steps, COUNT(steps), .deadline_us = 600 * US_PER_S } };
 *
 *	TRY(saga_begin(tx, a, &set, &(SagaDraft){ .type = S("order"), .data = json }, &id));     in the transaction of its cause
 *	static Err *job(JobRun *run, void *arg) { return saga_work(run, &set); }             a JobKind called SAGA_JOB
 *
 * A step is done at least once; its key is the same at every attempt, so who is asked does it once. Only the step that writes in
 * saga_with's transaction is done exactly once. Who still holds an attempt that was given up (its epoch is old) changes nothing.
 * Errors are those of db.h. */
#pragma once
#include "base/json.h"
#include "saga/saga_domain.h"
#include "store/db.h"
#include "store/job.h"

#define SAGA_JOB "saga"

struct SagaCall {
	Arena *arena; /* of this attempt */
	Db *db;
	void *arg; /* of the set */
	Uuid saga;
	Str key;         /* "018f...:reserve", "018f...:reserve:undo" */
	Str traceparent; /* to pass on: a span of its own in the saga's trace */
	int64_t attempt; /* 1 is the first */
	bool undo;
	const Json *data; /* what the saga was begun with */
	struct SagaTurn *turn;
	struct SagaOutcome *outcome;
};

/* --- of a step --------------------------------------------------------------------------------------------------------- */

/* No, and for good; nothing was done. Gives the Err to return. code: for programs, letters, digits and _ */
Err *saga_refuse(SagaCall *call, Str code, const char *fmt, ...) PRINTF(3, 4)
	MUST_USE RETURNS_NONNULL;
/* Not yet, and that is no failure: asked again after so long. Gives the Err to return. */
Err *saga_wait(SagaCall *call, int64_t us, const char *fmt, ...) PRINTF(3, 4)
	MUST_USE RETURNS_NONNULL;
/* What later steps may read; a JSON value, copied. Kept when the step is done. */
void saga_say(SagaCall *call, Str json);
/* What a step said; NULL: it is not done, or said nothing. */
const Json *saga_said(const SagaCall *call, const char *step);
Str saga_said_text(const SagaCall *call, const char *step); /* empty: the same */
Str saga_text(const SagaCall *call, const char *member);    /* of the data; empty: it has none */
/* Runs in the transaction that notes the step as done: once for all that the database shows. fn may run again (db_txn). arg lives in
 * call->arena, as call itself does. */
void saga_with(SagaCall *call, DbTxnFn *fn, void *arg);

/* --- of a service ------------------------------------------------------------------------------------------------------ */

typedef struct SagaStepView {
	Str name, direction /* "forward", "undo" */, kind, key, state, error, result;
	int64_t attempts, begun_us, ended_us; /* 0: not yet */
} SagaStepView;

typedef struct SagaView {
	Uuid id;
	Str type, key, data, traceparent;
	int64_t version;
	SagaAt at;
	Str step;    /* where it is */
	Str reason;  /* code of why it is undone or stuck; empty: it is not */
	Str message; /* the same for people */
	Str error;   /* the last one */
	int64_t epoch, deadline_us, next_us, begun_us, changed_us, ended_us; /* 0: none */
	const SagaStepView *steps; /* of saga_find: in the order in which they began */
	size_t step_count;
} SagaView;

/* Told in the transaction in which a saga comes into another state, its first one too. */
typedef Err *SagaChanged(Db *tx, Arena *a, const SagaView *saga, void *arg);

typedef struct SagaSet {
	const SagaType *types;
	size_t count;
	SagaChanged *changed; /* NULL: nobody listens */
	void *arg;            /* for steps and `changed` */
} SagaSet;

const Schema *saga_own_schema(
	void); /* to be applied after store_own_schema, by whoever has sagas */
/* INTERNAL "saga.table" when a row is wrong. Once, at the start. */
Err *saga_set_check(Arena *a, const SagaSet *set) MUST_USE;

typedef struct SagaDraft {
	Str type;        /* its highest version is begun */
	Uuid id;         /* nil: a new one */
	Str key;         /* no second one of this type and key that was not undone; empty: none */
	Str data;        /* a JSON object */
	Str traceparent; /* empty: a new trace begins */
} SagaDraft;

/* Any transaction. *id may be NULL. Fails with CONFLICT "saga.key", INVALID as json_read. */
Err *saga_begin(Db *tx, Arena *a, const SagaSet *set, const SagaDraft *draft, Uuid *id) MUST_USE;
/* The whole of a job of kind SAGA_JOB: carries its saga on as far as it goes now. */
Err *saga_work(JobRun *run, const SagaSet *set) MUST_USE;

/* --- for people -------------------------------------------------------------------------------------------------------- */

typedef struct SagaFilter {
	Str type, state; /* empty: any */
	Uuid before;     /* the last of the page before */
	size_t most;
} SagaFilter;
/* Newest first, without their steps. */
Err *sagas_list(Db *db, Arena *a, const SagaFilter *filter, SagaView **out, size_t *count) MUST_USE;
Err *saga_find(Db *db, Arena *a, Uuid id, SagaView **out) MUST_USE; /* NULL: there is none */
/* The one of this type and key that was not undone. */
Err *saga_find_key(Db *db, Arena *a, Str type, Str key, bool *found, Uuid *id) MUST_USE;
/* A stuck one goes on where it was, all attempts ahead of it; one that waits is tried now. Fails with NOT_FOUND "saga.unknown",
 * CONFLICT "saga.over". */
Err *saga_retry(Db *db, Arena *a, Uuid id) MUST_USE;
/* Undoes it; what is under way is given up. past_pivot: although its pivot was tried, which then must have an undo. Fails with
 * NOT_FOUND "saga.unknown", CONFLICT "saga.over", "saga.pivot". */
Err *saga_compensate(Db *db, Arena *a, Uuid id, bool past_pivot) MUST_USE;
/* What must not be: one that nobody carries on, one that has ended while its steps say otherwise. */
typedef struct SagaWrong {
	Uuid id;
	Str what; /* a sentence without its subject: "is running, and no job carries it on" */
} SagaWrong;
/* Reads all of it; *looked: at so many. */
Err *sagas_check(Db *db, Arena *a, SagaWrong **out, size_t *count, int64_t *looked) MUST_USE;
/* Those that ended before that. */
Err *sagas_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone) MUST_USE;
Err *sagas_measure(Db *db, Arena *a) MUST_USE; /* sets the gauges */

MetricList saga_metrics;
