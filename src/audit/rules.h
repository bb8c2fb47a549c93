/* SPDX-License-Identifier: Apache-2.0
 *
 * All rules of all modules: `banyan audit --rules`, `--explain RULE`, docs/reference/rules.md, SARIF's list of rules, and what the names in
 * `# banyan: ignore` and in configurations are held against. A module gives its list here, and has one line in the
 * table of rules.c. Pure. */
#pragma once
#include "audit/finding.h"
#include "base/buf.h"

typedef struct JsonWriter JsonWriter;

/* A module's rules, by id. */
typedef const FindingRule *RuleList(size_t *count);
RuleList smells_rules;  /* PY1xx to PY4xx */
RuleList links_rules;   /* PY5xx */
RuleList models_rules;  /* PY6xx */
RuleList history_rules; /* PY7xx */
RuleList clones_rules;  /* PY8xx */
RuleList outside_rules; /* PY9xx */

size_t rules_count(void);
/* By id, the order of all lists; n below rules_count(). */
const FindingRule *rules_at(size_t n) RETURNS_NONNULL;
/* By id ("PY201") or name ("mutable-default"), letters of either case; NULL: there is none. */
const FindingRule *rules_find(Str word);
/* The name nearest to a word that is none, if it is near enough to be a slip; else the empty view. */
Str rules_nearest(Str word);
/* "constant 20 min", "5 min + 1 min for each point above": how minutes are reckoned. */
Str rules_minutes_text(Arena *a, const FindingRule *rule);

void rules_put_list(Buf *b);                             /* a line each */
void rules_put_explain(Buf *b, const FindingRule *rule); /* for a terminal */
void rules_put_markdown(Buf *b);                         /* docs/reference/rules.md */
void rules_put_json(
	JsonWriter *
		w); /* an array of { id, name, class, level, summary, why, base_minutes, each_minutes, bandit: [ids] } */
