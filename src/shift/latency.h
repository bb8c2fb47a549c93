/* SPDX-License-Identifier: Apache-2.0
 *
 * Answer times of one side, from which a threshold is frozen: a histogram of two digits from 1 us to 71 minutes. Plain,
 * copyable, merged by adding. */
#pragma once
#include "base/json.h"

enum { LATENCY_SLOTS = 26 * 128 };

typedef struct Latency {
	uint64_t count;
	uint64_t slots[LATENCY_SLOTS];
} Latency; /* 26 KiB; zeroed is empty */

void latency_note(Latency *latency, int64_t us); /* below 0 counts as 0, above as the highest */
void latency_merge(Latency *into, const Latency *from);
/* The time that so many percent are not above, rounded up to the slot's end; 0 when empty. */
int64_t latency_percentile_us(const Latency *latency, double percent);
/* The share of answers above it: what the base ratio of a frozen threshold really is. */
double latency_share_above(const Latency *latency, int64_t us);

void latency_put(JsonWriter *w, const Latency *latency); /* an array, sparse */
Err *latency_read(Arena *a, const Json *from, Latency *out)
	MUST_USE; /* fails with INVALID "shift.state" */
