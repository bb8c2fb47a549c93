/* SPDX-License-Identifier: Apache-2.0
 *
 * The suite that every engine passes, through a PgBouncer in transaction mode: no statement of ours is prepared there, and
 * what needs a session goes past it. */
#include "store/pg_int.h"

#include "db_suite.h"
#include "pg_server.h"

static Err *suite_open(Arena *a, Db **out)
{
	AUTO(pg_conn_freep) PgConn *c = NULL;
	Str server = pg_server(a, "tester", "");
	unsigned port = pg_server_pooler();
	DbConf conf = {
		.url = str_fmt(a, "postgresql://tester@127.0.0.1:%u/postgres_%d", port, getpid()),
		.direct_url = str_fmt(a, "%.*s_%d", STR_ARG(server), getpid()),
		.pgbouncer = true,
	};
	PgTarget target;

	TRY(pg_target_read(a, server, true, &target));
	TRY(pg_conn_open(a, &target, true, &c, NULL));
	TRY(pg_command(c, a, str_fmt(a, "create database postgres_%d", getpid()).at));
	TRY(pg_command(c, a,
	               str_fmt(a, "alter database postgres_%d set timezone = 'UTC'", getpid()).at));
	return db_open(a, &conf, out);
}
