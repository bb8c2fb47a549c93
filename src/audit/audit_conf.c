/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of an audit. `audit:` of a banyan.yaml is a table that is put together at the first use, because its sections are modules' own: a row of
 * `sections` is all that a module needs to have one. The keys of other commands in the same file are not this command's business (`banyan check`
 * names slips there), so that one file does for the gateway, the services and the audit.
 *
 * Folders: one is the root as it was given, and all paths are from there. Of several the root is the nearest folder that has them all, so that a path
 * means the same file to the history, the findings and whoever reads them. */
#include "audit/audit_conf.h"

#include "audit/audit_cache.h"
#include "audit/gate_conf.h"
#include "audit/links_conf.h"
#include "audit/models_conf.h"
#include "audit/money_conf.h"
#include "audit/rules.h"
#include "audit/smells_conf.h"
#include "audit/clones_conf.h"
#include "audit/outside_conf.h"
#include "base/arena.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the table --------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Section {
	const char *name;
	const ConfTable *(*table)(void);
	const char *help;
} Section;

static const Section sections[] = {
	{ "gate", gate_table, "what fails `banyan gate`" },
	{ "limits", smells_table, "the largest figures that are fine" },
	{ "models", models_table, "models, tables and migrations" },
	{ "money", money_table, "what the debt costs and what the work would" },
	{ "imports", links_table, "what modules may import, and what is used" },
	{ "clones", clones_table, "what counts as the same code twice" },
	{ "outside", outside_table,
	  "coverage, times of tests and builds, packages: files of other tools" },
};

static const ConfKey group_keys[] = {
	{ "name", CONF_NAME, AT(AuditGroup, name), .help = "what the reports call it" },
	{ "paths", CONF_STR, AT_LIST(AuditGroup, paths), .required = true,
	  .help = "patterns of paths: `shop/orders/**`, `*_invoice.py`" },
};
static const ConfTable group_table = { "group", CONF_ROWS(AuditGroup, group_keys),
	                               .help = "files that are put together in the reports: "
	                                       "a service that is proposed, a team" };

/* Rules of other tools ("bandit:B101") are theirs to know. */
static Err *verify_rule(Arena *a, Str text)
{
	Str near = rules_nearest(text);

	if (rules_find(text) || str_find(text, S(":")) > 0)
		return NULL;
	return err_new(a, ERR_INVALID, "audit.rule", "there is no rule %.*s%s%.*s",
	               STR_ARG(str_quote(a, text)),
	               near.len ? "; near is " : " (banyan audit --rules lists them)",
	               STR_ARG(near));
}

static const ConfKey own_keys[] = {
	{ "roots", CONF_PATH, AT_LIST(AuditConf, roots),
	  .help = "the folders that are read; none: all of the one that is audited" },
	{ "exclude", CONF_STR, AT_LIST(AuditConf, exclude),
	  .help = "patterns of paths to leave out: `legacy/**`, `*_old.py`" },
	{ "groups", CONF_OBJECT, AT_MAP(AuditConf, groups), .table = &group_table,
	  .help = "files put together under a name; the first group that fits has a file" },
	{ "off", CONF_STR, AT_LIST(AuditConf, off), .verify = verify_rule,
	  .help = "rules that are not wanted, by id or name" },
	{ "with", CONF_PATH, AT_LIST(AuditConf, with),
	  .help = "files with what other tools found: SARIF, mypy, bandit, ruff, pylint" },
	{ "capacity", CONF_REAL, AT(AuditConf, capacity), .min = "0", .max = "1000000",
	  .help = "the team's hours a month: hours lost are reckoned from it" },
};

enum { ALIGNED = 16 };
/* Written once. */
static ConfKey all_keys[COUNT(own_keys) + COUNT(sections)];
static ConfTable all = { .name = "audit",
	                 .keys = all_keys,
	                 .help = "what `banyan audit` and `banyan gate` go by" };

