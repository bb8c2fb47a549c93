/* SPDX-License-Identifier: Apache-2.0
 *
 * store_pg read|bare|load CLIENTS LOOPS COUNT URL
 *
 * COUNT point reads of pgbench_accounts over CLIENTS connections, a fiber for each on LOOPS loops; the same by the bare C API,
 * one thread that waits for all connections at once; or COUNT rows loaded into bench_load, as one call. One line of JSON:
 * seconds of the clock, and of the processor in this process. */
#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/db.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ACCOUNTS = 100000, INT8_OID = 20 };

typedef struct AccountIn {
	int64_t aid;
} AccountIn;

typedef struct AccountRow {
	int64_t aid, bid, abalance;
} AccountRow;

typedef struct LoadIn {
	Uuid id;
	int64_t n;
	Str name;
	int64_t at;
} LoadIn;

static const SqlField account_in[] = { { "aid", SQL_INT, 0, SQL_NEVER_NULL } };
static const SqlField account_out[] = {
	{ "aid", SQL_INT, offsetof(AccountRow, aid), SQL_NEVER_NULL },
	{ "bid", SQL_INT, offsetof(AccountRow, bid), SQL_NEVER_NULL },
	{ "abalance", SQL_INT, offsetof(AccountRow, abalance), SQL_NEVER_NULL },
};
static const Sql account_sql = {
	.name = "account",
	.kind = SQL_ONE,
	.reads = true,
	.text = { [SQL_POSTGRES] = "select aid, bid, abalance from pgbench_accounts where aid = $1" },
	.in = account_in,
	.in_count = COUNT(account_in),
	.in_bytes = sizeof(AccountIn),
	.out = account_out,
	.out_count = COUNT(account_out),
	.out_bytes = sizeof(AccountRow),
};

static const SqlField load_in[] = {
	{ "id", SQL_UUID, offsetof(LoadIn, id), SQL_NEVER_NULL },
	{ "n", SQL_INT, offsetof(LoadIn, n), SQL_NEVER_NULL },
	{ "name", SQL_TEXT, offsetof(LoadIn, name), SQL_NEVER_NULL },
	{ "at", SQL_TIME, offsetof(LoadIn, at), SQL_NEVER_NULL },
};
static const Sql load_sql = {
	.name = "bench_load",
	.kind = SQL_LOAD,
	.table = "bench_load",
	.text = { [SQL_POSTGRES] = "copy bench_load (id, n, name, at) from stdin (format binary)" },
	.in = load_in,
	.in_count = COUNT(load_in),
	.in_bytes = sizeof(LoadIn),
};

static struct {
	bool load;
	unsigned clients;
	int64_t count, next;
	Str url;
	Arena *a;
	Db *db;
	unsigned left;
	Fiber *waiter;
	int64_t wall_us, cpu_us;
} bench;

static void die(const char *what)
{
	fprintf(stderr, "store_pg: %s\n", what);
	exit(1);
}

static void need(const Err *err)
{
	if (err)
		die(str_z(bench.a, err_chain(bench.a, err)));
}

static int64_t cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S + use.ru_utime.tv_usec + use.ru_stime.tv_usec;
}

static void wake(void *arg)
{
	(void)arg;
	if (!--bench.left)
		fiber_wake(bench.waiter);
}

static void reader(void *arg)
{
	Arena *a = arena_new(0);
	int64_t n;
	(void)arg;

	while ((n = __atomic_fetch_add(&bench.next, 1, __ATOMIC_RELAXED)) < bench.count) {
		AccountIn in = { n * 7919 % ACCOUNTS + 1 };
		void *row;

		need(db_run_one(bench.db, a, &account_sql, &in, &row));
		if (!row || ((AccountRow *)row)->aid != in.aid)
			die("a wrong row");
		arena_clear(a);
	}
	arena_free(a);
	loop_post(rt_loop(0), wake, NULL);
}

static void start(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < bench.clients / rt_loops(); i++)
		need(fiber_start(reader, NULL, "bench"));
}

static void read_all(void)
{
	bench.left = bench.clients / rt_loops() * rt_loops();
	bench.waiter = fiber_self();
	loop_each(start, NULL);
	while (bench.left)
		need(fiber_park());
}

