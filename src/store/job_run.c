/* SPDX-License-Identifier: Apache-2.0
 *
 * A runner: one fiber that takes jobs, and a fiber for each job at work. A kind has as many slots as it may run at once; a slot
 * is a fiber's whole life, claimed, run, finished, free again.
 *
 * A third of the lease is the beat: the runner tells the database which jobs live. A job that is not ours any more, or that
 * somebody cancelled, has its fiber cancelled. When the runner itself is cancelled so are its jobs, and they are given back, so
 * that a deploy costs no attempt and nobody waits for a lease to end.
 *
 * How a job went is written by its own fiber, shielded, for as long as the lease lasts; after that another has it anyway. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "store/bus_int.h"
#include "store/job_int.h"

#include <stdlib.h>

enum { DONE, AGAIN, GAVE_UP, CANCELLED, GIVEN_BACK, LOST, RESULTS };

static const char *const results[RESULTS] = {
	[DONE] = "done",           [AGAIN] = "again",           [GAVE_UP] = "failed",
	[CANCELLED] = "cancelled", [GIVEN_BACK] = "given_back", [LOST] = "lost",
};

enum { RUNS, TIME };

static const MetricFamily families[] = {
	[RUNS] = { "banyan_job_runs_total",
	           METRIC_COUNTER,
	           "runs",
	           "that ended, by how",
	           { "database", "kind", "result" } },
	[TIME] = { "banyan_job_run_seconds",
	           METRIC_HISTOGRAM,
	           "seconds",
	           "from a run's begin to its end",
	           { "database", "kind" } },
};

const MetricFamily *job_run_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

typedef struct Runner Runner;

typedef struct Slot {
	Child child;
	Runner *runner;
	size_t kind; /* its index */
	JobRun run;
	bool busy, finished;
} Slot;

struct Runner {
	Db *db;
	const JobsConf *conf;
	Str owner;
	Slot *slots;
	size_t slot_count;
	MetricCell *cells; /* of each kind: its results, then its time */
	ScheduleState *schedules;
	DbWatch watch;
	bool watching, ending;
	int64_t lease_us;
	int64_t beat_us; /* monotonic: when the next is due */
};

enum { CELLS = RESULTS + 1 };

static const JobKind *kind_of(const Slot *slot)
{
	return &slot->runner->conf->kinds[slot->kind];
}

/* --- one job ---------------------------------------------------------------------------------------------------------- */

static bool is_lost(const JobRun *run)
{
	return __atomic_load_n(&run->lost, __ATOMIC_RELAXED);
}

static bool has_ended(const JobRun *run)
{
	return __atomic_load_n(&run->ended, __ATOMIC_RELAXED);
}

static unsigned result_of(const Slot *slot, const Err *err, bool give_back)
{
	const JobRun *run = &slot->run;

	if (is_lost(run))
		return LOST;
	if (!err)
		return DONE;
	if (run->cancel_asked)
		return CANCELLED;
	if (give_back)
		return GIVEN_BACK;
	return err_is(err, "job.give_up") || run->job.attempts >= run->job.most_attempts ? GAVE_UP
	                                                                                 : AGAIN;
}

/* Written down, whatever it takes, while the job is ours. */
static void write_end(Slot *slot, const Err *err, bool give_back)
{
	AUTO(shield_end) Shield shield = shield_begin(slot->runner->lease_us);
	JobRun *run = &slot->run;
	int64_t pause = 50 * US_PER_MS;

	while (!is_lost(run)) {
		Err *failed = give_back ? job_give_back(run, run->arena)
		                        : job_finish(run, run->arena, err, kind_of(slot));

		if (!failed)
			return;
		if (fiber_sleep(pause)) {
			log_err(failed, "what became of a job of kind %s could not be written",
			        kind_of(slot)->name);
			return; /* its lease ends, and it is done again */
		}
		pause = MIN(pause * 2, US_PER_S);
	}
}

