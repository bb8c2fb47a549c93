/* SPDX-License-Identifier: Apache-2.0
 *
 * The readers behind outside.h, each of one sort of files. */
#pragma once
#include "audit/outside.h"
#include "base/map.h"

/* All that the readers share. Lists grow in malloc's memory and are copied when all is read. */
typedef struct Gathering {
	Arena *arena;
	const OutsideConf *conf;
	const Project *project;
	Str root;  /* the folder */
	Map paths; /* of the project's files; values: AuditFile */
	Outside *out;
	Buf files;    /* OutsideFile */
	Buf lines;    /* CoveredLine */
	Buf tests;    /* TestTime */
	Buf builds;   /* double: seconds of each log */
	Buf steps;    /* BuildStep: of each log */
	Buf packages; /* Package */
	Buf pythons;  /* PythonSaid */
	Buf holes;    /* Hole */
} Gathering;

/* One line of one report; those of several are put together at the end. */
typedef struct CoveredLine {
	uint32_t file, line;
	uint32_t branches, taken;
	bool hit;
} CoveredLine;

/* A version of Python that a file names. */
typedef struct PythonSaid {
	Str version, from;
} PythonSaid;

#define GATHER(list, row) buf_put(list, (Str){ (const char *)&(row), sizeof(row) })

/* The file as one of those that were read. */
OutsideFile *gather_file(Gathering *g, Str path, const char *what);

/* Each fails as xml_read, json_read and toml_read do: the file is none of what it looks like. Whether it looks like it is asked before. */
bool coverage_is(Str text);
Err *coverage_read(Gathering *g, Str path, Str text) MUST_USE;
void coverage_end(Gathering *g);
bool tests_is(Str text);
Err *tests_read(Gathering *g, Str path, Str text) MUST_USE;
void tests_end(Gathering *g);
/* A log without times is an INVALID "audit.outside". */
Err *builds_read(Gathering *g, Str path, Str text) MUST_USE;
void builds_end(Gathering *g);

/* By its name; false: no file with packages. */
bool packages_is(Str path);
Err *packages_read(Gathering *g, Str path, Str text) MUST_USE;
Err *packages_read_list(Gathering *g, Str path, Str text)
	MUST_USE; /* as requirements, whatever its name */
/* Packages of all files put together: a pinned row takes the place of those that only ask. */
void packages_end(Gathering *g);
/* Advisories of one text, against the packages that were put together; *count: how many are of PyPI. Fails as json_read does, and with INVALID
 * "audit.outside" when it has none at all. */
Err *holes_take(Gathering *g, Str path, Str text, uint64_t *count) MUST_USE;
void holes_end(Gathering *g);
void ends_find(Gathering *g);
void outside_add_findings(Arena *a, Outside *outside, Audit *audit);

/* "name[extra]>=1,<2; marker" (PEP 508): false: it is none. Views into text but for the name. */
bool requirement_read(Arena *a, Str text, Package *out);

/* By outside_packages.c for outside_locks.c. */
void package_add(Gathering *g, Package row); /* name as it is written */
void python_add(Gathering *g, Str version, Str from);
Err *lock_read(Gathering *g, Str path, Str text, Str name)
	MUST_USE; /* TOML and JSON ones, by name */
bool lock_is(Str name);
Err *setup_py_read(Gathering *g, Str path, Str text) MUST_USE;
