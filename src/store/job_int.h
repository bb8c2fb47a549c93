/* SPDX-License-Identifier: Apache-2.0
 *
 * Between job.c, which knows the table, and job_run.c, which knows fibers. */
#pragma once
#include "store/cron.h"
#include "store/job.h"

struct JobRun {
	Db *db;
	Arena *arena;
	Job job;
	int64_t fence;
	int64_t lease_us;
	bool ended; /* atomic: job_done was called */
	bool lost;  /* atomic: another has it */
	bool cancel_asked;
};

typedef struct JobClaim {
	Str kind, owner;
	int64_t lease_us;
	uint32_t most, everywhere;
	JobRun *runs; /* out: up to `most` of them; their text is in the arena of the call */
	size_t count;
} JobClaim;
/* What is due becomes ready, what was lost too. */
Err *jobs_wake(Db *db, Arena *a, bool *ready) MUST_USE;
Err *jobs_claim(Db *db, Arena *a, JobClaim *claim) MUST_USE;
Err *jobs_next_us(Db *db, Arena *a, int64_t *at_us) MUST_USE; /* INT64_MAX: none is scheduled */
/* The lease goes on. Sets run->lost and cancel_asked. */
Err *job_beat(JobRun *run, Arena *a) MUST_USE;
/* How it went: err NULL is done. Nothing when it is not ours any more. */
Err *job_finish(JobRun *run, Arena *a, const Err *err, const JobKind *kind) MUST_USE;
Err *job_give_back(JobRun *run, Arena *a) MUST_USE;

typedef struct ScheduleState {
	const JobSchedule *schedule;
	Cron cron;
	int64_t next_us;
} ScheduleState;
Err *schedules_begin(Arena *a, const JobsConf *conf, ScheduleState **out)
	MUST_USE; /* reads zones */
Err *schedule_set(Db *db, Arena *a, ScheduleState *state) MUST_USE;
Err *schedule_tick(Db *db, Arena *a, ScheduleState *state) MUST_USE; /* when its time has come */
