/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit --html FILE`: the whole audit as one page. It needs no network, opens from the disk, runs nothing but its own script (its policy
 * names that by its hash), and holds the data of --json with each finding's lines of code. A large project's lists are cut, and the page says so.
 *
 *	report_json(&json, &audit, ...);
 *	TRY(html_write(a, args->html, &audit, &(HtmlParts){ .json = buf_str(&json) }));
 */
#pragma once
#include "audit/audit.h"
#include "base/buf.h"

typedef struct HtmlParts {
	Str json;        /* what report_json wrote */
	Str before, now; /* scorecards as scorecard_put_json writes them; empty: none */
	int64_t utc_us;  /* when it was made; 0: now */
} HtmlParts;

/* How much of each list the page holds. */
typedef struct HtmlLimits {
	size_t files;     /* the rest is summed up by folder */
	size_t functions; /* hardest to read first */
	size_t findings;  /* by level and minutes, none of the rules forgotten */
	size_t rows;      /* of every other list */
} HtmlLimits;
#define HTML_LIMITS ((HtmlLimits){ 20000, 1000, 5000, 3000 })

/* The page. Reads the files that have findings again, for their lines; what a secret's finding is about is masked. Blocks on the disk. Fails with
 * INTERNAL "audit.html" when parts->json is no JSON. */
Err *html_put(Arena *a, Buf *out, const Audit *audit, const HtmlParts *parts, HtmlLimits limits)
	MUST_USE;

/* The same, in a file: whole or not at all. Fails as html_put does, and with the kind errno has, "audit.html_file". */
Err *html_write(Arena *a, Str path, const Audit *audit, const HtmlParts *parts) MUST_USE;
