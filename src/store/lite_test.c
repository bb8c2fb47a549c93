/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lite.c"

#include "db_suite.h"

#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>

static Str suite_path(Arena *a)
{
	return str_fmt(a, "%s/deep/er/test.db", unit_dir());
}

static Err *suite_open(Arena *a, Db **out)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%.*s", STR_ARG(suite_path(a))), .create = true };

	return db_open(a, &conf, out);
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

/* A transaction that keeps the writer until it is let go. */
typedef struct Keeper {
	sem_t begun, go;
	unsigned runs;
} Keeper;

static Err *keep(Db *tx, Arena *a, void *arg)
{
	Keeper *keeper = arg;

	TRY(add_shopper(tx, a, 200));
	keeper->runs++;
	if (keeper->runs == 1) {
		sem_post(&keeper->begun);
		while (sem_wait(&keeper->go) != 0)
			;
	}
	return NULL;
}

typedef struct Part {
	Db *db;
	Arena *a;
	DbTxnFn *fn;
	void *arg;
	Child child;
} Part;

static Err *part_main(void *arg)
{
	Part *part = arg;

	return db_txn(part->db, part->a, DB_READ_COMMITTED, part->fn, part->arg);
}

static Err *part_start(Part *part, Db *db, DbTxnFn *fn, void *arg)
{
	*part = (Part){ .db = db, .a = arena_new(0), .fn = fn, .arg = arg };
	return child_start(&part->child, part_main, part, "part");
}

static Err *part_join(Part *part)
{
	Err *err = child_join(&part->child);

	arena_free(part->a);
	return err;
}

/* Starts one that keeps the writer, and waits until it does. */
static Err *keep_writer(Keeper *keeper, Part *part, Db *db)
{
	*keeper = (Keeper){ 0 };
	lite_of(db)->group_us =
		INT64_MAX; /* a group ends when the queue is empty, however slow this machine is */
	sem_init(&keeper->begun, 0, 0);
	sem_init(&keeper->go, 0, 0);
	TRY(part_start(part, db, keep, keeper));
	while (sem_trywait(&keeper->begun) != 0)
		TRY(fiber_yield());
	return NULL;
}

static Err *add_one(Db *tx, Arena *a, void *arg)
{
	return add_shopper(tx, a, (uint8_t)(uintptr_t)arg);
}

static Err *add_and_fail(Db *tx, Arena *a, void *arg)
{
	TRY(add_one(tx, a, arg));
	return sold_out(a);
}

static unsigned queued(Db *db)
{
	return (unsigned)metric_value(db->cells->queued);
}

SUITE_TEST(what_is_queued_is_committed_at_once_each_by_itself)
{
	Part parts[21];
	Keeper keeper;
	int64_t commits;
	size_t count;

	TRY(keep_writer(&keeper, &parts[0], db));
	commits = metric_value(db->cells->commits);
	for (size_t i = 1; i < COUNT(parts); i++)
		TRY(part_start(&parts[i], db, i % 4 ? add_one : add_and_fail, (void *)i));
	while (queued(db) < COUNT(parts) - 1)
		TRY(fiber_yield());
	sem_post(&keeper.go);
	CHECK_OK(part_join(&parts[0]));
	for (size_t i = 1; i < COUNT(parts); i++) {
		Err *err = child_join(&parts[i].child);

		if (i % 4)
			CHECK_OK(err);
		else
			CHECK_ERR(err, "order.sold_out");
		arena_free(parts[i].a);
	}
	CHECK_INT(metric_value(db->cells->commits), commits + 1);
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 16);
	CHECK_INT(queued(db), 0);
	return NULL;
}

/* In the middle of a write statement: says so, then looks as the engine does whether it has to end. */
typedef struct Middle {
	LiteConn *conn;
	sem_t there;
	bool said;
} Middle;

static int in_the_middle(void *arg)
{
	Middle *middle = arg;

	if (!middle->said)
		sem_post(&middle->there);
	middle->said = true;
	return middle->conn->job && __atomic_load_n(&middle->conn->job->ended, __ATOMIC_RELAXED);
}

