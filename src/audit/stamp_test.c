/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/stamp.c"

#include "base/time.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FILES = 3 };
#define LATER_NS INT64_C(10000000000)

static void write_file(Arena *a, const char *folder, const char *name, const char *text)
{
	FILE *file = fopen(str_fmt(a, "%s/%s", folder, name).at, "w");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static Sources find(Arena *a, const char *folder)
{
	Sources s;

	CHECK_OK(sources_find(a, str_of(folder), &(SourceRules){ 0 }, &s));
	CHECK_INT(s.count, FILES);
	return s;
}

static void keep(Arena *a, Str cache_folder, const char *folder, int64_t begun_ns)
{
	AUTO(arena_freep) Arena *mine = arena_new(0);
	AuditCache *cache = audit_cache_open(mine, cache_folder, S("/"));
	Sources s = find(a, folder);
	AuditFile files[FILES] = { 0 };
	const SkipWhy whys[FILES] = { SKIPS, SKIP_BINARY, SKIPS };

	for (int i = 0; i < FILES; i++)
		files[i].oid[0] = (uint8_t)(i + 1);
	stamps_keep(cache, &s, files, whys, begun_ns);
	audit_cache_store(cache);
}

static void check_known(Arena *a, Str cache_folder, const char *folder, const char *want)
{
	AUTO(arena_freep) Arena *mine = arena_new(0);
	AuditCache *cache = audit_cache_open(mine, cache_folder, S("/"));
	Sources s = find(a, folder);

	stamps_apply(mine, cache, &s);
	for (int i = 0; i < FILES; i++) {
		NOTE("file %d", i);
		CHECK_INT(s.files[i].has_oid, want[i] == '1');
		if (s.files[i].has_oid)
			CHECK_INT(s.files[i].oid[0], i + 1);
	}
}

TEST(stamps_know_files_again_until_anything_about_them_changes)
{
	const char *folder = unit_dir();
	Str cache = str_fmt(a, "%s/cache", folder);
	const struct timespec back[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	const char *last = str_fmt(a, "%s/c.py", folder).at;

	write_file(a, folder, "a.py", "x = 1\n");
	write_file(a, folder, "b.py", "x = 2\n");
	write_file(a, folder, "c.py", "x = 3\n");
	CHECK(utimensat(AT_FDCWD, last, back, 0) == 0);
	check_known(a, cache, folder, "000");
	keep(a, cache, folder, time_utc_us() * 1000); /* changed a moment ago: not to be trusted */
	check_known(a, cache, folder, "000");
	keep(a, cache, folder, time_utc_us() * 1000 + LATER_NS);
	check_known(a, cache, folder, "101");
	/* The same size, and the time set back: the other time tells. */
	write_file(a, folder, "c.py", "x = 4\n");
	CHECK(utimensat(AT_FDCWD, last, back, 0) == 0);
	check_known(a, cache, folder, "100");
	CHECK(chmod(str_fmt(a, "%s/a.py", folder).at, 0600) == 0);
	check_known(a, cache, folder, "000");
}
