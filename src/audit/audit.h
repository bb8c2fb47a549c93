/* SPDX-License-Identifier: Apache-2.0
 *
 * One whole audit: what every module found, for whoever reports it, gates by it, or puts a price on it. Modules fill their own part, in the order
 * of the table in audit.c; each may read what those before it left. */
#pragma once
#include "audit/audit_conf.h"
#include "audit/finding.h"
#include "audit/history_report.h"
#include "audit/part.h"

enum {
	AUDIT_LINE_MINUTES = 30
}; /* to write a line of code, SonarQube's 0.06 days: debt ratios are to it */

/* All findings that count (not ignored). */
typedef struct AuditTotals {
	uint64_t count, ignored;
	uint64_t by_class[FINDING_CLASSES], by_level[FINDING_LEVELS];
	double minutes, minutes_by_class[FINDING_CLASSES]; /* the principal: SQALE */
	double ratio; /* of it to what writing all code anew takes (30 minutes a line of code); below 0: there is no code */
	char rating;  /* A to E by that ratio; 0: there is no code */
} AuditTotals;

typedef struct Audit {
	Project project;
	History history;
	HistoryFindings told;
	const struct Smells *smells;   /* smells.h */
	const struct Links *links;     /* links.h: the graph */
	const struct Models *models;   /* models.h: tables, routes, tasks */
	const struct Clones *clones;   /* clones.h */
	const struct Outside *outside; /* outside.h: coverage, tests, packages and their ends */
	const struct Tools *tools;     /* tools.h: what other tools' files said */
	const struct Trends *trends;   /* trends.h; NULL: not asked for */
	const struct AreaHistory *by_area,
		*by_group;                   /* history_area.h; NULL: no history, no groups */
	const struct Szz *szz;               /* szz.h; NULL: not asked for */
	const struct CodeOwners *codeowners; /* codeowners.h; NULL: there is no such file */
	Findings findings; /* of all modules and tools, sorted; those with ignored_why too */
	AuditTotals totals;
	Parts packages, groups;         /* groups.count 0: there are no rules for groups */
	const struct AuditMoney *money; /* audit_money.h */
	int64_t taken_us;
	const struct RevCompare *compare; /* rev_compare.h; NULL: with nothing */
	const struct Gate *gate;          /* gate.h; NULL: nobody asked it */
} Audit;

/* A module's step. Adds its findings to audit->findings. What it cannot have (no git, no such file) is a word in its own part, not a failure. */
typedef Err *AuditStep(Arena *a, const AuditRules *rules, Audit *audit);

/* Reads and judges all. Blocks and burns. Fails as project_read does, and as files named by the rules fail to be read. */
Err *audit_all(Arena *a, const AuditRules *rules, Audit *out) MUST_USE;
void audit_fini(Audit *audit);
