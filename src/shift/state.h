/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a move stands: what is kept over restarts and shared by gateways. Plain and copyable. */
#pragma once
#include "base/json.h"

typedef enum ShiftPhase {
	SHIFT_OLD,
	SHIFT_SHADOW,
	SHIFT_CANARY,
	SHIFT_NEW,     /* all but the hold-back */
	SHIFT_RETIRED, /* the old side is asked nothing any more */
	SHIFT_PHASES
} ShiftPhase;

enum {
	SHIFT_LINE_BYTES = 240,
	SHIFT_NAME_BYTES = 104,
	SHIFT_PERCENTILES = 3,
	SHIFT_DRAINED_BYTES = 1024
};

/* Of a counter, whether most answers of the old side have it. */
typedef struct ShiftCounter {
	char name[48]; /* ends in NUL; empty: none */
	bool rare;
} ShiftCounter;
enum { SHIFT_COUNTERS = 6 };

typedef struct ShiftState {
	int64_t revision; /* 0: it was never touched */
	uint8_t phase;    /* ShiftPhase */
	bool paused;
	int32_t step;       /* in the steps of its configuration; -1: none */
	uint32_t share_ppm; /* of users on the new side, in `canary` and `new` */
	uint32_t attempt;   /* counts the times that users were drawn anew */
	uint32_t shadows;   /* and those that shadowing began */
	uint64_t salt;      /* of that draw */
	int64_t since_us;   /* UTC: the phase or step began; moved on by the length of a pause */
	int64_t paused_us;  /* UTC: it was paused */
	int64_t slow_us
		[SHIFT_PERCENTILES]; /* p50, p95, p99 of the old side, frozen; 0: not known */
	ShiftCounter counters[SHIFT_COUNTERS]; /* frozen too; what is not among them is not known */
	char asked_verb[16];                   /* waits for a second person; ends in NUL */
	char asked_by[SHIFT_NAME_BYTES];       /* the first */
	uint32_t asked_ppm;                    /* of `to` and `canary`; 0: not said */
	char target[SHIFT_NAME_BYTES];         /* the new side; ends in NUL */
	char line[SHIFT_LINE_BYTES];           /* the last change, in a sentence; ends in NUL */
	char drained
		[SHIFT_DRAINED_BYTES]; /* of an upstream: servers taken out, a newline after each; ends in NUL */
} ShiftState;

const char *shift_phase_name(ShiftPhase phase); /* "canary" */
bool shift_phase_of(Str name, ShiftPhase *out); /* false: there is none of that name */
/* verb empty: nothing waits for a second person any more. */
void shift_state_ask(ShiftState *state, Str verb, Str who, uint32_t share_ppm);
void shift_state_say(ShiftState *state, Str line); /* cut to fit, at a character */

/* NULL: it is not known. */
const ShiftCounter *shift_state_counter(const ShiftState *state, Str name);
/* Nothing where it is known, or there is no place. */
void shift_state_freeze_counter(ShiftState *state, Str name, bool rare);

bool shift_state_is_drained(const ShiftState *state, Str server);
/* False: it was so before, or there is no room for its name. */
bool shift_state_drain(ShiftState *state, Str server);
bool shift_state_undrain(ShiftState *state, Str server);

void shift_state_put(JsonWriter *w, const ShiftState *state); /* an object */
/* Fails with INVALID "shift.state". */
Err *shift_state_read(Arena *a, const Json *from, ShiftState *out) MUST_USE;
