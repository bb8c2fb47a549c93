/* SPDX-License-Identifier: Apache-2.0
 *
 * One whole audit: what every module found, for whoever reports it, gates by it, or puts a price on it. Modules fill their own part, in the order
 * of the table in audit.c; each may read what those before it left. */
#pragma once
#include "audit/finding.h"
#include "audit/history_report.h"
#include "audit/project.h"

typedef struct AuditRules AuditRules; /* audit_conf.h: the command line and banyan.yaml */

typedef struct Audit {
	Project project;
	History history;
	HistoryFindings told;
	const struct Links *links;       /* links.h: graph */
	const struct Models *models;     /* models.h: models, tables, routes, tasks, signals */
	const struct Clones *clones;     /* clones.h */
	const struct Outside *outside;   /* outside.h: coverage, tests, packages and their ends */
	const struct Trends *trends;     /* trends.h; NULL: not asked for */
	const struct MoneyResult *money; /* money.h */
	Findings findings; /* of all modules and tools, sorted; those with ignored_why too */
} Audit;

/* A module's step. Adds its findings to audit->findings. What it cannot have (no git, no such file) is a word in its own part, not a failure. */
typedef Err *AuditStep(Arena *a, const AuditRules *rules, Audit *audit);

/* Reads and judges all. Blocks and burns. Fails as project_read does, and as files named by the rules fail to be read. */
Err *audit_all(Arena *a, const AuditRules *rules, Audit *out) MUST_USE;
void audit_fini(Audit *audit);
