/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of routes (PCRE2): compiled once for a table, with PCRE2's JIT where the system allows it, and freed
 * with the arena. Matching does not allocate once a thread has done its first; it never parks. An expression is found
 * anywhere in a text unless it says "^" and "$" itself.
 *
 * A match that needs more steps than ROUTE_REGEX_STEPS counts as none, is counted (banyan_route_expression_limits_total) and
 * logged: what a client sends must not burn a processor. */
#pragma once
#include "base/err.h"

typedef struct RouteRegex RouteRegex;

enum { ROUTE_REGEX_STEPS = 20000, ROUTE_REGEX_GROUPS = 31 };

/* Fails with INVALID "conf.value", the sentence saying what is wrong at which letter. The pattern is borrowed. */
Err *route_regex_new(Arena *a, Str pattern, const RouteRegex **out) MUST_USE;
Err *route_regex_check(Arena *a, Str pattern) MUST_USE; /* the same, and nothing is kept */
Str route_regex_pattern(const RouteRegex *re);

bool route_regex_matches(const RouteRegex *re, Str text);
/* What a group took in this text, by its name or number ("1"; "0": all that was found); empty when it took no part. False
 * when there is no such group or no match. */
bool route_regex_group(const RouteRegex *re, Str text, Str name, Str *value);
/* The name of a group; empty when it has none. False when there are fewer. */
bool route_regex_group_name(const RouteRegex *re, uint32_t number, Str *name);
