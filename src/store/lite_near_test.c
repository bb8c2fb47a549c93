/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/types.h>
#include <sys/uio.h>

/* The kernel's memory, as the test would have it. */
static ssize_t pretended_preadv2(int fd, const struct iovec *parts, int count, off_t at, int flags);
#define preadv2 pretended_preadv2
#include "store/lite_near.c"
#undef preadv2

#include "sample_schema.h"
#include "sample_sql.h"
#include "store/schema.h"
#include "unit.h"

#include <sys/wait.h>

static struct {
	bool cold;  /* nothing is in memory */
	bool half;  /* only the first half of what is asked for */
	bool other; /* the filesystem cannot tell */
	unsigned asked;
} kernel;

static ssize_t pretended_preadv2(int fd, const struct iovec *parts, int count, off_t at, int flags)
{
	CHECK_INT(flags, RWF_NOWAIT);
	CHECK_INT(count, 1);
	kernel.asked++;
	errno = kernel.other ? EOPNOTSUPP : EAGAIN;
	if (kernel.cold || kernel.other)
		return -1;
	return pread(fd, parts->iov_base, kernel.half ? parts->iov_len / 2 : parts->iov_len, at);
}

typedef Err *NearFn(Db *db, Arena *a);
typedef struct NearRun {
	NearFn *fn;
	Arena *a;
} NearRun;

static Err *run_main(void *arg)
{
	NearRun *run = arg;
	AUTO(db_closep) Db *db = NULL;
	DbConf conf = { .url = str_fmt(run->a, "sqlite:%s/near.db", unit_dir()), .create = true };
	uint32_t applied;

	TRY(db_open(run->a, &conf, &db));
	TRY(schema_apply(db, run->a, &sample_schema, &applied));
	TRY(db_exec(db, run->a, counter_set, NULL, .name = S("one"), .value = 42));
	return run->fn(db, run->a);
}

static void run_near(Arena *a, NearFn *fn)
{
	RtConf conf = { .loops = 1, .workers = 1 };
	NearRun run = { fn, a };

	CHECK_OK(rt_run(&conf, run_main, &run));
}

/* Reads a counter; was it read on the loop? */
static Err *read_one(Db *db, Arena *a, int64_t want, bool *near_by)
{
	int64_t before = metric_value(db->cells->near);
	CounterGetRow *row;

	TRY(db_one(db, a, counter_get, &row, .name = S("one")));
	CHECK_INT(row->value, want);
	*near_by = metric_value(db->cells->near) > before;
	return NULL;
}

static Err *warm_and_cold(Db *db, Arena *a)
{
	bool near_by;

	TRY(read_one(db, a, 42, &near_by));
	CHECK(near_by);
	for (int i = 0; i < 3; i++) {
		kernel.cold = i == 0;
		kernel.half = i == 1;
		kernel.other = i == 2;
		NOTE("case %d", i);
		/* what the connection has kept is stale after it */
		TRY(db_exec(db, a, counter_set, NULL, .name = S("one"), .value = 100 + i));
		TRY(read_one(db, a, 100 + i, &near_by));
		CHECK(!near_by);
		kernel.cold = kernel.half = kernel.other = false;
		TRY(read_one(db, a, 100 + i, &near_by));
		CHECK(near_by);
	}
	CHECK(kernel.asked > 0);
	return NULL;
}

TEST(what_is_not_in_memory_is_read_by_a_thread)
{
	run_near(a, warm_and_cold);
}

static Err *long_and_short(Db *db, Arena *a)
{
	int64_t before = metric_value(db->cells->near);
	LongReadRow *row;
	bool near_by;

	for (int i = 0; i < 3; i++) {
		TRY(db_one(db, a, long_read, &row, .most = 100000));
		CHECK_INT(row->count, 100000);
	}
	CHECK_INT(metric_value(db->cells->near), before);
	TRY(read_one(db, a, 42, &near_by));
	CHECK(near_by);
	return NULL;
}

TEST(what_takes_long_is_read_by_a_thread)
{
	run_near(a, long_and_short);
}

typedef struct Turns {
	Db *db;
	Arena *a;
	unsigned mine, other; /* reads */
} Turns;

static Err *read_many(void *arg)
{
	Turns *turns = arg;

	for (int i = 0; i < 200; i++) {
		bool near_by;

		TRY(read_one(turns->db, turns->a, 42, &near_by));
		turns->other++;
	}
	return NULL;
}

static Err *take_turns(Db *db, Arena *a)
{
	AUTO(child_end) Child child = { 0 };
	Turns turns = { .db = db, .a = a };
	bool near_by, shared = false;

	TRY(read_one(db, a, 42, &near_by));
	TRY(child_start(&child, read_many, &turns, "other"));
	for (turns.mine = 0; turns.mine < 200; turns.mine++) {
		TRY(read_one(db, a, 42, &near_by));
		shared |= turns.other > 0 && turns.other < 200;
	}
	CHECK(shared);
	TRY(child_join(&child));
	fiber_cancel(fiber_self());
	CHECK_ERR(read_one(db, a, 42, &near_by), "rt.cancelled");
	return NULL;
}

TEST(no_fiber_keeps_the_loop_to_itself)
{
	run_near(a, take_turns);
}

/* Two on one file in one process: closing one must not take away the other's locks. */
static Err *two_at_once(Db *db, Arena *a)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/near.db", unit_dir()) };
	Db *other;
	bool near_by;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	pid_t pid;
	int status;

	TRY(db_open(a, &conf, &other));
	TRY(read_one(other, a, 42, &near_by));
	db_close(other);
	TRY(read_one(db, a, 42, &near_by));
	CHECK(near_by);
	/* another process asks: the database file is still locked by this one */
	pid = fork();
	if (!pid) {
		int fd = open(str_z(a, str_fmt(a, "%s/near.db", unit_dir())), O_RDWR);

		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	return NULL;
}

TEST(closing_one_database_leaves_the_locks_of_another_on_the_file)
{
	run_near(a, two_at_once);
}

/* It would be ten minutes, and this test killed. */
static Err *sleep_long(Db *db, Arena *a)
{
	sqlite3_vfs *vfs;
	bool near_by;

	TRY(read_one(db, a, 42, &near_by));
	vfs = sqlite3_vfs_find(LITE_NEAR_VFS);
	CHECK(vfs);
	CHECK_INT(vfs->xSleep(vfs, 600 * (int)US_PER_S), 600 * (int)US_PER_S);
	return NULL;
}

TEST(sqlite_does_not_sleep_on_a_loop)
{
	run_near(a, sleep_long);
}
