/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing reports' files. They may be as large as a million findings make them, so what is written is handed on in pieces; the first error is kept
 * and told at the end, as a broken Buf's is. Where a file is already and may be replaced, its mode stays. */
#include "audit/out_file.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20, MODE = 0666 };

static Err *refused(const OutFile *out, int error)
{
	return err_errno(out->a, error, "audit.write", "%s could not be written", out->path);
}

Err *out_open(Arena *a, Str path, OutFile *out)
{
	struct stat about;
	bool there;

	*out = (OutFile){ .a = a, .path = str_z(a, path), .fd = STDOUT_FILENO };
	if (str_eq(path, S("-"))) {
		fflush(stdout);
		return NULL;
	}
	there = stat(out->path, &about) == 0;
	if (!there || S_ISREG(about.st_mode))
		out->fresh = str_fmt(a, "%s.%d.part", out->path, (int)getpid()).at;
	out->fd = open(out->fresh ? out->fresh : out->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	               MODE);
	if (out->fd < 0)
		return refused(out, errno);
	if (there && out->fresh)
		(void)fchmod(out->fd, about.st_mode & ALLPERMS);
	return NULL;
}

static void write_all(OutFile *out)
{
	Str text = buf_str(&out->buf);

	while (text.len && !out->error) {
		ssize_t n = write(out->fd, text.at, text.len);

		if (n >= 0)
			text = str_sub(text, (size_t)n, text.len);
		else if (errno != EINTR)
			out->error = errno;
	}
	if (out->buf.broken && !out->error)
		out->error = EFBIG;
	buf_clear(&out->buf);
}

void out_turn(OutFile *out)
{
	if (out->buf.len >= PIECE)
		write_all(out);
}

static int shut(OutFile *out)
{
	int fd = out->fd;

	out->fd = -1;
	return fd > STDERR_FILENO ? close(fd) : 0;
}

Err *out_keep(OutFile *out)
{
	write_all(out);
	if (shut(out) != 0 && !out->error)
		out->error = errno;
	if (!out->error && out->fresh && rename(out->fresh, out->path) != 0)
		out->error = errno;
	if (out->error)
		return refused(out, out->error);
	out->fresh = NULL;
	return NULL;
}

void out_drop(OutFile *out)
{
	buf_fini(&out->buf);
	if (out->fd >= 0)
		(void)shut(out);
	if (out->fresh)
		(void)unlink(out->fresh);
	*out = OUT_NONE;
}

Err *out_write(Arena *a, Str path, Str text)
{
	AUTO(out_drop) OutFile out = OUT_NONE;

	TRY(out_open(a, path, &out));
	buf_put(&out.buf, text);
	return out_keep(&out);
}
