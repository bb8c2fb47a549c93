/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of what costs us more than the peer a peer may do on one HTTP/2 connection. Counting only: no clock, no
 * frames of its own. Zero-initialised is ready, but for the preface. */
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
	X(EMPTY_DATA, 100, 10, "DATA with nothing in it but padding") \
	X(CONTINUATION, 100, 20, "CONTINUATION") \
	X(STRAY, 100, 10, "HEADERS on old streams, good trailers left out") \
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

/* The frames in what a peer sends, found without the session, which hears and says nothing of those that it ignores:
 * unknown types, and whatever is for a stream that is gone. */
typedef struct H2Scan {
	uint32_t skip;          /* bytes up to the next frame; at the start: the preface's */
	uint32_t newest;        /* stream with HEADERS */
	uint8_t have;           /* of the head */
	unsigned char head[10]; /* and of padded DATA the byte after it */
} H2Scan;

/* Takes bytes up to and with the next frame's head. False: none came whole; *bytes is empty then. *act: what to count it
 * as, or H2_ACT_COUNT: nothing. `server`: we are. */
bool h2_scan(H2Scan *scan, Str *bytes, bool server, H2Act *act);
