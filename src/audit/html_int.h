/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "audit/html.h"
#include "audit/prune.h"
#include "base/json.h"

/* Members of the page's own: totals, files, functions. */
void html_put_totals(JsonWriter *w, const Audit *audit);
/* Columns, each a list: a project has many files, and a row has many figures. */
void html_put_files(Arena *a, JsonWriter *w, const Audit *audit, size_t most, Cuts *cuts);
void html_put_functions(Arena *a, JsonWriter *w, const Audit *audit, size_t most, Cuts *cuts);

/* Rules with their totals, and the findings that are shown, with their code. */
void html_put_findings(Arena *a, JsonWriter *w, const Audit *audit, const AuditRules *rules,
                       size_t most, Cuts *cuts);

/* Lines of one file. */
typedef struct HtmlCode {
	Str text;
	const uint32_t
		*hidden; /* pairs of lines, from and to, whose strings are not shown; by line */
	size_t hidden_count;
	size_t at;     /* where the first line of the last place begins */
	uint32_t line; /* and which it is; 0: none yet */
} HtmlCode;
/* {"from": 12, "lines": [...]}: the lines of a place and a few around it; null: there are none. Places are asked for by rising line. */
void html_put_code(JsonWriter *w, HtmlCode *code, uint32_t line, uint32_t end_line);
/* Is what stands in the place that the rule is about a secret? */
bool html_hides(const FindingRule *rule);
