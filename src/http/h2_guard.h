/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of what costs us more than the peer a peer may do on one HTTP/2 connection. Counting only: no clock, no
 * frames of its own. Zero-initialised is ready. */
#pragma once
#include "base/str.h"

/* act, how many at once, how many a second after that, what the peer did */
#define H2_ACTS(X) \
	X(RESET, 500, 50, "requests begun and cancelled (Rapid Reset)") \
	X(FAULT, 100, 10, "streams we had to reset (MadeYouReset)") \
	X(REFUSED, 1000, 100, "requests beyond the number of streams allowed") \
	X(SETTINGS, 50, 5, "SETTINGS") \
	X(PING, 500, 100, "PING") \
	X(PRIORITY, 1000, 200, "PRIORITY") \
	X(WINDOW_UPDATE, 2000, 500, "WINDOW_UPDATE, four for each DATA frame sent left out") \
	X(EMPTY_DATA, 100, 10, "empty DATA") \
	X(CONTINUATION, 100, 20, "CONTINUATION") \
	X(OTHER, 100, 20, "GOAWAY and frames of rare types")

typedef enum H2Act {
#define X(act, burst, rate, text) H2_ACT_##act,
	H2_ACTS(X)
#undef X
		H2_ACT_COUNT
} H2Act;

typedef struct H2Guard {
	int64_t due_us[H2_ACT_COUNT]; /* when the allowance is whole again */
} H2Guard;

/* One more; false: that was too many. */
bool h2_guard_count(H2Guard *guard, H2Act act, int64_t now_us);
/* So many did not count after all: we gave reason for them. */
void h2_guard_forgive(H2Guard *guard, H2Act act, unsigned count);

Str h2_act_text(H2Act act);
