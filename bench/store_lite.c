/* SPDX-License-Identifier: Apache-2.0
 *
 * store_lite commit|read banyan|bare COUNT FOLDER
 *
 * The same work on a SQLite database by the store and by the bare C API, each COUNT times in a new database, after a tenth of
 * it as warm-up. One line of JSON: microseconds each, of the clock (commit) or of the processor (read).
 *
 *   commit   a row, durable (WAL, synchronous=FULL), each in a transaction of its own: 64 fibers at once, or one after another
 *   read     a row by its key out of 10,000: 16 fibers at once, or one after another; every column is read, text is copied */
#include "crew.h"
#include "sample_schema.h"
#include "sample_sql.h"
#include "store/db.h"
#include "store/schema.h"

#include <sqlite3.h>
#include <string.h>

enum { WRITERS = 64, READERS = 16, ROWS = 10000 };

typedef struct Bench {
	bool commit, bare;
	int64_t count;
	const char *path;
	Db *db;
	Arena *a;
	int64_t next, end; /* atomic: of this phase */
	int64_t wall_us, cpu_us;
} Bench;

static Bench bench;

static Uuid key(int64_t n)
{
	Uuid id = { { 0x01, 0x8f, [6] = 0x70, [8] = 0x80 } };

	for (int i = 0; i < 4; i++)
		id.at[15 - i] = (uint8_t)(n >> 8 * i);
	return id;
}

static int64_t scattered(int64_t n)
{
	return (n * 7919) % ROWS;
}

/* --- the store --------------------------------------------------------------------------------------------------------- */

static void one(Arena *a, int64_t n)
{
	if (bench.commit) {
		need(db_exec(bench.db, a, mark_add, NULL, .writer = 1, .n = n));
	} else {
		ShopperRow *row;

		need(db_one(bench.db, a, shopper_by_id, &row, .id = key(scattered(n))));
		if (!row || row->since != scattered(n))
			die("a wrong row");
	}
	arena_clear(a);
}

static void all_of_them(Arena *a)
{
	int64_t n;

	while ((n = __atomic_fetch_add(&bench.next, 1, __ATOMIC_RELAXED)) < bench.end)
		one(a, n);
}

static void phase(int64_t from, int64_t end)
{
	bench.next = from;
	bench.end = end;
	crew_run(bench.commit ? WRITERS : READERS, all_of_them);
}

static Err *fill(Db *tx, Arena *a, void *arg)
{
	(void)arg;
	for (int64_t i = 0; i < ROWS; i++)
		TRY(db_exec(tx, a, shopper_add, NULL, .id = key(i),
		            .email = str_fmt(a, "shopper-%" PRId64 "@shop.test", i), .since = i));
	return NULL;
}

static Err *ours(void *arg)
{
	DbConf conf = { .url = str_fmt(bench.a, "sqlite:%s", bench.path), .create = true };
	int64_t before, cpu;
	uint32_t applied;
	(void)arg;

	TRY(db_open(bench.a, &conf, &bench.db));
	TRY(schema_apply(bench.db, bench.a, &sample_schema, &applied));
	TRY(db_txn(bench.db, bench.a, DB_SERIALIZABLE, fill, NULL));
	phase(0, bench.count / 10);
	before = time_mono_us();
	cpu = cpu_us();
	phase(bench.count / 10, bench.count / 10 + bench.count);
	bench.cpu_us = cpu_us() - cpu;
	bench.wall_us = time_mono_us() - before;
	db_close(bench.db);
	return NULL;
}

/* --- the bare API ------------------------------------------------------------------------------------------------------ */

static sqlite3 *bare;

static sqlite3_stmt *prepared(const char *text)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v3(bare, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(bare));
	return stmt;
}

static void run(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		die(sqlite3_errmsg(bare));
	sqlite3_reset(stmt);
}

