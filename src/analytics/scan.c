/* SPDX-License-Identifier: Apache-2.0
 *
 * A day of events, read. Of each segment the columns that the query needs are fetched, then a worker turns them into dots. Segments are
 * sorted; where a day has several their dots are put in order together. They are read in the order in which they were written, for many
 * clients' clocks show seconds: of two events at the same time the one that came first is first.
 *
 * While a query reads a day its segments may be merged into others: then a column is missing, and the day is read again from its
 * list. So no transaction is held open over a long query. */
#include "analytics/scan.h"

#include "analytics/match.h"
#include "base/arena.h"
#include "base/civil.h"
#include "store/db.h"

#include "analytics_segment_sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 8 };

typedef struct DayScan {
	Query *q;
	Db *db;
	Arena *a; /* the dots' */
	int64_t day;
	Str *columns;
	size_t column_count;
	Dot *dots;
	size_t count, cap;
	bool gone; /* a segment was merged meanwhile */
} DayScan;

/* One segment of it: what was fetched, then what that is. */
typedef struct Slice {
	DayScan *day;
	Arena *a;
	uint32_t events;
	Str *bytes; /* of the columns, then of time and person */
	const uint32_t *time, *person;
	MatchColumn *columns;
	Err *err;
} Slice;

/* --- fetching ---------------------------------------------------------------------------------------------------------- */

static Err *fetch_packed(DayScan *d, Slice *s, int64_t id, const Str *names, size_t count)
{
	SegmentRow *row;
	ColumnPart *parts;
	size_t part_count;

	TRY(db_one(d->db, s->a, segment_by_id, &row, .id = id));
	d->gone = !row || !row->packed.set;
	if (d->gone)
		return NULL;
	TRY(columns_unpack(s->a, row->packed.v, &parts, &part_count));
	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < part_count; i++)
			if (str_eq(parts[i].name, names[n]))
				s->bytes[n] = parts[i].bytes;
	return NULL;
}

/* Those that every segment has come last: when they are there, what was not there before them is not there at all. */
static Err *fetch_parts(DayScan *d, Slice *s, int64_t id, const Str *names, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		SegmentPartRow *part;

		TRY(db_one(d->db, s->a, segment_part, &part, .segment = id, .name = names[n]));
		if (part)
			s->bytes[n] = part->data;
		d->gone = d->gone || (!part && segment_width(names[n]));
	}
	return NULL;
}

static Err *fetch(DayScan *d, Slice *s, const SegmentsListedRow *row)
{
	size_t count = d->column_count + 2;
	Str *names = ARENA_ARRAY(s->a, Str, count);

	memcpy(names, d->columns, d->column_count * sizeof(*names));
	names[count - 2] = SEGMENT_PERSON;
	names[count - 1] = SEGMENT_TIME;
	s->bytes = ARENA_ARRAY(s->a, Str, count);
	s->events = (uint32_t)row->events;
	if (row->is_packed)
		return fetch_packed(d, s, row->id, names, count);
	return fetch_parts(d, s, row->id, names, count);
}

/* --- dots ------------------------------------------------------------------------------------------------------------- */

static Err *open_columns(Slice *s)
{
	DayScan *d = s->day;
	size_t n = d->column_count;
	const void *person, *time;

	s->columns = ARENA_ARRAY(s->a, MatchColumn, n);
	for (size_t i = 0; i < n; i++) {
		s->columns[i].name = d->columns[i];
		s->columns[i].there = s->bytes[i].len > 0;
		if (s->columns[i].there)
			TRY(column_read_words(s->a, s->bytes[i], s->events, &s->columns[i].words));
	}
	TRY(column_read_fixed(s->a, s->bytes[n], 4, s->events, &person));
	TRY(column_read_fixed(s->a, s->bytes[n + 1], 4, s->events, &time));
	s->person = person;
	s->time = time;
	return NULL;
}

static const MatchColumn *column_named(const Slice *s, Str property)
{
	bool event = str_eq(property, SEGMENT_EVENT);

	for (size_t i = 0; property.len && i < s->day->column_count; i++) {
		Str name = s->columns[i].name;

		if (s->columns[i].there &&
		    str_eq(event ? name : str_sub(name, 2, name.len), property) &&
		    event == str_eq(name, SEGMENT_EVENT))
			return &s->columns[i];
	}
	return NULL;
}