static Err *slot_main(void *arg)
{
	Slot *slot = arg;
	Runner *r = slot->runner;
	JobRun *run = &slot->run;
	MetricCell *cells = &r->cells[slot->kind * CELLS];
	int64_t begun = time_mono_us();
	Err *err = kind_of(slot)->fn(run, kind_of(slot)->arg);
	bool give_back = err && err->kind == ERR_CANCELLED && r->ending && !run->cancel_asked;
	unsigned result = result_of(slot, err, give_back);

	if (err || !has_ended(run))
		write_end(slot, err, give_back);
	metric_observe_us(cells[RESULTS], time_mono_us() - begun);
	metric_add(cells[result], 1);
	slot->finished = true;
	r->watch.told = true; /* a hand is free */
	if (r->watch.fiber)
		fiber_wake(r->watch.fiber);
	return NULL;
}

static Job job_copy(Arena *a, const Job *job)
{
	Job copy = *job;

	copy.kind = str_dup(a, job->kind);
	copy.key = str_dup(a, job->key);
	copy.state = str_dup(a, job->state);
	copy.data = str_dup(a, job->data);
	copy.traceparent = str_dup(a, job->traceparent);
	copy.owner = str_dup(a, job->owner);
	copy.error = str_dup(a, job->error);
	copy.progress_text = str_dup(a, job->progress_text);
	return copy;
}

static Err *slot_start(Slot *slot, const JobRun *claimed)
{
	Arena *own = arena_new(0);
	Err *err;

	slot->run = *claimed;
	slot->run.db = slot->runner->db;
	slot->run.arena = own;
	slot->run.job = job_copy(own, &claimed->job);
	slot->finished = false;
	slot->child = (Child){ 0 };
	err = child_start(&slot->child, slot_main, slot, "job");
	if (err) { /* no fiber to be had: its lease ends */
		arena_free(own);
		return err;
	}
	slot->busy = true;
	return NULL;
}

static void slot_free(Slot *slot)
{
	if (!slot->busy)
		return;
	child_end(&slot->child);
	arena_freep(&slot->run.arena);
	slot->busy = false;
}

/* --- the runner ------------------------------------------------------------------------------------------------------- */

static void free_finished(Runner *r)
{
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].busy && r->slots[i].finished)
			slot_free(&r->slots[i]);
}

static Err *beat(Runner *r, Arena *a)
{
	if (time_mono_us() < r->beat_us)
		return NULL;
	for (size_t i = 0; i < r->slot_count; i++) {
		Slot *slot = &r->slots[i];

		if (!slot->busy || slot->finished || has_ended(&slot->run))
			continue;
		TRY(job_beat(&slot->run, a));
		if (!slot->finished && (is_lost(&slot->run) || slot->run.cancel_asked))
			fiber_cancel(slot->child.fiber);
	}
	r->beat_us = time_mono_us() + r->lease_us / 3;
	return NULL;
}

static Err *mind_schedules(Runner *r, Arena *a, int64_t *next_us)
{
	for (size_t i = 0; i < r->conf->schedule_count; i++) {
		ScheduleState *state = &r->schedules[i];

		if (!state->next_us)
			TRY(schedule_set(r->db, a, state));
		if (state->next_us && state->next_us <= time_utc_us())
			TRY(schedule_tick(r->db, a, state));
		if (state->next_us)
			*next_us = MIN(*next_us, state->next_us);
	}
	return NULL;
}

static Slot *free_slot(Runner *r, size_t kind)
{
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].kind == kind && !r->slots[i].busy)
			return &r->slots[i];
	return NULL;
}

