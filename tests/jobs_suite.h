/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs on any engine: see events_base.h. */
#pragma once
#include "events_base.h"

enum { ANY = 64 };

typedef struct Worker {
	Db *db;
	const char *kind;
	unsigned fails; /* this many attempts fail */
	bool waits;     /* until cancelled, or let go */
	bool go;
	unsigned calls, at_once, most_at_once;
	int64_t fence;
	Str order; /* data of jobs as they came */
	Arena *a;
} Worker;

static Err *do_effect(Db *tx, Arena *a, void *arg)
{
	JobRun *run = arg;

	TRY(db_exec(tx, a, job_effect_add, NULL, .job = job_id(run), .fence = job_fence(run)));
	return job_done(tx, a, run);
}

static Err *work(JobRun *run, void *arg)
{
	Worker *w = arg;
	Err *err = NULL;

	w->calls++;
	w->order = str_fmt(w->a, "%.*s%.*s", STR_ARG(w->order), STR_ARG(job_data(run)));
	w->fence = job_fence(run);
	w->most_at_once = MAX(w->most_at_once, ++w->at_once);
	while (w->waits && !w->go && !err)
		err = fiber_sleep(US_PER_MS);
	w->at_once--;
	TRY(err);
	if (w->fails) {
		w->fails--;
		return err_new(job_arena(run), ERR_UPSTREAM, "test.away", "attempt %" PRId64,
		               job_attempt(run));
	}
	return db_txn(job_db(run), job_arena(run), DB_READ_COMMITTED, do_effect, run);
}

typedef struct Running {
	Db *db;
	Arena *arena;
	JobKind kind;
	JobSchedule schedule;
	JobsConf conf;
	Child child;
} Running;

static Err *running_main(void *arg)
{
	Running *r = arg;

	return jobs_run(r->db, r->arena, &r->conf);
}

static Err *runner(Running *r, Db *db, Worker *w, uint32_t at_once)
{
	*r = (Running){ .db = db,
		        .arena = w->a,
		        .kind = { .name = "work",
		                  .fn = work,
		                  .arg = w,
		                  .at_once = at_once,
		                  .backoff_us = 1,
		                  .backoff_max_us = 2 } };
	r->conf = (JobsConf){ .kinds = &r->kind, .kind_count = 1 };
	return child_start(&r->child, running_main, r, "runner");
}

static Err *runner_stop(Running *r)
{
	fiber_cancel(r->child.fiber);
	CHECK_ERR(child_join(&r->child), "rt.cancelled");
	return NULL;
}

static Err *put(Db *db, Arena *a, const char *data, int32_t priority, Uuid *id)
{
	return job_put(db, a,
	               &(JobDraft){ .kind = S("work"),
	                            .data = str_of(data),
	                            .priority = priority,
	                            .attempts = 3 },
	               id, NULL);
}

static Err *state_reaches(Db *db, Arena *a, Uuid id, const char *state)
{
	Job *job;

	for (;;) {
		TRY(job_find(db, a, id, &job));
		CHECK(job != NULL);
		if (str_eq(job->state, str_of(state)))
			return NULL;
		TRY(fiber_sleep(US_PER_MS));
	}
}

/* A runner comes, and goes once the job is in this state. */
static Err *run_until(Db *db, Arena *a, Worker *w, Uuid id, const char *state)
{
	Running r = { 0 };

	TRY(runner(&r, db, w, 1));
	TRY(state_reaches(db, a, id, state));
	return runner_stop(&r);
}

static Err *check_effects_of_jobs(Db *db, Arena *a, size_t want)
{
	JobEffectsAllRow *rows;
	size_t count;

	TRY(db_all(db, a, job_effects_all, &rows, &count));
	CHECK_INT(count, want);
	return NULL;
}

SUITE_TEST(a_job_is_done_once)
{
	Worker w = { .a = a };
	Uuid id;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(run_until(db, a, &w, id, "done"));
	TRY(job_find(db, a, id, &job));
	CHECK_INT(job->attempts, 1);
	CHECK(job->ended_us > 0 && job->leased_until_us == 0);
	TRY(check_effects_of_jobs(db, a, 1));
	return NULL;
}

SUITE_TEST(a_job_that_fails_is_tried_again_until_its_attempts_are_spent)
{
	Worker w = { .a = a, .fails = 2 };
	Running r = { 0 };
	Uuid id, other;
	bool done;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(runner(&r, db, &w, 1));
	TRY(state_reaches(db, a, id, "done"));
	CHECK_INT(w.calls, 3);
	w.fails = 3;
	TRY(put(db, a, "2", 0, &other));
	TRY(state_reaches(db, a, other, "failed"));
	CHECK_INT(w.calls, 6);
	TRY(job_find(db, a, other, &job));
	CHECK_STR(job->error, S("test.away: attempt 3"));
	TRY(job_retry(db, a, id, &done)); /* done already */
	CHECK(!done);
	TRY(job_retry(db, a, other, &done));
	CHECK(done);
	TRY(state_reaches(db, a, other, "done"));
	TRY(runner_stop(&r));
	TRY(check_effects_of_jobs(db, a, 2));
	return NULL;
}

