/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantities as people write them: "250ms", "1h30m", "64KiB", "0.1%". Whole numbers inside (microseconds, bytes, parts
 * per million), exact both ways: what is written out reads back as the same number. Any thread. */
#pragma once
#include "base/buf.h"

#define PPM_WHOLE UINT32_C(1000000) /* 100% */

/* Numbers with us, ms, s, m, h, d, joined ("1h30m"), with a fraction ("1.5s") down to a microsecond; a bare 0 too. Not
 * negative. Fails with INVALID "units.duration"; the sentence names what was expected. */
Err *units_read_duration(Arena *a, Str text, int64_t *us) MUST_USE;
/* A number of bytes, or with KiB MiB GiB TiB (k, m, g, t mean the same): 1024 each. KB, MB, GB are refused, because
 * half the world reads them otherwise. Fails with INVALID "units.bytes". */
Err *units_read_bytes(Arena *a, Str text, uint64_t *bytes) MUST_USE;
/* "20%", "0.1%" in parts per million, 0 to 100%, at most four digits after the point. Fails with INVALID "units.share". */
Err *units_read_share(Arena *a, Str text, uint32_t *ppm) MUST_USE;

/* In the largest unit that divides it: 90000000 is "90s", 60000000 "1m", 0 "0s". */
void units_put_duration(Buf *b, int64_t us);
void units_put_bytes(Buf *b, uint64_t bytes);
void units_put_share(Buf *b, uint32_t ppm);
