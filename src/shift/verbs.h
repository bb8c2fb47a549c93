/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person may do to a subject: the verbs of `banyan shift`, of the admin port and the console. */
#pragma once
#include "http/admin.h"
#include "shift/keeper.h"

typedef struct VerbAsk {
	Str subject, verb;
	Str who, why;
	bool has_share, dry_run, force;
	uint32_t share_ppm; /* of `to` and `canary` */
	Str target;         /* of an upstream: the other */
	Str path, kind;     /* of `accept` */
	Str action, id;     /* of `writes` (dual.h) */
	Str server;         /* of `drain` and `undrain` */
	int64_t expect;     /* the revision that was looked at; 0: whatever it is */
} VerbAsk;

typedef struct VerbAnswer {
	Str said; /* what was done, or would be: a sentence, in the arena */
	Subject *subject;
} VerbAnswer;

/* Parks; any loop. Fails with NOT_FOUND "shift.unknown", INVALID "shift.verb", CONFLICT "shift.phase" (not from here), "shift.changed",
 * PRECONDITION "shift.refused" (it says what to do, and whether force would), and as book_change does. */
Err *shift_verb(Arena *a, const VerbAsk *ask, VerbAnswer *out) MUST_USE;

typedef struct VerbRow {
	const char *name;
	AdminRole role;
	const char *help;
	bool onward; /* no freeze allows it, and it may take two people */
} VerbRow;
const VerbRow *shift_verbs(size_t *count);
