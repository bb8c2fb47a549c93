/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample-ratio check: do as many users arrive on the new side as the split should send there? If not, the split or the
 * counting is broken and the judge's comparison with it. Two-sided, good at any time, of users and not of requests. */
#pragma once
#include "base/json.h"

typedef struct Ratio {
	double expected; /* share of users that should be on new; 0 or 1: nothing to check */
	uint64_t new_users, old_users;
	double peak; /* highest logarithm of the evidence so far */
} Ratio;

/* A p below this says that the split is not what it should be. */
#define RATIO_ALPHA 0.001

Ratio ratio_new(double expected);
void ratio_note(
	Ratio *ratio,
	bool on_new); /* a user who was drawn (no override), for the first time in this step */
void ratio_merge(Ratio *into, const Ratio *from);
double ratio_seen(
	const Ratio *ratio); /* share of users on new; the expected one while there are none */
double ratio_p(const Ratio *ratio);

void ratio_put(JsonWriter *w, const Ratio *ratio); /* an object */
Err *ratio_read(Arena *a, const Json *from, Ratio *out)
	MUST_USE; /* fails with INVALID "shift.state" */
