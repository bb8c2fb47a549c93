/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lite_writer.c"

#include "fault_vfs.h"
#include "rt/loop.h"
#include "sample_schema.h"
#include "sample_sql.h"
#include "store/schema.h"
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- a process that writes marks until it is no more -------------------------------------------------------------------- */

enum { WRITERS = 16, TOGETHER = 3 };

typedef struct Ack {
	int64_t writer, n;
} Ack;

static struct {
	const char *path;
	int64_t round;
	int pipe; /* acknowledged marks go there */
	Db *db;
} child;

/* Some at once: all or none. */
static Err *mark_some(Db *tx, Arena *a, void *arg)
{
	Ack *mark = arg;

	for (int64_t i = 0; i < TOGETHER; i++)
		TRY(db_exec(tx, a, mark_add, NULL, .writer = mark->writer, .n = mark->n + i));
	return NULL;
}

static void write_marks(void *arg)
{
	Ack mark = { .writer = child.round * WRITERS + (int64_t)(uintptr_t)arg };
	Arena *a = arena_new(0);

	for (;; mark.n += TOGETHER) {
		Err *err = mark.writer % 2 ? db_txn(child.db, a, DB_SERIALIZABLE, mark_some, &mark)
		                           : db_exec(child.db, a, mark_add, NULL,
		                                     .writer = mark.writer, .n = mark.n);

		if (err)
			_exit(8);
		if (write(child.pipe, &mark, sizeof mark) != sizeof mark)
			_exit(7);
		arena_clear(a);
	}
}

static void start_writers(void *arg)
{
	unsigned loop = loop_index(loop_self());
	(void)arg;

	for (uintptr_t i = loop; i < WRITERS; i += rt_loops())
		CHECK_OK(fiber_start(write_marks, (void *)i, "marks"));
}

static Err *child_main(void *arg)
{
	Arena *a = arg;
	DbConf conf = { .url = str_fmt(a, "sqlite:%s", child.path), .create = true };
	uint32_t applied;

	TRY(db_open(a, &conf, &child.db));
	TRY(schema_apply(child.db, a, &sample_schema, &applied));
	loop_each(start_writers, NULL);
	for (;;)
		TRY(fiber_park());
}

static _Noreturn void child_run(Arena *a)
{
	RtConf conf = { .loops = 2, .workers = 1 };
	Err *err = rt_run(&conf, child_main, a);

	fprintf(stderr, "%s\n", err ? str_z(a, err_chain(a, err)) : "the child ended");
	_exit(6);
}

/* --- and one that looks afterwards -------------------------------------------------------------------------------------- */

typedef struct Acks {
	Ack *at;
	size_t count, cap;
} Acks;

static void marks_add(Acks *marks, Ack mark)
{
	if (marks->count == marks->cap) {
		marks->cap = marks->cap ? marks->cap * 2 : 4096;
		marks->at = realloc(marks->at, marks->cap * sizeof *marks->at);
		CHECK(marks->at != NULL);
	}
	marks->at[marks->count++] = mark;
}

