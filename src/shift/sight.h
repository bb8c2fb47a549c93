/* SPDX-License-Identifier: Apache-2.0
 *
 * What was seen of both sides lately: rates, errors and times, second by second, and the times of the old side over a longer
 * while, from which thresholds are frozen. Not thread-safe: the subject's lock is held. */
#pragma once
#include "shift/judge.h"
#include "shift/latency.h"

enum { SIGHT_POINTS = 600, SIGHT_ENOUGH = 200 };

typedef struct SightSide {
	uint32_t requests, failed;
	uint32_t p50_us, p99_us;
} SightSide;

typedef struct SightPoint {
	int64_t at_us; /* UTC; 0: none */
	SightSide side[JUDGE_SIDES];
	float evidence[JUDGE_MAX];
} SightPoint;

typedef struct Sight {
	uint64_t requests[JUDGE_SIDES], failed[JUDGE_SIDES]; /* ever */
	Latency *times; /* of the old side: this window, and the one before it */
	int64_t turned_us;
	Latency *now; /* of each side, of the second that runs; NULL: nobody looks so closely */
	uint32_t counted[JUDGE_SIDES], broken[JUDGE_SIDES]; /* of that second */
	SightPoint *points;                                 /* a ring */
	uint32_t at;                                        /* the next to be written */
	double rate; /* requests a second of both sides, averaged over about a minute */
} Sight;

void sight_fini(Sight *sight);
void sight_close_up(Sight *sight); /* from now on second by second */
void sight_note(Sight *sight, JudgeSide side, bool failed,
                int64_t took_us); /* below 0: not known */
/* A second is over. evidence: count values, for the point. */
void sight_turn(Sight *sight, int64_t now_us, const float *evidence, unsigned count);
/* The old side's time at 50, 95 and 99 %, where enough was seen. False: not enough. */
bool sight_slow(const Sight *sight, int64_t slow_us[3]);
/* Of the last so many whole seconds: a rate a second, a ratio of errors, times. */
typedef struct SightNow {
	double rate, errors;
	int64_t p50_us, p99_us;
} SightNow;
SightNow sight_now(const Sight *sight, JudgeSide side);
const SightPoint *sight_point(const Sight *sight, unsigned ago); /* NULL: none; 0 is the newest */
