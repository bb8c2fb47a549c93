/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/access.c"
#include "base/file.h"
#include "unit.h"

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

static AccessRecord record(uint64_t n)
{
	return (AccessRecord){ .status = 200,
		               .method = S("GET"),
		               .path = S("/x"),
		               .connect_us = -1,
		               .head_us = -1,
		               .bytes_out = n };
}

static uint64_t lines_in(Arena *a, Str path)
{
	Str text = S("");

	CHECK_OK(file_read(a, path, 0, &text));
	CHECK(!text.len || text.at[text.len - 1] == '\n');
	return count_lines(text.at, text.len);
}

static Str path_in_dir(Arena *a, const char *name)
{
	return str_fmt(a, "%s/%s", unit_dir(), name);
}

static void wait_until_written(AccessLane *lane)
{
	while (__atomic_load_n(&lane->given, __ATOMIC_ACQUIRE) || access_tick(lane))
		sched_yield();
	while (__atomic_load_n(&lane->given, __ATOMIC_ACQUIRE))
		sched_yield();
}

TEST(every_record_is_in_the_file_after_closing)
{
	enum { RECORDS_ = 5000 };
	Str path = path_in_dir(a, "log");
	AccessLog *log = NULL;
	AccessLane *one, *two;

	CHECK_OK(access_open(a, &(AccessLogConf){ .path = path }, &log));
	one = access_lane(log);
	two = access_lane(log);
	for (uint64_t i = 0; i < RECORDS_; i++) {
		AccessRecord r = record(i);

		access_write(i & 1 ? one : two, &r);
		if (i % 1000 == 0)
			wait_until_written(one);
	}
	access_close(log);
	CHECK_INT(access_stats().dropped + lines_in(a, path), RECORDS_);
	CHECK_INT(access_stats().records, RECORDS_);
	CHECK_INT(access_stats().dropped, 0);
}

TEST(a_tick_writes_what_waits)
{
	Str path = path_in_dir(a, "log");
	AccessLog *log = NULL;
	AccessLane *lane;
	AccessRecord r = record(1);

	CHECK_OK(access_open(a, &(AccessLogConf){ .path = path, .format = ACCESS_TEXT }, &log));
	lane = access_lane(log);
	CHECK(!access_tick(lane));
	access_write(lane, &r);
	CHECK_INT(lines_in(a, path), 0);
	CHECK(!access_tick(lane));
	wait_until_written(lane);
	CHECK_INT(lines_in(a, path), 1);
	access_close(log);
}

TEST(a_file_that_was_renamed_is_opened_anew)
{
	Str path = path_in_dir(a, "log"), old = path_in_dir(a, "log.1");
	AccessLog *log = NULL;
	AccessLane *lane;
	AccessRecord r = record(1);

	CHECK_OK(access_open(a, &(AccessLogConf){ .path = path }, &log));
	lane = access_lane(log);
	access_write(lane, &r);
	wait_until_written(lane);
	CHECK_INT(rename(str_z(a, path), str_z(a, old)), 0);
	access_write(lane, &r);
	wait_until_written(lane);
	CHECK_INT(lines_in(a, old), 2); /* until told, it goes on there */
	CHECK_OK(access_reopen(a, log));
	access_write(lane, &r);
	access_close(log);
	CHECK_INT(lines_in(a, old), 2);
	CHECK_INT(lines_in(a, path), 1);
}

TEST(a_file_that_cannot_be_opened_is_an_error_and_the_old_one_goes_on)
{
	Str folder = path_in_dir(a, "folder"), path = str_fmt(a, "%.*s/log", STR_ARG(folder)),
	    moved = path_in_dir(a, "moved");
	AccessLog *log = NULL;
	AccessRecord r = record(1);

	CHECK_ERR(access_open(a, &(AccessLogConf){ .path = path }, &log), "access.open");
	CHECK_NULL(log);
	CHECK_INT(mkdir(str_z(a, folder), 0700), 0);
	CHECK_OK(access_open(a, &(AccessLogConf){ .path = path }, &log));
	CHECK_INT(rename(str_z(a, folder), str_z(a, moved)), 0);
	CHECK_ERR(access_reopen(a, log), "access.open");
	access_write(access_lane(log), &r);
	access_close(log);
	CHECK_INT(lines_in(a, str_fmt(a, "%.*s/log", STR_ARG(moved))), 1);
}

