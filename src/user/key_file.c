/* SPDX-License-Identifier: Apache-2.0
 *
 * A key made at the first start, so that trying the service out takes no thought, and nobody is tempted to write one of their own.
 * Whoever loses the file loses what was closed with it: second factors, not accounts. Of several processes that start at once
 * one makes it (link(2) fails for the others), and all read it. */
#include "user/key_file.h"

#include "auth/seal.h"
#include "base/arena.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES = 4096 };

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static Err *write_all(Arena *a, const char *path, Str text)
{
	AUTO(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text.at, text.len) != (ssize_t)text.len || fsync(fd) != 0)
		return err_errno(a, errno, "user.key_file", "%s was not written", path);
	return NULL;
}

static Err *make(Arena *a, Str path)
{
	Str text = str_fmt(a, "%.*s\n", STR_ARG(seal_make_row(a, S("k1"))));
	const char *to = str_z(a, path), *from = str_fmt(a, "%s.%d", to, (int)getpid()).at;
	ptrdiff_t slash = str_rfind_char(path, '/');
	Err *err;

	if (slash > 0)
		mkdir(str_z(a, str_sub(path, 0, (size_t)slash)), 0700);
	err = write_all(a, from, text);
	if (!err && link(from, to) != 0 && errno != EEXIST)
		err = err_errno(a, errno, "user.key_file", "%s was not made", to);
	unlink(from);
	return err;
}

Err *key_file_read(Arena *a, Str path, Str *row)
{
	Str text;

	if (access(str_z(a, path), F_OK) != 0)
		TRY(make(a, path));
	TRY(file_read(a, path, KEY_FILE_BYTES, &text));
	str_split(&text, '\n', row);
	*row = str_trim(*row);
	return NULL;
}
