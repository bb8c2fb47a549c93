/* SPDX-License-Identifier: Apache-2.0
 *
 * The suite that every engine passes, on a real PostgreSQL; what is PostgreSQL's alone is in pg_faults_test.c. */
#include "store/pg_int.h"
#include "db_suite.h"
#include "pg_server.h"

/* A database of its own on this program's server. */
static Err *suite_open(Arena *a, Db **out)
{
	AUTO(pg_conn_freep) PgConn *c = NULL;
	DbConf conf = { .url = str_fmt(a, "%.*s_%d", STR_ARG(pg_server(a, "tester", "")),
		                       getpid()) };
	PgTarget target;

	TRY(pg_target_read(a, pg_server(a, "tester", ""), true, &target));
	TRY(pg_conn_open(a, &target, true, &c, NULL));
	TRY(pg_command(c, a, str_fmt(a, "create database postgres_%d", getpid()).at));
	return db_open(a, &conf, out);
}
