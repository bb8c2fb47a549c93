/* SPDX-License-Identifier: Apache-2.0
 *
 * Column: one property of many events as bytes. Either numbers of a fixed width, or a dictionary of the values that occur and,
 * for each event, which of them it has: so a filter looks at each value once and then compares small numbers. Pure; bytes that
 * were read are checked, whatever they are. Little-endian, as are the machines it runs on. */
#pragma once
#include "analytics/hit.h"
#include "base/err.h"

enum { COLUMN_EVENTS_MOST = 1 << 20, COLUMN_BYTES_MOST = 256 << 20 };

/* A dictionary and its codes. cells[0] is CELL_NONE: the event has no such property. */
typedef struct Words {
	const Cell *cells;
	uint32_t count;
	uint32_t events;
	uint8_t width; /* of a code: 1, 2 or 4 bytes */
	const void *codes;
} Words;

static inline uint32_t words_code(const Words *w, size_t i)
{
	if (w->width == 1)
		return ((const uint8_t *)w->codes)[i];
	if (w->width == 2)
		return ((const uint16_t *)w->codes)[i];
	return ((const uint32_t *)w->codes)[i];
}

/* width: 1, 2, 4, 8 or 16 bytes each. squeeze: smaller, and slower to read. */
void column_put_fixed(Buf *b, const void *at, size_t width, size_t events, bool squeeze);
/* cells[0] is CELL_NONE; codes below count. */
void column_put_words(Buf *b, const Cell *cells, size_t count, const uint32_t *codes, size_t events,
                      bool squeeze);

/* Views into `bytes` or the arena, aligned. Fail with IO "analytics.damaged". */
Err *column_read_fixed(Arena *a, Str bytes, size_t width, size_t events, const void **out) MUST_USE;
Err *column_read_words(Arena *a, Str bytes, size_t events, Words *out) MUST_USE;

/* Several columns by name in one piece. */
typedef struct ColumnPart {
	Str name;
	Str bytes;
} ColumnPart;
void columns_pack(Buf *b, const ColumnPart *parts, size_t count);
Err *columns_unpack(Arena *a, Str packed, ColumnPart **parts, size_t *count) MUST_USE;
