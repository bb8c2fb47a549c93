/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas on any engine. Whoever includes it has included events_lite.h or events_pg.h. Steps do what the test says, and write down
 * that they were called: "a", "b", "~a" for an undo. */
#pragma once
#include "base/json.h"
#include "base/time.h"
#include "rt/loop.h"
#include "saga/saga_int.h"
#include "store/job_int.h"
#include "store/schema.h"
#include "suite.h"

#include <string.h>

static inline Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	return schema_apply(db, a, saga_own_schema(), &applied);
}

enum { SHORT_US = 300000 };

typedef enum Does { WORKS, FAILS, REFUSES, WAITS, HANGS, IS_SLOW } Does;

/* What one step does, `times` times; then it works. */
typedef struct Act {
	Does does;
	unsigned times;
	unsigned calls;
	Str key; /* of the last call */
	bool no; /* it refuses then */
} Act;

typedef struct World {
	Arena *a;
	Db *db;
	Act run[4], undo[4];
	Str calls, states, trace;
	bool hangs, go;
	unsigned effects,
		unknown; /* unknown: so many commits come to nothing that anybody knows of */
	SagaSet set;
} World;

static Err *play(SagaCall *call, Act *act, char name)
{
	World *w = call->arg;

	act->calls++;
	CHECK(!act->key.len || str_eq(act->key, call->key)); /* the same at every attempt */
	act->key = str_dup(w->a, call->key);
	w->calls = str_fmt(w->a, "%.*s%s%c", STR_ARG(w->calls), call->undo ? "~" : "", name);
	CHECK_INT(call->traceparent.len, 55);
	CHECK(!w->trace.len || str_eq(str_sub(w->trace, 0, 35), str_sub(call->traceparent, 0, 35)));
	CHECK(!str_eq(w->trace, call->traceparent));
	w->trace = str_dup(w->a, call->traceparent);
	if (act->does == IS_SLOW)
		return fiber_sleep(SHORT_US);
	if ((act->does == REFUSES && act->times) || (act->no && !act->times)) {
		act->times -= act->times > 0;
		return saga_refuse(call, S("sold_out"), "there are none left");
	}
	if (act->does == WORKS || !act->times)
		return NULL;
	act->times--;
	if (act->does == WAITS)
		return saga_wait(call, 1000, "not yet");
	w->hangs = act->does == HANGS;
	while (w->hangs && !w->go)
		TRY(fiber_sleep(US_PER_MS));
	w->hangs = false;
	return err_new(call->arena, ERR_UPSTREAM, "test.away", "nobody answered");
}

