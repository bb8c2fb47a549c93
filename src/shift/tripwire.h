/* SPDX-License-Identifier: Apache-2.0
 *
 * The tripwire: the new side is broken outright, and nobody needs statistics to see it. Three connections refused in a
 * row, five failures in a row, or half of the last twenty. It does not trip when the old side fails just the same at the
 * same time: what both depend on is down, and going back would not help. Plain and copyable; times are arguments. */
#pragma once
#include "base/json.h"

typedef enum TripwireFate { TRIPWIRE_OK, TRIPWIRE_FAILED, TRIPWIRE_REFUSED } TripwireFate;

enum { TRIPWIRE_KEPT = 20, TRIPWIRE_REFUSED_ROW = 3, TRIPWIRE_FAILED_ROW = 5, TRIPWIRE_USERS = 2 };
#define TRIPWIRE_PATIENCE_US (1000 * INT64_C(1000)) /* how long it waits to hear from old */

typedef struct TripwireRequest {
	int64_t at_us;
	uint64_t user;
	TripwireFate fate;
} TripwireRequest;

typedef struct TripwireSide {
	TripwireRequest kept[TRIPWIRE_KEPT]; /* a ring */
	uint64_t count;                      /* ever */
} TripwireSide;

typedef struct Tripwire {
	TripwireSide old_side, new_side;
	int64_t bad_since_us; /* when new began to fail; 0: it has since been good three times in a row */
} Tripwire;

typedef enum TripwireSay { TRIPWIRE_QUIET, TRIPWIRE_BOTH_FAIL, TRIPWIRE_TRIPPED } TripwireSay;

/* A zeroed Tripwire is ready. A request of a side ended; user as in judge.h (0: not known). */
void tripwire_note(Tripwire *wire, bool on_new, TripwireFate fate, uint64_t user, int64_t now_us);
/* What it says now. *why, when not quiet: one line, in the arena. Cheap after an answer that was good. */
TripwireSay tripwire_look(const Tripwire *wire, int64_t now_us, Arena *a, Str *why);
