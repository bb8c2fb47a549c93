/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_cache.c"

#include "base/file.h"
#include "unit.h"

static Str only_file(Arena *a, Str path)
{
	DIR *folder = opendir(path.at);
	struct dirent *entry;
	Str found = S("");

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.') {
			CHECK(!found.len);
			found = str_fmt(a, "%.*s/%s", STR_ARG(path), entry->d_name);
		}
	if (folder)
		closedir(folder);
	return found;
}

static void put_all(Str folder, const Str *values, size_t count)
{
	AUTO(arena_freep) Arena *mine = arena_new(0);
	AuditCache *c = audit_cache_open(mine, folder, S("/"));

	for (size_t i = 0; i < count; i++)
		audit_cache_put(c, "test", (Str){ (const char *)&i, sizeof(i) }, values[i]);
	audit_cache_store(c);
}

static size_t count_found(Str folder, const Str *values, size_t count, Arena *a, Str *trouble)
{
	AUTO(arena_freep) Arena *mine = arena_new(0);
	AuditCache *c = audit_cache_open(mine, folder, S("/"));
	size_t found = 0;
	Str value;

	for (size_t i = 0; i < count; i++)
		if (audit_cache_find(c, "test", (Str){ (const char *)&i, sizeof(i) }, &value)) {
			CHECK_STR(value, values[i]);
			found++;
		}
	*trouble = str_dup(a, audit_cache_figures(c).trouble);
	return found;
}

static const Str values[] = { S("one"), S(""), S("three, which is longer"), S("x"), S("yy") };

TEST(cache_finds_what_an_earlier_run_put)
{
	Str folder = str_of(unit_dir());
	Str trouble;

	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), 0);
	CHECK_STR(trouble, S(""));
	put_all(folder, values, COUNT(values));
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), COUNT(values));
	CHECK_STR(trouble, S(""));
}

TEST(cache_keeps_sorts_of_values_apart)
{
	Str folder = str_of(unit_dir());
	AuditCache *c;
	Str value;
	size_t zero = 0;

	put_all(folder, values, 1);
	c = audit_cache_open(a, folder, S("/"));
	CHECK(!audit_cache_find(c, "other", (Str){ (const char *)&zero, sizeof(zero) }, &value));
	CHECK(!audit_cache_find(NULL, "test", S("x"), &value));
	CHECK_INT(audit_cache_figures(c).missed, 1);
}

TEST(cache_keeps_what_a_later_run_did_not_ask_for_only_so_long)
{
	Str folder = str_of(unit_dir());
	Str trouble;

	put_all(folder, values, COUNT(values));
	for (int run = 0; run <= KEPT_RUNS; run++) {
		AUTO(arena_freep) Arena *mine = arena_new(0);
		AuditCache *c = audit_cache_open(mine, folder, S("/"));
		size_t one = 1;
		Str value;

		CHECK(audit_cache_find(c, "test", (Str){ (const char *)&one, sizeof(one) },
		                       &value));
		audit_cache_put(c, "run", (Str){ (const char *)&run, sizeof(run) }, S("v"));
		audit_cache_store(c);
		CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble),
		          run < KEPT_RUNS ? COUNT(values) : 1);
	}
}

TEST(cache_with_any_byte_changed_gives_the_right_value_or_none)
{
	Str folder = str_of(unit_dir());
	Str path, whole, trouble;

	put_all(folder, values, COUNT(values));
	path = only_file(a, folder);
	CHECK(!file_read(a, path, 0, &whole));
	for (size_t i = 0; i < whole.len; i++) {
		FILE *file = fopen(path.at, "r+b");

		CHECK(file != NULL);
		fseek(file, (long)i, SEEK_SET);
		fputc(whole.at[i] ^ 0x41, file);
		fclose(file);
		CHECK(count_found(folder, values, COUNT(values), a, &trouble) <= COUNT(values));
		file = fopen(path.at, "r+b");
		fseek(file, (long)i, SEEK_SET);
		fputc(whole.at[i], file);
		fclose(file);
	}
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), COUNT(values));
}

