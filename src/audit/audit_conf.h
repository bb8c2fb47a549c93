/* SPDX-License-Identifier: Apache-2.0
 *
 * What an audit is asked for: the command line's options over `audit:` of a banyan.yaml. Every command that audits (audit, gate) has these
 * options, by AUDIT_OPTIONS. Modules have sections of their own in `audit:` (audit_conf.c has the table) and look at them with audit_section. */
#pragma once
#include "audit/project.h"
#include "base/args.h"

/* Files with a name for all of them: a service that is proposed, a team. The first group that fits has a file. */
typedef struct AuditGroup {
	Str name;
	CONF_LIST_OF(Str) paths; /* patterns as path_matches has them */
} AuditGroup;

/* `audit:` but for the sections. */
typedef struct AuditConf {
	CONF_LIST_OF(Str) roots;   /* folders, from the file's own */
	CONF_LIST_OF(Str) exclude; /* patterns of paths */
	CONF_LIST_OF(AuditGroup) groups;
	CONF_LIST_OF(Str) off;  /* rules by id or name that are not wanted */
	CONF_LIST_OF(Str) with; /* what other tools found: files */
	double capacity;        /* the team's hours a month; 0: not known */
} AuditConf;

/* The command line. */
typedef struct AuditArgs {
	CONF_LIST_OF(Str) roots;
	CONF_LIST_OF(Str) exclude;
	CONF_LIST_OF(Str) with;
	CONF_LIST_OF(Str) coverage;
	CONF_LIST_OF(Str) tests;
	CONF_LIST_OF(Str) builds;
	Str config, cache, advisories;
	uint32_t trends;
	uint8_t cc; /* CcRules */
	bool all, quiet, no_history, deep;
} AuditArgs;

/* `of` is 0 while nobody knows how many. From one thread at a time. */
typedef void AuditProgress(void *arg, const char *what, size_t done, size_t of);

typedef struct AuditCache AuditCache; /* audit_cache.h */

typedef struct AuditRules {
	Str root; /* the folder that all paths are from; a name for it when `from` is given */
	const Str *roots; /* what is read of it: "" or "apps/shop" */
	size_t root_count;
	Str file;           /* the configuration that was read; empty: none */
	const Str *exclude; /* of the file and of the command line */
	size_t exclude_count;
	CcRules cc;
	bool all, no_history;
	bool deep;       /* who brought in what was mended: SZZ */
	uint32_t trends; /* samples of the past; 0: none */
	const Str *with; /* files of other tools, of the file and of the command line */
	size_t with_count;
	const Str *coverage; /* the command line's: Cobertura or lcov */
	size_t coverage_count;
	const Str *tests; /* JUnit */
	size_t test_count;
	const Str *builds; /* logs of CI */
	size_t build_count;
	Str advisories;            /* a file or a folder in OSV's format; empty: none */
	const ProjectSource *from; /* NULL: the disk */
	AuditProgress *progress;   /* NULL: none */
	void *progress_arg;
	AuditCache *cache; /* NULL: none */
	const AuditConf *conf;
} AuditRules;

/* The options together with the file's keys; opens the cache (gone with the arena). Mistakes of the file go to stderr, all of them. Fails with
 * INVALID "conf.invalid", "audit.root", NOT_FOUND "audit.root", and as file_read does for a file that was named. */
Err *audit_rules(Arena *a, const AuditArgs *args, AuditRules *out) MUST_USE;
/* What the file, or nothing but defaults, says in a module's section: the struct of that table. */
const void *audit_section(const AuditRules *rules, const ConfTable *table) RETURNS_NONNULL;
enum { AUDIT_CONF_BYTES = 16 << 10 };
const ConfTable *audit_table(void) RETURNS_NONNULL; /* all of `audit:`, of that size */
bool audit_rule_is_off(const AuditRules *rules, const char *id, const char *name);
static inline void audit_progress(const AuditRules *rules, const char *what, size_t done, size_t of)
{
	if (rules->progress)
		rules->progress(rules->progress_arg, what, done, of);
}

UNUSED static const ConfWord audit_cc_words[] = {
	{ "radon", CC_RADON, "radon's: and, or, comprehensions and assert count" },
	{ "mccabe", CC_MCCABE, "mccabe's and ruff's C901: paths of statements only" },
	{ "sonar", CC_SONAR, "Sonar's analyser of Python: neither elif nor except" },
	{ 0 },
};

/* Rows of a command; `type` has an AuditArgs `field`. */
#define AUDIT_OPERANDS(type, field) \
	{ \
		"PATH", CONF_STR, AT_LIST(type, field.roots), \
			.help = "folders of the monolith; none: those of the file, or this one" \
	}
#define AUDIT_OPTIONS(type, field) \
	{ "config", \
	  CONF_PATH, \
	  AT(type, field.config), \
	  .letter = 'c', \
	  .value = "FILE", \
	  .help = "the file that has `audit:`; else the folder's banyan.yaml, if there is one" }, \
		{ "exclude", \
		  CONF_STR, \
		  AT_LIST(type, field.exclude), \
		  .letter = 'x', \
		  .value = "PATTERN", \
		  .help = "paths to leave out: \"legacy/**\", \"*_old.py\"" }, \
		{ "cc", \
		  CONF_ENUM, \
		  AT(type, field.cc), \
		  .names = audit_cc_words, \
		  .def = "radon", \
		  .help = "whose cyclomatic complexity" }, \
		{ "all", CONF_BOOL, AT(type, field.all), \
		  .help = "read what .gitignore names and virtual environments too" }, \
		{ "no-history", CONF_BOOL, AT(type, field.no_history), \
		  .help = "do not read what git tells of changes and people" }, \
		{ "deep", CONF_BOOL, AT(type, field.deep), \
		  .help = "find the changes that brought in what was mended later (slow)" }, \
		{ "trends",     CONF_UINT,    AT(type, field.trends), \
		  .value = "N", .max = "200", .help = "measure N moments of the past too" }, \
		{ "with", CONF_PATH, AT_LIST(type, field.with), .value = "FILE", \
		  .help = "what another tool found: SARIF, mypy, bandit, ruff, pylint" }, \
		{ "coverage", CONF_PATH, AT_LIST(type, field.coverage), .value = "FILE", \
		  .help = "what the tests reach: Cobertura's XML or lcov" }, \
		{ "tests", CONF_PATH, AT_LIST(type, field.tests), .value = "FILE", \
		  .help = "how long the tests take: JUnit's XML" }, \
		{ "builds", CONF_PATH, AT_LIST(type, field.builds), .value = "FILE", \
		  .help = "how long builds take: a log of GitHub's or GitLab's CI" }, \
		{ "advisories", CONF_PATH, AT(type, field.advisories), .value = "PATH", \
		  .help = "known weaknesses of packages: a file or a folder of OSV's" }, \
		{ "cache", CONF_STR, AT(type, field.cache), .value = "FOLDER", \
		  .help = "where facts of files that did not change are kept; `none`: nowhere" }, \
	{ \
		"quiet", CONF_BOOL, AT(type, field.quiet), .letter = 'q', .help = "no progress" \
	}
