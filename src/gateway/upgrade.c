/* SPDX-License-Identifier: Apache-2.0
 *
 * A new process of the file that stands at our own path now. The command line is the kernel's word of it
 * (/proc/self/cmdline), so that nothing that was said at the start is lost; the environment goes with it, that of a
 * service manager too. As a child it is in the same service, which is what lets systemd accept it as the new main one. */
#include "gateway/upgrade.h"

#include "base/arena.h"
#include "base/file.h"
#include "rt/watch.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 64, LINE_BYTES = 64 << 10 };

static Err unreadable = ERR_STATIC(IO, "gateway.upgrade", "the command line cannot be read");

/* Our words, "--takeover" after the command's name unless it is there. */
static Err *command_line(Arena *a, char *words[WORDS_MAX + 2])
{
	Str line;
	size_t count = 0;
	bool said = false;

	TRY(file_read(a, S("/proc/self/cmdline"), LINE_BYTES, &line));
	while (line.len) {
		size_t len = strnlen(line.at, line.len);

		if (count == WORDS_MAX)
			return err_new(a, ERR_IO, "gateway.upgrade",
			               "the command line is too long");
		words[count++] = (char *)(uintptr_t)str_z(a, str_sub(line, 0, len));
		said = said || strcmp(words[count - 1], "--takeover") == 0;
		line = str_sub(line, len + 1, line.len);
	}
	if (count < 2)
		return &unreadable;
	if (!said) {
		memmove(words + 3, words + 2, (count - 2) * sizeof *words);
		words[2] = (char *)(uintptr_t) "--takeover";
		count++;
	}
	words[count] = NULL;
	return NULL;
}

Err *upgrade_start(Arena *a, int *pid)
{
	char *words[WORDS_MAX + 2] = { NULL };
	posix_spawnattr_t how;
	sigset_t none, usual;
	int errnum;

	TRY(command_line(a, words));
	if (!words[0])
		return &unreadable;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE); /* the only one that we ignore, and an ignored one stays so */
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &usual);
	errnum = posix_spawnp(pid, words[0], NULL, &how, words, environ);
	posix_spawnattr_destroy(&how);
	if (errnum)
		return err_errno(a, errnum, "gateway.upgrade", "%s cannot be started", words[0]);
	return NULL;
}

Err *upgrade_wait(int pid, int *status)
{
	AUTO(watch_close) Watch watch = WATCH_CLOSED;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	Err *err;

	*status = 0;
	if (fd < 0)
		return NULL; /* an old kernel: nobody waits for it, and nothing but that is lost */
	err = watch_open(&watch, fd);
	if (err) {
		close(fd);
		watch.fd = -1;
		return err;
	}
	TRY(watch_wait_readable(&watch));
	waitpid(pid, status, WNOHANG);
	return NULL;
}
