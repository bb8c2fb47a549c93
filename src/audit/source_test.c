/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/source.c"

#include "base/buf.h"

#include "git_made.h"
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

TEST(path_matches_as_people_write_patterns)
{
	static const struct {
		const char *path, *pattern;
		bool want;
	} cases[] = {
		{ "shop/a_old.py", "*_old.py", true },
		{ "shop/a.py", "*_old.py", false },
		{ "legacy/x/y.py", "legacy/**", true },
		{ "legacy/x/y.py", "legacy/", true },
		{ "legacy/x/y.py", "legacy", true },
		{ "shop/legacy/y.py", "legacy/", true },
		{ "shop/legacy/y.py", "/legacy/", false },
		{ "shop/legacy/y.py", "/legacy/**", false },
		{ "a/b/c.py", "a/*.py", false },
		{ "a/b/c.py", "a/**/*.py", true },
		{ "a/c.py", "a/**/*.py", true },
		{ "a/b/c.py", "a/*/c.py", true },
		{ "a/b/c.py", "a/b", true },
		{ "a/bc/c.py", "a/b", false },
		{ "a.py", "?.py", true },
		{ "ab.py", "?.py", false },
		{ "a/b.py", "a?b.py", false },
		{ "x.py", "", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*a*a*c", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s against %s", cases[i].path, cases[i].pattern);
		CHECK_INT(path_matches(str_of(cases[i].path), str_of(cases[i].pattern)),
		          cases[i].want);
	}
}

TEST(source_kind_is_by_path)
{
	static const struct {
		const char *path;
		SourceKind want;
	} cases[] = {
		{ "shop/models.py", SOURCE_CODE },
		{ "tests.py", SOURCE_TEST },
		{ "shop/test_x.py", SOURCE_TEST },
		{ "tests/helper.py", SOURCE_TEST },
		{ "shop/tests_faults.py", SOURCE_TEST },
		{ "tests_http/browser.py", SOURCE_TEST },
		{ "shop/contests_list.py", SOURCE_CODE },
		{ "contest/x.py", SOURCE_CODE },
		{ "shop/migrations/0001_initial.py", SOURCE_MIGRATION },
		{ "shop/migrations/__init__.py", SOURCE_CODE },
		{ "alembic/versions/ab12_x.py", SOURCE_MIGRATION },
		{ "migrations/versions/ab12_x.py", SOURCE_MIGRATION },
		{ "shop/versions/model.py", SOURCE_CODE },
		{ "x/_vendor/six.py", SOURCE_VENDORED },
		{ "vendor.py", SOURCE_CODE },
		{ "api_pb2.py", SOURCE_GENERATED },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].path);
		CHECK_INT(source_kind(str_of(cases[i].path)), cases[i].want);
	}
}

TEST(source_decodes_what_a_file_says_it_is)
{
	static const struct {
		const char *bytes, *text;
		SkipWhy why;
	} cases[] = {
		{ "x = '\xc3\xa4'\n", "x = '\xc3\xa4'\n", SKIPS },
		{ "x = '\xe4'\n", NULL, SKIP_ENCODING },
		{ "# -*- coding: latin-1 -*-\nx = '\xe4'\n",
		  "# -*- coding: latin-1 -*-\nx = '\xc3\xa4'\n", SKIPS },
		{ "#!/usr/bin/python\n# vim: set fileencoding=ISO-8859-15 :\n'\xe4'\n",
		  "#!/usr/bin/python\n# vim: set fileencoding=ISO-8859-15 :\n'\xc3\xa4'\n", SKIPS },
		{ "\n\n# coding: latin-1\n'\xe4'\n", NULL, SKIP_ENCODING },
		{ "# coding: gbk\n'\xe4'\n", NULL, SKIP_ENCODING },
		{ "", "", SKIPS },
	};
	Str text;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].bytes);
		CHECK_INT(source_decode(a, str_of(cases[i].bytes), &text), cases[i].why);
		if (cases[i].text)
			CHECK_STR(text, str_of(cases[i].text));
	}
	CHECK_INT(source_decode(a, S("a\0b"), &text), SKIP_BINARY);
}