#define RUN(n, name) \
	static Err *run_##name(SagaCall *call) \
	{ \
		return play(call, &((World *)call->arg)->run[n], *#name); \
	}
#define UNDO(n, name) \
	static Err *undo_##name(SagaCall *call) \
	{ \
		return play(call, &((World *)call->arg)->undo[n], *#name); \
	}
RUN(0, a)
UNDO(0, a)
UNDO(1, b)
RUN(2, p)
UNDO(2, p)
RUN(3, r)

static Err *count_effect(Db *tx, Arena *a, void *arg)
{
	World *w = arg;

	(void)tx;
	if (w->unknown && w->unknown--)
		return err_new(a, ERR_IO, "db.unknown", "no answer to COMMIT came");
	w->effects++;
	return NULL;
}

/* Tells something, and writes in the transaction that ends it. */
static Err *run_b(SagaCall *call)
{
	World *w = call->arg;

	CHECK_STR(saga_text(call, "sku"), S("anvil"));
	CHECK_NULL(saga_said(call, "b"));
	saga_with(call, count_effect, w);
	saga_say(call, S("{\"place\":7}"));
	return play(call, &w->run[1], 'b');
}

static Err *run_last(SagaCall *call)
{
	int64_t place = 0;

	CHECK(json_to_i64(json_get(saga_said(call, "b"), S("place")), &place));
	CHECK_INT(place, 7);
	return run_r(call);
}

#define QUICK .backoff_us = 1, .backoff_max_us = 2
static const SagaStep test_steps[] = {
	{ "a", SAGA_COMPENSATABLE, run_a, undo_a, .attempts = 3, QUICK },
	{ "b", SAGA_COMPENSATABLE, run_b, undo_b, .attempts = 3, QUICK },
	{ "p", SAGA_PIVOT, run_p, undo_p, .attempts = 4, QUICK },
	{ "r", SAGA_RETRIABLE, run_last, NULL, .attempts = 5, QUICK },
};
static const SagaStep old_steps[] = { { "a", SAGA_COMPENSATABLE, run_a, undo_a, QUICK } };
static const SagaType test_types[] = {
	{ "order", 1, old_steps, COUNT(old_steps) },
	{ "order", 2, test_steps, COUNT(test_steps) },
	{ "short", 1, test_steps, COUNT(test_steps), .deadline_us = SHORT_US },
	{ "brief", 1, test_steps, COUNT(test_steps), .deadline_us = 1 },
};

static Err *note_state(Db *tx, Arena *a, const SagaView *saga, void *arg)
{
	World *w = arg;

	(void)tx;
	(void)a;
	w->states = str_fmt(w->a, "%.*s %.*s", STR_ARG(w->states),
	                    STR_ARG(saga_state_name(saga->at.state)));
	return NULL;
}

static World world(Db *db, Arena *a)
{
	return (World){ .a = a, .db = db, .set = { test_types, COUNT(test_types), note_state } };
}

static Err *job_main(JobRun *run, void *arg)
{
	return saga_work(run, &((World *)arg)->set);
}

typedef struct Runner {
	World *w;
	JobKind kind;
	JobsConf conf;
	Child child;
} TestRunner;

static Err *runner_main(void *arg)
{
	TestRunner *r = arg;

	return jobs_run(r->w->db, r->w->a, &r->conf);
}

static Err *runner_start(TestRunner *r, World *w)
{
	*r = (TestRunner){ .w = w, .kind = { SAGA_JOB, job_main, w, .at_once = 4, QUICK } };
	r->conf = (JobsConf){ .kinds = &r->kind, .kind_count = 1 };
	w->set.arg = w;
	return child_start(&r->child, runner_main, r, "runner");
}

static Err *runner_stop(TestRunner *r)
{
	fiber_cancel(r->child.fiber);
	CHECK_ERR(child_join(&r->child), "rt.cancelled");
	return NULL;
}

static Err *order(World *w, const char *type, Str key, Uuid *id)
{
	w->set.arg = w;
	return saga_begin(w->db, w->a, &w->set,
	                  &(SagaDraft){ .type = str_of(type),
	                                .key = key,
	                                .data = S("{\"sku\":\"anvil\"}"),
	                                .traceparent = S("") },
	                  id);
}

static Err *reaches(World *w, Uuid id, SagaState state)
{
	SagaView *saga;

	for (;;) {
		TRY(saga_find(w->db, w->a, id, &saga));
		CHECK(saga != NULL);
		if (saga->at.state == state)
			return NULL;
		TRY(fiber_sleep(US_PER_MS));
	}
}

/* Every job is over, and what it wrote is written. */
static Err *nothing_runs(World *w)
{
	size_t count = 1;
	Job *jobs;

	while (count) {
		TRY(fiber_sleep(US_PER_MS));
		TRY(jobs_list(w->db, w->a, S(""), S("running"), (Uuid){ 0 }, 9, &jobs, &count));
	}
	return NULL;
}

static Err *nothing_is_wrong(World *w)
{
	SagaWrong *wrong;
	int64_t looked;
	size_t count;

	TRY(sagas_check(w->db, w->a, &wrong, &count, &looked));
	CHECK(looked > 0);
	CHECK_INT(count, 0);
	return NULL;
}

/* A saga is begun, and carried on until it is in this state. */
static Err *carried(World *w, const char *type, SagaState state, Uuid *id)
{
	AUTO(child_end) Child none = { 0 };
	TestRunner r;

	TRY(order(w, type, S(""), id));
	TRY(runner_start(&r, w));
	TRY(reaches(w, *id, state));
	return runner_stop(&r);
}

/* --- forward ------------------------------------------------------------------------------------------------------------ */

SUITE_TEST(a_saga_does_its_steps_in_order_and_is_done)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	TRY(carried(&w, "order", SAGA_DONE, &id));
	CHECK_STR(w.calls, S("abpr"));
	CHECK_STR(w.states, S(" running committing done"));
	CHECK_INT(w.effects, 1);
	TRY(saga_find(db, a, id, &saga));
	CHECK_INT(saga->version, 2); /* the newest is begun */
	CHECK(saga->ended_us > 0 && !saga->next_us && !saga->reason.len && !saga->error.len);
	TRY(nothing_is_wrong(&w));
	CHECK_INT(saga->step_count, 7); /* four, and the undos of three that were registered */
	CHECK_STR(saga->steps[0].name, S("a"));
	CHECK_STR(saga->steps[0].key, str_fmt(a, "%.*s:a", STR_ARG(uuid_text(a, id))));
	CHECK_STR(saga->steps[6].state, S("registered"));
	return NULL;
}

SUITE_TEST(what_fails_is_tried_again_with_the_same_key)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	w.run[0] = (Act){ FAILS, 2 };
	w.run[2] = (Act){ FAILS, 3 };
	w.run[3] = (Act){ FAILS, 4 };
	TRY(carried(&w, "order", SAGA_DONE, &id));
	CHECK_STR(w.calls, S("aaabpppprrrrr"));
	TRY(saga_find(db, a, id, &saga));
	CHECK_INT(saga->steps[3].attempts, 5);
	CHECK_INT(w.effects, 1);
	return NULL;
}

