/* SPDX-License-Identifier: Apache-2.0
 *
 * Segment: events of one project and one day of UTC, sorted by time, as columns (column.h). Pure.
 *
 *   time      4 bytes, milliseconds of the day          person    4 bytes, the number of the distinct id (ids)
 *   received  4 bytes, seconds since 1970               id        16 bytes
 *   event     words                                     p:NAME    words, a property; absent where no event has it */
#pragma once
#include "analytics/column.h"

#define SEGMENT_TIME S("time")
#define SEGMENT_RECEIVED S("received")
#define SEGMENT_PERSON S("person")
#define SEGMENT_ID S("id")
#define SEGMENT_EVENT S("event")
#define SEGMENT_PROPERTY S("p:") /* before a property's name */

enum { MS_OF_DAY = 86400000, SEGMENT_EVENTS = 256 << 10 /* the most of one */ };

typedef struct Segment {
	int64_t project, day; /* since 1970 */
	uint32_t events;
	uint32_t first_ms, last_ms; /* of the day */
	ColumnPart *parts;
	size_t part_count;
} Segment;

int64_t segment_day(int64_t time_ms);

/* Of events with numbers, all of one project and one day; they are sorted in place. 1 to SEGMENT_EVENTS. */
void segment_build(Arena *a, const Hit **hits, size_t count, Segment *out);

/* Several of the same project and day as one. fetch gives a column's bytes (empty: that one has none), and may park; names: all
 * columns that any of them has. Takes memory for one column at a time beside the result. Fails as fetch does, and with IO
 * "analytics.damaged". */
typedef Err *SegmentFetch(void *arg, Arena *a, size_t source, Str name, Str *bytes);
typedef struct SegmentMerge {
	const uint32_t *events; /* of each source */
	size_t sources;
	const Str *names;
	size_t name_count;
	SegmentFetch *fetch;
	void *arg;
	const bool *dropped; /* of all their events, in order of sources; NULL: none is left out */
} SegmentMerge;
Err *segment_merge(Arena *a, const SegmentMerge *merge, Segment *out) MUST_USE;
/* Width of a column that is no words; 0: it is words. */
size_t segment_width(Str name);

/* Values met, numbered from 1. Texts are borrowed. */
typedef struct WordBook {
	Arena *arena;
	struct WordMaps *maps;
	Cell *cells; /* [0] is none */
	size_t count, cap;
} WordBook;
void word_book_init(WordBook *book, Arena *a);
void word_book_fini(WordBook *book); /* the cells stay with the arena */
uint32_t word_book_code(WordBook *book, Cell cell);