/* `git hash-object` of the same. */
TEST(source_oid_is_the_name_that_git_has)
{
	static const uint8_t empty[] = { 0xe6, 0x9d, 0xe2, 0x9b, 0xb2, 0xd1, 0xd6 };
	static const uint8_t hello[] = { 0xce, 0x01, 0x36, 0x25, 0x03, 0x0b, 0xa8 };
	uint8_t oid[SOURCE_OID];

	source_oid(S(""), oid);
	CHECK(memcmp(oid, empty, sizeof(empty)) == 0);
	source_oid(S("hello\n"), oid);
	CHECK(memcmp(oid, hello, sizeof(hello)) == 0);
}

static void write_file(Arena *a, const char *folder, const char *name, Str text)
{
	const char *path = str_fmt(a, "%s/%s", folder, name).at;

	for (char *at = (char *)path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
	FILE *file = fopen(path, "wb");

	CHECK(file != NULL);
	CHECK(fwrite(text.at, 1, text.len, file) == text.len);
	fclose(file);
}

TEST(source_finds_files_and_says_what_it_leaves_out)
{
	const char *folder = unit_dir();
	static const Str exclude[] = { S("*_old.py") };
	const SourceRules rules = { .exclude = exclude, .exclude_count = 1 };
	Sources s;

	write_file(a, folder, "b.py", S("x"));
	write_file(a, folder, "a/c.py", S(""));
	write_file(a, folder, "a/c_old.py", S(""));
	write_file(a, folder, "a/text.txt", S(""));
	write_file(a, folder, "a/page.html", S(""));
	write_file(a, folder, "node_modules/x.py", S(""));
	write_file(a, folder, "env/pyvenv.cfg", S(""));
	write_file(a, folder, "env/x.py", S(""));
	write_file(a, folder, "note.ipynb", S(""));
	CHECK(symlink(folder, str_fmt(a, "%s/round", folder).at) == 0);
	CHECK(symlink("b.py", str_fmt(a, "%s/also.py", folder).at) == 0);
	CHECK(symlink("nowhere", str_fmt(a, "%s/gone.py", folder).at) == 0);
	CHECK_OK(sources_find(a, str_fmt(a, "%s/", folder), &rules, &s));
	CHECK_INT(s.count, 3);
	CHECK_STR(s.files[0].path, S("a/c.py"));
	CHECK_STR(s.files[1].path, S("also.py"));
	CHECK_STR(s.files[2].path, S("b.py"));
	CHECK_INT(s.files[2].bytes, 1);
	CHECK_INT(s.skipped[SKIP_EXCLUDED], 1);
	CHECK_INT(s.skipped[SKIP_ENVIRONMENT], 2);
	CHECK_INT(s.skipped[SKIP_NOTEBOOK], 1);
	CHECK_INT(s.skipped[SKIP_SYMLINK], 1);
	CHECK_INT(s.others, 2);
	CHECK_INT(s.beside_count, 1);
	CHECK_STR(s.beside[0].path, S("a/page.html"));
	CHECK_INT(s.beside[0].kind, BESIDE_TEMPLATE);
}

TEST(source_reads_only_the_roots_that_are_named)
{
	const char *folder = unit_dir();
	static const Str roots[] = { S("one"), S("two/x") };
	const SourceRules rules = { .roots = roots, .root_count = 2 };
	Sources s;

	write_file(a, folder, "one/a.py", S(""));
	write_file(a, folder, "two/b.py", S(""));
	write_file(a, folder, "two/x/c.py", S(""));
	CHECK_OK(sources_find(a, str_of(folder), &rules, &s));
	CHECK_INT(s.count, 2);
	CHECK_STR(s.files[0].path, S("one/a.py"));
	CHECK_STR(s.files[1].path, S("two/x/c.py"));
}

TEST(source_skips_what_is_too_large_too_deep_or_closed)
{
	const char *folder = unit_dir();
	SourceRules rules = { 0 };
	Buf deep = { 0 };
	Sources s;
	int fd;

	write_file(a, folder, "large.py", S(""));
	CHECK(truncate(str_fmt(a, "%s/large.py", folder).at, 100 << 20) == 0);
	for (int i = 0; i < SOURCE_DEPTH + 5; i++)
		buf_put(&deep, S("d/"));
	buf_put(&deep, S("x.py"));
	write_file(a, folder, str_z(a, buf_str(&deep)), S(""));
	buf_fini(&deep);
	fd = open(str_fmt(a, "%s/pipe.py", folder).at, O_CREAT | O_WRONLY, 0);
	close(fd);
	CHECK_OK(sources_find(a, str_of(folder), &rules, &s));
	CHECK_INT(s.skipped[SKIP_LARGE], 1);
	CHECK_INT(s.skipped[SKIP_DEEP], 1);
	CHECK_INT(s.count, 1); /* pipe.py: whether it can be read is seen then */
	CHECK_ERR(sources_find(a, str_fmt(a, "%s/none", folder), &rules, &s), "audit.root");
	CHECK_ERR(sources_find(a, str_fmt(a, "%s/pipe.py", folder), &rules, &s), "audit.root");
}

TEST(source_does_not_wait_at_a_gitignore_that_is_a_pipe)
{
	static const char *const places[] = { ".gitignore", "in/.gitignore" };
	const SourceRules rules = { 0 };

	for (size_t i = 0; i < COUNT(places); i++)
		for (int sub = 0; sub < 2; sub++) {
			AUTO(made_fini) Made m = { 0 };
			Sources s;

			make_begin(a, &m);
			write_file(a, m.root, "a.py", S(""));
			write_file(a, m.root, "in/b.py", S(""));
			CHECK_INT(mkfifo(str_fmt(a, "%s/%s", m.root, places[i]).at, 0600), 0);
			CHECK_OK(sources_find(a, str_fmt(a, "%s%s", m.root, sub ? "/in" : ""),
			                      &rules, &s));
			CHECK_INT(s.count, 2 - sub);
			CHECK_INT(s.skipped[SKIP_UNREADABLE], 1);
		}
}

static Str names_of(Search *s, const char *folder, size_t *count)
{
	AUTO(buf_fini) Buf b = { 0 };
	Entry *at;

	CHECK(entries_of(s, S("sub"), folder, &at, count));
	for (size_t i = 0; i < *count; i++)
		buf_fmt(&b, "%s%s%c", i ? " " : "", at[i].name, at[i].type == DT_DIR ? '/' : ' ');
	return str_dup(s->a, buf_str(&b));
}

/* What the cache has of a folder is as good as the folder, until anything came, went or was renamed in it; `later` has to be beyond the tick. */
TEST(source_does_not_read_a_folder_that_did_not_change)
{
	const char *folder = str_fmt(a, "%s/tree", unit_dir()).at;
	Str kept = str_fmt(a, "%s/kept", unit_dir());
	SourceRules rules = { .cache = audit_cache_open(a, kept, str_of(folder)) };
	int64_t later_ns = time_utc_us() * 1000 + 2 * SOURCE_TICK_NS;
	Search s = { .a = a, .rules = &rules, .begun_ns = later_ns };
	size_t count;

	CHECK_INT(mkdir(folder, 0700), 0);
	write_file(a, folder, "a.py", S(""));
	write_file(a, folder, "b/x.py", S(""));
	CHECK_STR(names_of(&s, folder, &count), S("a.py  b/"));
	audit_cache_store(rules.cache);
	rules.cache = audit_cache_open(a, kept, str_of(folder));
	CHECK_STR(names_of(&s, folder, &count), S("a.py  b/"));
	CHECK_INT(audit_cache_figures(rules.cache).found, 1);
	CHECK(rename(str_fmt(a, "%s/a.py", folder).at, str_fmt(a, "%s/c.py", folder).at) == 0);
	CHECK_STR(names_of(&s, folder, &count), S("b/ c.py "));
	CHECK_INT(audit_cache_figures(rules.cache).found, 1);
	s.begun_ns = time_utc_us() * 1000;
	CHECK_INT(folder_key(&s, S("sub"),
	                     &(struct stat){ .st_mtim = { .tv_sec = s.begun_ns / 1000000000 } })
	                  .len,
	          0);
}

TEST(source_takes_half_a_name_for_none)
{
	Search s = { .a = a };
	size_t count;

	CHECK_INT(kept_entries(&s,
	                       S("\x08"
	                         "a\0\x08"
	                         "b"),
	                       &count)[0]
	                  .type,
	          DT_REG);
	CHECK_INT(count, 1);
	kept_entries(&s, S(""), &count);
	CHECK_INT(count, 0);
}