SUITE_TEST(a_commit_of_which_nobody_knows_is_no_failure_of_the_step)
{
	World w = world(db, a);
	Uuid id;

	w.unknown = 5; /* more than the attempts of b */
	TRY(carried(&w, "order", SAGA_DONE, &id));
	CHECK_STR(w.calls, S("abbbbbbpr"));
	CHECK_INT(w.effects, 1);
	return nothing_is_wrong(&w);
}

SUITE_TEST(waiting_is_no_failure)
{
	World w = world(db, a);
	Uuid id;

	w.run[0] = (Act){ WAITS, 7 };
	TRY(carried(&w, "order", SAGA_DONE, &id));
	CHECK_STR(w.calls, S("aaaaaaaabpr"));
	return NULL;
}

/* --- back --------------------------------------------------------------------------------------------------------------- */

SUITE_TEST(a_refusal_undoes_what_was_done_before_it_in_reverse)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	w.run[2] = (Act){ REFUSES, 1 };
	TRY(carried(&w, "order", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("abp~b~a"));
	CHECK_STR(w.states, S(" running compensating compensated"));
	TRY(saga_find(db, a, id, &saga));
	CHECK_STR(saga->reason, S("sold_out"));
	CHECK(saga->ended_us > 0);
	return nothing_is_wrong(&w);
}

