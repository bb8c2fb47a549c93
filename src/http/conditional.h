/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditional requests and ranges (RFC 9110 13 and 14), for whoever has a representation to give. Nothing parks or
 * allocates. */
#pragma once
#include "http/message.h"

typedef struct Validators {
	Str etag;           /* with its quotes, W/ before a weak one; empty: none */
	int64_t modified_s; /* UTC; -1: not known */
} Validators;

typedef enum Conditional {
	CONDITIONAL_GO,
	CONDITIONAL_SAME,   /* 304: the client has it already */
	CONDITIONAL_FAILED, /* 412 */
} Conditional;

/* Of a GET or HEAD whose answer would be 200: If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, in the
 * order of RFC 9110 13.2.2. Dates that are none are as if they were not there. */
Conditional conditional_check(const Headers *headers, const Validators *validators);
/* Does Range count: is there no If-Range, or one that is this very representation (strong comparison)? */
bool conditional_range(const Headers *headers, const Validators *validators);

typedef struct Range {
	uint64_t from;
	uint64_t count; /* at least 1 */
} Range;

enum { RANGES_MAX = 16 };

typedef enum RangeResult {
	RANGE_WHOLE, /* as if there were no Range: another unit, too many, more in sum than there is */
	RANGE_PARTS,         /* *count of them in out[RANGES_MAX], in the order asked for */
	RANGE_UNSATISFIABLE, /* 416: malformed, or none of them is within */
} RangeResult;
RangeResult range_read(Str value, uint64_t size, Range *out, size_t *count);

/* All three forms of RFC 9110 5.6.7; false: it is no date. */
bool http_date_read(Str text, int64_t *utc_s);
/* Now, for the field Date of an origin with a clock (6.6.1): "Sun, 06 Nov 1994 08:49:37 GMT", in the arena. Made once a second
 * on each thread. Does not park. */
Str http_date_now(Arena *a);
