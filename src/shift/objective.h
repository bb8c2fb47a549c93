/* SPDX-License-Identifier: Apache-2.0
 *
 * The availability of one side against an objective: how much of the budget of errors is left, and how fast it burns. Minutes of
 * the last six hours and hours of the last thirty days; plain, no clock of its own. Windows and limits of alerts after the
 * Site Reliability Workbook, chapter 5. */
#pragma once
#include "base/util.h"

enum { OBJECTIVE_MINUTES = 360, OBJECTIVE_HOURS = 720 };

typedef struct ObjectiveCount {
	uint32_t requests, failed;
} ObjectiveCount;

typedef struct Objective {
	ObjectiveCount minutes[OBJECTIVE_MINUTES], hours[OBJECTIVE_HOURS];
	int64_t minute, hour; /* of UTC, that run */
} Objective;

typedef struct ObjectiveWindow {
	const char *name; /* "5m" */
	uint32_t minutes;
} ObjectiveWindow;
enum { OBJECTIVE_WINDOWS = 4 };
extern const ObjectiveWindow objective_windows[OBJECTIVE_WINDOWS];

void objective_note(Objective *o, int64_t utc_us, uint32_t requests, uint32_t failed);
/* Of the last so many minutes; above six hours in whole hours. */
ObjectiveCount objective_count(const Objective *o, int64_t utc_us, uint32_t minutes);
/* How many times as fast as it may the budget goes: 1 would use it up just at the window's end. 0 without requests. */
double objective_burn(const Objective *o, int64_t utc_us, uint32_t minutes, double share);
/* The part of the last thirty days' budget that is left: 1 all, below 0 overdrawn; 1 without requests. */
double objective_left(const Objective *o, int64_t utc_us, double share);
/* The alert that is due: "page" (14.4 times over an hour and five minutes, or 6 times over six hours and thirty minutes),
 * or NULL. */
const char *objective_alert(const Objective *o, int64_t utc_us, double share);
