/* SPDX-License-Identifier: Apache-2.0
 *
 * store_pg read|load COUNT URL
 *
 * The store's part of bench/postgres: COUNT point reads of pgbench_accounts over 8 connections, 8 fibers on two loops; or COUNT
 * rows loaded into bench_load, as one call. One line of JSON: seconds of the clock, and of the processor in this process. */
#include "crew.h"
#include "store/db.h"

#include <string.h>

enum { CLIENTS = 8, ACCOUNTS = 100000 };

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
	int64_t count, next;
	Str url;
	Arena *a;
	Db *db;
	int64_t wall_us, cpu_us;
} bench;

static void read_some(Arena *a)
{
	int64_t n;

	while ((n = __atomic_fetch_add(&bench.next, 1, __ATOMIC_RELAXED)) < bench.count) {
		AccountIn in = { n * 7919 % ACCOUNTS + 1 };
		void *row;

		need(db_run_one(bench.db, a, &account_sql, &in, &row));
		if (!row || ((AccountRow *)row)->aid != in.aid)
			die("a wrong row");
		arena_clear(a);
	}
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
	DbConf conf = { .url = bench.url, .connections = CLIENTS };
	LoadIn *rows = bench.load ? rows_made() : NULL;
	int64_t before = time_mono_us(), cpu = cpu_us();
	(void)arg;

	TRY(db_open(bench.a, &conf, &bench.db));
	if (bench.load)
		TRY(db_run_load(bench.db, bench.a, &load_sql, rows, (size_t)bench.count));
	else
		crew_run(CLIENTS, read_some);
	bench.wall_us = time_mono_us() - before;
	bench.cpu_us = cpu_us() - cpu;
	db_close(bench.db);
	return NULL;
}

int main(int argc, char **argv)
{
	RtConf conf = { .loops = 2, .workers = 2 };

	if (argc != 4)
		die("store_pg read|load COUNT URL");
	bench.load = strcmp(argv[1], "load") == 0;
	bench.count = atoll(argv[2]);
	bench.url = str_of(argv[3]);
	bench.a = arena_new(0);
	need(rt_run(&conf, run, NULL));
	printf("{\"seconds\": %.4f, \"cpu\": %.4f}\n", (double)bench.wall_us / 1e6, (double)bench.cpu_us / 1e6);
	arena_free(bench.a);
	return 0;
}
