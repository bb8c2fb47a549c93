/* SPDX-License-Identifier: Apache-2.0 */
#include "console/files.c"

#include "unit.h"

#include <string.h>
#include <zlib.h>

static Str unpack(Arena *a, const ConsoleFile *file)
{
	char *into = arena_alloc(a, file->bytes.len + 1);
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)file->gzip.at,
		       .avail_in = (unsigned)file->gzip.len,
		       .next_out = (unsigned char *)into,
		       .avail_out = (unsigned)file->bytes.len + 1 };

	CHECK_INT(inflateInit2(&z, 31), Z_OK);
	CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	return (Str){ into, z.total_out };
}

TEST(every_file_has_a_type_and_its_packed_form_is_the_same)
{
	size_t count;
	const ConsoleFile *files = console_files(&count);

	CHECK(count >= 5);
	for (size_t i = 0; i < count; i++) {
		NOTE("%.*s", STR_ARG(files[i].path));
		CHECK(files[i].bytes.len > 0 && files[i].type.len > 0);
		CHECK_INT(files[i].etag.len, 18);
		CHECK(str_eq(unpack(a, &files[i]), files[i].bytes));
		CHECK(console_file(files[i].path) == &files[i]);
		CHECK(str_starts(files[i].path, S("v/")) || str_eq(files[i].path, S("index.html")));
	}
}

/* What index.html asks for is there: the folder in it is the files' own. */
TEST(the_page_names_files_that_there_are)
{
	Str left = console_file(S(""))->bytes;
	int found = 0;
	ptrdiff_t at;

	while ((at = str_find(left, S("\"v/"))) >= 0) {
		Str rest = str_sub(left, (size_t)at + 1, left.len);
		Str path = str_sub(rest, 0, (size_t)str_find_char(rest, '"'));

		NOTE("%.*s", STR_ARG(path));
		CHECK(console_file(path) != NULL);
		left = str_sub(rest, path.len, rest.len);
		found++;
	}
	CHECK(found >= 2);
	CHECK(str_find(console_file(S(""))->bytes, S("{{")) < 0);
}

TEST(what_is_not_there_is_not_found)
{
	static const Str cases[] = { S("app.js"), S("v/"), S("v/0000000000000000/app.js"),
		                     S("index.html/"), S("../index.html") };

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_NULL(console_file(cases[i]));
	CHECK_STR(console_file(S(""))->path, S("index.html"));
}
