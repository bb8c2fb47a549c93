/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of a project: its files put together by package, or by the rules for groups. Every file is in one part at most. */
#pragma once
#include "audit/audit_conf.h"
#include "audit/finding.h"
#include "audit/history.h"

enum { PART_NONE = UINT32_MAX };

/* Sums over its files; complexity and findings those of code only (SOURCE_CODE). */
typedef struct Part {
	Str name; /* "shop/orders" of a package (its folder; "" is the root), or the group's */
	uint32_t files, functions, classes;
	uint64_t loc, sloc, cc, cognitive;
	double mi; /* mean over files, by lines of code; 0: no code */
	uint64_t findings;
	double minutes;          /* to mend them */
	uint64_t changes, fixes; /* of files, summed; 0 without a history */
} Part;

typedef struct Parts {
	Part *at; /* packages by name, groups in the file's order */
	size_t count;
	uint32_t *of;     /* a file's (index of Project.files) part; PART_NONE */
	uint64_t outside; /* files in none */
} Parts;

/* Which files are in which part; the sums are filled by parts_sum. In the arena. */
void parts_by_package(Arena *a, const Project *project, Parts *out);
void parts_by_group(Arena *a, const Project *project, const AuditConf *conf, Parts *out);
/* history may be one that was not read; findings are sorted. */
void parts_sum(Parts *parts, const Project *project, const History *history,
               const Findings *findings);