static Err *take(Runner *r, Arena *a, size_t kind)
{
	const JobKind *row = &r->conf->kinds[kind];
	JobClaim claim = { .kind = str_of(row->name),
		           .owner = r->owner,
		           .lease_us = r->lease_us,
		           .everywhere = row->everywhere };

	for (size_t i = 0; i < r->slot_count; i++)
		claim.most += r->slots[i].kind == kind && !r->slots[i].busy;
	if (!claim.most)
		return NULL;
	claim.runs = ARENA_ARRAY(a, JobRun, claim.most);
	TRY(jobs_claim(r->db, a, &claim));
	for (size_t i = 0; i < claim.count; i++)
		TRY(slot_start(free_slot(r, kind), &claim.runs[i]));
	return NULL;
}

static int64_t look_us(const Db *db)
{
	return db_engine(db) == SQL_SQLITE ? 200 * US_PER_MS : US_PER_S;
}

static Err *turn(Runner *r, Arena *a, int64_t *wait_us)
{
	int64_t next_us = INT64_MAX, now, scheduled;
	bool ready;

	free_finished(r);
	TRY(beat(r, a));
	TRY(mind_schedules(r, a, &next_us));
	TRY(jobs_wake(r->db, a, &ready));
	for (size_t i = 0; ready && i < r->conf->kind_count; i++)
		TRY(take(r, a, i));
	TRY(jobs_next_us(r->db, a, &scheduled));
	now = time_utc_us();
	next_us = MIN(next_us, scheduled) - now;
	*wait_us = MIN(next_us, r->beat_us - time_mono_us());
	*wait_us = MAX(US_PER_MS, MIN(*wait_us, look_us(r->db)));
	return NULL;
}

static Err *begin(Runner *r, Arena *a)
{
	size_t at = 0;

	TRY(schedules_begin(a, r->conf, &r->schedules));
	for (size_t i = 0; i < r->conf->kind_count; i++)
		r->slot_count += MAX(r->conf->kinds[i].at_once, 1u);
	r->slots = ARENA_ARRAY(a, Slot, r->slot_count);
	r->cells = ARENA_ARRAY(a, MetricCell, r->conf->kind_count * CELLS);
	for (size_t i = 0; i < r->conf->kind_count; i++) {
		Str labels[] = { db_name(r->db), str_of(r->conf->kinds[i].name), { 0 } };

		for (uint32_t k = 0; k < MAX(r->conf->kinds[i].at_once, 1u); k++)
			r->slots[at++] = (Slot){ .runner = r, .kind = i };
		for (unsigned k = 0; k < RESULTS; k++) {
			labels[2] = str_of(results[k]);
			r->cells[i * CELLS + k] = metric_cell(&families[RUNS], labels, 3);
		}
		r->cells[i * CELLS + RESULTS] = metric_cell(&families[TIME], labels, 2);
	}
	return NULL;
}

static void runner_end(Runner *r)
{
	r->ending = true;
	for (size_t i = 0; i < r->slot_count; i++) /* all at once, then each awaited */
		if (r->slots[i].busy && !r->slots[i].finished)
			fiber_cancel(r->slots[i].child.fiber);
	for (size_t i = 0; i < r->slot_count; i++)
		slot_free(&r->slots[i]);
	for (size_t i = 0; r->cells && i < r->conf->kind_count * CELLS; i++)
		metric_cell_free(r->cells[i]);
	db_watch_end(&r->watch);
}

Err *jobs_run(Db *db, Arena *lasting, const JobsConf *conf)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(runner_end)
	Runner r = { .db = db,
		     .conf = conf,
		     .owner = uuid_text(lasting, uuid_new()),
		     .lease_us = conf->lease_us ? conf->lease_us : 30 * US_PER_S };
	Patience patience = { .what = "the runner of jobs", .who = db_name(db) };

	TRY(begin(&r, lasting));
	for (;;) {
		int64_t wait_us = 0;
		Err *err = NULL;

		if (!r.watching) {
			err = db_watch_begin(&r.watch, db, a, JOB_CHANNEL);
			r.watching = !err;
		}
		if (!err)
			err = turn(&r, a, &wait_us);
		TRY(patience_with(&patience, err));
		if (!err)
			TRY(db_watch_wait(&r.watch, wait_us));
		arena_clear(a);
	}
}