static LoadIn *rows_made(void)
{
	LoadIn *rows = ARENA_ARRAY(bench.a, LoadIn, (size_t)bench.count);

	for (int64_t i = 0; i < bench.count; i++) {
		rows[i] = (LoadIn){ .n = i * 7919, .name = str_fmt(bench.a, "the name of row %" PRId64, i),
			            .at = INT64_C(1700000000000000) + i * 1000003 };
		for (int k = 0; k < 8; k++)
			rows[i].id.at[15 - k] = (uint8_t)((uint64_t)i >> 8 * k);
	}
	return rows;
}

static Err *run(void *arg)
{
	DbConf conf = { .url = bench.url, .connections = bench.clients };
	LoadIn *rows = bench.load ? rows_made() : NULL;
	int64_t before = time_mono_us(), cpu = cpu_us();
	(void)arg;

	TRY(db_open(bench.a, &conf, &bench.db));
	if (bench.load)
		TRY(db_run_load(bench.db, bench.a, &load_sql, rows, (size_t)bench.count));
	else
		read_all();
	bench.wall_us = time_mono_us() - before;
	bench.cpu_us = cpu_us() - cpu;
	db_close(bench.db);
	return NULL;
}

/* --- the bare API ------------------------------------------------------------------------------------------------------ */

static void bare_send(PGconn *conn)
{
	int64_t aid = (int64_t)htobe64((uint64_t)(bench.next++ * 7919 % ACCOUNTS + 1));
	const char *values[] = { (const char *)&aid };
	int lengths[] = { sizeof aid }, formats[] = { 1 };

	if (!PQsendQueryPrepared(conn, "account", 1, values, lengths, formats, 1) || PQflush(conn) != 0)
		die(PQerrorMessage(conn));
}

/* True: its answer is there and was right. */
static bool bare_receive(PGconn *conn)
{
	PGresult *result;

	if (!PQconsumeInput(conn))
		die(PQerrorMessage(conn));
	while (!PQisBusy(conn)) {
		result = PQgetResult(conn);
		if (!result)
			return true;
		if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQgetlength(result, 0, 0) != 4)
			die("a wrong row");
		PQclear(result);
	}
	return false;
}

static PGconn *bare_open(int epoll)
{
	PGconn *conn = PQconnectdb(str_z(bench.a, bench.url));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };
	Oid types[] = { INT8_OID };

	if (PQstatus(conn) != CONNECTION_OK)
		die(PQerrorMessage(conn));
	PQclear(PQprepare(conn, "account", account_sql.text[SQL_POSTGRES], 1, types));
	PQsetnonblocking(conn, 1);
	epoll_ctl(epoll, EPOLL_CTL_ADD, PQsocket(conn), &event);
	return conn;
}

static void bare_reads(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int64_t before = time_mono_us(), cpu = cpu_us(), done = 0;

	for (unsigned i = 0; i < bench.clients; i++)
		bare_send(bare_open(epoll));
	while (done < bench.count) {
		struct epoll_event events[64];
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (!bare_receive(events[i].data.ptr))
				continue;
			done++;
			if (bench.next < bench.count)
				bare_send(events[i].data.ptr);
		}
	}
	bench.wall_us = time_mono_us() - before;
	bench.cpu_us = cpu_us() - cpu;
}

int main(int argc, char **argv)
{
	RtConf conf = { .workers = 2 };

	if (argc != 6)
		die("store_pg read|bare|load CLIENTS LOOPS COUNT URL");
	bench.load = strcmp(argv[1], "load") == 0;
	bench.clients = (unsigned)atoi(argv[2]);
	conf.loops = (unsigned)atoi(argv[3]);
	bench.count = atoll(argv[4]);
	bench.url = str_of(argv[5]);
	bench.a = arena_new(0);
	if (strcmp(argv[1], "bare") == 0)
		bare_reads();
	else
		need(rt_run(&conf, run, NULL));
	printf("{\"seconds\": %.4f, \"cpu\": %.4f}\n", (double)bench.wall_us / 1e6, (double)bench.cpu_us / 1e6);
	arena_free(bench.a);
	return 0;
}
