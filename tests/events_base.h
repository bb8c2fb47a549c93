/* SPDX-License-Identifier: Apache-2.0
 *
 * Events and jobs on any engine. Whoever includes it defines suite_prepare (before fibers run) and suite_open, which
 * gives a new database without a schema. Each
 * test is a function on a fiber; `db` has the store's tables and those of tests/events. */
#pragma once
#include "base/time.h"
#include "events_schema.h"
#include "events_sql.h"
#include "rt/loop.h"
#include "store/bus.h"
#include "store/job_int.h"
#include "store/outbox.h"
#include "store/schema.h"
#include "unit.h"

#include <string.h>

typedef Err *SuiteFn(Db *db, Arena *a);
static void suite_prepare(Arena *a);
static Err *suite_open(Arena *a, Db **out);

typedef struct SuiteRun {
	SuiteFn *fn;
	Arena *a;
} SuiteRun;

static inline Err *suite_main(void *arg)
{
	SuiteRun *run = arg;
	AUTO(db_closep) Db *db = NULL;
	uint32_t applied;

	TRY(suite_open(run->a, &db));
	TRY(schema_apply(db, run->a, store_own_schema(), &applied));
	TRY(schema_apply(db, run->a, &events_schema, &applied));
	return run->fn(db, run->a);
}

static inline void suite_run(Arena *a, SuiteFn *fn)
{
	RtConf conf = { .loops = 2, .workers = 2 };
	SuiteRun run = { fn, a };

	suite_prepare(a);
	CHECK_OK(rt_run(&conf, suite_main, &run));
}

#define SUITE_TEST(name_) \
	static Err *suite_##name_(Db *db, Arena *a); \
	TEST(name_) \
	{ \
		suite_run(a, suite_##name_); \
	} \
	static Err *suite_##name_(Db *db, Arena *a)
