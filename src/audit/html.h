/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit --html FILE`: the whole audit as one page. It needs no network, opens from the disk, runs nothing but its own script (its policy
 * names that by its hash), and holds the data of --json with each finding's lines of code. A large project's lists are cut, and the page says so. */
#pragma once
#include "audit/report.h"

/* How much of each list the page holds. */
typedef struct HtmlLimits {
	size_t files;     /* the rest is summed up by folder */
	size_t functions; /* hardest to read first */
	size_t findings;  /* by level and minutes, none of the rules forgotten */
	size_t rows;      /* of every other list */
} HtmlLimits;
#define HTML_LIMITS ((HtmlLimits){ 20000, 1000, 5000, 3000 })

/* The page, of what report_json wrote. Reads the files that have findings again, for their lines; what a secret's finding is about is masked. A
 * scorecard in the root (`--baseline` leaves it) is in it as what was before. Blocks on the disk. Fails with INTERNAL "audit.html" when the
 * text is no JSON. */
Err *html_put(Arena *a, Buf *out, const Audit *audit, const AuditRules *rules, Str json,
              HtmlLimits limits) MUST_USE;
/* report_file.c's row: all of it, with HTML_LIMITS. */
ReportWrite html_report;