TEST(cache_that_was_cut_or_is_foreign_is_as_good_as_none_and_said)
{
	Str folder = str_of(unit_dir());
	Str path, trouble;
	struct stat about;

	put_all(folder, values, COUNT(values));
	path = only_file(a, folder);
	CHECK(stat(path.at, &about) == 0);
	CHECK((about.st_mode & 0777) == 0600);
	CHECK(truncate(path.at, about.st_size - 8) == 0);
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), 0);
	CHECK(str_ends(trouble, S("and is made anew")));
	put_all(folder, values, COUNT(values)); /* made anew */
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), COUNT(values));
	CHECK(truncate(path.at, 3) == 0);
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), 0);
	CHECK(str_find(trouble, S("cut short")) > 0);
	CHECK(truncate(path.at, 0) == 0 && truncate(path.at, 100) == 0);
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), 0);
	CHECK(str_find(trouble, S("not one of ours")) > 0);
}

TEST(cache_of_another_build_is_not_used)
{
	Str folder = str_of(unit_dir());
	FILE *file;
	Str trouble;

	put_all(folder, values, COUNT(values));
	file = fopen(only_file(a, folder).at, "r+b");
	fseek(file, (long)offsetof(Head, build), SEEK_SET);
	fputc('?', file);
	fclose(file);
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), 0);
	CHECK(str_find(trouble, S("another build")) > 0);
}

TEST(cache_leaves_nothing_behind_when_a_run_ends_early)
{
	Str folder = str_of(unit_dir());
	AUTO(arena_freep) Arena *mine = arena_new(0);
	AuditCache *c = audit_cache_open(mine, folder, S("/"));

	audit_cache_put(c, "test", S("k"), S("v"));
	CHECK(only_file(a, folder).len > 0);
	arena_free(TAKE(mine));
	CHECK_STR(only_file(a, folder), S(""));
}

TEST(cache_without_a_place_finds_and_keeps_nothing)
{
	AuditCache *c = audit_cache_open(a, S("/proc/none/here"), S("/"));
	Str value;

	audit_cache_put(c, "test", S("k"), S("v"));
	audit_cache_store(c);
	CHECK(!audit_cache_find(c, "test", S("k"), &value));
	CHECK(audit_cache_figures(c).trouble.len > 0);
}

TEST(cache_removes_files_that_nobody_opened_for_a_month)
{
	Str folder = str_of(unit_dir());
	const char *old = str_fmt(a, "%.*s/0123.audit", STR_ARG(folder)).at;
	const char *other = str_fmt(a, "%.*s/0123.txt", STR_ARG(folder)).at;
	struct timespec times[2] = { { .tv_sec = time(NULL) - 40 * DAY_S }, { .tv_sec = 1 } };

	fclose(fopen(old, "w"));
	fclose(fopen(other, "w"));
	times[1] = times[0];
	CHECK(utimensat(AT_FDCWD, old, times, 0) == 0 && utimensat(AT_FDCWD, other, times, 0) == 0);
	put_all(folder, values, 1);
	CHECK(access(old, F_OK) != 0);
	CHECK(access(other, F_OK) == 0);
}

/* In containers every run may have the same process number. */
TEST(cache_is_written_beside_what_a_killed_run_left)
{
	Str folder = str_of(unit_dir()), trouble;
	AUTO(arena_freep) Arena *mine = arena_new(0);
	const char *left =
		str_fmt(a, "%.*s.%d.new", STR_ARG(file_name(a, folder, S("/"))), (int)getpid()).at;
	struct timespec times[2] = { { .tv_sec = time(NULL) - 2 * DAY_S }, { .tv_sec = 1 } };
	AuditCache *other = audit_cache_open(mine, folder, S("/"));

	audit_cache_put(other, "test", S("k"), S("v")); /* another run is in the middle of it */
	fclose(fopen(left, "w"));
	times[1] = times[0];
	CHECK(utimensat(AT_FDCWD, left, times, 0) == 0);
	put_all(folder, values, COUNT(values));
	CHECK_INT(count_found(folder, values, COUNT(values), a, &trouble), COUNT(values));
	CHECK(access(left, F_OK) != 0);
	CHECK(access(other->next.path.at, F_OK) == 0);
}
