/* SPDX-License-Identifier: Apache-2.0
 *
 * The bus: which way events go, and the house that is kept around them. */
#include "store/bus.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/fiber.h"
#include "store/bus_int.h"
#include "store/job.h"
#include "store/outbox.h"

#include "store_consumer_sql.h"

enum { PARTS = 4, STREAM_MOST = 1000000 };

Bus *bus_new(Arena *a, const BusConf *conf)
{
	Bus *bus = ARENA_NEW(a, Bus);

	*bus = (Bus){ .redis = conf->redis,
		      .parts = conf->parts ? conf->parts : PARTS,
		      .most = conf->most ? conf->most : STREAM_MOST,
		      .prefix = str_dup(a, conf->prefix.len ? conf->prefix : S("banyan")) };
	return bus;
}

bool bus_is_local(const Bus *bus)
{
	return !bus->redis;
}

Err *bus_consume(const Bus *bus, const ConsumerConf *conf, const BusSource *source)
{
	static Err no_outbox = ERR_STATIC(INVALID, "bus.no_outbox",
	                                  "a local bus needs the database of the source");

	if (bus->redis)
		return redis_consume(bus, conf, source->name);
	return source->db ? local_consume(conf, source) : &no_outbox;
}

Err *bus_relay(const Bus *bus, const BusSource *source)
{
	if (bus->redis)
		return redis_relay(bus, source);
	for (;;)
		TRY(fiber_park());
}

/* --- patience --------------------------------------------------------------------------------------------------------- */

Err *patience_with(Patience *p, const Err *err)
{
	int64_t pause = 50 * US_PER_MS;

	if (!err) {
		if (p->tries && (!p->others || --*p->others == 0))
			log_info("%s of %.*s goes on", p->what, STR_ARG(p->who));
		p->tries = 0;
		return NULL;
	}
	if (err_is(err, "event.lease_lost"))
		return fiber_sleep(pause);
	if (p->tries++ == 0) {
		bool first = !p->others || (*p->others)++ == 0;

		/* Was it this fiber that was told to end? Then the park says so. */
		if (first && err->kind != ERR_CANCELLED)
			log_err(err, "%s of %.*s waits", p->what, STR_ARG(p->who));
	}
	for (unsigned i = 1; i < p->tries && pause < 5 * US_PER_S; i++)
		pause *= 2;
	pause = MIN(pause, 5 * US_PER_S);
	return fiber_sleep(pause / 2 + (int64_t)rand_below((uint64_t)pause / 2 + 1));
}

Err *outbox_follow(Db *db, const char *what, Str who, OutboxLook *look, void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(db_watch_end) DbWatch watch = { 0 };
	Patience patience = { .what = what, .who = who };
	bool watching = false;

	for (;;) {
		int64_t wait_us = 0;
		Err *err = NULL;

		if (!watching) {
			err = db_watch_begin(&watch, db, a, OUTBOX_CHANNEL);
			watching = !err;
		}
		if (!err)
			err = look(arg, a, &wait_us);
		TRY(patience_with(&patience, err));
		if (wait_us)
			TRY(db_watch_wait(&watch, wait_us));
		arena_clear(a);
	}
}

/* --- keys ------------------------------------------------------------------------------------------------------------- */

Str stream_key(Arena *a, const Bus *bus, Str source, uint32_t part)
{
	return str_fmt(a, "%.*s:{%.*s:%u}", STR_ARG(bus->prefix), STR_ARG(source), part);
}

Str stream_place_key(Arena *a, const Bus *bus, Str source, uint32_t part)
{
	return str_fmt(a, "%.*s:{%.*s:%u}:place", STR_ARG(bus->prefix), STR_ARG(source), part);
}

uint32_t stream_part(const Bus *bus, Str subject)
{
	return (uint32_t)(hash_stable(subject, 0x62616e79616e, 0x627573) % bus->parts);
}

/* --- the house -------------------------------------------------------------------------------------------------------- */

enum { LAG, OLDEST, HELD, DEAD, PURGED };

static const MetricFamily families[] = {
	[LAG] = { "banyan_outbox_lag_events",
	          METRIC_GAUGE,
	          "events",
	          "in the outbox that this reader has not read",
	          { "database", "reader" } },
	[OLDEST] = { "banyan_outbox_lag_seconds",
	             METRIC_GAUGE,
	             "seconds",
	             "age of the oldest of them",
	             { "database", "reader" } },
	[HELD] = { "banyan_events_held",
	           METRIC_GAUGE,
	           "events",
	           "that failed and are tried again, and those behind them",
	           { "database" } },
	[DEAD] = { "banyan_events_dead",
	           METRIC_GAUGE,
	           "events",
	           "given up and kept",
	           { "database" } },
	[PURGED] = { "banyan_events_purged_total",
	             METRIC_COUNTER,
	             "rows",
	             "deleted because they were old",
	             { "database", "table" } },
};

const MetricFamily *bus_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void set(unsigned row, Str db, Str label, int64_t value)
{
	Str labels[] = { db, label };
	MetricCell cell = metric_cell(&families[row], labels, label.at ? 2 : 1);

	metric_set(
		cell,
		value); /* the cell is kept: a gauge of yesterday's reader goes with the process */
}

static Err *measure(Db *db, Arena *a)
{
	OutboxReader *readers;
	HeldCountsRow *held;
	int64_t last, since;
	size_t count;

	TRY(outbox_last(db, a, &last));
	TRY(outbox_readers(db, a, &readers, &count));
	for (size_t i = 0; i < count; i++) {
		TRY(outbox_waits_since(db, a, readers[i].seq, &since));
		set(LAG, db_name(db), readers[i].name, MAX(0, last - readers[i].seq));
		set(OLDEST, db_name(db), readers[i].name,
		    since ? MAX(0, time_utc_us() - since) : 0);
	}
	TRY(db_one(db, a, held_counts, &held));
	if (held) {
		set(HELD, db_name(db), (Str){ 0 }, held->alive);
		set(DEAD, db_name(db), (Str){ 0 }, held->dead);
	}
	return jobs_measure(db, a);
}

static int64_t or_else(int64_t us, int64_t days)
{
	return us ? us : days * 86400 * US_PER_S;
}

static Err *purge(Db *db, Arena *a, const KeepConf *conf)
{
	static const char *const tables[] = { "outbox", "inbox", "event_held", "jobs" };
	int64_t gone[COUNT(tables)];

	TRY(outbox_purge(db, a, or_else(conf->outbox_us, 1), &gone[0]));
	TRY(inbox_purge(db, a, or_else(conf->inbox_us, 14), &gone[1]));
	TRY(dead_purge(db, a, or_else(conf->dead_us, 90), &gone[2]));
	TRY(jobs_purge(db, a, or_else(conf->jobs_us, 7), &gone[3]));
	for (size_t i = 0; i < COUNT(tables); i++) {
		Str labels[] = { db_name(db), str_of(tables[i]) };

		if (gone[i])
			metric_add(metric_cell(&families[PURGED], labels, 2), (uint64_t)gone[i]);
	}
	return NULL;
}

Err *bus_keep(Db *db, const KeepConf *conf)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Patience patience = { .what = "housekeeping", .who = db_name(db) };
	int64_t every = conf->every_us ? conf->every_us : 60 * US_PER_S;

	for (;;) {
		Err *err = measure(db, a);

		if (!err)
			err = purge(db, a, conf);
		TRY(patience_with(&patience, err));
		if (!err)
			TRY(fiber_sleep(every));
		arena_clear(a);
	}
}
