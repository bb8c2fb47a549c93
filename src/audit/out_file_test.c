/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/out_file.c"

#include "base/file.h"
#include "unit.h"

#include <stdlib.h>

static Str folder_new(Arena *a)
{
	char *name = (char *)(uintptr_t)str_z(a, S("/tmp/out_file_XXXXXX"));

	CHECK(mkdtemp(name) != NULL);
	return str_of(name);
}

TEST(a_file_is_whole_or_not_there)
{
	Str folder = folder_new(a), path = str_fmt(a, "%.*s/report", STR_ARG(folder)), text;
	OutFile out = OUT_NONE;
	struct stat about;

	CHECK_OK(out_open(a, path, &out));
	buf_put(&out.buf, S("half"));
	out_drop(&out);
	CHECK(stat(path.at, &about) != 0);
	CHECK_OK(out_write(a, path, S("one")));
	CHECK_INT(chmod(path.at, 0640), 0);
	CHECK_OK(out_open(a, path, &out));
	for (int i = 0; i < 3 * PIECE / 8; i++) {
		buf_put(&out.buf, S("12345678"));
		out_turn(&out);
		CHECK(out.buf.len <= PIECE);
	}
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_STR(text, S("one"));
	CHECK_OK(out_keep(&out));
	out_drop(&out);
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_INT(text.len, 3 * PIECE);
	CHECK_INT(stat(path.at, &about), 0);
	CHECK_INT(about.st_mode & ALLPERMS, 0640);
	CHECK_INT(unlink(path.at), 0);
	CHECK_INT(rmdir(str_z(a, folder)), 0);
}

TEST(what_cannot_be_written_is_said)
{
	Err *err = out_write(a, S("/nowhere/at/all"), S("x"));

	CHECK_ERR(err, "audit.write");
	err = out_write(a, S("/dev/full"), S("x"));
	CHECK_ERR(err, "audit.write");
	CHECK_OK(out_write(a, S("/dev/null"), S("x")));
}
