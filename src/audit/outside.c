/* SPDX-License-Identifier: Apache-2.0
 *
 * All that lies beside the code: which files are read, and in which order what is in them is put together. Files that the configuration or the command
 * line names must be there and be what they are named for; those that are only found under the root (coverage.xml, lock files, ...) are read if they can be,
 * and the report says that they were found, and what was wrong with them. */
#include "audit/outside.h"

#include "audit/audit_conf.h"
#include "audit/outside_int.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 512 << 20, FOUND_BYTES = 128 << 20, FOLDER_MOST = 100000 };

OutsideFile *gather_file(Gathering *g, Str path, const char *what)
{
	OutsideFile file = { .path = path, .what = what };

	GATHER(&g->files, file);
	return (OutsideFile *)(void *)(g->files.at + g->files.len) - 1;
}

/* --- folders --------------------------------------------------------------------------------------------------------------------------- */

typedef struct Names {
	Str *at;
	size_t count;
} Names;

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

static bool is_plain(Arena *a, Str path)
{
	struct stat about;

	return stat(str_z(a, path), &about) == 0 && S_ISREG(about.st_mode);
}

static bool is_folder(Arena *a, Str path)
{
	struct stat about;

	return stat(str_z(a, path), &about) == 0 && S_ISDIR(about.st_mode);
}

/* The plain files of a folder, by name; none when it cannot be read. */
static Names files_in(Arena *a, Str folder)
{
	AUTO(buf_fini) Buf list = { 0 };
	DIR *dir = opendir(str_z(a, folder));
	struct dirent *entry;
	Names names = { 0 };

	while (dir && (entry = readdir(dir)) && list.len / sizeof(Str) < FOLDER_MOST) {
		Str path = str_fmt(a, "%.*s/%s", STR_ARG(folder), entry->d_name);

		if (is_plain(a, path))
			GATHER(&list, path);
	}
	if (dir)
		closedir(dir);
	names.count = list.len / sizeof(Str);
	names.at = ARENA_ARRAY(a, Str, names.count + 1);
	if (names.count) {
		memcpy(names.at, list.at, list.len);
		qsort(names.at, names.count, sizeof(Str), by_text);
	}
	return names;
}

/* --- one file by what it is for ---------------------------------------------------------------------------------------------------------- */

typedef Err *ReadOne(Gathering *g, Str path, Str text);

static Err *not_one(Gathering *g, Str path, const char *what)
{
	return err_new(g->arena, ERR_INVALID, "audit.outside", "%.*s is no %s", STR_ARG(path),
	               what);
}

static Err *read_coverage(Gathering *g, Str path, Str text)
{
	if (!coverage_is(text))
		return not_one(g, path, "report of coverage (Cobertura's XML or lcov)");
	return coverage_read(g, path, text);
}

static Err *read_tests(Gathering *g, Str path, Str text)
{
	if (!tests_is(text))
		return not_one(g, path, "JUnit XML");
	return tests_read(g, path, text);
}

static Err *read_packages(Gathering *g, Str path, Str text)
{
	if (packages_is(path))
		return packages_read(g, path, text);
	return packages_read_list(g, path, text);
}

static Err *read_advisories(Gathering *g, Str path, Str text)
{
	uint64_t count = 0;

	TRY(holes_take(g, path, text, &count));
	g->out->packages.advisories += count;
	return NULL;
}

/* Of reports nothing is borrowed, so a text of hundreds of megabytes goes when it was read; lists of packages are small, and stay. */
static Err *read_one(Gathering *g, Str path, size_t limit, ReadOne *read)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	bool stays = read == read_packages || read == packages_read;
	Str text;
	Err *err = file_read(stays ? g->arena : scratch, path, limit, &text);

	return err ? err_copy(g->arena, err) : read(g, path, text);
}

static Err *read_named(Gathering *g, const char *from, Str path, ReadOne *read)
{
	Names names = { &path, 1 };

	if (is_folder(g->arena, path))
		names = files_in(g->arena, path);
	else if (access(str_z(g->arena, path), F_OK) != 0)
		return err_errno(g->arena, errno, "audit.outside", "there is no %.*s (%s)",
		                 STR_ARG(path), from);
	for (size_t i = 0; i < names.count; i++)
		TRY(read_one(g, names.at[i], FILE_BYTES, read));
	return NULL;
}

#define READ_ALL(g, list, from, read) \
	for (size_t i_ = 0; i_ < (list).count; i_++) \
	TRY(read_named(g, from, (list).at[i_], read))

/* --- what is usual ------------------------------------------------------------------------------------------------------------------------ */

