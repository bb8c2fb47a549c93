/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.c"

#include "unit.h"

#include <stdio.h>

TEST(file_read_takes_all_of_it_up_to_the_limit)
{
	Str path = str_fmt(a, "%s/x", unit_dir());
	FILE *file = fopen(path.at, "w");
	Str text;

	for (int i = 0; i < 20000; i++)
		fprintf(file, "%05d\n", i);
	fclose(file);
	CHECK_OK(file_read(a, path, 0, &text));
	CHECK_INT(text.len, 120000);
	CHECK(str_ends(text, S("19999\n")));
	CHECK_INT(text.at[text.len], 0);
	CHECK_OK(file_read(a, path, 120000, &text));
	CHECK_INT(text.len, 120000);
	CHECK_ERR(file_read(a, path, 119999, &text), "base.file_too_large");
	CHECK_ERR(file_read(a, path, 1, &text), "base.file_too_large");
}

TEST(file_read_says_what_the_system_said)
{
	Str text;
	Err *err = file_read(a, S("/nowhere/at/all"), 0, &text);

	CHECK_ERR(err, "base.file");
	CHECK_INT(err->kind, ERR_NOT_FOUND);
	CHECK_STR(err->text, S("/nowhere/at/all: No such file or directory"));
	CHECK_ERR(file_read(a, S("/"), 0, &text), "base.file");
	CHECK_OK(file_read(a, S("/dev/null"), 0, &text));
	CHECK_INT(text.len, 0);
	CHECK_OK(file_read(a, S("/proc/self/status"), 0, &text));
	CHECK(text.len > 100);
}

TEST(plain_files_are_read_and_pipes_not_waited_for)
{
	Str path = str_fmt(a, "%s/pipe", unit_dir()), text;

	CHECK_INT(mkfifo(path.at, 0600), 0);
	CHECK_ERR(file_read_plain(a, path, 0, &text), "base.no_file");
	CHECK_ERR(file_read_plain(a, S("/dev/zero"), 0, &text), "base.no_file");
	CHECK_OK(file_read_plain(a, S("/proc/self/status"), 0, &text));
	CHECK(text.len > 0);
	CHECK_ERR(file_read_plain(a, S("/nowhere"), 0, &text), "base.file");
}
