/* SPDX-License-Identifier: Apache-2.0
 *
 * What the history says, for the reports: all that is made of it, and a section of each. */
#pragma once
#include "audit/history.h"
#include "base/json.h"

#include <stdio.h>

typedef struct HistoryFindings {
	const History *history;
	Hotspots hotspots;
	Couplings couplings;
	Owners owners;
	BugDensity bugs;
} HistoryFindings;

/* In the arena; the history is borrowed. Of a history that was not read (why_not) nothing but that is said. */
void history_judge(Arena *a, const History *h, const Project *p, HistoryFindings *out);
void history_screen(FILE *out, const HistoryFindings *f, const Project *p);
void history_put(JsonWriter *w, const HistoryFindings *f); /* one value: an object */