TEST(a_full_disk_loses_records_and_counts_them)
{
	AccessLog *log = NULL;
	AccessLane *lane;
	AccessRecord r = record(1);

	CHECK_OK(access_open(a, &(AccessLogConf){ .path = S("/dev/full") }, &log));
	lane = access_lane(log);
	for (int i = 0; i < 100; i++)
		access_write(lane, &r);
	access_close(log);
	CHECK_INT(access_stats().dropped, 100);
	CHECK_INT(access_stats().bytes, 0);
}

typedef struct Reader {
	int fd;
	uint64_t lines;
} Reader;

static void *read_all(void *arg)
{
	Reader *reader = arg;
	char buffer[65536];
	ssize_t n;

	while ((n = read(reader->fd, buffer, sizeof buffer)) > 0)
		reader->lines += count_lines(buffer, (size_t)n);
	return NULL;
}

/* Nobody reads: the loop never waits, both buffers fill, the rest is dropped; then everything kept comes out whole. */
TEST(a_stuck_reader_costs_records_but_never_the_loop)
{
	enum { RECORDS_ = 10000 };
	AccessLog *log = NULL;
	AccessLane *lane;
	Reader reader = { 0 };
	pthread_t id;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	CHECK_OK(access_open(a, &(AccessLogConf){ .fd = fds[1] }, &log));
	lane = access_lane(log);
	for (uint64_t i = 0; i < RECORDS_; i++) {
		AccessRecord r = record(i);

		access_write(lane, &r);
	}
	CHECK(access_stats().dropped > 0);
	CHECK(access_tick(lane)); /* something waits */
	reader.fd = fds[0];
	CHECK_INT(pthread_create(&id, NULL, read_all, &reader), 0);
	access_close(log);
	close(fds[1]); /* the log did not: it was the caller's */
	CHECK_INT(pthread_join(id, NULL), 0);
	CHECK_INT(reader.lines + access_stats().dropped, RECORDS_);
	CHECK(reader.lines > 500);
}

TEST(closing_does_not_wait_for_a_reader_for_ever)
{
	AccessLog *log = NULL;
	AccessLane *lane;
	Reader reader = { 0 };
	int fds[2];
	int64_t start = time_mono_us();

	CHECK_INT(pipe(fds), 0);
	CHECK_OK(access_open(a, &(AccessLogConf){ .fd = fds[1] }, &log));
	lane = access_lane(log);
	for (uint64_t i = 0; i < 5000; i++) {
		AccessRecord r = record(i);

		access_write(lane, &r);
	}
	access_close(log);
	CHECK(time_mono_us() - start < 2 * ACCESS_CLOSE_MS * US_PER_MS);
	CHECK_INT(close(fds[1]), 0);
	reader.fd = fds[0];
	read_all(
		&reader); /* the reader comes back: what was kept is written after all, and the log frees itself */
	CHECK_INT(reader.lines + access_stats().dropped, 5000);
}

/* A descriptor that does not block, as a shell may leave stdout. */
TEST(a_pipe_that_does_not_block_is_waited_for)
{
	enum { RECORDS_ = 2000 };
	AccessLog *log = NULL;
	AccessLane *lane;
	Reader reader = { 0 };
	pthread_t id;
	int fds[2];

	CHECK_INT(pipe2(fds, 0), 0);
	CHECK_INT(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	CHECK_OK(access_open(a, &(AccessLogConf){ .fd = fds[1] }, &log));
	lane = access_lane(log);
	reader.fd = fds[0];
	for (uint64_t i = 0; i < RECORDS_ / 2; i++) {
		AccessRecord r = record(i);

		access_write(lane, &r);
	}
	CHECK_INT(pthread_create(&id, NULL, read_all, &reader), 0);
	for (uint64_t i = 0; i < RECORDS_ / 2; i++) {
		AccessRecord r = record(i);

		access_write(lane, &r);
	}
	access_close(log);
	close(fds[1]);
	CHECK_INT(pthread_join(id, NULL), 0);
	CHECK_INT(reader.lines + access_stats().dropped, RECORDS_);
}

TEST(families_are_in_order)
{
	size_t count;
	const MetricFamily *rows = access_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
}