SUITE_TEST(a_refusal_after_an_attempt_of_which_nobody_knows_undoes_the_step_too)
{
	World w = world(db, a);
	Uuid id;

	w.run[1] = (Act){ FAILS, 1, .no = true };
	TRY(carried(&w, "order", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("abb~b~a"));
	return nothing_is_wrong(&w);
}

SUITE_TEST(a_refused_pivot_is_not_undone_however_often_it_was_tried)
{
	World w = world(db, a);
	Uuid id;

	w.run[2] = (Act){ FAILS, 1, .no = true };
	TRY(carried(&w, "order", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("abpp~b~a"));
	return nothing_is_wrong(&w);
}

SUITE_TEST(a_refusal_of_the_first_step_leaves_nothing_to_undo)
{
	World w = world(db, a);
	Uuid id;

	w.run[0] = (Act){ REFUSES, 1 };
	TRY(carried(&w, "order", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("a"));
	return NULL;
}

SUITE_TEST(a_step_that_is_given_up_is_undone_too_for_nobody_knows_what_it_did)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	w.run[1] = (Act){ FAILS, 3 };
	w.undo[1] = (Act){ FAILS, 9 };
	TRY(carried(&w, "order", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("abbb~b~b~b~b~b~b~b~b~b~b~a"));
	TRY(saga_find(db, a, id, &saga));
	CHECK_STR(saga->reason, S("given_up"));
	return nothing_is_wrong(&w);
}

SUITE_TEST(a_deadline_counts_until_the_pivot_is_tried)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	TRY(carried(&w, "brief", SAGA_COMPENSATED, &id));
	CHECK_STR(w.calls, S("")); /* it was never tried: there is nothing to undo */
	TRY(saga_find(db, a, id, &saga));
	CHECK_STR(saga->reason, S("late"));
	return NULL;
}

SUITE_TEST(a_step_that_takes_too_long_is_not_followed_by_the_next)
{
	World w = world(db, a);
	SagaView *saga;
	Uuid id;

	w.run[0].does = IS_SLOW;
	TRY(carried(&w, "short", SAGA_COMPENSATED, &id));
	CHECK(str_find_char(w.calls, 'b') < 0 && str_ends(w.calls, S("~a")));
	TRY(saga_find(db, a, id, &saga));
	CHECK_STR(saga->reason, S("late"));
	return NULL;
}

/* --- stuck, and people -------------------------------------------------------------------------------------------------- */

SUITE_TEST(a_pivot_whose_outcome_stays_unknown_is_stuck_until_a_person_says_go_on)
{
	World w = world(db, a);
	TestRunner r;
	Uuid id;

	w.run[2] = (Act){ FAILS, 5 };
	TRY(carried(&w, "order", SAGA_STUCK, &id));
	CHECK_STR(w.calls, S("abpppp"));
	CHECK_STR(w.states, S(" running stuck"));
	TRY(saga_retry(db, a, id));
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_DONE));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("abppppppr"));
	CHECK_STR(w.states, S(" running stuck running committing done"));
	CHECK_ERR(saga_retry(db, a, id), "saga.over");
	CHECK_ERR(saga_compensate(db, a, id, true), "saga.over");
	CHECK_ERR(saga_retry(db, a, uuid_new()), "saga.unknown");
	return NULL;
}

SUITE_TEST(no_behind_the_pivot_is_stuck_and_only_a_person_can_undo_it)
{
	World w = world(db, a);
	SagaView *saga;
	TestRunner r;
	Uuid id;

	w.run[3] = (Act){ REFUSES, 1 };
	TRY(carried(&w, "order", SAGA_STUCK, &id));
	TRY(saga_find(db, a, id, &saga));
	CHECK_STR(saga->reason, S("sold_out"));
	CHECK_INT(saga->at.stuck_in, SAGA_COMMITTING);
	CHECK_ERR(saga_compensate(db, a, id, false), "saga.pivot");
	TRY(saga_compensate(db, a, id, true));
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_COMPENSATED));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("abpr~p~b~a"));
	return NULL;
}

SUITE_TEST(an_undo_that_is_refused_is_stuck)
{
	World w = world(db, a);
	TestRunner r;
	Uuid id;

	w.run[2] = (Act){ REFUSES, 1 };
	w.undo[0] = (Act){ REFUSES, 1 };
	TRY(carried(&w, "order", SAGA_STUCK, &id));
	CHECK_STR(w.calls, S("abp~b~a"));
	TRY(saga_retry(db, a, id));
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_COMPENSATED));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("abp~b~a~a"));
	return NULL;
}