static void bare_commits(int64_t from, int64_t end)
{
	sqlite3_stmt *begin = prepared("begin immediate"), *commit = prepared("commit");
	sqlite3_stmt *insert = prepared("insert into marks (writer, n) values (?1, ?2)");

	for (int64_t n = from; n < end; n++) {
		run(begin);
		sqlite3_bind_int64(insert, 1, 1);
		sqlite3_bind_int64(insert, 2, n);
		run(insert);
		run(commit);
	}
	sqlite3_finalize(begin);
	sqlite3_finalize(commit);
	sqlite3_finalize(insert);
}

static void bare_reads(int64_t from, int64_t end)
{
	sqlite3_stmt *select = prepared("select id, email, since from shoppers where id = ?1");

	for (int64_t n = from; n < end; n++) {
		Uuid id = key(scattered(n)), got;
		char *email;

		sqlite3_bind_blob(select, 1, id.at, sizeof id, SQLITE_STATIC);
		if (sqlite3_step(select) != SQLITE_ROW ||
		    sqlite3_column_bytes(select, 0) != sizeof got)
			die("a row is missing");
		memcpy(&got, sqlite3_column_blob(select, 0), sizeof got);
		email = strdup((const char *)sqlite3_column_text(select, 1));
		if (sqlite3_column_int64(select, 2) != scattered(n) ||
		    sqlite3_step(select) != SQLITE_DONE)
			die("a wrong row");
		free(email);
		sqlite3_reset(select);
	}
	sqlite3_finalize(select);
}

static void theirs(void)
{
	void (*work)(int64_t from, int64_t end) = bench.commit ? bare_commits : bare_reads;
	int64_t before, cpu;

	if (sqlite3_open(bench.path, &bare) != SQLITE_OK ||
	    sqlite3_exec(bare, "pragma journal_mode = wal; pragma synchronous = full", NULL, NULL,
	                 NULL) != SQLITE_OK)
		die(sqlite3_errmsg(bare));
	for (size_t i = 0; i < sample_schema.count; i++)
		if (sqlite3_exec(bare, sample_schema.steps[i].text[SQL_SQLITE], NULL, NULL, NULL) !=
		    SQLITE_OK)
			die(sqlite3_errmsg(bare));
	sqlite3_exec(bare, "begin", NULL, NULL, NULL);
	for (int64_t i = 0; i < ROWS; i++) {
		sqlite3_stmt *add = prepared(
			"insert into shoppers values (?1, 'shopper-' || ?2 || '@shop.test', ?2)");
		Uuid id = key(i);

		sqlite3_bind_blob(add, 1, id.at, sizeof id, SQLITE_STATIC);
		sqlite3_bind_int64(add, 2, i);
		run(add);
		sqlite3_finalize(add);
	}
	sqlite3_exec(bare, "commit", NULL, NULL, NULL);
	work(0, bench.count / 10);
	before = time_mono_us();
	cpu = cpu_us();
	work(bench.count / 10, bench.count / 10 + bench.count);
	bench.cpu_us = cpu_us() - cpu;
	bench.wall_us = time_mono_us() - before;
	sqlite3_close(bare);
}

int main(int argc, char **argv)
{
	RtConf conf = { .workers = 2 };
	double wall, cpu;

	if (argc != 5)
		die("store_lite commit|read banyan|bare COUNT FOLDER");
	bench.commit = strcmp(argv[1], "commit") == 0;
	bench.bare = strcmp(argv[2], "bare") == 0;
	bench.count = atoll(argv[3]);
	bench.a = arena_new(0);
	bench.path = str_z(bench.a, str_fmt(bench.a, "%s/%s.%s.db", argv[4], argv[1], argv[2]));
	if (bench.bare)
		theirs();
	else
		need(rt_run(&conf, ours, NULL));
	wall = (double)bench.wall_us / (double)bench.count;
	cpu = (double)bench.cpu_us / (double)bench.count;
	printf("{\"cost\": %.3f, \"wall_us\": %.3f, \"cpu_us\": %.3f, \"requests\": %lld, \"seconds\": %.3f, "
	       "\"process_cpu_s\": %.3f}\n",
	       bench.commit ? wall : cpu, wall, cpu, (long long)bench.count,
	       (double)bench.wall_us / 1e6, (double)cpu_us() / 1e6);
	arena_free(bench.a);
	return 0;
}