static void put_together(void)
{
	size_t at = (sizeof(AuditConf) + ALIGNED - 1) / ALIGNED * ALIGNED;

	memcpy(all_keys, own_keys, sizeof(own_keys));
	for (size_t i = 0; i < COUNT(sections); i++) {
		const ConfTable *table = sections[i].table();

		all_keys[COUNT(own_keys) + i] = (ConfKey){ .name = sections[i].name,
			                                   .type = CONF_OBJECT,
			                                   .offset = at,
			                                   .size = (uint16_t)table->size,
			                                   .span = (uint16_t)table->size,
			                                   .table = table,
			                                   .help = sections[i].help };
		at += (table->size + ALIGNED - 1) / ALIGNED * ALIGNED;
	}
	if (at > AUDIT_CONF_BYTES)
		abort(); /* there are more sections than there was room for */
	all.count = COUNT(all_keys);
	all.size = AUDIT_CONF_BYTES;
}

const ConfTable *audit_table(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, put_together);
	return &all;
}

const void *audit_section(const AuditRules *rules, const ConfTable *table)
{
	const ConfTable *whole = audit_table();

	for (size_t i = COUNT(own_keys); i < whole->count; i++)
		if (whole->keys[i].table == table)
			return (const char *)rules->conf + whole->keys[i].offset;
	abort(); /* a module that has no row above */
}

bool audit_rule_is_off(const AuditRules *rules, const char *id, const char *name)
{
	for (size_t i = 0; i < rules->conf->off.count; i++)
		if (str_eq(rules->conf->off.at[i], str_of(id)) ||
		    str_eq(rules->conf->off.at[i], str_of(name)))
			return true;
	return false;
}

/* --- the file ------------------------------------------------------------------------------------------------------------------------------------ */

/* The conf is as large as its table says, so the file's struct is a block of that size. */
static Err *read_file(Arena *a, Str path, void *into)
{
	const ConfKey key = { .name = "audit",
		              .type = CONF_OBJECT,
		              .size = AUDIT_CONF_BYTES,
		              .span = AUDIT_CONF_BYTES,
		              .table = audit_table(),
		              .help = "the audit" };
	const ConfTable file = { .name = "file",
		                 .size = AUDIT_CONF_BYTES,
		                 .keys = &key,
		                 .count = 1,
		                 .open = true,
		                 .help = "a configuration" };
	AUTO(buf_fini) Buf b = { 0 };
	Conf *conf = conf_new(a);
	Err *err = conf_load(conf, path, &(ConfPart){ &file, into }, 1);

	conf_put_mistakes(conf, &b);
	if (b.len)
		fwrite(b.at, 1, b.len, stderr);
	return err;
}

static bool is_file(Arena *a, Str path)
{
	struct stat about;

	return stat(str_z(a, path), &about) == 0 && S_ISREG(about.st_mode);
}

static Str joined(Arena *a, Str folder, const char *name)
{
	return str_fmt(a, "%.*s%s%s", STR_ARG(folder), str_ends(folder, S("/")) ? "" : "/", name);
}

/* --- the folders ---------------------------------------------------------------------------------------------------------------------------------- */

static Err *real_of(Arena *a, Str path, Str *out)
{
	char *real = realpath(str_z(a, path), NULL);

	if (!real)
		return err_errno(a, errno, "audit.root", "there is no folder %.*s", STR_ARG(path));
	*out = str_dup(a, str_of(real));
	free(real);
	return NULL;
}

/* "/a/b" has "/a/b" and "/a/b/c". */
static bool has(Str folder, Str path)
{
	return str_eq(folder, S("/")) || str_eq(folder, path) ||
	       (str_starts(path, folder) && path.at[folder.len] == '/');
}

static Str above(Str folder)
{
	ptrdiff_t slash = str_rfind_char(folder, '/');

	return slash <= 0 ? S("/") : str_sub(folder, 0, (size_t)slash);
}

static Str folder_of(Str file)
{
	return str_find_char(file, '/') < 0 ? S(".") : above(file);
}

