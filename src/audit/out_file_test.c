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

TEST(links_lead_where_they_led_and_nobody_elses_file_is_written_to)
{
	char folder[] = "/tmp/out_file_XXXXXX";
	Str path, link, part, text;
	struct stat about;
	char was[16];
	int fd;

	CHECK(mkdtemp(folder) != NULL);
	path = str_fmt(a, "%s/report", folder);
	link = str_fmt(a, "%s/latest", folder);
	part = str_fmt(a, "%s.%d.part", link.at, (int)getpid());
	CHECK_OK(out_write(a, path, S("mine")));
	CHECK_INT(symlink(path.at, part.at), 0); /* a trap, where the name can be foreseen */
	CHECK_OK(out_write(a, link, S("one")));
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_STR(text, S("mine"));
	CHECK_INT(unlink(link.at), 0);
	CHECK_INT(symlink("report", link.at), 0);
	CHECK_OK(out_write(a, link, S("two")));
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_STR(text, S("two"));
	CHECK(lstat(link.at, &about) == 0 && S_ISLNK(about.st_mode));
	fd = open(path.at, O_RDWR);
	CHECK(fd >= 0);
	CHECK_OK(out_write(a, str_fmt(a, "/dev/fd/%d", fd), S("three")));
	CHECK_INT(read(fd, was, sizeof(was)), 5); /* the same file, not one in its place */
	CHECK_INT(close(fd), 0);
	CHECK_INT(unlink(link.at), 0);
	CHECK_INT(unlink(path.at), 0);
	CHECK_INT(rmdir(folder), 0);
}

TEST(what_cannot_be_written_is_said)
{
	CHECK_ERR(out_write(a, S("/nowhere/at/all"), S("x")), "audit.write");
	CHECK_ERR(out_write(a, S("/dev/full"), S("x")), "audit.write");
	CHECK_OK(out_write(a, S("/dev/null"), S("x")));
}
