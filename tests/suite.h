/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests on a database: SUITE_TEST(name) { ... return NULL; } is a function on a fiber with a `db` that is new. Whoever includes
 * it defines the three below. */
#pragma once
#include "rt/loop.h"
#include "store/db.h"
#include "unit.h"

static void suite_prepare(Arena *a);        /* before fibers run */
static Err *suite_open(Arena *a, Db **out); /* a new database without a schema */
static Err *suite_schema(Db *db, Arena *a); /* what every test finds there */

typedef Err *SuiteFn(Db *db, Arena *a);

typedef struct SuiteRun {
	SuiteFn *fn;
	Arena *a;
} SuiteRun;

static inline Err *suite_main(void *arg)
{
	SuiteRun *run = arg;
	AUTO(db_closep) Db *db = NULL;

	TRY(suite_open(run->a, &db));
	TRY(suite_schema(db, run->a));
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