SUITE_TEST(who_is_undone_in_the_middle_of_an_attempt_changes_nothing_any_more)
{
	World w = world(db, a);
	SagaView *saga;
	TestRunner r;
	Uuid id;

	w.run[1] = (Act){ HANGS, 1 };
	TRY(order(&w, "order", S(""), &id));
	TRY(runner_start(&r, &w));
	while (!w.hangs)
		TRY(fiber_sleep(US_PER_MS));
	TRY(saga_compensate(db, a, id, false));
	TRY(reaches(&w, id, SAGA_COMPENSATED));
	w.go = true;
	TRY(nothing_runs(&w));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("ab~b~a"));
	CHECK_INT(w.effects, 0);
	TRY(saga_find(db, a, id, &saga));
	CHECK_INT(saga->at.state, SAGA_COMPENSATED);
	CHECK_STR(saga->reason, S("asked"));
	CHECK_STR(saga->steps[1].state, S("given_up"));
	return NULL;
}

/* --- death -------------------------------------------------------------------------------------------------------------- */

/* As a process that was killed in the middle of a step: another takes the job once the lease is over. */
SUITE_TEST(a_saga_of_the_dead_goes_on_with_the_step_that_was_begun)
{
	World w = world(db, a);
	JobClaim claim = { .kind = S(SAGA_JOB), .owner = S("dead"), .lease_us = 1, .most = 1 };
	SagaTurn dead;
	SagaView *saga;
	JobRun run = { 0 };
	TestRunner r;
	Uuid id;

	TRY(order(&w, "order", S(""), &id));
	claim.runs = &run;
	TRY(jobs_claim(db, a, &claim));
	CHECK_INT(claim.count, 1);
	run.db = db;
	run.arena = a;
	dead = (SagaTurn){ .run = &run, .set = &w.set, .arena = a, .db = db };
	TRY(read_job(&dead));
	TRY(db_txn(db, a, DB_READ_COMMITTED, take, &(Taking){ .turn = &dead }));
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_DONE));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("abpr"));
	TRY(saga_find(db, a, id, &saga));
	CHECK_INT(saga->steps[0].attempts, 2);
	CHECK_INT(saga->epoch, 2);
	dead.at = (SagaAt){ .state = SAGA_RUNNING };
	CHECK_ERR(end_attempt(&dead, NULL, &(Outcome){ 0 }), "saga.lost");
	return NULL;
}

SUITE_TEST(a_runner_that_ends_loses_nothing)
{
	World w = world(db, a);
	TestRunner r;
	Uuid id;

	w.run[1] = (Act){ HANGS, 1 };
	TRY(order(&w, "order", S(""), &id));
	TRY(runner_start(&r, &w));
	while (!w.hangs)
		TRY(fiber_sleep(US_PER_MS));
	TRY(runner_stop(&r));
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_DONE));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("abbpr"));
	CHECK_INT(w.effects, 1);
	return NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

SUITE_TEST(a_key_is_begun_once_unless_it_was_undone)
{
	World w = world(db, a);
	TestRunner r;
	Uuid id, other;

	w.run[0] = (Act){ REFUSES, 1 };
	TRY(order(&w, "order", S("42"), &id));
	CHECK_ERR(order(&w, "order", S("42"), &other), "saga.key");
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_COMPENSATED));
	w.run[0] = (Act){ 0 };
	w.trace = (Str){ 0 };
	TRY(order(&w, "order", S("42"), &other));
	TRY(reaches(&w, other, SAGA_DONE));
	TRY(runner_stop(&r));
	CHECK_ERR(order(&w, "order", S("42"), &id), "saga.key");
	CHECK_ERR(saga_begin(db, a, &w.set, &(SagaDraft){ .type = S("order"), .data = S("[]") },
	                     NULL),
	          "json.member");
	CHECK_ERR(saga_begin(db, a, &w.set, &(SagaDraft){ .type = S("nothing") }, NULL),
	          "saga.table");
	return NULL;
}

/* What was begun by the version before is ended by it. */
SUITE_TEST(a_saga_keeps_the_version_that_it_was_begun_with)
{
	World w = world(db, a);
	TestRunner r;
	Uuid id;

	w.set.count = 1;
	TRY(order(&w, "order", S(""), &id));
	w.set.count = COUNT(test_types);
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_DONE));
	TRY(runner_stop(&r));
	CHECK_STR(w.calls, S("a"));
	return NULL;
}