static Err *write_long(Db *tx, Arena *a, void *arg)
{
	Middle *middle = arg;

	middle->conn = tx->state;
	sqlite3_progress_handler(middle->conn->db, 1000, in_the_middle, middle);
	return db_exec(tx, a, long_write, NULL, .writer = 1, .most = INT64_C(1) << 40);
}

SUITE_TEST(an_interrupted_write_costs_its_neighbours_nothing)
{
	Part parts[4];
	Keeper keeper;
	Middle middle = { 0 };
	size_t count;

	sem_init(&middle.there, 0, 0);

	TRY(keep_writer(&keeper, &parts[0], db));
	TRY(part_start(&parts[1], db, add_one, (void *)1));
	while (queued(db) < 1)
		TRY(fiber_yield());
	TRY(part_start(&parts[2], db, write_long, &middle));
	while (queued(db) < 2)
		TRY(fiber_yield());
	TRY(part_start(&parts[3], db, add_one, (void *)3));
	while (queued(db) < 3)
		TRY(fiber_yield());
	sem_post(&keeper.go);
	while (sem_trywait(&middle.there) != 0)
		TRY(fiber_yield());
	fiber_cancel(parts[2].child.fiber);
	CHECK_ERR(part_join(&parts[2]), "rt.cancelled");
	CHECK_OK(part_join(&parts[0]));
	CHECK_OK(part_join(&parts[1]));
	CHECK_OK(part_join(&parts[3]));
	CHECK_INT(keeper.runs, 2);
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 3);
	return NULL;
}

SUITE_TEST(readers_do_not_wait_for_the_writer)
{
	Keeper keeper;
	Part part;
	size_t count;

	TRY(keep_writer(&keeper, &part, db));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 0);
	sem_post(&keeper.go);
	CHECK_OK(part_join(&part));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 1);
	return NULL;
}

SUITE_TEST(what_waits_can_be_taken_back)
{
	Keeper keeper;
	Part parts[2];
	size_t count;

	TRY(keep_writer(&keeper, &parts[0], db));
	TRY(part_start(&parts[1], db, add_one, (void *)1));
	while (queued(db) < 1)
		TRY(fiber_yield());
	fiber_cancel(parts[1].child.fiber);
	CHECK_ERR(part_join(&parts[1]), "rt.cancelled");
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(10 * US_PER_MS);

		CHECK_ERR(add_shopper(db, a, 2), "rt.deadline");
	}
	CHECK_INT(queued(db), 0);
	sem_post(&keeper.go);
	CHECK_OK(part_join(&parts[0]));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 1);
	return NULL;
}

static Err *use_outer(Db *tx, Arena *a, void *arg)
{
	Db *db = arg;
	size_t count;
	(void)tx;

	return count_shoppers(db, a, &count);
}

SUITE_TEST(a_transaction_must_not_use_the_database_around_it)
{
	CHECK_ERR(db_txn(db, a, DB_READ_COMMITTED, use_outer, db), "db.misuse");
	return NULL;
}

/* --- other processes --------------------------------------------------------------------------------------------------- */

static sqlite3 *stranger_open(Arena *a)
{
	sqlite3 *other;

	CHECK_INT(sqlite3_open(str_z(a, suite_path(a)), &other), SQLITE_OK);
	return other;
}

SUITE_TEST(the_lock_of_another_process_is_waited_for)
{
	sqlite3 *other = stranger_open(a);
	Part part;
	size_t count;

	CHECK_INT(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(20 * US_PER_MS);

		CHECK_ERR(add_shopper(db, a, 2), "rt.deadline");
	}
	TRY(part_start(&part, db, add_one, (void *)1));
	while (queued(db) < 1)
		TRY(fiber_yield());
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 0);
	CHECK_INT(sqlite3_exec(other, "commit", NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(part_join(&part));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 1);
	sqlite3_close(other);
	return NULL;
}

/* --- the queue --------------------------------------------------------------------------------------------------------- */

