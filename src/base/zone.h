/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones as the system's files have them (TZif, RFC 8536), and what a wall clock's time means in one. The C library keeps
 * one zone a process, in the environment; this one keeps as many as there are schedules. Seconds here are of UTC since 1970,
 * wall times the same count of a clock that the zone has put forward. Never parks; any thread. */
#pragma once
#include "base/err.h"

typedef struct Zone Zone; /* never changed; lives as long as the arena */

const Zone *zone_utc(void);
/* A zone's file in memory. Fails with INVALID "zone.file". */
Err *zone_read(Arena *a, Str name, Str tzif, const Zone **out) MUST_USE;
/* "Europe/Berlin", from /usr/share/zoneinfo; reads a file: at start, on a worker, or in a command. "UTC" needs none. Fails with
 * INVALID "zone.unknown" (the sentence names it), or "zone.file". */
Err *zone_load(Arena *a, Str name, const Zone **out) MUST_USE;
Str zone_name(const Zone *zone);

/* Seconds that the zone's clocks are ahead of UTC at that moment. */
int32_t zone_offset(const Zone *zone, int64_t utc_s);
/* The moments at which the zone's clocks showed this wall time: 1, or 2 (the hour that is repeated; the earlier first), or 0 (the
 * hour that is left out; at[0] is the moment of the leap). */
unsigned zone_moments(const Zone *zone, int64_t wall_s, int64_t at[2]);
