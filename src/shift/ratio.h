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
	uint32_t
		checks; /* of so many gateways this is the most suspicious; 0 counts as 1; not kept */
} Ratio;

/* A p below this says that the split is not what it should be. */
#define RATIO_ALPHA 0.001

Ratio ratio_new(double expected);
void ratio_note(
	Ratio *ratio,
	bool on_new); /* a user who was drawn (no override), for the first time in this step */
/* Another gateway's check of the same split. Users of both would count twice in a sum, so the more suspicious of the two stays,
 * and its p is that of the best of so many tries. */
void ratio_merge(Ratio *into, const Ratio *from);
double ratio_seen(
	const Ratio *ratio); /* share of users on new; the expected one while there are none */
double ratio_p(const Ratio *ratio);

void ratio_put(JsonWriter *w, const Ratio *ratio); /* an object */
Err *ratio_read(Arena *a, const Json *from, Ratio *out)
	MUST_USE; /* fails with INVALID "shift.state" */
