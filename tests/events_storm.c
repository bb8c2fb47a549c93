/* SPDX-License-Identifier: Apache-2.0
 *
 * A service at full load, to be killed: events_storm DATABASE [REDIS] [drain]
 *
 * Eight fibers write: an aggregate's next entry, its event, and with every fourth a job, in one transaction. What was committed is
 * said on standard output ("ack NAME N", "job ID"), one write(2) each. Two consumers note every event, one in fifty fails at
 * first; a runner does the jobs; on Redis a relay copies the events. With `drain` nobody writes, and it ends when nothing is
 * left to do. tests/events_check looks at what is in the database afterwards. */
#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "events_schema.h"
#include "events_sql.h"
#include "rt/loop.h"
#include "store/bus.h"
#include "store/job.h"
#include "store/outbox.h"
#include "store/redis.h"
#include "store/schema.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS = 8, AGGREGATES = 12 };

static const char *const consumers[] = { "one", "two" };

typedef struct Storm {
	Str url, redis_url;
	bool drain;
	Arena *arena;
	Db *db;
	Redis *redis;
	Bus *bus;
	BusSource source;
	ConsumerConf confs[COUNT(consumers)];
	JobKind kind;
	JobsConf jobs;
} Storm;

typedef struct Write {
	char name[16];
	int64_t n;
	bool has_job;
	Uuid job;
} Write;

static void say(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n <= 0)
			_exit(1);
		text += n;
		len -= (size_t)n;
	}
}

static Err *write_one(Db *tx, Arena *a, void *arg)
{
	Write *w = arg;
	AggregateNextRow *row;

	TRY(db_one(tx, a, aggregate_next, &row, .name = str_of(w->name)));
	w->n = row->n;
	TRY(db_exec(tx, a, entry_add, NULL, .aggregate = str_of(w->name), .n = w->n));
	TRY(outbox_put(tx, a,
	               &(Event){ .type = S("thing.changed"),
	                         .aggregate_type = S("thing"),
	                         .aggregate_id = str_of(w->name),
	                         .data = str_fmt(a, "%" PRId64, w->n) },
	               NULL));
	if (!w->has_job)
		return NULL;
	TRY(job_put(tx, a, &(JobDraft){ .kind = S("storm"), .attempts = 1000 }, &w->job, NULL));
	return db_exec(tx, a, job_entry_add, NULL, .job = w->job);
}

static Err *writer(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Storm *storm = arg;

	for (unsigned i = 0;; i++) {
		Write w = { .has_job = i % 4 == 0 };
		char line[128];
		int len;

		snprintf(w.name, sizeof w.name, "a%u", (unsigned)rand_below(AGGREGATES));
		if (!db_txn(storm->db, a, DB_READ_COMMITTED, write_one, &w)) {
			len = snprintf(line, sizeof line, "ack %s %" PRId64 "\n", w.name, w.n);
			if (w.has_job)
				len += snprintf(line + len, sizeof line - (size_t)len, "job %.*s\n",
				                STR_ARG(uuid_text(a, w.job)));
			say(line, (size_t)len);
		} else {
			TRY(fiber_sleep(10 * US_PER_MS));
		}
		TRY(fiber_yield());
		arena_clear(a);
	}
}

static Err *note(Db *tx, Arena *a, const Event *event, void *arg)
{
	int64_t n;

	if (!str_to_i64(event->data, &n))
		return err_new(a, ERR_INTERNAL, "storm.data", "data are no number");
	TRY(db_exec(tx, a, effect_add, NULL, .consumer = str_of(arg),
	            .aggregate = event->aggregate_id, .n = n));
	return rand_below(50) ? NULL : err_new(a, ERR_INVALID, "storm.luck", "not this time");
}

static Err *effect(Db *tx, Arena *a, void *arg)
{
	JobRun *run = arg;

	TRY(db_exec(tx, a, job_effect_add, NULL, .job = job_id(run), .fence = job_fence(run)));
	return job_done(tx, a, run);
}

static Err *work(JobRun *run, void *arg)
{
	(void)arg;
	TRY(fiber_sleep((int64_t)rand_below(5 * US_PER_MS)));
	return db_txn(job_db(run), job_arena(run), DB_READ_COMMITTED, effect, run);
}

typedef struct Eater {
	Storm *storm;
	unsigned which;
} Eater;

