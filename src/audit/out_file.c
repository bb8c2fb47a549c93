/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing files. The first error is told, and leaves nothing behind but what was there before. A link to a file stays one. */
#include "audit/out_file.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0666 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static void freep(char **text)
{
	free(*text);
}

/* 0, or errno. fresh: the file is ours alone, so nothing that lies in its place, or leads elsewhere from there, is written to. */
static int write_all(const char *path, bool fresh, Str text, const struct stat *was)
{
	int how = fresh ? O_EXCL | O_NOFOLLOW : O_TRUNC;
	AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, MODE);

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
	AUTO(freep) char *real = realpath(str_z(a, path), NULL);
	const char *to = real ? real : str_z(a, path), *beside = NULL;
	struct stat about;
	bool there = stat(to, &about) == 0;
	int error;

	/* /dev/stdout may be a file, which somebody else has open: it is not replaced. */
	if ((!there || S_ISREG(about.st_mode)) && !str_starts(path, S("/dev/")) &&
	    !str_starts(path, S("/proc/")))
		beside = str_fmt(a, "%s.%d.part", to, (int)getpid()).at;
	if (beside)
		(void)unlink(beside);
	error = write_all(beside ? beside : to, beside != NULL, text,
	                  there && beside ? &about : NULL);
	if (!error && beside && rename(beside, to) != 0)
		error = errno;
	if (error && beside)
		(void)unlink(beside);
	return error ? err_errno(a, error, "audit.write", "%s could not be written", str_z(a, path))
	             : NULL;
}