static Err *give_up(JobRun *run, void *arg)
{
	(void)arg;
	return err_new(job_arena(run), ERR_INVALID, "job.give_up", "no such address");
}

SUITE_TEST(a_job_that_gives_up_is_not_tried_again)
{
	Worker w = { .a = a };
	Running r = { 0 };
	Uuid id;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(runner(&r, db, &w, 1));
	r.kind.fn = give_up;
	TRY(state_reaches(db, a, id, "failed"));
	TRY(runner_stop(&r));
	TRY(job_find(db, a, id, &job));
	CHECK_INT(job->attempts, 1);
	return NULL;
}

SUITE_TEST(jobs_come_by_priority_then_by_time)
{
	Worker w = { .a = a };
	Uuid last;

	TRY(put(db, a, "3", 0, NULL));
	TRY(put(db, a, "1", 9, NULL));
	TRY(put(db, a, "4", 0, NULL));
	TRY(put(db, a, "2", 5, NULL));
	TRY(put(db, a, "5", -1, &last));
	TRY(run_until(db, a, &w, last, "done"));
	CHECK_STR(w.order, S("12345"));
	return NULL;
}

SUITE_TEST(no_more_run_at_once_than_may)
{
	Worker here = { .a = a, .waits = true }, there = { .a = a, .waits = true };
	Running one = { 0 }, two = { 0 };
	Uuid ids[9];

	for (size_t i = 0; i < COUNT(ids); i++)
		TRY(put(db, a, "1", 0, &ids[i]));
	TRY(runner(&one, db, &here, 2));
	TRY(runner(&two, db, &there, 4));
	one.kind.everywhere = two.kind.everywhere = 3;
	while (here.at_once + there.at_once < 3)
		TRY(fiber_sleep(US_PER_MS));
	here.go = there.go = true;
	for (size_t i = 0; i < COUNT(ids); i++)
		TRY(state_reaches(db, a, ids[i], "done"));
	TRY(runner_stop(&one));
	TRY(runner_stop(&two));
	CHECK(here.most_at_once <= 2);
	CHECK(there.most_at_once <= 3);
	TRY(check_effects_of_jobs(db, a, COUNT(ids)));
	return NULL;
}

SUITE_TEST(a_key_is_in_the_queue_once)
{
	JobDraft draft = { .kind = S("work"), .unique_key = S("invoice/7") };
	Worker w = { .a = a };
	Uuid id, other;
	bool added;

	TRY(job_put(db, a, &draft, &id, &added));
	CHECK(added);
	TRY(job_put(db, a, &draft, &other, &added));
	CHECK(!added && uuid_eq(id, other));
	TRY(run_until(db, a, &w, id, "done"));
	TRY(job_put(db, a, &draft, &other, &added));
	CHECK(added && !uuid_eq(id, other));
	draft.kind = S("a b");
	CHECK_ERR(job_put(db, a, &draft, NULL, NULL), "job.invalid");
	draft.kind = S("work");
	draft.data = S("{");
	CHECK_ERR(job_put(db, a, &draft, NULL, NULL), "event.invalid");
	return NULL;
}

SUITE_TEST(a_job_of_later_waits_for_its_time)
{
	JobDraft draft = { .kind = S("work"), .run_at_us = time_utc_us() + 3600 * US_PER_S };
	Worker w = { .a = a };
	Running r = { 0 };
	Uuid id, soon;
	Job *job;
	bool done;

	TRY(job_put(db, a, &draft, &id, NULL));
	draft.run_at_us = time_utc_us() + 20 * US_PER_MS;
	TRY(job_put(db, a, &draft, &soon, NULL));
	TRY(runner(&r, db, &w, 1));
	TRY(state_reaches(db, a, soon, "done"));
	TRY(job_find(db, a, soon, &job));
	CHECK(job->started_us >= draft.run_at_us);
	TRY(job_find(db, a, id, &job));
	CHECK_STR(job->state, S("scheduled"));
	TRY(job_retry(db, a, id, &done)); /* now, please */
	CHECK(done);
	TRY(state_reaches(db, a, id, "done"));
	return runner_stop(&r);
}

