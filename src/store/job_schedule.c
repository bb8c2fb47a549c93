/* SPDX-License-Identifier: Apache-2.0
 *
 * The clock's jobs. A schedule's next time is in the database, and moving it on is what decides who puts the job down: the
 * statement names the time it moves on from, so of many instances one changes a row. The job's key is the schedule's name: one
 * that is still there makes this one drop out. Times that passed while nobody looked are one time. */
#include "base/arena.h"
#include "base/time.h"
#include "store/cron.h"
#include "store/job_int.h"

#include "store_job_sql.h"

static Err never = ERR_STATIC(INVALID, "cron.never", "the schedule has no next time");

Err *schedules_begin(Arena *a, const JobsConf *conf, ScheduleState **out)
{
	ScheduleState *states = ARENA_ARRAY(a, ScheduleState, conf->schedule_count);

	for (size_t i = 0; i < conf->schedule_count; i++) {
		states[i].schedule = &conf->schedules[i];
		TRY(cron_load(a, str_of(conf->schedules[i].cron), &states[i].cron));
	}
	*out = states;
	return NULL;
}

static Err *look(Db *db, Arena *a, ScheduleState *state)
{
	ScheduleGetRow *row;

	TRY(db_one(db, a, schedule_get, &row, .name = str_of(state->schedule->name)));
	state->next_us = row ? row->next_at : 0; /* somebody deleted it: it is set anew */
	return NULL;
}

Err *schedule_set(Db *db, Arena *a, ScheduleState *state)
{
	const JobSchedule *s = state->schedule;
	int64_t next;

	if (!cron_next(&state->cron, time_utc_us(), &next))
		return &never;
	TRY(db_exec(db, a, schedule_set, NULL, .name = str_of(s->name), .kind = str_of(s->kind),
	            .cron = str_of(s->cron), .data = str_of(s->data ? s->data : "null"),
	            .next_at = next));
	return look(db, a, state);
}

typedef struct Tick {
	const ScheduleState *state;
	int64_t next_us;
	bool ours;
} Tick;

static Err *tick(Db *tx, Arena *a, void *arg)
{
	Tick *t = arg;
	const JobSchedule *s = t->state->schedule;
	int64_t changed;

	TRY(db_exec(tx, a, schedule_advance, &changed, .name = str_of(s->name),
	            .due_at = t->state->next_us, .next_at = t->next_us, .now = time_utc_us()));
	t->ours = changed > 0;
	if (!t->ours)
		return NULL;
	return job_put(tx, a,
	               &(JobDraft){ .kind = str_of(s->kind),
	                            .unique_key = str_fmt(a, "schedule/%s", s->name),
	                            .data = str_of(s->data ? s->data : "null"),
	                            .run_at_us = t->state->next_us },
	               NULL, NULL);
}

Err *schedule_tick(Db *db, Arena *a, ScheduleState *state)
{
	Tick t = { .state = state };

	if (!cron_next(&state->cron, time_utc_us(), &t.next_us))
		return &never;
	TRY(db_txn(db, a, DB_READ_COMMITTED, tick, &t));
	if (!t.ours) /* another instance was first */
		return look(db, a, state);
	state->next_us = t.next_us;
	return NULL;
}
