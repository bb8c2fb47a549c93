/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/ready.c"

#include "unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Pair {
	int ours, theirs;
	Ready ready;
} Pair;

static unsigned told;

static void pair_open(Pair *pair)
{
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	pair->ours = fds[0];
	pair->theirs = fds[1];
	ready_open(&pair->ready, pair->ours);
}

static void pair_close(Pair *pair)
{
	ready_close(&pair->ready);
	close(pair->ours);
	close(pair->theirs);
}

static void say(int fd, const char *bytes, size_t len)
{
	CHECK_INT(write(fd, bytes, len), len);
}

static void note(Ready *ready)
{
	char byte;

	told++;
	CHECK_INT(read(ready->fd, &byte, 1), 1);
}

static Err *speak(void *arg)
{
	const Pair *pair = arg;

	TRY(fiber_yield());
	say(pair->theirs, "abc", 3);
	return NULL;
}

static Err *reads_in_bits(void *arg)
{
	Pair pair;
	AUTO(child_end) Child child = { 0 };
	char byte;

	(void)arg;
	pair_open(&pair);
	CHECK_OK(child_start(&child, speak, &pair, "speak"));
	for (unsigned i = 0; i < 3; i++) { /* what was left there is told again */
		while (read(pair.ours, &byte, 1) < 0)
			CHECK_OK(ready_wait(&pair.ready, true, false));
		CHECK_INT(byte, "abc"[i]);
		CHECK_OK(ready_wait(&pair.ready, i < 2, true));
	}
	pair_close(&pair);
	return NULL;
}

TEST(ready_tells_again_of_what_was_left)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, reads_in_bits, NULL));
}

static Err *is_gone(void *arg)
{
	uint32_t watches = loop_stats(loop_self()).watches;
	Pair pair;

	(void)arg;
	pair_open(&pair);
	CHECK_OK(ready_watch(&pair.ready, note));
	CHECK_INT(loop_stats(loop_self()).watches, watches + 1);
	close(pair.ours);
	ready_gone(&pair.ready);
	CHECK_INT(pair.ready.fd, -1);
	CHECK_INT(loop_stats(loop_self()).watches, watches);
	ready_gone(&pair.ready);
	CHECK_INT(loop_stats(loop_self()).watches, watches);
	close(pair.theirs);
	return NULL;
}

TEST(ready_forgets_what_the_library_has_closed)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, is_gone, NULL));
}

static Err *out_of_turn(void *arg)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	Pair pair;

	(void)arg;
	pair_open(&pair);
	CHECK_OK(ready_wait(&pair.ready, true, true)); /* writable */
	say(pair.theirs, "x", 1);
	while (pair.ready.asked) /* readable and nobody waits: not asked for any more */
		CHECK_OK(fiber_sleep(1000));
	CHECK_OK(ready_wait(&pair.ready, true, false));
	CHECK_INT(read(pair.ours, &(char){ 0 }, 1), 1);
	limit = deadline_begin(20000);
	CHECK_ERR(ready_wait(&pair.ready, true, false), "rt.deadline");
	pair_close(&pair);
	pair_close(&pair);
	return NULL;
}

TEST(ready_does_not_spin_when_nobody_waits)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, out_of_turn, NULL));
}

static Err *is_watched(void *arg)
{
	Pair pair;

	(void)arg;
	pair_open(&pair);
	CHECK_OK(ready_watch(&pair.ready, note));
	say(pair.theirs, "ab", 2);
	while (told < 2)
		CHECK_OK(fiber_sleep(1000));
	CHECK_INT(read(pair.ours, &(char){ 0 }, 1), -1);
	CHECK_OK(ready_watch(&pair.ready, NULL));
	say(pair.theirs, "c", 1);
	CHECK_OK(ready_wait(&pair.ready, true, false));
	CHECK_INT(told, 2);
	pair_close(&pair);
	ready_open(&pair.ready, pair.ours);
	CHECK_ERR(ready_watch(&pair.ready, note), "rt.epoll");
	return NULL;
}

TEST(ready_tells_a_watcher_when_no_fiber_waits)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, is_watched, NULL));
}
