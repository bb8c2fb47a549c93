/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing files. The first error is told, and leaves nothing behind but what was there before. */
#include "audit/out_file.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0666 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* 0, or errno. */
static int write_all(const char *path, Str text, const struct stat *was)
{
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE);

	if (fd < 0)
		return errno;
	if (was)
		(void)fchmod(fd, was->st_mode & ALLPERMS);
	while (text.len) {
		ssize_t n = write(fd, text.at, text.len);

		if (n < 0 && errno != EINTR)
			return errno;
		text = str_sub(text, (size_t)MAX(n, 0), text.len);
	}
	return 0;
}

Err *out_write(Arena *a, Str path, Str text)
{
	const char *to = str_z(a, path), *beside = NULL;
	struct stat about;
	bool there = stat(to, &about) == 0;
	int error;

	if (!there || S_ISREG(about.st_mode))
		beside = str_fmt(a, "%s.%d.part", to, (int)getpid()).at;
	error = write_all(beside ? beside : to, text, there && beside ? &about : NULL);
	if (!error && beside && rename(beside, to) != 0)
		error = errno;
	if (error && beside)
		(void)unlink(beside);
	return error ? err_errno(a, error, "audit.write", "%s could not be written", to) : NULL;
}
