/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs on SQLite: the table, the runner, schedules. */
#include "store/job_run.c"

#include "jobs_suite.h"

static void suite_prepare(Arena *a)
{
	(void)a;
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/test.db", unit_dir()), .create = true };

	return db_open(a, &conf, out);
}