/* The first event that is not before so many milliseconds of the day. */
static uint32_t lower(const uint32_t *time, uint32_t events, int64_t ms)
{
	uint32_t from = 0, to = events;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (time[middle] < ms)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static uint32_t *group_table(const Slice *s, const MatchColumn *column)
{
	WordBook *groups = &s->day->q->groups;
	uint32_t *table = ARENA_ARRAY(s->a, uint32_t, column->words.count);

	for (uint32_t i = 1; i < column->words.count; i++) {
		Cell cell = column->words.cells[i];

		if (groups->count < QUERY_GROUPS)
			cell.text = str_dup(groups->arena, cell.text);
		else
			cell = (Cell){ CELL_JSON, S("other") };
		table[i] = word_book_code(groups, cell);
	}
	return table;
}

static double *value_table(const Slice *s, const MatchColumn *column)
{
	double *table = ARENA_ARRAY(s->a, double, column->words.count);

	for (uint32_t i = 0; i < column->words.count; i++)
		if (!cell_number(column->words.cells[i], &table[i]))
			table[i] = NAN;
	return table;
}

static void make_room(DayScan *d, size_t more)
{
	Dot *dots;

	if (d->count + more <= d->cap)
		return;
	d->cap = MAX(d->count + more, d->cap * 2);
	dots = arena_alloc_raw(d->a, d->cap * sizeof(*dots));
	if (d->count)
		memcpy(dots, d->dots, d->count * sizeof(*dots));
	d->dots = dots;
}

static void put_dots(Slice *s, const uint32_t *masks, uint32_t from, uint32_t to)
{
	DayScan *d = s->day;
	const Query *q = d->q;
	Str group_by = q->runner->names ? SEGMENT_EVENT : q->in->breakdown;
	const MatchColumn *group = column_named(s, group_by),
			  *value = column_named(s, q->in->property);
	const uint32_t *groups = group ? group_table(s, group) : NULL;
	const double *values = value ? value_table(s, value) : NULL;
	Dot *to_dot;

	make_room(d, to - from);
	to_dot = &d->dots[d->count];
	for (uint32_t i = from; i < to; i++) {
		if (!masks[i])
			continue;
		*to_dot++ = (Dot){ s->time[i], person_root(&q->persons, s->person[i]), masks[i],
			           groups ? groups[words_code(&group->words, i)] : 0,
			           values ? values[words_code(&value->words, i)] : NAN };
	}
	d->count = (size_t)(to_dot - d->dots);
}

static void dot_slice(void *arg)
{
	Slice *s = arg;
	DayScan *d = s->day;
	Query *q = d->q;
	int64_t start = d->day * MS_OF_DAY;
	uint32_t *masks, from, to;

	s->err = open_columns(s);
	if (s->err)
		return;
	masks = arena_alloc_raw(s->a, (size_t)s->events * sizeof(*masks));
	match_segment(s->a, q, s->columns, d->column_count, s->events, masks);
	from = lower(s->time, s->events, q->from_ms - start);
	to = lower(s->time, s->events, q->to_ms - start);
	q->scanned += to > from ? to - from : 0;
	if (to > from)
		put_dots(s, masks, from, to);
}

static Err *scan_slice(DayScan *d, const SegmentsListedRow *row)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Slice s = { .day = d, .a = a };
	Err *err = fetch(d, &s, row);

	if (!err && !d->gone)
		err = query_work(d->q, dot_slice, &s);
	err = err ? err : s.err;
	if (!err && arena_used(a) + arena_used(d->a) + arena_used(d->q->arena) > d->q->memory_most)
		return err_new(d->a, ERR_TOO_LARGE, "query.too_large",
		               "the query takes more memory than it may");
	return err ? err_copy(d->a, err) : NULL;
}

/* --- a day ------------------------------------------------------------------------------------------------------------- */

static bool outside(const Query *q, int64_t day, const SegmentsListedRow *row)
{
	int64_t start = day * MS_OF_DAY;

	return start + row->last_ms < q->from_ms || start + row->first_ms >= q->to_ms;
}

static int by_time(const void *x, const void *y)
{
	const Dot *p = x, *q = y;

	return p->time < q->time ? -1 : p->time > q->time;
}

static void sort_dots(void *arg)
{
	DayScan *d = arg;

	for (size_t i = 1; i < d->count; i++)
		if (d->dots[i].time < d->dots[i - 1].time) {
			qsort(d->dots, d->count, sizeof(*d->dots), by_time);
			return;
		}
}

static int by_id(const void *x, const void *y)
{
	const SegmentsListedRow *p = x, *q = y;

	return p->id < q->id ? -1 : p->id > q->id;
}

static Err *scan_once(DayScan *d, uint64_t scanned)
{
	SegmentsListedRow *rows;
	size_t count;

	d->count = 0;
	d->gone = false;
	d->q->scanned = scanned;
	TRY(db_all(d->db, d->a, segments_listed, &rows, &count, .project = d->q->project,
	           .day = d->day));
	if (count)
		qsort(rows, count, sizeof(*rows), by_id);
	for (size_t i = 0; i < count && !d->gone; i++)
		if (!outside(d->q, d->day, &rows[i]))
			TRY(scan_slice(d, &rows[i]));
	return count > 1 ? query_work(d->q, sort_dots, d) : NULL;
}

Err *scan_day(Query *q, Db *db, Arena *a, int64_t day, Dot **dots, size_t *count)
{
	DayScan d = { .q = q, .db = db, .a = a, .day = day };
	uint64_t scanned = q->scanned;

	d.columns = match_columns(a, q, &d.column_count);
	for (int i = 0; i < TRIES; i++) {
		TRY(scan_once(&d, scanned));
		if (!d.gone)
			break;
	}
	if (d.gone)
		return err_new(a, ERR_BUSY, "query.moving",
		               "the day's events were moved too often");
	*dots = d.dots;
	*count = d.count;
	return NULL;
}