static Err *job_says(World *w, const char *slug)
{
	for (;;) {
		size_t count;
		Job *jobs;

		TRY(jobs_list(w->db, w->a, S(SAGA_JOB), S(""), (Uuid){ 0 }, 9, &jobs, &count));
		for (size_t i = 0; i < count; i++)
			if (str_find(jobs[i].error, str_of(slug)) >= 0)
				return NULL;
		TRY(fiber_sleep(US_PER_MS));
	}
}

SUITE_TEST(a_program_whose_steps_are_others_leaves_a_saga_alone)
{
	static const SagaStep others[] = { { "z", SAGA_COMPENSATABLE, run_r, undo_b, QUICK } };
	static const SagaType changed[] = { { "order", 1, others, COUNT(others) } };
	World w = world(db, a);
	TestRunner r;
	Uuid id;

	w.set.count = 1;
	w.run[0] = (Act){ WAITS, 1u << 30 };
	TRY(order(&w, "order", S(""), &id));
	TRY(runner_start(&r, &w));
	while (!w.run[0].calls)
		TRY(fiber_sleep(US_PER_MS));
	TRY(runner_stop(&r));
	w.set.types = changed;
	TRY(runner_start(&r, &w));
	TRY(job_says(&w, "saga.version"));
	TRY(runner_stop(&r));
	CHECK_INT(w.run[3].calls + w.undo[1].calls, 0);
	w.set.types = test_types;
	w.run[0].times = 0;
	TRY(runner_start(&r, &w));
	TRY(reaches(&w, id, SAGA_DONE));
	return runner_stop(&r);
}

SUITE_TEST(what_must_not_be_is_found)
{
	World w = world(db, a);
	SagaWrong *wrong;
	int64_t looked;
	size_t count;
	Uuid done, begun;
	bool cancelled;
	Job *jobs;

	TRY(carried(&w, "order", SAGA_DONE, &done));
	w.trace = (Str){ 0 };
	TRY(order(&w, "order", S(""), &begun));
	TRY(nothing_is_wrong(&w));
	TRY(jobs_list(db, a, S(SAGA_JOB), S("ready"), (Uuid){ 0 }, 9, &jobs, &count));
	CHECK_INT(count, 1);
	TRY(job_cancel(db, a, jobs[0].id, &cancelled));
	TRY(db_exec(db, a, saga_step_end, NULL, .saga = done, .n = 1, .direction = S("forward"),
	            .state = S("running")));
	TRY(sagas_check(db, a, &wrong, &count, &looked));
	CHECK_INT(looked, 2);
	CHECK_INT(count, 2);
	CHECK(uuid_eq(wrong[0].id, begun) && uuid_eq(wrong[1].id, done));
	CHECK_STR(wrong[0].what, S("is running, and no job carries it on"));
	CHECK_STR(wrong[1].what, S("is done, and its step b is not"));
	return NULL;
}

SUITE_TEST(sagas_are_listed_and_purged)
{
	World w = world(db, a);
	SagaView *sagas;
	size_t count;
	int64_t gone;
	Uuid id, other;

	TRY(carried(&w, "order", SAGA_DONE, &id));
	TRY(order(&w, "brief", S("k"), &other));
	TRY(sagas_list(db, a, &(SagaFilter){ .most = 9 }, &sagas, &count));
	CHECK_INT(count, 2);
	CHECK(uuid_eq(sagas[0].id, other));
	CHECK_STR(sagas[0].key, S("k"));
	TRY(sagas_list(db, a, &(SagaFilter){ .most = 9, .state = S("done") }, &sagas, &count));
	CHECK_INT(count, 1);
	TRY(sagas_list(db, a, &(SagaFilter){ .most = 9, .type = S("brief") }, &sagas, &count));
	CHECK_INT(count, 1);
	TRY(sagas_measure(db, a));
	TRY(sagas_purge(db, a, 3600 * US_PER_S, &gone));
	CHECK_INT(gone, 0);
	TRY(sagas_purge(db, a, -US_PER_S, &gone));
	CHECK_INT(gone, 1); /* the one that has not begun stays */
	return NULL;
}