static int64_t ask(sqlite3 *db, const char *text, int64_t writer, int64_t n)
{
	sqlite3_stmt *stmt = NULL;
	int64_t answer;

	CHECK_INT(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	sqlite3_bind_int64(stmt, 1, writer);
	sqlite3_bind_int64(stmt, 2, n);
	CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
	answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

/* Every acknowledged mark of this round is there, and of each that was written together all or none. */
static void look(const char *path, const Acks *marks, size_t from, bool first)
{
	sqlite3 *db;

	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	if (first &&
	    ask(db, "select count(*) from sqlite_schema where name = 'marks'", 0, 0) == 0) {
		CHECK_INT(marks->count, 0); /* it did not come so far */
	} else {
		for (size_t i = from; i < marks->count; i++) {
			Ack mark = marks->at[i];
			int64_t want = mark.writer % 2 ? TOGETHER : 1;

			NOTE("writer %" PRId64 ", mark %" PRId64, mark.writer, mark.n);
			CHECK_INT(
				ask(db,
			            "select count(*) from marks where writer = ?1 and n between ?2 and ?2 + 2",
			            mark.writer, mark.n),
				want);
		}
		CHECK_INT(
			ask(db,
		            "select count(*) from (select 1 from marks where writer % 2 group by writer having "
		            "count(*) % 3)",
		            0, 0),
			0);
	}
	CHECK_INT(ask(db, "select count(*) from pragma_quick_check where quick_check <> 'ok'", 0,
	              0),
	          0);
	sqlite3_close(db);
}

/* Starts a child, takes in what it acknowledges; kills it after `kill_after` marks, unless it ends by itself. */
static void one_round(Arena *a, Acks *marks, size_t kill_after, int64_t cut_after)
{
	size_t before = marks->count;
	int ends[2], status;
	Ack mark;
	pid_t pid;

	CHECK_INT(pipe(ends), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(ends[0]);
		child.pipe = ends[1];
		if (cut_after) {
			fault.tracks = true;
			fault.cut_after = cut_after;
			fault_install();
		}
		child_run(a);
	}
	close(ends[1]);
	while (read(ends[0], &mark, sizeof mark) == sizeof mark) {
		marks_add(marks, mark);
		if (kill_after && marks->count - before == kill_after)
			kill(pid, SIGKILL);
	}
	close(ends[0]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(kill_after ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
	                 : WIFEXITED(status) && !WEXITSTATUS(status));
}

static unsigned rounds(unsigned few, unsigned all)
{
	const char *proof = getenv("BANYAN_PROOF");

	return proof && strcmp(proof, "1") == 0 ? all : few;
}

TEST(a_killed_process_loses_nothing_it_acknowledged)
{
	unsigned count = rounds(6, 200);
	Acks marks = { 0 };

	child.path = str_z(a, str_fmt(a, "%s/kill.db", unit_dir()));
	for (child.round = 0; child.round < count; child.round++) {
		size_t before = marks.count;

		one_round(a, &marks, 1 + (size_t)rand_below(2000), 0);
		look(child.path, &marks, before, child.round == 0);
	}
	look(child.path, &marks, 0, false);
	free(marks.at);
}

TEST(a_power_cut_loses_nothing_that_was_acknowledged)
{
	unsigned count = rounds(20, 400);
	Acks marks = { 0 };

	child.path = str_z(a, str_fmt(a, "%s/cut.db", unit_dir()));
	for (child.round = 0; child.round < count; child.round++) {
		size_t before = marks.count;

		one_round(a, &marks, 0, 1 + (int64_t)rand_below(child.round % 4 ? 3000 : 120));
		look(child.path, &marks, before, marks.count == before);
	}
	CHECK(marks.count > 0);
	look(child.path, &marks, 0, false);
	free(marks.at);
}

/* --- a disk that fails -------------------------------------------------------------------------------------------------- */

static Err *one_mark(Db *db, Arena *a, int64_t n)
{
	return db_exec(db, a, mark_add, NULL, .writer = 1, .n = n);
}

static Err *count_marks(Db *db, Arena *a, int64_t *count)
{
	MarksCountRow *row;

	TRY(db_one(db, a, marks_count, &row));
	*count = row->count;
	return NULL;
}

static Err *two_marks(Db *tx, Arena *a, void *arg)
{
	TRY(one_mark(tx, a, *(int64_t *)arg));
	return one_mark(tx, a, *(int64_t *)arg + 1);
}

static Err *failing_main(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(a, "sqlite:%s", child.path), .create = true };
	int64_t count, n = 10;
	uint32_t applied;

	TRY(db_open(a, &conf, &db));
	TRY(schema_apply(db, a, &sample_schema, &applied));
	TRY(one_mark(db, a, 1));

	fault.full = true;
	CHECK_ERR(one_mark(db, a, 2), "db.full_disk");
	CHECK_ERR(db_txn(db, a, DB_SERIALIZABLE, two_marks, &n), "db.full_disk");
	TRY(count_marks(db, a, &count));
	CHECK_INT(count, 1);
	fault.full = false;
	TRY(one_mark(db, a, 2));

	fault.sync_fails = true;
	CHECK_ERR(one_mark(db, a, 3), "db.io");
	TRY(count_marks(db, a, &count));
	CHECK_INT(count, 2);
	fault.sync_fails = false;

	fault.lock_fails = true;
	CHECK_ERR(one_mark(db, a, 3), "db.io");
	fault.lock_fails = false;
	TRY(db_txn(db, a, DB_SERIALIZABLE, two_marks, &n));
	TRY(count_marks(db, a, &count));
	CHECK_INT(count, 4);
	return NULL;
}

TEST(a_disk_that_was_full_or_failed_serves_again)
{
	RtConf conf = { .loops = 2, .workers = 1 };

	child.path = str_z(a, str_fmt(a, "%s/full.db", unit_dir()));
	fault_install();
	CHECK_OK(rt_run(&conf, failing_main, a));
}

/* A real one, of 8 MiB, of which a file takes most. Where a sandbox allows no mount there is nothing to see. */
static bool small_disk(const char *path)
{
	int flags = CLONE_NEWNS | (getuid() ? CLONE_NEWUSER : 0);

	return mkdir(path, 0700) == 0 && unshare(flags) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, "size=8m") == 0;
}

static void take_room(const char *path, size_t bytes)
{
	static char block[4096];
	FILE *f = fopen(path, "w");

	for (size_t at = 0; f && at < bytes; at += sizeof block)
		CHECK_INT(fwrite(block, 1, sizeof block, f), sizeof block);
	CHECK(f && fclose(f) == 0);
}

enum { ROUND_ROWS = 2000 };

static Err *small_disk_main(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(a, "sqlite:%s", child.path), .create = true };
	const char *filler = str_z(a, str_fmt(a, "%s.filler", child.path));
	int64_t count, n = 0;
	uint32_t applied;
	Err *err = NULL;

	TRY(db_open(a, &conf, &db));
	TRY(schema_apply(db, a, &sample_schema, &applied));
	take_room(filler, 5 << 20);
	while (!err && n < 1000)
		err = db_exec(db, a, long_write, NULL, .writer = n++, .most = ROUND_ROWS);
	CHECK_ERR(err, "db.full_disk");
	n--;
	CHECK_ERR(db_exec(db, a, long_write, NULL, .writer = n, .most = ROUND_ROWS),
	          "db.full_disk");
	TRY(count_marks(db, a, &count));
	CHECK_INT(count, n * ROUND_ROWS);
	CHECK_INT(unlink(filler), 0);
	TRY(db_exec(db, a, long_write, NULL, .writer = n, .most = ROUND_ROWS));
	TRY(count_marks(db, a, &count));
	CHECK_INT(count, (n + 1) * ROUND_ROWS);
	return NULL;
}