static Err *eat(void *arg)
{
	const Eater *eater = arg;

	return bus_consume(eater->storm->bus, &eater->storm->confs[eater->which],
	                   &eater->storm->source);
}

static Err *relay(void *arg)
{
	Storm *storm = arg;

	return bus_relay(storm->bus, &storm->source);
}

static Err *run_jobs(void *arg)
{
	Storm *storm = arg;

	return jobs_run(storm->db, storm->arena, &storm->jobs);
}

static Err *until_nothing_is_left(Storm *storm, Arena *a)
{
	int64_t left;

	do {
		left = 0;
		TRY(fiber_sleep(20 * US_PER_MS));
		for (size_t i = 0; i < COUNT(consumers); i++) {
			LeftToDoRow *row;

			TRY(db_one(storm->db, a, left_to_do, &row,
			           .consumer = str_of(consumers[i])));
			left += row->events + row->jobs;
		}
	} while (left);
	return NULL;
}

static Err *begin(Storm *storm, Arena *a)
{
	RedisConf conf;
	uint32_t applied;

	TRY(db_open(a, &(DbConf){ .url = storm->url, .create = true }, &storm->db));
	TRY(schema_apply(storm->db, a, store_own_schema(), &applied));
	TRY(schema_apply(storm->db, a, &events_schema, &applied));
	if (storm->redis_url.len) {
		redis_conf_defaults(&conf, storm->redis_url);
		TRY(redis_open(a, &conf, &storm->redis));
	}
	storm->bus = bus_new(a, &(BusConf){ .redis = storm->redis, .parts = 3 });
	storm->source = (BusSource){ S("/storm"), storm->db };
	for (size_t i = 0; i < COUNT(consumers); i++)
		storm->confs[i] = (ConsumerConf){ .name = str_of(consumers[i]),
			                          .db = storm->db,
			                          .fn = note,
			                          .arg = (void *)(uintptr_t)consumers[i],
			                          .attempts = 1000,
			                          .backoff_us = US_PER_MS,
			                          .backoff_max_us = 20 * US_PER_MS,
			                          .lease_us = 300 * US_PER_MS };
	storm->kind = (JobKind){ .name = "storm",
		                 .fn = work,
		                 .at_once = 4,
		                 .backoff_us = US_PER_MS,
		                 .backoff_max_us = 20 * US_PER_MS };
	storm->jobs =
		(JobsConf){ .kinds = &storm->kind, .kind_count = 1, .lease_us = 300 * US_PER_MS };
	return NULL;
}

static Err *storm_main(void *arg)
{
	Storm *storm = arg;
	Arena *a = storm->arena;
	AUTO(child_end) Child runner = { 0 };
	AUTO(child_end) Child relaying = { 0 };
	AUTO(child_end) Child first = { 0 };
	AUTO(child_end) Child second = { 0 };
	Child writing[WRITERS] = { 0 };
	Eater eaters[COUNT(consumers)];

	TRY(begin(storm, a));
	TRY(child_start(&runner, run_jobs, storm, "jobs"));
	TRY(child_start(&relaying, relay, storm, "relay"));
	for (unsigned i = 0; i < COUNT(consumers); i++)
		eaters[i] = (Eater){ storm, i };
	TRY(child_start(&first, eat, &eaters[0], "eater"));
	TRY(child_start(&second, eat, &eaters[1], "eater"));
	say("begun\n", 6);
	if (!storm->drain) {
		for (unsigned i = 0; i < WRITERS; i++)
			TRY(child_start(&writing[i], writer, storm, "writer"));
		for (;;)
			TRY(fiber_park()); /* until it is killed */
	}
	TRY(until_nothing_is_left(storm, a));
	say("drained\n", 8);
	_exit(0);
}

int main(int argc, char **argv)
{
	Storm storm = { .arena = arena_new(0) };
	Err *err;

	for (int i = 1; i < argc; i++) {
		Str word = str_of(argv[i]);

		if (str_eq(word, S("drain")))
			storm.drain = true;
		else if (str_starts(word, S("redis")))
			storm.redis_url = word;
		else
			storm.url = word;
	}
	log_setup(LOG_WARN, LOG_TEXT);
	err = rt_run(&(RtConf){ .loops = 2, .workers = 2 }, storm_main, &storm);
	if (err)
		log_err(err, "events_storm");
	return err_exit(err);
}