static Err *full_main(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(a, "sqlite:%.*s", STR_ARG(suite_path(a))),
		        .create = true,
		        .queue = 1 };
	Part parts[2];
	Keeper keeper;
	uint32_t applied;

	TRY(db_open(a, &conf, &db));
	TRY(schema_apply(db, a, &sample_schema, &applied));
	TRY(keep_writer(&keeper, &parts[0], db));
	TRY(part_start(&parts[1], db, add_one, (void *)1));
	while (queued(db) < 1)
		TRY(fiber_yield());
	CHECK_ERR(add_shopper(db, a, 2), "db.busy");
	CHECK_INT(metric_value(db->cells->refused), 1);
	sem_post(&keeper.go);
	CHECK_OK(part_join(&parts[0]));
	CHECK_OK(part_join(&parts[1]));
	return add_shopper(db, a, 2);
}

TEST(a_full_queue_refuses)
{
	RtConf conf = { .loops = 2, .workers = 2 };

	CHECK_OK(rt_run(&conf, full_main, a));
}

/* --- the log, copies, files -------------------------------------------------------------------------------------------- */

SUITE_TEST(the_log_is_carried_over_as_it_grows)
{
	enum { ROUNDS = 40 };
	DbStatus status;

	for (int64_t i = 0; i < ROUNDS; i++)
		TRY(db_exec(db, a, long_write, NULL, .writer = i, .most = 20000));
	TRY(db->engine->status(db, a, &status));
	CHECK(metric_value(db->cells->checkpoints) > 0);
	CHECK(status.bytes > (4 << 20));
	CHECK(status.log_bytes < (48 << 20));
	CHECK(!status.read_only);
	return NULL;
}

SUITE_TEST(files_are_their_owners_only)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
	struct stat st;

	TRY(add_shopper(db, a, 1));
	for (size_t i = 0; i < COUNT(suffixes); i++) {
		NOTE("%s", suffixes[i]);
		CHECK_INT(stat(str_z(a, str_fmt(a, "%.*s%s", STR_ARG(suite_path(a)), suffixes[i])),
		               &st),
		          0);
		CHECK_INT(st.st_mode & 0777, 0600);
	}
	CHECK_INT(stat(str_z(a, str_fmt(a, "%s/deep", unit_dir())), &st), 0);
	CHECK_INT(st.st_mode & 0777, 0700);
	return NULL;
}

static Err *copied(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/copy.db", unit_dir()) };
	MarksCountRow *row;

	TRY(db_open(a, &conf, &db));
	TRY(db_one(db, a, marks_count, &row));
	CHECK_INT(row->count, 20000);
	return schema_ready(db, a, &sample_schema);
}