static Str below(Str folder, Str path)
{
	size_t from = str_eq(folder, S("/")) ? 1 : folder.len + 1;

	return str_sub(path, from, path.len);
}

/* How a person in this folder would write it. */
static Str from_here(Arena *a, Str real)
{
	char here[PATH_MAX];

	if (!getcwd(here, sizeof(here)))
		return real;
	if (str_eq(real, str_of(here)))
		return S(".");
	return has(str_of(here), real) ? str_dup(a, below(str_of(here), real)) : real;
}

/* The root is what has them all, and `with`, unless that is empty. A folder in another one is read once. */
static Err *take_roots(Arena *a, Str with, const Str *paths, size_t count, AuditRules *out)
{
	Str *reals = ARENA_ARRAY(a, Str, count + 1), *roots = ARENA_ARRAY(a, Str, count + 1);
	Str root;

	for (size_t i = 0; i < count; i++)
		TRY(real_of(a, paths[i], &reals[i]));
	root = reals[0];
	if (with.len)
		TRY(real_of(a, with, &root));
	for (size_t i = 0; i < count; i++)
		while (!has(root, reals[i]))
			root = above(root);
	for (size_t i = 0; i < count; i++) {
		bool within = false;

		for (size_t k = 0; k < count && !within; k++)
			within = k != i && has(reals[k], reals[i]) &&
			         (!str_eq(reals[k], reals[i]) || k < i);
		if (!within)
			roots[out->root_count++] = below(root, reals[i]);
	}
	out->roots = roots;
	out->root = from_here(a, root);
	return NULL;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------------------------- */

static const Str *both(Arena *a, const Str *one, size_t n, const Str *other, size_t m,
                       size_t *count)
{
	Str *list = ARENA_ARRAY(a, Str, n + m + 1);

	for (size_t i = 0; i < n + m; i++)
		list[i] = i < n ? one[i] : other[i - n];
	*count = n + m;
	return list;
}

static void take_args(Arena *a, const AuditArgs *args, AuditRules *out)
{
	const AuditConf *conf = out->conf;

	out->exclude = both(a, conf->exclude.at, conf->exclude.count, args->exclude.at,
	                    args->exclude.count, &out->exclude_count);
	out->with = both(a, conf->with.at, conf->with.count, args->with.at, args->with.count,
	                 &out->with_count);
	out->coverage = args->coverage.at;
	out->coverage_count = args->coverage.count;
	out->tests = args->tests.at;
	out->test_count = args->tests.count;
	out->builds = args->builds.at;
	out->build_count = args->builds.count;
	out->advisories = args->advisories;
	out->trends = args->trends;
	out->cc = args->cc;
	out->all = args->all;
	out->no_history = args->no_history;
	out->deep = args->deep;
}

Err *audit_rules(Arena *a, const AuditArgs *args, AuditRules *out)
{
	AuditConf *conf = arena_alloc(a, AUDIT_CONF_BYTES);
	Str first = args->roots.count ? args->roots.at[0] : S(".");
	Str found = joined(a, first, "banyan.yaml");

	*out = (AuditRules){ .root = first, .conf = conf };
	conf_defaults(a, audit_table(), conf);
	if (args->config.len)
		out->file = args->config;
	else if (args->roots.count <= 1 && is_file(a, found))
		out->file = found;
	else if (args->roots.count > 1 && is_file(a, S("banyan.yaml")))
		out->file = S("banyan.yaml");
	if (out->file.len)
		TRY(read_file(a, out->file, conf));
	take_args(a, args, out);
	if (args->roots.count > 1)
		TRY(take_roots(a, S(""), args->roots.at, args->roots.count, out));
	else if (conf->roots.count)
		TRY(take_roots(a, folder_of(out->file), conf->roots.at, conf->roots.count, out));
	if (!str_eq(args->cache, S("none")))
		out->cache = audit_cache_open(a, args->cache, out->root);
	return NULL;
}
