/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of jobs.
 *
 *   scheduled -> ready -> running -> done
 *       ^          ^         |---> failed      its attempts are spent, or it gave up
 *       |          |         |---> cancelled
 *       +---again--+--lost---+
 *
 * Two states for what waits: what is due is found at the front of an index, whatever lies in the future. An attempt has a
 * fence, which rises with each: every write about a running job names it, so that a process that has lost the job, and does not
 * know, changes nothing. Who has lost it is told by the lease's end alone.
 *
 * Not here: fibers that do the work (job_run.c), the clock's jobs (job_schedule.c). */
#include "store/job.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/event.h"
#include "store/job_int.h"

#include <string.h>

#include "store_job_sql.h"

enum { ATTEMPTS = 10, KIND_BYTES = 100, KEY_BYTES = 200, PURGED_AT_ONCE = 500, ERROR_BYTES = 500 };

/* --- putting ---------------------------------------------------------------------------------------------------------- */

static Err *check(Arena *a, const JobDraft *draft)
{
	bool good = draft->kind.len && draft->kind.len <= KIND_BYTES &&
	            draft->unique_key.len <= KEY_BYTES;

	for (size_t i = 0; i < draft->kind.len; i++) {
		char c = draft->kind.at[i];

		good = good && (((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') ||
		                (c && strchr("._-", c)));
	}
	if (!good)
		return err_new(
			a, ERR_INVALID, "job.invalid",
			"a job's kind is of letters, digits and . _ - (100 at most), its key of "
			"200 bytes at most");
	return event_check_data(a, draft->data);
}

Err *job_put(Db *tx, Arena *a, const JobDraft *draft, Uuid *id, bool *added)
{
	Uuid own = uuid_new();
	int64_t now = time_utc_us(), changed;
	bool later = draft->run_at_us > now;
	JobOfKeyRow *other = NULL;

	TRY(check(a, draft));
	TRY(db_exec(tx, a, job_add, &changed, .id = own, .kind = draft->kind,
	            .unique_key = { draft->unique_key.len > 0, draft->unique_key },
	            .state = later ? S("scheduled") : S("ready"), .priority = draft->priority,
	            .data = draft->data.len ? draft->data : S("null"),
	            .traceparent = { draft->traceparent.len > 0, draft->traceparent },
	            .run_at = draft->run_at_us ? draft->run_at_us : now,
	            .most_attempts = draft->attempts ? draft->attempts : ATTEMPTS, .now = now));
	if (changed)
		TRY(db_tell(tx, a, JOB_CHANNEL));
	else
		TRY(db_one(tx, a, job_of_key, &other, .kind = draft->kind,
		           .unique_key = draft->unique_key));
	if (id)
		*id = other ? other->id : own;
	if (added)
		*added = changed > 0;
	return NULL;
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

static Job job_of(const JobRow *row)
{
	return (Job){ .id = row->id,
		      .kind = row->kind,
		      .key = row->unique_key.v,
		      .state = row->state,
		      .data = row->data,
		      .traceparent = row->traceparent.v,
		      .owner = row->owner.v,
		      .error = row->error.v,
		      .progress_text = row->progress_text,
		      .priority = row->priority,
		      .attempts = row->attempts,
		      .most_attempts = row->most_attempts,
		      .progress_done = row->progress_done,
		      .progress_total = row->progress_total,
		      .created_us = row->created_at,
		      .run_at_us = row->run_at,
		      .leased_until_us = row->leased_until.v,
		      .started_us = row->started_at.v,
		      .ended_us = row->ended_at.v,
		      .cancel_asked = row->cancel_asked };
}

static Err *wake(Db *tx, Arena *a, void *arg)
{
	int64_t now = time_utc_us();

	(void)arg;
	TRY(db_exec(tx, a, jobs_lost_cancel, NULL, .now = now));
	TRY(db_exec(tx, a, jobs_lost_fail, NULL, .now = now));
	TRY(db_exec(tx, a, jobs_lost_again, NULL, .now = now));
	return db_exec(tx, a, jobs_promote, NULL, .now = now);
}

Err *jobs_wake(Db *db, Arena *a, bool *ready)
{
	JobsDueRow *due;

	*ready = false;
	TRY(db_one(db, a, jobs_due, &due, .now = time_utc_us()));
	if (!due)
		return NULL;
	*ready = due->ready || due->scheduled || due->lost;
	return due->scheduled || due->lost ? db_txn(db, a, DB_READ_COMMITTED, wake, NULL) : NULL;
}

static Err *claim_some(Db *tx, Arena *a, void *arg)
{
	JobClaim *claim = arg;
	int64_t now = time_utc_us();
	uint32_t most = claim->most;
	JobsRunningOfRow *running;
	JobRow *rows;
	size_t count;

	claim->count = 0;
	if (claim->everywhere) {
		TRY(db_lock(tx, a, str_fmt(a, "jobs/%.*s", STR_ARG(claim->kind))));
		TRY(db_one(tx, a, jobs_running_of, &running, .kind = claim->kind));
		if (!running || running->count >= claim->everywhere)
			return NULL;
		most = (uint32_t)MIN((int64_t)most, claim->everywhere - running->count);
	}
	TRY(db_all(tx, a, jobs_claim, &rows, &count, .kind = claim->kind, .owner = claim->owner,
	           .now = now, .until = now + claim->lease_us, .most = most));
	for (size_t i = 0; i < count; i++) {
		JobRun *run = &claim->runs[i];

		run->job = job_of(&rows[i]);
		run->fence = rows[i].fence;
		run->lease_us = claim->lease_us;
		run->cancel_asked = rows[i].cancel_asked;
		run->ended = run->lost = false; /* nobody else has it yet */
	}
	claim->count = count;
	return NULL;
}

Err *jobs_claim(Db *db, Arena *a, JobClaim *claim)
{
	return db_txn(db, a, DB_READ_COMMITTED, claim_some, claim);
}

Err *jobs_next_us(Db *db, Arena *a, int64_t *at_us)
{
	JobsNextTimeRow *row;

	TRY(db_one(db, a, jobs_next_time, &row));
	*at_us = row ? row->run_at : INT64_MAX;
	return NULL;
}

/* --- while it runs ---------------------------------------------------------------------------------------------------- */

Arena *job_arena(const JobRun *run)
{
	return run->arena;
}

Db *job_db(const JobRun *run)
{
	return run->db;
}

Uuid job_id(const JobRun *run)
{
	return run->job.id;
}

Str job_data(const JobRun *run)
{
	return run->job.data;
}

Str job_traceparent(const JobRun *run)
{
	return run->job.traceparent;
}

int64_t job_attempt(const JobRun *run)
{
	return run->job.attempts;
}

int64_t job_fence(const JobRun *run)
{
	return run->fence;
}

static Err *lost(Arena *a, JobRun *run)
{
	__atomic_store_n(&run->lost, true, __ATOMIC_RELAXED);
	return err_new(a, ERR_CONFLICT, "job.lost", "another has the job now");
}

Err *job_progress(JobRun *run, int64_t done, int64_t total, Str text)
{
	JobProgressRow *row;

	TRY(db_one(run->db, run->arena, job_progress, &row, .id = run->job.id, .fence = run->fence,
	           .until = time_utc_us() + run->lease_us, .done = done, .total = total,
	           .text = text));
	if (!row)
		return lost(run->arena, run);
	run->cancel_asked = row->cancel_asked;
	return NULL;
}

Err *job_done(Db *tx, Arena *a, JobRun *run)
{
	int64_t changed;

	TRY(db_exec(tx, a, job_end, &changed, .id = run->job.id, .fence = run->fence,
	            .state = S("done"), .now = time_utc_us()));
	if (!changed)
		return lost(a, run);
	__atomic_store_n(&run->ended, true, __ATOMIC_RELAXED);
	return NULL;
}

Err *job_beat(JobRun *run, Arena *a)
{
	JobBeatRow *row;

	TRY(db_one(run->db, a, job_beat, &row, .id = run->job.id, .fence = run->fence,
	           .until = time_utc_us() + run->lease_us));
	if (row)
		run->cancel_asked = row->cancel_asked;
	else if (!__atomic_load_n(&run->ended, __ATOMIC_RELAXED))
		__atomic_store_n(&run->lost, true, __ATOMIC_RELAXED);
	return NULL;
}

static int64_t pause_us(const JobKind *kind, int64_t attempts)
{
	int64_t pause = kind->backoff_us ? kind->backoff_us : 5 * US_PER_S;
	int64_t most = kind->backoff_max_us ? kind->backoff_max_us : 3600 * US_PER_S;

	for (int64_t i = 1; i < attempts && pause < most; i++)
		pause *= 2;
	pause = MIN(pause, most);
	return pause / 2 + (int64_t)rand_below((uint64_t)pause / 2 + 1);
}

static Str short_text(Arena *a, const Err *err)
{
	Str text = str_fmt(a, "%s: %.*s", err->slug, STR_ARG(err_chain(a, err)));
	Str rest = text;

	while (text.len - rest.len < ERROR_BYTES && rest.len) { /* characters, not bytes */
		uint32_t code;
		size_t n = str_utf8(rest, &code);

		rest = str_sub(rest, n ? n : 1, rest.len);
	}
	return str_sub(text, 0, text.len - rest.len);
}

Err *job_finish(JobRun *run, Arena *a, const Err *err, const JobKind *kind)
{
	int64_t now = time_utc_us();
	Str state = S("failed");

	if (!err)
		state = S("done");
	else if (run->cancel_asked)
		state = S("cancelled");
	else if (!err_is(err, "job.give_up") && run->job.attempts < run->job.most_attempts)
		return db_exec(run->db, a, job_again, NULL, .id = run->job.id, .fence = run->fence,
		               .run_at = now + pause_us(kind, run->job.attempts),
		               .error = short_text(a, err));
	return db_exec(run->db, a, job_end, NULL, .id = run->job.id, .fence = run->fence,
	               .state = state,
	               .error = { .set = err != NULL, .v = err ? short_text(a, err) : S("") },
	               .now = now);
}

Err *job_give_back(JobRun *run, Arena *a)
{
	TRY(db_exec(run->db, a, job_give_back, NULL, .id = run->job.id, .fence = run->fence));
	return db_tell(run->db, a, JOB_CHANNEL);
}

/* --- for people ------------------------------------------------------------------------------------------------------- */

Err *jobs_list(Db *db, Arena *a, Str kind, Str state, Uuid before, size_t most, Job **out,
               size_t *count)
{
	Uuid last = before;
	JobRow *rows;
	size_t n;
	Job *jobs;

	if (uuid_is_nil(before))
		memset(last.at, 0xff, sizeof last.at);
	TRY(db_all(db, a, jobs_page, &rows, &n, .kind = kind, .state = state, .before = last,
	           .most = (int64_t)most));
	jobs = ARENA_ARRAY(a, Job, n);
	for (size_t i = 0; i < n; i++)
		jobs[i] = job_of(&rows[i]);
	*out = jobs;
	*count = n;
	return NULL;
}

Err *job_find(Db *db, Arena *a, Uuid id, Job **out)
{
	JobRow *row;

	TRY(db_one(db, a, job_by_id, &row, .id = id));
	*out = NULL;
	if (row) {
		*out = ARENA_NEW(a, Job);
		**out = job_of(row);
	}
	return NULL;
}

Err *job_retry(Db *db, Arena *a, Uuid id, bool *done)
{
	int64_t now = time_utc_us(), changed;

	TRY(db_exec(db, a, job_retry, &changed, .id = id, .now = now));
	if (!changed)
		TRY(db_exec(db, a, job_hurry, &changed, .id = id, .now = now));
	*done = changed > 0;
	return changed ? db_tell(db, a, JOB_CHANNEL) : NULL;
}

Err *job_cancel(Db *db, Arena *a, Uuid id, bool *done)
{
	int64_t changed;

	TRY(db_exec(db, a, job_cancel_waiting, &changed, .id = id, .now = time_utc_us()));
	if (!changed)
		TRY(db_exec(db, a, job_cancel_running, &changed, .id = id));
	*done = changed > 0;
	return NULL;
}

Err *jobs_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone)
{
	int64_t before = time_utc_us() - keep_us, changed;

	*gone = 0;
	do {
		TRY(db_exec(db, a, jobs_purge, &changed, .before = before, .most = PURGED_AT_ONCE));
		*gone += changed;
	} while (changed == PURGED_AT_ONCE);
	return NULL;
}

enum { NUMBER, AGE };

static const MetricFamily families[] = {
	[NUMBER] = { "banyan_jobs",
	             METRIC_GAUGE,
	             "jobs",
	             "in this state",
	             { "database", "kind", "state" } },
	[AGE] = { "banyan_jobs_oldest_ready_seconds",
	          METRIC_GAUGE,
	          "seconds",
	          "for which the oldest ready one has been due",
	          { "database", "kind" } },
};

const MetricFamily *job_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

Err *jobs_measure(Db *db, Arena *a)
{
	static const Str states[] = { S("scheduled"), S("ready"),  S("running"),
		                      S("done"),      S("failed"), S("cancelled") };
	int64_t now = time_utc_us();
	JobsCountsRow *rows;
	size_t count;

	TRY(db_all(db, a, jobs_counts, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		for (size_t s = 0; s < COUNT(states); s++) {
			Str labels[] = { db_name(db), rows[i].kind, states[s] };
			int64_t n = 0, since = 0;

			for (size_t k = 0; k < count; k++)
				if (str_eq(rows[k].kind, rows[i].kind) &&
				    str_eq(rows[k].state, states[s])) {
					n = rows[k].count;
					since = rows[k].oldest;
				}
			metric_set(metric_cell(&families[NUMBER], labels, 3), n);
			if (str_eq(states[s], S("ready")))
				metric_set(metric_cell(&families[AGE], labels, 2),
				           n ? MAX(0, now - since) : 0);
		}
	}
	return NULL;
}
