/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads to the end rather than trusting the size: files under /proc and /dev say 0. A folder is refused by the kernel. */
#include "base/file.h"

#include "base/arena.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static Err *read_all(Arena *a, int fd, Str path, size_t limit_bytes, Str *out)
{
	AUTO(buf_fini) Buf b = { .limit = limit_bytes ? limit_bytes + 1 : 0 };
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0) {
		size_t room = b.limit ? MIN((size_t)65536, b.limit - b.len) : (size_t)65536;
		char *at = room ? buf_room(&b, room) : NULL;

		if (!at)
			return err_new(a, ERR_TOO_LARGE, "base.file_too_large",
			               "%.*s is larger than %zu bytes", STR_ARG(path), limit_bytes);
		got = read(fd, at, room);
		if (got > 0)
			buf_wrote(&b, (size_t)got);
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0)
		return err_errno(a, errno, "base.file", "%.*s", STR_ARG(path));
	if (limit_bytes && b.len > limit_bytes)
		return err_new(a, ERR_TOO_LARGE, "base.file_too_large",
		               "%.*s is larger than %zu bytes", STR_ARG(path), limit_bytes);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

Err *file_read(Arena *a, Str path, size_t limit_bytes, Str *out)
{
	AUTO(close_fd) int fd = open(str_z(a, path), O_RDONLY | O_CLOEXEC);

	return read_all(a, fd, path, limit_bytes, out);
}

Err *file_read_plain(Arena *a, Str path, size_t limit_bytes, Str *out)
{
	AUTO(close_fd)
	int fd = open(str_z(a, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat about;

	if (fd >= 0 && fstat(fd, &about) == 0 && !S_ISREG(about.st_mode))
		return err_new(a, ERR_INVALID, "base.no_file", "%.*s is no file", STR_ARG(path));
	return read_all(a, fd, path, limit_bytes, out);
}
