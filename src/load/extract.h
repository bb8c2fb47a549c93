/* SPDX-License-Identifier: Apache-2.0
 *
 * What is looked for in answers: checks, and values taken out of them into a user's variables. */
#pragma once
#include "http/message.h"
#include "load/scenario.h"

/* --- variables of one user --- */

typedef struct Variables {
	struct Variable *first;
} Variables;

void variables_fini(Variables *variables);
void variables_set(Variables *variables, Str name, Str value); /* copies */
bool variables_get(const Variables *variables, Str name, Str *value);

/* --- what a step looks for, compiled once, shared by all loops --- */

typedef struct Seeker Seeker;

/* Lives as long as the arena. Fails with INVALID "rt.jq" (a filter that is none). Call before the run: a filter takes
 * 40 ms to compile, once for each loop. */
Err *seeker_new(Arena *a, const StepConf *step, unsigned loops, Seeker **out) MUST_USE;
bool seeker_wants_body(const Seeker *seeker); /* does it look at bodies at all? */

typedef struct Answer {
	uint16_t status;
	const Headers *headers;
	Str body;
	Str wanted; /* check.body, filled in */
} Answer;

/* Is the answer what the step's check says? Status and time are the caller's. */
bool seeker_check(const Seeker *seeker, const Answer *answer);
/* Sets the variables of the step; false when one was not to be found and has no `otherwise`. loop: this thread's. */
bool seeker_extract(const Seeker *seeker, const Answer *answer, unsigned loop, Variables *into);
