/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: work that is put down in the transaction of its cause and done afterwards, by any instance, until it is done.
 *
 *	TRY(job_put(tx, a, &(JobDraft){ .kind = S("mail"), .data = json }, NULL, NULL));
 *
 *	static Err *send_mail(JobRun *run, void *arg)        a fiber: it may park, and should end when cancelled
 *	{
 *		TRY(smtp_send(job_arena(run), job_data(run)));
 *		return db_txn(job_db(run), ..., note_sent, run);     which calls job_done(tx, a, run): once, whatever happens
 *	}
 *	static const JobKind kinds[] = { { .name = "mail", .fn = send_mail, .at_once = 4 } };
 *
 * A job is done at least once: its process may die between the effect and the note that it is done, unless both are one
 * transaction (job_done). Who does it has a lease and says now and then that it lives; when it does not, another begins
 * anew, and what the first may still write is refused (its fence is old). Errors are those of db.h. */
#pragma once
#include "obs/metric.h"
#include "store/db.h"

#define JOB_CHANNEL "jobs"

typedef struct JobDraft {
	Str kind;       /* letters, digits and . _ -, 100 at most */
	Str unique_key; /* no second one of this kind and key while one waits or runs; empty: none */
	int32_t priority; /* higher first */
	Str data;         /* a JSON value; empty: null */
	Str traceparent;
	int64_t run_at_us; /* not before; 0: now */
	uint32_t attempts; /* 0: 10 */
} JobDraft;

/* In a transaction, or on its own. *added false: one of that key is there, and *id is its. Both may be NULL. Fails with INVALID
 * "job.invalid", and as event_check_data. */
Err *job_put(Db *tx, Arena *a, const JobDraft *draft, Uuid *id, bool *added) MUST_USE;

/* --- doing them ------------------------------------------------------------------------------------------------------- */

typedef struct JobRun JobRun; /* one attempt */
/* NULL: done. An error: again later, after a growing pause, until its attempts are spent; "job.give_up": never. Cancelled: the
 * process ends (then it is given back, and that was no attempt), the lease was lost, or somebody cancelled it. */
typedef Err *JobFn(JobRun *run, void *arg);

Arena *job_arena(const JobRun *run) RETURNS_NONNULL;
Db *job_db(const JobRun *run);
Uuid job_id(const JobRun *run);
Str job_data(const JobRun *run);
Str job_traceparent(const JobRun *run);
int64_t job_attempt(const JobRun *run); /* 1 is the first */
int64_t job_fence(
	const JobRun *run); /* higher with every attempt: for what is outside of the database */
/* For people; a write, so a few times a second at most. Fails with CONFLICT "job.lost" when it is not ours any more. */
Err *job_progress(JobRun *run, int64_t done, int64_t total, Str text) MUST_USE;
/* Done, in the transaction of its effect. Fails with CONFLICT "job.lost". */
Err *job_done(Db *tx, Arena *a, JobRun *run) MUST_USE;

typedef struct JobKind {
	const char *name;
	JobFn *fn;
	void *arg;
	uint32_t at_once;    /* of this kind here; 0: 1 */
	uint32_t everywhere; /* in all instances; 0: no limit */
	int64_t backoff_us;  /* after the first failure, doubled each time, with jitter; 0: 5 s */
	int64_t backoff_max_us; /* 0: 1 h */
} JobKind;

/* Put into the queue by the clock. One that is still waiting or running when the next is due makes that one drop out. What was due
 * while no instance ran is done once. */
typedef struct JobSchedule {
	const char *name; /* for ever the same */
	const char *kind;
	const char *cron; /* cron.h, with its time zone */
	const char *data; /* JSON; NULL: null */
} JobSchedule;

typedef struct JobsConf {
	const JobKind *kinds;
	size_t kind_count;
	const JobSchedule *schedules;
	size_t schedule_count;
	int64_t lease_us; /* after so long without a word another begins; 0: 30 s */
} JobsConf;

/* Does jobs of these kinds, on this loop, until cancelled: then what runs is cancelled and given back. Comes back after every
 * outage. Reads the files of time zones when it begins. Fails at once, in `lasting`, for a schedule that is wrong (cron.h). */
Err *jobs_run(Db *db, Arena *lasting, const JobsConf *conf) MUST_USE;

/* --- for people ------------------------------------------------------------------------------------------------------- */

typedef struct Job {
	Uuid id;
	Str kind, key, state, data, traceparent, owner, error, progress_text;
	int64_t priority, attempts, most_attempts, progress_done, progress_total;
	int64_t created_us, run_at_us, leased_until_us, started_us, ended_us; /* 0: none */
	bool cancel_asked;
} Job;

/* Newest first; empty kind or state: any; `before`: the last of the page before, nil for the first. */
Err *jobs_list(Db *db, Arena *a, Str kind, Str state, Uuid before, size_t most, Job **out,
               size_t *count) MUST_USE;
Err *job_find(Db *db, Arena *a, Uuid id, Job **out) MUST_USE; /* NULL: there is none */
/* One that failed or was cancelled: as new, all its attempts ahead. One that is scheduled: now. *done false: it is neither. */
Err *job_retry(Db *db, Arena *a, Uuid id, bool *done) MUST_USE;
/* One that waits never runs; one that runs is told within a third of its lease. *done false: it has ended. */
Err *job_cancel(Db *db, Arena *a, Uuid id, bool *done) MUST_USE;
Err *jobs_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone) MUST_USE; /* ended before that */
Err *jobs_measure(Db *db, Arena *a) MUST_USE;                               /* sets the gauges */

MetricList job_metrics, job_run_metrics;
