/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of a project outside its code: coverage, times of tests and builds, the packages it stands on with their known holes and ends of life.
 * All from files: nothing is asked of any network. */
#pragma once
#include "audit/audit.h"
#include "audit/outside_conf.h"

#include <stdio.h>

/* A file that was read, or was not, and why: nothing is left out without a word. */
typedef struct OutsideFile {
	Str path;
	const char *what; /* "Cobertura", "lcov", "JUnit", "GitHub log", "poetry.lock", ... */
	uint64_t items;   /* that it gave */
	Str note;         /* what was wrong with it, or left out of it; empty: nothing */
} OutsideFile;

/* --- coverage ----------------------------------------------------------------------------------------------------------------------- */

typedef struct CoverageFile {
	uint32_t file;            /* index of the project's files */
	uint32_t lines, covered;  /* that can be executed, as its tool says */
	uint32_t branches, taken; /* 0: unknown */
} CoverageFile;
typedef struct Coverage {
	bool known;
	CoverageFile *files; /* by path */
	size_t count;
	uint64_t lines, covered, branches, taken;
	uint64_t elsewhere;  /* files that the project has not */
	int64_t time_s;      /* when it was measured; 0: it does not say */
	uint64_t unmeasured; /* code files with statements that no report names */
} Coverage;
/* Percent of lines; below 0: unknown. */
double coverage_percent(const Coverage *c);
const CoverageFile *coverage_of(const Coverage *c, uint32_t file); /* NULL: unknown */

/* --- tests and builds -------------------------------------------------------------------------------------------------------------- */

typedef struct TestTime {
	Str name; /* "tests.test_order.TestOrder.test_total" */
	double seconds;
	bool failed;
	Str why; /* of a failure: its message, cut */
} TestTime;
typedef struct Tests {
	bool known;
	uint64_t tests, failures, errors, skipped;
	double seconds;    /* of all tests together */
	TestTime *slowest; /* up to OUTSIDE_SHOWN */
	size_t slowest_count;
	TestTime *failed;
	size_t failed_count;
	double slow_share; /* of the time, what the slowest twentieth takes */
} Tests;

typedef struct BuildStep {
	Str name;
	double seconds;
} BuildStep;
typedef struct Builds {
	bool known;
	uint64_t count;
	double shortest, median, longest; /* seconds */
	BuildStep *steps;                 /* the longest, by their mean over the logs */
	size_t step_count;
} Builds;

/* --- packages ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Hole {
	uint32_t package;
	Str id;                /* GHSA-..., PYSEC-... */
	Str aliases;           /* "CVE-2021-1, CVE-2021-2" */
	Str summary, severity; /* "HIGH", or a CVSS vector; empty: it does not say */
	Str fixed; /* the lowest version that has it mended and is higher; empty: none */
} Hole;

typedef struct End {
	const char *product; /* "Python", "Django" */
	Str version;
	Str cycle;    /* the row of the table: "3.8" */
	Str ends;     /* 2024-10-07 */
	int32_t days; /* until then; negative: since then */
	Str from;     /* the file that says so */
} End;

typedef struct Package {
	Str name;         /* normalised: "django-rest-framework" */
	Str version;      /* "3.2.19"; empty: not pinned */
	Str wanted;       /* ">=3.2,<4", as it is written; empty: anything */
	uint32_t file;    /* index of Outside.files */
	uint32_t line;    /* 0: unknown */
	bool direct;      /* the project asks for it itself, as far as the file tells */
	bool dev;         /* for development only */
	const Str *needs; /* names, from lock files that tell */
	size_t need_count;
	const Str *hashes; /* "sha256:..." */
	size_t hash_count;
} Package;

typedef struct Packages {
	Package *at; /* by name */
	size_t count;
	uint64_t unpinned;
	Hole *holes;
	size_t hole_count;
	bool holes_known;    /* an OSV file was read */
	uint64_t advisories; /* that it has for PyPI */
	End *ends;           /* the soonest first */
	size_t end_count;
	const char *ends_as_of; /* the date of the table */
} Packages;

enum { OUTSIDE_SHOWN = 20 };
typedef struct Outside {
	OutsideFile *files;
	size_t file_count;
	Coverage coverage;
	Tests tests;
	Builds builds;
	Packages packages;
	Str today;
} Outside;

/* A step: sets audit->outside, adds PY901 (known-hole), PY902 (end-of-life), PY903 (unpinned), PY904 (hotspot-uncovered), PY905 (slow-tests), PY906
 * (test-fails). Fails when a file that the rules name cannot be read, or is none of what it is named for: INVALID "audit.outside", or as file_read. */
Err *outside_step(Arena *a, const AuditRules *rules, Audit *audit) MUST_USE;
/* `look` for what is usual under the root too. */
Err *outside_read(Arena *a, const OutsideConf *conf, Str root, bool look, const Project *p,
                  Outside *out) MUST_USE;

void outside_screen(FILE *out, const Outside *outside, const Audit *audit);
/* { "today", "files": [ { "path", "what", "items", "note" } ],
 *   "coverage": null or { "percent", "lines", "covered", "branches", "taken", "measured", "unmeasured", "elsewhere", "time", "files": [ { "path", "lines", "covered" } ] },
 *   "tests": null or { "tests", "failures", "errors", "skipped", "seconds", "slow_share", "slowest": [ { "name", "seconds" } ], "failed": [ { "name", "why" } ] },
 *   "builds": null or { "count", "shortest", "median", "longest", "steps": [ { "name", "seconds" } ] },
 *   "packages": [ { "name", "version", "wanted", "path", "line", "direct", "dev" } ], "unpinned",
 *   "holes": null (no OSV file) or [ { "package", "version", "id", "aliases", "severity", "summary", "fixed" } ], "advisories",
 *   "ends": [ { "product", "version", "cycle", "ends", "days", "from" } ], "ends_as_of" } */
void outside_put(JsonWriter *w, const Outside *outside, const Project *p);

/* CycloneDX 1.5, JSON: the packages and what needs what; `serial` a UUID, empty: none. */
void outside_sbom(Buf *out, const Outside *outside, Str name, Str serial);
/* The same of a whole audit (a ReportWrite); its serial number is made of what is in it. Cannot fail. */
Err *outside_sbom_write(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out) MUST_USE;