SUITE_TEST(a_job_can_be_cancelled)
{
	Worker w = { .a = a, .waits = true };
	Running r = { 0 };
	Uuid waiting, running;
	bool done;

	TRY(put(db, a, "1", 1, &running));
	TRY(put(db, a, "2", 0, &waiting));
	TRY(runner(&r, db, &w, 1));
	r.conf.lease_us = 60 * US_PER_MS;
	TRY(state_reaches(db, a, running, "running"));
	TRY(job_cancel(db, a, waiting, &done));
	CHECK(done);
	TRY(job_cancel(db, a, running, &done));
	CHECK(done);
	TRY(state_reaches(db, a, running, "cancelled"));
	TRY(state_reaches(db, a, waiting, "cancelled"));
	TRY(job_cancel(db, a, waiting, &done));
	CHECK(!done);
	TRY(runner_stop(&r));
	CHECK_INT(w.calls, 1);
	TRY(check_effects_of_jobs(db, a, 0));
	return NULL;
}

SUITE_TEST(a_runner_that_ends_gives_its_jobs_back)
{
	Worker w = { .a = a, .waits = true };
	Uuid id;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(run_until(db, a, &w, id, "running"));
	TRY(job_find(db, a, id, &job));
	CHECK_STR(job->state, S("ready"));
	CHECK_INT(job->attempts, 0);
	w.go = true;
	TRY(run_until(db, a, &w, id, "done"));
	CHECK_INT(w.fence, 2);
	return NULL;
}

/* As a process that was killed: what it claimed has a lease, and nobody says that it lives. */
static Err *claim_and_die(Db *db, Arena *a, JobRun *run)
{
	JobClaim claim = { .kind = S("work"), .owner = S("dead"), .lease_us = 1, .most = 1 };

	claim.runs = run;
	TRY(jobs_claim(db, a, &claim));
	CHECK_INT(claim.count, 1);
	run->db = db;
	run->arena = a;
	return NULL;
}

SUITE_TEST(a_job_of_the_dead_is_taken_over_and_they_change_nothing)
{
	Worker w = { .a = a };
	Running r = { 0 };
	JobRun ghost = { 0 };
	Uuid id;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(claim_and_die(db, a, &ghost));
	TRY(job_progress(&ghost, 1, 2, S("half")));
	TRY(job_find(db, a, id, &job));
	CHECK_INT(job->progress_done, 1);
	CHECK_STR(job->progress_text, S("half"));
	TRY(run_until(db, a, &w, id, "done"));
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, do_effect, &ghost), "job.lost");
	CHECK_ERR(job_progress(&ghost, 2, 2, S("")), "job.lost");
	TRY(job_finish(&ghost, a, err_new(a, ERR_IO, "test.x", "x"), &r.kind));
	TRY(job_find(db, a, id, &job));
	CHECK_STR(job->state, S("done"));
	CHECK_INT(job->attempts, 2);
	TRY(check_effects_of_jobs(db, a, 1));
	return NULL;
}

SUITE_TEST(who_slept_over_its_job_changes_nothing_while_another_has_it)
{
	JobKind kind = { .name = "work" };
	JobRun sleeper = { 0 }, heir = { 0 };
	bool ready;
	Uuid id;
	Job *job;

	TRY(put(db, a, "1", 0, &id));
	TRY(claim_and_die(db, a, &sleeper));
	TRY(fiber_sleep(10));
	TRY(jobs_wake(db, a, &ready));
	TRY(claim_and_die(db, a, &heir));
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, do_effect, &sleeper), "job.lost");
	CHECK_ERR(job_progress(&sleeper, 1, 1, S("")), "job.lost");
	TRY(job_finish(&sleeper, a, NULL, &kind));
	TRY(job_find(db, a, id, &job));
	CHECK_STR(job->state, S("running"));
	TRY(db_txn(db, a, DB_READ_COMMITTED, do_effect, &heir));
	TRY(job_find(db, a, id, &job));
	CHECK_STR(job->state, S("done"));
	TRY(check_effects_of_jobs(db, a, 1));
	return NULL;
}

SUITE_TEST(a_job_that_kills_its_process_each_time_fails_in_the_end)
{
	Worker w = { .a = a };
	JobRun ghost = { 0 };
	bool ready;
	Uuid id;

	TRY(put(db, a, "1", 0, &id));
	for (unsigned i = 0; i < 3; i++) {
		TRY(fiber_sleep(10));
		TRY(jobs_wake(db, a, &ready));
		TRY(claim_and_die(db, a, &ghost));
	}
	TRY(run_until(db, a, &w, id, "failed"));
	CHECK_INT(w.calls, 0);
	return NULL;
}

SUITE_TEST(a_runner_that_lost_a_job_stops_it)
{
	Worker w = { .a = a, .waits = true };
	Running r = { 0 };
	int64_t changed;
	Uuid id;

	TRY(put(db, a, "1", 0, &id));
	TRY(runner(&r, db, &w, 1));
	r.conf.lease_us = 60 * US_PER_MS;
	TRY(state_reaches(db, a, id, "running"));
	TRY(db_exec(db, a, job_steal, &changed, .id = id));
	CHECK_INT(changed, 1);
	while (w.at_once)
		TRY(fiber_sleep(US_PER_MS));
	TRY(runner_stop(&r));
	TRY(check_effects_of_jobs(db, a, 0));
	return NULL;
}