TEST(a_full_disk_costs_what_does_not_fit_and_no_more)
{
	RtConf conf = { .loops = 2, .workers = 1 };
	const char *disk = str_z(a, str_fmt(a, "%s/disk", unit_dir()));
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!small_disk(disk))
			_exit(0);
		child.path = str_z(a, str_fmt(a, "%s/full.db", disk));
		CHECK_OK(rt_run(&conf, small_disk_main, a));
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

/* In a process that is nobody in particular: root may write everywhere. */
static Err *read_only_main(void *arg)
{
	Arena *a = arg;
	DbConf conf = { .url = str_fmt(a, "sqlite:%s", child.path), .create = true };
	Db *db = NULL;
	int64_t count;

	CHECK_ERR(db_open(a, &conf, &db), "db.read_only");
	CHECK_INT(chmod(unit_dir(), 0777), 0);
	TRY(db_open(a, &conf, &db));
	CHECK_ERR(count_marks(db, a, &count), "db.sql"); /* it is empty */
	db_close(db);
	return NULL;
}

TEST(a_folder_that_is_read_only_is_told)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	int status;
	pid_t pid;

	child.path = str_z(a, str_fmt(a, "%s/ro.db", unit_dir()));
	CHECK_INT(chown(unit_dir(), 65534, 65534), 0);
	CHECK_INT(chmod(unit_dir(), 0555), 0);
	pid = fork();
	if (!pid) {
		if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(5);
		CHECK_OK(rt_run(&conf, read_only_main, a));
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}
