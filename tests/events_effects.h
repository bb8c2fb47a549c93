/* SPDX-License-Identifier: Apache-2.0
 *
 * Causes and effects for tests of events: see events_base.h. */
#pragma once
#include "events_base.h"

/* --- what the tests do ------------------------------------------------------------------------------------------------ */

/* The next event of an aggregate, as a service would do it: its row first, which is the lock. */
static Err *cause(Db *tx, Arena *a, void *arg)
{
	const char *name = arg;
	AggregateNextRow *row;

	TRY(db_one(tx, a, aggregate_next, &row, .name = str_of(name)));
	TRY(db_exec(tx, a, entry_add, NULL, .aggregate = str_of(name), .n = row->n));
	return outbox_put(tx, a,
	                  &(Event){ .type = S("thing.changed"),
	                            .aggregate_type = S("thing"),
	                            .aggregate_id = str_of(name),
	                            .data = str_fmt(a, "%" PRId64, row->n) },
	                  NULL);
}

static Err *cause_some(Db *db, Arena *a, const char *name, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		TRY(db_txn(db, a, DB_READ_COMMITTED, cause, (void *)(uintptr_t)name));
	return NULL;
}

typedef struct Taker {
	const char *name;
	const char *refuses; /* this aggregate's event `refused`; NULL: none */
	int64_t refused;
	unsigned calls;
} Taker;

static Err *take(Db *tx, Arena *a, const Event *event, void *arg)
{
	Taker *taker = arg;
	int64_t n;

	__atomic_add_fetch(&taker->calls, 1, __ATOMIC_RELAXED);
	CHECK(str_to_i64(event->data, &n));
	TRY(db_exec(tx, a, effect_add, NULL, .consumer = str_of(taker->name),
	            .aggregate = event->aggregate_id, .n = n));
	if (taker->refuses && str_eq(event->aggregate_id, str_of(taker->refuses)) &&
	    n == taker->refused)
		return err_new(a, ERR_INVALID, "test.refused", "not this one");
	return NULL;
}

static ConsumerConf consumer_of(Db *db, Taker *taker)
{
	return (ConsumerConf){ .name = str_of(taker->name),
		               .db = db,
		               .fn = take,
		               .arg = taker,
		               .attempts = 3,
		               .backoff_us = US_PER_MS,
		               .backoff_max_us = 2 * US_PER_MS };
}

/* "a1 b1 a2": what a consumer has done. */
static Err *effects(Db *db, Arena *a, const char *consumer, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	EffectsOfRow *rows;
	size_t count;

	TRY(db_all(db, a, effects_of, &rows, &count, .consumer = str_of(consumer)));
	for (size_t i = 0; i < count; i++)
		buf_fmt(&b, "%s%.*s%" PRId64, i ? " " : "", STR_ARG(rows[i].aggregate), rows[i].n);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

static Err *check_effects(Db *db, Arena *a, const char *consumer, const char *want)
{
	Str got;

	TRY(effects(db, a, consumer, &got));
	CHECK_STR(got, str_of(want));
	return NULL;
}

static Err *effects_reach(Db *db, Arena *a, const char *consumer, int64_t n)
{
	EffectsCountRow *row;

	do {
		TRY(fiber_sleep(US_PER_MS));
		TRY(db_one(db, a, effects_count, &row, .consumer = str_of(consumer)));
	} while (row->count < n);
	return NULL;
}