SUITE_TEST(schedules_put_one_job_whoever_looks)
{
	JobSchedule row = { .name = "nightly", .kind = "work", .cron = "0 3 * * * Europe/Berlin" };
	JobsConf conf = { .schedules = &row, .schedule_count = 1 };
	ScheduleState *one, *two;
	int64_t due;
	size_t count;
	Job *jobs;

	TRY(schedules_begin(a, &conf, &one));
	TRY(schedules_begin(a, &conf, &two));
	TRY(schedule_set(db, a, one));
	TRY(schedule_set(db, a, two));
	CHECK(one->next_us > time_utc_us() && one->next_us == two->next_us);
	/* The time comes. */
	due = time_utc_us() - 5 * 86400 * US_PER_S;
	TRY(db_exec(db, a, schedule_due, NULL, .name = S("nightly"), .next_at = due));
	one->next_us = two->next_us = due;
	TRY(schedule_tick(db, a, one));
	TRY(schedule_tick(db, a, two));
	CHECK(one->next_us > time_utc_us() && one->next_us == two->next_us);
	TRY(jobs_list(db, a, S(""), S(""), (Uuid){ 0 }, ANY, &jobs, &count));
	CHECK_INT(count, 1);
	CHECK_STR(jobs[0].key, S("schedule/nightly"));
	CHECK_INT(jobs[0].run_at_us, due);
	/* It comes again while that one waits. */
	TRY(db_exec(db, a, schedule_due, NULL, .name = S("nightly"), .next_at = due));
	one->next_us = due;
	TRY(schedule_tick(db, a, one));
	TRY(jobs_list(db, a, S(""), S(""), (Uuid){ 0 }, ANY, &jobs, &count));
	CHECK_INT(count, 1);
	return NULL;
}

SUITE_TEST(a_runner_minds_its_schedules)
{
	Worker w = { .a = a };
	Running r = { 0 };

	TRY(runner(&r, db, &w, 1));
	r.schedule = (JobSchedule){ "minutely", "work", "* * * * *", "7" };
	r.conf.schedules = &r.schedule;
	r.conf.schedule_count = 1;
	for (int64_t changed = 0; !changed;) { /* the minute is over */
		TRY(fiber_sleep(US_PER_MS));
		TRY(db_exec(db, a, schedule_due, &changed, .name = S("minutely"),
		            .next_at = time_utc_us() - 1));
	}
	fiber_cancel(r.child.fiber);
	CHECK_ERR(child_join(&r.child), "rt.cancelled");
	TRY(runner(&r, db, &w, 1)); /* and a runner comes, which reads it */
	r.conf.schedules = &r.schedule;
	r.schedule = (JobSchedule){ "minutely", "work", "* * * * *", "7" };
	r.conf.schedule_count = 1;
	while (!w.calls)
		TRY(fiber_sleep(US_PER_MS));
	TRY(runner_stop(&r));
	CHECK_STR(w.order, S("7"));
	r.schedule.cron = "* * *";
	CHECK_ERR(jobs_run(db, a, &r.conf), "cron.syntax");
	return NULL;
}

SUITE_TEST(jobs_are_listed_and_purged)
{
	Worker w = { .a = a };
	Running r = { 0 };
	Uuid ids[5];
	size_t count;
	int64_t gone;
	Job *jobs;

	for (size_t i = 0; i < COUNT(ids); i++)
		TRY(put(db, a, "1", 0, &ids[i]));
	TRY(runner(&r, db, &w, 1));
	for (size_t i = 0; i < COUNT(ids); i++)
		TRY(state_reaches(db, a, ids[i], "done"));
	TRY(runner_stop(&r));
	TRY(jobs_list(db, a, S("work"), S("done"), (Uuid){ 0 }, 3, &jobs, &count));
	CHECK_INT(count, 3);
	CHECK(uuid_eq(jobs[0].id, ids[4]));
	TRY(jobs_list(db, a, S(""), S(""), jobs[2].id, 3, &jobs, &count));
	CHECK_INT(count, 2);
	CHECK(uuid_eq(jobs[1].id, ids[0]));
	TRY(jobs_list(db, a, S("work"), S("failed"), (Uuid){ 0 }, 3, &jobs, &count));
	CHECK_INT(count, 0);
	TRY(jobs_measure(db, a));
	TRY(jobs_purge(db, a, 3600 * US_PER_S, &gone));
	CHECK_INT(gone, 0);
	TRY(jobs_purge(db, a, -US_PER_S, &gone));
	CHECK_INT(gone, 5);
	return NULL;
}
