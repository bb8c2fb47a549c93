/* SPDX-License-Identifier: Apache-2.0
 *
 * Two clocks, both in microseconds: monotonic for waiting, UTC for people. */
#pragma once
#include "base/buf.h"

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

int64_t time_mono_us(void);
int64_t time_utc_us(void);

void time_put_rfc3339(Buf *b, int64_t utc_us); /* 2026-01-31T23:59:59.123456Z */
/* RFC 3339 5.6: a date and time with Z or an offset; what is finer than a microsecond is dropped, a leap second is the next
 * second. False leaves *out alone. */
bool time_read_rfc3339(Str text, int64_t *utc_us);
void time_put_http(Buf *b,
                   int64_t utc_us); /* RFC 9110 5.6.7, IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT */
