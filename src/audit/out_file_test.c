/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/out_file.c"

#include "base/file.h"
#include "unit.h"

#include <stdlib.h>

TEST(a_file_is_replaced_and_keeps_its_mode)
{
	char folder[] = "/tmp/out_file_XXXXXX";
	Str path, text;
	struct stat about;

	CHECK(mkdtemp(folder) != NULL);
	path = str_fmt(a, "%s/report", folder);
	CHECK_OK(out_write(a, path, S("one")));
	CHECK_INT(chmod(path.at, 0640), 0);
	CHECK_OK(out_write(a, path, S("two")));
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_STR(text, S("two"));
	CHECK_INT(stat(path.at, &about), 0);
	CHECK_INT(about.st_mode & ALLPERMS, 0640);
	CHECK_INT(unlink(path.at), 0);
	CHECK_INT(rmdir(folder), 0); /* nothing else is left there */
}

TEST(what_cannot_be_written_is_said)
{
	CHECK_ERR(out_write(a, S("/nowhere/at/all"), S("x")), "audit.write");
	CHECK_ERR(out_write(a, S("/dev/full"), S("x")), "audit.write");
	CHECK_OK(out_write(a, S("/dev/null"), S("x")));
}