static Err *copy_main(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	Str to = str_fmt(a, "%s/copy.db", unit_dir());
	struct stat st;
	uint32_t applied;

	TRY(suite_open(a, &db));
	TRY(schema_apply(db, a, &sample_schema, &applied));
	TRY(db_exec(db, a, long_write, NULL, .writer = 1, .most = 20000));
	TRY(db->engine->backup(db, a, to));
	TRY(db_exec(db, a, long_write, NULL, .writer = 2, .most = 20000));
	CHECK_INT(stat(str_z(a, to), &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK_ERR(db->engine->backup(db, a, to), "db.io");
	CHECK_ERR(db->engine->backup(db, a, S("/nowhere/at/all")), "db.io");
	return copied(a);
}

TEST(a_copy_is_of_one_moment_and_whole)
{
	RtConf conf = { .loops = 2, .workers = 2 };

	CHECK_OK(rt_run(&conf, copy_main, a));
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static Err *open_bad(void *arg)
{
	static const struct {
		Str url;
		const char *slug;
	} cases[] = {
		{ S("sqlite:"), "db.url" },
		{ S("sqlite::memory:"), "db.url" },
		{ S("sqlite://x/y"), "db.url" },
		{ S("sqlite:x?mode=ro"), "db.url" },
		{ S("mysql://x/y"), "db.url" },
		{ S(""), "db.url" },
		{ S("sqlite:/"), "db.url" },
		{ S("sqlite:/no/such/place.db"), "db.missing" },
		{ S("sqlite:/dev/null/x"), "db.io" },
	};
	Arena *a = arg;

	for (size_t i = 0; i < COUNT(cases); i++) {
		DbConf conf = { .url = cases[i].url };
		Db *db = NULL;

		NOTE("row %zu", i);
		CHECK_ERR(db_open(a, &conf, &db), cases[i].slug);
		CHECK_NULL(db);
	}
	return NULL;
}

TEST(a_url_that_is_wrong_is_told)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	CHECK_OK(rt_run(&conf, open_bad, a));
}

static Err *open_damaged(void *arg)
{
	static const Str text = S(
		"this is not a database but a text of more than a hundred bytes, so that it cannot be taken "
		"for a file that is empty and to be filled");
	Arena *a = arg;
	const char *path = str_z(a, str_fmt(a, "%s/bad.db", unit_dir()));
	DbConf conf = { .url = str_fmt(a, "sqlite:%s", path) };
	FILE *f = fopen(path, "w");
	Db *db;

	CHECK(f && fwrite(text.at, 1, text.len, f) == text.len && fclose(f) == 0);
	CHECK_ERR(db_open(a, &conf, &db), "db.corrupt");
	return NULL;
}

TEST(what_is_no_database_is_told)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	CHECK_OK(rt_run(&conf, open_damaged, a));
}

/* --- after a crash ----------------------------------------------------------------------------------------------------- */

/* A process that ends without closing leaves its log; then the file is damaged in its middle. */
static Err *crash_main(void *arg)
{
	Arena *a = arg;
	Db *db;
	uint32_t applied;

	TRY(suite_open(a, &db));
	TRY(schema_apply(db, a, &sample_schema, &applied));
	for (uint8_t i = 0; i < 100; i++)
		TRY(add_shopper(db, a, i));
	_exit(0);
}

static Err *open_again(void *arg)
{
	Arena *a = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(a, "sqlite:%.*s", STR_ARG(suite_path(a))) };
	size_t count;

	TRY(db_open(a, &conf, &db));
	TRY(count_shoppers(db, a, &count));
	CHECK_INT(count, 100);
	return NULL;
}

static void crash(Arena *a)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	int status;
	pid_t pid;

	unit_dir();
	pid = fork();
	if (!pid)
		_exit(rt_run(&conf, crash_main, a) ? 1 : 2);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

/* One more that ends with a log. */
static Err *touch_main(void *arg)
{
	Arena *a = arg;
	DbConf conf = { .url = str_fmt(a, "sqlite:%.*s", STR_ARG(suite_path(a))) };
	Db *db;

	TRY(db_open(a, &conf, &db));
	TRY(db_exec(db, a, counter_set, NULL, .name = S("one"), .value = 1));
	_exit(0);
}

static void leave_log(Arena *a)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(rt_run(&conf, touch_main, a) ? 1 : 2);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

TEST(after_a_crash_all_is_there)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	struct stat st;

	crash(a);
	CHECK_INT(stat(str_z(a, str_fmt(a, "%.*s-wal", STR_ARG(suite_path(a)))), &st), 0);
	CHECK(st.st_size > 0);
	CHECK_OK(rt_run(&conf, open_again, a));
	CHECK(stat(str_z(a, str_fmt(a, "%.*s-wal", STR_ARG(suite_path(a)))), &st) != 0);
}

TEST(after_a_crash_damage_is_found_before_it_serves)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	static char rubbish[7 * 4096]; /* the pages of tables */
	int fd;

	crash(a);
	CHECK_OK(rt_run(&conf, open_again, a)); /* carries over the log */
	leave_log(a);
	memset(rubbish, 0x55, sizeof rubbish);
	fd = open(str_z(a, suite_path(a)), O_RDWR);
	CHECK(fd >= 0 && pwrite(fd, rubbish, sizeof rubbish, 4096) == sizeof rubbish);
	close(fd);
	CHECK_ERR(rt_run(&conf, open_again, a), "db.corrupt");
}
