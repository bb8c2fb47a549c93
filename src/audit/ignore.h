/* SPDX-License-Identifier: Apache-2.0
 *
 * `# banyan: ignore RULE why`: a finding that is meant so, said where it is. RULE is an id or a name, of another tool with the tool before it
 * ("bandit:B101", which is what was found here in its place as well); several with commas. Where it counts:
 *
 *	x = eval(text)  # banyan: ignore eval-call the text is ours        the statement that stands there
 *	# banyan: ignore god-class, PY110 split is planned for May         alone: the whole of the def, class or statement right below
 *	class Order: ...
 *	# banyan: ignore print-call a script, prints are its purpose       at the top, before any code and not right above it: the whole file
 *
 * One without a why, one that names no rule, and one that nothing was found for are findings themselves. bandit's `# nosec` (with its test ids
 * or without) counts for what bandit would have found. */
#pragma once
#include "audit/audit.h"

/* Facts of a file (plain; in the cache). */
typedef struct Ignore {
	uint32_t line;     /* where it is written */
	uint32_t from, to; /* lines that it counts for; from 0: the whole file */
	Str *rules;        /* as written */
	uint32_t rule_count;
	bool nosec; /* bandit's: rules are its test ids; none: all */
	Str why;
} Ignore;

/* Gives each finding that somebody ignores its ignored_why, and adds PY19x findings about the comments themselves. After all steps, before
 * findings_sort (it sorts). Needs the files' FACTS_SMELLS. */
AuditStep ignores_apply;

/* What a comment says; false: it is none of these. Pure. Strings are borrowed from it, lists are in the arena. */
bool ignore_read(Arena *a, Str comment, Ignore *out);
