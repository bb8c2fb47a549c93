/* SPDX-License-Identifier: Apache-2.0
 *
 * The suites of events and jobs on PostgreSQL: a database for each test, on the server of the test's program. */
#pragma once
#include "pg_server.h"

static Str suite_url;

/* Before rt_run: makes the database. */
static void suite_prepare(Arena *a)
{
	static const char *const psql = "psql -qX -h 127.0.0.1 -U tester -d postgres";
	unsigned port = pg_server_run("start", getppid(), "all", "");
	Str name = str_fmt(a, "t%d_%" PRId64, (int)getpid(), time_mono_us());

	CHECK_INT(system(str_fmt(a, "%s -p %u -c 'create database %.*s'", psql, port, STR_ARG(name))
	                         .at),
	          0);
	suite_url = str_fmt(a, "postgresql://tester@127.0.0.1:%u/%.*s", port, STR_ARG(name));
}

static Err *suite_open(Arena *a, Db **out)
{
	return db_open(a, &(DbConf){ .url = suite_url }, out);
}
