/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules: small expressions over what is known of a request, `sub == path.id or "admin" in roles`, read once.
 *
 *   or, and, not, ( )                in that order, the loosest first
 *   == != < <= > >= in, not in       at most one between two values
 *   "text", 'text', 12, true, false, null, [ "a", "b" ]
 *   method, path, path.NAME          of the request: its method, its canonical path, a part that the route names
 *   NAME, NAME.NAME, claim.NAME      a claim; a member of it; a claim that has one of the names above
 *
 * What is not there is null, which equals the word null and nothing else: not another that is not there. A number equals the text of its digits, as path parts are texts; other kinds are never equal.
 * `in` looks into a list, or among the words of a text (as `scope` is one). < and its like are for numbers. Where true or
 * false is wanted only true is true: a text that is there is not. */
#pragma once
#include "base/json.h"

typedef struct Rule Rule; /* immutable; any thread */

enum { RULE_BYTES = 2000, RULE_NODES = 200, RULE_DEPTH = 32 };

/* Lives as long as the arena; copies the text. Fails with INVALID "rule.syntax", "rule.type" (it could never be so),
 * "rule.too_large"; the sentence begins with "column 12: ". */
Err *rule_read(Arena *a, Str text, const Rule **out) MUST_USE;

typedef struct RuleAsk {
	const Json *claims; /* NULL: nobody is known */
	Str method, path;
	/* The value of path.NAME, as text without escapes; false: null. NULL: there are none. */
	bool (*part)(const void *arg, Str name, Str *value);
	const void *arg;
} RuleAsk;
/* Does not allocate, nor park. */
bool rule_holds(const Rule *rule, const RuleAsk *ask);

/* Every path.NAME: `for (size_t i = 0; rule_part(rule, i, &name, &column); i++)`. column: from 1. */
bool rule_part(const Rule *rule, size_t i, Str *name, unsigned *column);
