/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/signals.c"

#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>

static Err *in_rt(RtMain *fn, void *arg)
{
	RtConf conf = { .loops = 2 };

	return rt_run(&conf, fn, arg);
}

/* --- waiting -------------------------------------------------------------------------------------------------------- */

static Err *wait_for_all(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT(waited); i++) {
		int signo = 0;

		kill(getpid(), waited[i]); /* before anybody waits: it stays pending */
		TRY(signal_wait(&signo));
		CHECK_INT(signo, waited[i]);
	}
	return NULL;
}

TEST(signals_are_read_one_by_one)
{
	CHECK_OK(in_rt(wait_for_all, NULL));
}

static Err *wait_child(void *arg)
{
	return signal_wait(arg);
}

static void send_hup(void *arg)
{
	(void)arg;
	kill(getpid(), SIGHUP);
}

static Err *wait_while_parked(void *arg)
{
	Child child = { 0 };
	int signo = 0;
	(void)arg;

	TRY(child_start(&child, wait_child, &signo, "signals"));
	TRY(fiber_yield());
	loop_post(rt_loop(1), send_hup, NULL);
	TRY(child_join(&child));
	CHECK_INT(signo, SIGHUP);
	return NULL;
}

TEST(a_signal_wakes_the_fiber_that_waits)
{
	CHECK_OK(in_rt(wait_while_parked, NULL));
}

static Err *wait_cancelled(void *arg)
{
	int signo = 0;
	(void)arg;

	fiber_cancel_at_park(1);
	return signal_wait(&signo);
}

TEST(waiting_can_be_cancelled)
{
	CHECK_ERR(in_rt(wait_cancelled, NULL), "rt.cancelled");
}

static Err *die_late(void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGPIPE);
	return NULL;
}

TEST(a_signal_that_nobody_waited_for_does_not_kill)
{
	int signo = 0;

	CHECK_OK(in_rt(die_late, NULL));
	CHECK_OK(in_rt(wait_child, &signo)); /* and the next run finds it */
	CHECK_INT(signo, SIGTERM);
}

/* --- crashes -------------------------------------------------------------------------------------------------------- */

typedef enum Crash { OVERFLOW, NULL_READ, SENT, DIVIDE } Crash;

static unsigned deeper(unsigned n)
{
	volatile char frame[4096];

	frame[n % sizeof frame] = (char)n;
	return n == UINT32_MAX ? 0 : deeper(n + 1) + (unsigned)frame[n % sizeof frame];
}

static void crash_fiber(void *arg)
{
	Crash *how = arg;
	volatile int zero = 0;

	if (*how == OVERFLOW)
		zero = (int)deeper(0);
	else if (*how == NULL_READ)
		zero = *(volatile int *)(uintptr_t)(zero + 64);
	else if (*how == SENT)
		raise(SIGSEGV);
	else
		raise(SIGFPE);
	(void)zero;
}

static void start_crash(void *arg)
{
	CHECK_OK(fiber_start(crash_fiber, arg, "exchange"));
}

static Err *crash_on_loop_1(void *arg)
{
	loop_post(rt_loop(1), start_crash, arg);
	for (;;)
		TRY(fiber_park());
}

TEST(a_crash_says_where_and_dies_of_its_signal)
{
	static struct {
		Crash how;
		int signo;
		const char *said;
	} cases[] = {
		{ OVERFLOW, SIGSEGV,
		  "banyan: stack overflow in fiber \"exchange\" (256 KiB); address 0x" },
		{ NULL_READ, SIGSEGV,
		  "banyan: SIGSEGV in fiber \"exchange\"; address 0x40, loop 1\n" },
		{ SENT, SIGSEGV, "banyan: SIGSEGV in fiber \"exchange\"; address 0x" },
		{ DIVIDE, SIGFPE, "banyan: SIGFPE in fiber \"exchange\"; address 0x" },
	};

	if (SANITIZE_ADDRESS || SANITIZE_THREAD)
		return;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char said[1024] = { 0 };
		size_t len = 0;
		int ends[2], status = 0;
		ssize_t n;
		pid_t child;

		NOTE("case %zu", i);
		CHECK_INT(pipe(ends), 0);
		child = fork();
		if (child == 0) {
			dup2(ends[1], STDERR_FILENO);
			close(ends[0]);
			close(ends[1]);
			_exit(in_rt(crash_on_loop_1, &cases[i].how) != NULL);
		}
		close(ends[1]);
		while ((n = read(ends[0], said + len, sizeof said - 1 - len)) > 0)
			len += (size_t)n;
		close(ends[0]);
		CHECK_INT(waitpid(child, &status, 0), child);
		CHECK(WIFSIGNALED(status));
		CHECK_INT(WTERMSIG(status), cases[i].signo);
		CHECK_STR(str_sub((Str){ said, len }, 0, strlen(cases[i].said)),
		          str_of(cases[i].said));
		CHECK_INT(said[len - 1], '\n');
	}
}

TEST(a_line_is_cut_never_overrun)
{
	Line line = { 0 };

	for (int i = 0; i < 100; i++)
		line_put(&line, "0123456789");
	CHECK_INT(line.len, sizeof line.text - 1);
	line = (Line){ 0 };
	line_put_number(&line, 0, 10);
	line_put_number(&line, UINT64_MAX, 10);
	line_put_number(&line, 0xbeef, 16);
	CHECK_STR(((Str){ line.text, line.len }), S("018446744073709551615beef"));
}