/* Reads if it can; what was wrong is a note, and then nothing of it counts. */
static void read_found(Gathering *g, Str path, ReadOne *read, const char *what)
{
	Buf *const lists[] = { &g->lines, &g->tests,    &g->builds,
		               &g->steps, &g->packages, &g->pythons };
	size_t lens[COUNT(lists)], before = g->files.len;
	Outside was = *g->out;
	Err *err;

	for (size_t i = 0; i < COUNT(lists); i++)
		lens[i] = lists[i]->len;
	err = read_one(g, path, FOUND_BYTES, read);
	if (!err)
		return;
	*g->out = was;
	for (size_t i = 0; i < COUNT(lists); i++)
		lists[i]->len = lens[i];
	if (read == read_tests && err_is(err, "audit.outside"))
		return; /* report.xml may be anybody's */
	if (g->files.len == before)
		gather_file(g, path, what);
	((OutsideFile *)(void *)(g->files.at + before))->note = err_chain(g->arena, err);
}

static void look_for(Gathering *g, const char *const *names, size_t count, ReadOne *read,
                     const char *what)
{
	for (size_t i = 0; i < count; i++) {
		Str path = str_fmt(g->arena, "%.*s/%s", STR_ARG(g->root), names[i]);

		if (is_plain(g->arena, path))
			read_found(g, path, read, what);
	}
}

static void look_for_packages(Gathering *g)
{
	Str folders[] = { g->root, str_fmt(g->arena, "%.*s/requirements", STR_ARG(g->root)) };

	for (size_t i = 0; i < COUNT(folders); i++) {
		Names names = files_in(g->arena, folders[i]);

		for (size_t k = 0; k < names.count; k++)
			if (packages_is(names.at[k]))
				read_found(g, names.at[k], packages_read, "packages");
	}
}

static void look_around(Gathering *g)
{
	static const char *const coverage[] = { "coverage.xml", "cobertura.xml", "lcov.info",
		                                "coverage.lcov" };
	static const char *const tests[] = { "junit.xml", "test-results.xml", "report.xml" };

	if (!g->conf->coverage.count)
		look_for(g, coverage, COUNT(coverage), read_coverage, "coverage");
	if (!g->conf->tests.count)
		look_for(g, tests, COUNT(tests), read_tests, "JUnit");
	if (!g->conf->locks.count)
		look_for_packages(g);
}

/* --- all ------------------------------------------------------------------------------------------------------------------------------------ */

static Err *read_all(Gathering *g, bool look)
{
	const OutsideConf *c = g->conf;
	Packages *p = &g->out->packages;

	READ_ALL(g, c->coverage, "--coverage or outside.coverage names it", read_coverage);
	READ_ALL(g, c->tests, "--tests or outside.tests names it", read_tests);
	READ_ALL(g, c->builds, "--builds or outside.builds names it", builds_read);
	READ_ALL(g, c->locks, "outside.locks names it", read_packages);
	if (look)
		look_around(g);
	coverage_end(g);
	tests_end(g);
	builds_end(g);
	packages_end(g);
	READ_ALL(g, c->osv, "--advisories or outside.advisories names it", read_advisories);
	p->holes_known = c->osv.count != 0;
	holes_end(g);
	return NULL;
}

/* A path under the root from there, as those of the code are. */
static Str from_root(const Gathering *g, Str path)
{
	if (!str_starts(path, g->root) || path.len <= g->root.len || path.at[g->root.len] != '/')
		return path;
	return str_sub(path, g->root.len + 1, path.len);
}

static void keep_files(Gathering *g)
{
	Outside *out = g->out;
	PythonSaid *said = (PythonSaid *)(void *)g->pythons.at;

	out->file_count = g->files.len / sizeof(*out->files);
	out->files = ARENA_ARRAY(g->arena, OutsideFile, out->file_count + 1);
	if (out->file_count)
		memcpy(out->files, g->files.at, g->files.len);
	for (size_t i = 0; i < out->file_count; i++)
		out->files[i].path = from_root(g, out->files[i].path);
	for (size_t i = 0; i < g->pythons.len / sizeof(*said); i++)
		said[i].from = from_root(g, said[i].from);
}

static Str today_of(Arena *a, const OutsideConf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (conf->today.len)
		return conf->today;
	time_put_rfc3339(&b, time_utc_us());
	return str_dup(a, str_sub(buf_str(&b), 0, 10));
}

