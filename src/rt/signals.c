/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals come to one fiber, crashes to one line of text.
 *
 * Everything that asks for something is blocked before threads start and stays pending until signal_wait reads it from a
 * signalfd, which is opened for each wait: signals are rare, and so nothing is kept. Programs that we start inherit the
 * mask and must be given an empty one. The terminal's stop signals keep their effect.
 *
 * The crash handler runs on a stack of its own, for the fiber's may be what ran over. It uses what is safe in a signal
 * handler only, and ends with the default action, so that core files and exit statuses are as ever. */
#include "rt/signals.h"

#include "base/sanitize.h"
#include "rt/rt_int.h"
#include "rt/signals_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { CRASH_STACK_BYTES = 64 << 10 };

static const int waited[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2 };
static const int left_alone[] = { SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT, SIGTRAP,
	                          SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU, SIGPROF };

static __thread void *crash_stack;

static Err no_signalfd = ERR_STATIC(IO, "rt.signals", "the kernel gave no descriptor for signals");

static sigset_t set_of_waited(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(waited); i++)
		sigaddset(&set, waited[i]);
	return set;
}

void signals_block(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < COUNT(left_alone); i++)
		sigdelset(&set, left_alone[i]);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* --- waiting -------------------------------------------------------------------------------------------------------- */

Err *signal_wait(int *signo)
{
	AUTO(watch_close) Watch watch = { .fd = -1 };
	sigset_t set = set_of_waited();
	struct signalfd_siginfo info;
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	Err *err;

	if (fd < 0)
		return &no_signalfd;
	err = watch_open(&watch, fd);
	if (err) {
		close(fd);
		watch.fd = -1;
		return err;
	}
	for (;;) {
		TRY(watch_wait_readable(&watch));
		if (read(fd, &info, sizeof info) == sizeof info)
			break;
		watch.readable = false;
	}
	*signo = (int)info.ssi_signo;
	return NULL;
}

/* --- crashes -------------------------------------------------------------------------------------------------------- */

/* A line put together without anything that might lock or allocate. */
typedef struct Line {
	char text[512];
	size_t len;
} Line;

static void line_put(Line *line, const char *text)
{
	for (; *text && line->len < sizeof line->text - 1; text++)
		line->text[line->len++] = *text;
}

static void line_put_number(Line *line, uint64_t n, unsigned base)
{
	char digits[24];
	size_t at = sizeof digits - 1;

	digits[at] = 0;
	do
		digits[--at] = "0123456789abcdef"[n % base];
	while (n /= base);
	line_put(line, digits + at);
}

static const char *crash_name(int signo)
{
	switch (signo) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGILL:
		return "SIGILL";
	default:
		return "a signal";
	}
}

static void line_put_crash(Line *line, int signo, const void *addr)
{
	const char *name = NULL;
	size_t stack_bytes = 0;
	Fiber *fiber = fiber_self();

	line_put(line, "banyan: ");
	if (signo != SIGFPE && signo != SIGILL && fiber_guard_hit(addr, &name, &stack_bytes)) {
		line_put(line, "stack overflow in fiber \"");
		line_put(line, name);
		line_put(line, "\" (");
		line_put_number(line, stack_bytes >> 10, 10);
		line_put(line, " KiB); ");
	} else {
		line_put(line, crash_name(signo));
		if (fiber) {
			line_put(line, " in fiber \"");
			line_put(line, fiber_name(fiber));
			line_put(line, "\"");
		}
		line_put(line, "; ");
	}
	line_put(line, "address 0x");
	line_put_number(line, (uintptr_t)addr, 16);
	if (loop_self()) {
		line_put(line, ", loop ");
		line_put_number(line, loop_index(loop_self()), 10);
	}
	line_put(line, "\n");
}

/* The default action is back already (SA_RESETHAND): a fault happens again on return, a signal that was sent is sent on. */
static void on_crash(int signo, siginfo_t *info, void *context)
{
	Line line = { 0 };

	(void)context;
	line_put_crash(&line, signo, info->si_addr);
	if (write(STDERR_FILENO, line.text, line.len) < 0 || info->si_code <= 0)
		raise(signo);
}

void signals_install_crash(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	struct sigaction action = { .sa_sigaction = on_crash,
		                    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	if (SANITIZE_ADDRESS || SANITIZE_THREAD)
		return;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < COUNT(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

void signals_thread_init(void)
{
	stack_t stack = { .ss_size = CRASH_STACK_BYTES };

	if (SANITIZE_ADDRESS || SANITIZE_THREAD || crash_stack)
		return;
	stack.ss_sp = mmap(NULL, CRASH_STACK_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
		return; /* a crash will be silent, nothing else */
	crash_stack = stack.ss_sp;
}

void signals_thread_fini(void)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	if (!crash_stack)
		return;
	sigaltstack(&none, NULL);
	munmap(crash_stack, CRASH_STACK_BYTES);
	crash_stack = NULL;
}