static void gathering_fini(Gathering *g)
{
	map_fini(&g->paths);
	buf_fini(&g->files);
	buf_fini(&g->lines);
	buf_fini(&g->tests);
	buf_fini(&g->builds);
	buf_fini(&g->steps);
	buf_fini(&g->packages);
	buf_fini(&g->pythons);
	buf_fini(&g->holes);
}

static Str without_slash(Str root)
{
	while (root.len > 1 && root.at[root.len - 1] == '/')
		root.len--;
	return root;
}

Err *outside_read(Arena *a, const OutsideConf *conf, Str root, bool look, const Project *p,
                  Outside *out)
{
	AUTO(gathering_fini) Gathering g = {
		.arena = a, .conf = conf, .project = p, .root = without_slash(root), .out = out
	};

	*out = (Outside){ .today = today_of(a, conf) };
	for (size_t i = 0; i < p->count; i++)
		map_put(&g.paths, p->files[i].path, &p->files[i]);
	TRY(read_all(&g, look));
	keep_files(&g);
	ends_find(&g);
	return NULL;
}

/* --- the step ---------------------------------------------------------------------------------------------------------------------------------- */

static void add_paths(Arena *a, Str **at, size_t *count, const Str *more, size_t more_count)
{
	Str *all = ARENA_ARRAY(a, Str, *count + more_count + 1);

	for (size_t i = 0; i < *count; i++)
		all[i] = (*at)[i];
	for (size_t i = 0; i < more_count; i++)
		all[*count + i] = more[i];
	*at = all;
	*count += more_count;
}

Err *outside_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	OutsideConf conf = *(const OutsideConf *)audit_section(rules, outside_table());
	Outside *out = ARENA_NEW(a, Outside);

	add_paths(a, &conf.coverage.at, &conf.coverage.count, rules->coverage,
	          rules->coverage_count);
	add_paths(a, &conf.tests.at, &conf.tests.count, rules->tests, rules->test_count);
	add_paths(a, &conf.builds.at, &conf.builds.count, rules->builds, rules->build_count);
	add_paths(a, &conf.osv.at, &conf.osv.count, &rules->advisories, rules->advisories.len != 0);
	TRY(outside_read(a, &conf, rules->root, !rules->from, &audit->project, out));
	audit->outside = out;
	outside_add_findings(a, out, audit);
	return NULL;
}

static Err *verify_date(Arena *a, Str text)
{
	uint64_t year, month, day;

	if (text.len == 10 && text.at[4] == '-' && text.at[7] == '-' &&
	    str_to_u64(str_sub(text, 0, 4), &year) && str_to_u64(str_sub(text, 5, 7), &month) &&
	    str_to_u64(str_sub(text, 8, 10), &day) && month >= 1 && month <= 12 && day >= 1 &&
	    day <= 31)
		return NULL;
	return err_new(a, ERR_INVALID, "audit.outside", "%.*s is no date like 2026-01-31",
	               STR_ARG(text));
}

static const ConfKey keys[] = {
	{ "coverage", CONF_PATH, AT_LIST(OutsideConf, coverage),
	  .help = "what the tests reach: Cobertura's XML or lcov; files or folders",
	  .more = "None: coverage.xml, cobertura.xml, lcov.info and coverage.lcov of the folder that is audited. Several are put together line by line." },
	{ "tests", CONF_PATH, AT_LIST(OutsideConf, tests),
	  .help = "how long tests take: JUnit's XML; files or folders" },
	{ "builds", CONF_PATH, AT_LIST(OutsideConf, builds),
	  .help = "logs of builds, one each: GitHub's, GitLab's, or any with times; files or folders" },
	{ "locks", CONF_PATH, AT_LIST(OutsideConf, locks),
	  .help = "files with packages, when those of the folder that is audited are not the ones",
	  .more = "Read are requirements.txt and what it includes, poetry.lock, uv.lock, pdm.lock, Pipfile.lock, Pipfile, pyproject.toml, setup.cfg, setup.py." },
	{ "advisories", CONF_PATH, AT_LIST(OutsideConf, osv),
	  .help = "known holes of packages, in OSV's format; files or folders",
	  .more = "Nothing is asked of any network: without a file, known holes are unknown." },
	{ "python", CONF_STR, AT(OutsideConf, python),
	  .help = "the version of Python that runs, when no file says it" },
	{ "today", CONF_STR, AT(OutsideConf, today), .verify = verify_date,
	  .help = "the day that ends of life are held against; none: today" },
};

const ConfTable *outside_table(void)
{
	static const ConfTable table = { "outside", CONF_ROWS(OutsideConf, keys),
		                         .help = "what is known of a project beside its code" };

	return &table;
}
