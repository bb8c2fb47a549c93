/* SPDX-License-Identifier: Apache-2.0
 *
 * Every commit leaves a segment of some hundred events. They are put together in two steps, so that an event is rewritten twice and not
 * with every neighbour that comes: 32 small ones become one of middle size, 16 of those one of the largest. What has been quiet for a
 * minute is put together whatever it is.
 *
 * The new segment is made outside of any transaction; then one transaction writes it and takes the old ones away, if all of them are
 * still there. Who reads meanwhile sees the ones or the other (scan.c). One at a time merges a day: a lock by its name. */
#include "analytics/merge.h"

#include "analytics/segment.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "rt/work.h"

#include "analytics_segment_sql.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL = 4096,    /* events of a small segment, less than */
	MIDDLE = 131072, /* of one of middle size */
	SMALL_MANY = 32, /* so many are put together */
	MIDDLE_MANY = 16,
	QUIET_US = 60 * 1000000,
	NAMES_FIRST = 256
};

typedef struct Piece {
	const SegmentsListedRow *row;
	ColumnPart *parts; /* of a packed one: all of it is here */
	size_t part_count;
} Piece;

typedef struct Merging {
	Db *db;
	Arena *a;
	int64_t project, day, now_us;
	Piece *sources;
	size_t count;
	Map met; /* of names */
	Str *names;
	size_t name_count, name_cap;
	const bool *dropped; /* of all their events; NULL: none */
	int64_t events;      /* of the sources */
	Segment made;
	bool gone; /* somebody else was here */
} Merging;

/* --- what there is ------------------------------------------------------------------------------------------------------ */

static void note_name(Merging *m, Str name)
{
	if (map_get(&m->met, name))
		return;
	map_put(&m->met, name, m);
	if (m->name_count == m->name_cap) {
		Str *more = ARENA_ARRAY(m->a, Str, m->name_cap * 2 + NAMES_FIRST);

		if (m->name_count)
			memcpy(more, m->names, m->name_count * sizeof(*more));
		m->names = more;
		m->name_cap = m->name_cap * 2 + NAMES_FIRST;
	}
	m->names[m->name_count++] = name;
}

static void merging_fini(Merging *m)
{
	map_fini(&m->met);
}

static Err *open_source(Merging *m, Piece *s)
{
	SegmentRow *row;
	SegmentPartNamesRow *names;
	size_t count;

	if (!s->row->is_packed) {
		TRY(db_all(m->db, m->a, segment_part_names, &names, &count, .segment = s->row->id));
		for (size_t i = 0; i < count; i++)
			note_name(m, names[i].name);
		m->gone = m->gone || !count;
		return NULL;
	}
	TRY(db_one(m->db, m->a, segment_by_id, &row, .id = s->row->id));
	m->gone = m->gone || !row || !row->packed.set;
	if (m->gone)
		return NULL;
	TRY(columns_unpack(m->a, row->packed.v, &s->parts, &s->part_count));
	for (size_t i = 0; i < s->part_count; i++)
		note_name(m, s->parts[i].name);
	return NULL;
}

static Err *fetch(void *arg, Arena *a, size_t source, Str name, Str *bytes)
{
	const Merging *m = arg;
	const Piece *s = &m->sources[source];
	SegmentPartRow *part;

	*bytes = S("");
	for (size_t i = 0; i < s->part_count; i++)
		if (str_eq(s->parts[i].name, name))
			*bytes = s->parts[i].bytes;
	if (s->row->is_packed)
		return NULL;
	TRY(db_one(m->db, a, segment_part, &part, .segment = s->row->id, .name = name));
	if (part)
		*bytes = part->data;
	return NULL;
}

/* --- the exchange ------------------------------------------------------------------------------------------------------- */

static Err *exchange(Db *tx, Arena *a, void *arg)
{
	Merging *m = arg;
	const Segment *s = &m->made;
	SegmentAddRow *row;
	int64_t removed;

	for (size_t i = 0; i < m->count; i++) {
		TRY(db_exec(tx, a, segment_remove, &removed, .id = m->sources[i].row->id));
		if (removed != 1)
			return err_new(a, ERR_CONFLICT, "analytics.moved",
			               "a segment was merged by somebody else");
	}
	if (m->events != s->events)
		TRY(db_exec(tx, a, day_add, NULL, .project = m->project, .day = m->day,
		            .events = s->events - m->events));
	if (!s->events)
		return NULL;
	TRY(db_one(tx, a, segment_add, &row, .project = m->project, .day = m->day,
	           .events = s->events, .first_ms = s->first_ms, .last_ms = s->last_ms,
	           .now = m->now_us));
	for (size_t i = 0; i < s->part_count; i++)
		TRY(db_exec(tx, a, segment_part_add, NULL, .segment = row->id,
		            .name = s->parts[i].name, .data = s->parts[i].bytes));
	return NULL;
}

static Err *merge_these(Merging *m)
{
	SegmentMerge merge = {
		.sources = m->count, .fetch = fetch, .arg = m, .dropped = m->dropped
	};
	uint32_t *events = ARENA_ARRAY(m->a, uint32_t, m->count);
	Err *err;

	for (size_t i = 0; i < m->count && !m->gone; i++) {
		events[i] = (uint32_t)m->sources[i].row->events;
		m->events += m->sources[i].row->events;
		TRY(open_source(m, &m->sources[i]));
	}
	if (m->gone)
		return NULL;
	merge.events = events;
	merge.names = m->names;
	merge.name_count = m->name_count;
	err = segment_merge(m->a, &merge, &m->made);
	if (!err)
		err = db_txn(m->db, m->a, DB_READ_COMMITTED, exchange, m);
	m->gone = err_is(err, "analytics.moved");
	return m->gone ? NULL : err;
}

/* --- choosing ----------------------------------------------------------------------------------------------------------- */

/* Of rows by size: those below `size`, as many as make one segment. */
static size_t choose(const SegmentsListedRow *rows, size_t count, int64_t size)
{
	int64_t events = 0;
	size_t n = 0;

	while (n < count && rows[n].events < size && events + rows[n].events <= SEGMENT_EVENTS)
		events += rows[n++].events;
	return n;
}

static size_t choose_due(const SegmentsListedRow *rows, size_t count, bool quiet)
{
	size_t small = choose(rows, count, SMALL), middle;

	if (small >= SMALL_MANY)
		return small;
	middle = choose(rows, count, MIDDLE);
	if (middle >= small + MIDDLE_MANY || (quiet && middle > 1))
		return middle;
	return 0;
}

/* As they were written: segment_merge keeps that order among events of one time. */
static int by_id(const void *x, const void *y)
{
	const Piece *p = x, *q = y;

	return p->row->id < q->row->id ? -1 : p->row->id > q->row->id;
}

static Err *merge_rows(Db *db, const SegmentsListedRow *rows, size_t count, int64_t project,
                       int64_t day, int64_t now_us, bool *gone)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(merging_fini)
	Merging m = { .db = db, .a = a, .project = project, .day = day, .now_us = now_us };
	Err *err;

	m.made = (Segment){ .project = project, .day = day };
	m.sources = ARENA_ARRAY(a, Piece, count);
	m.count = count;
	for (size_t i = 0; i < count; i++)
		m.sources[i].row = &rows[i];
	qsort(m.sources, count, sizeof(*m.sources), by_id);
	err = merge_these(&m);
	*gone = m.gone;
	return err;
}

Err *merge_rewrite(Db *db, Arena *a, int64_t project, int64_t day, int64_t segment,
                   const bool *dropped, bool *gone)
{
	AUTO(merging_fini)
	Merging m = { .db = db,
		      .a = a,
		      .project = project,
		      .day = day,
		      .now_us = time_utc_us(),
		      .dropped = dropped,
		      .count = 1,
		      .made = { .project = project, .day = day } };
	Piece piece = { 0 };
	SegmentsListedRow *rows;
	size_t count;

	TRY(db_all(db, a, segments_listed, &rows, &count, .project = project, .day = day));
	for (size_t i = 0; i < count; i++)
		if (rows[i].id == segment)
			piece.row = &rows[i];
	*gone = !piece.row;
	if (*gone)
		return NULL;
	m.sources = &piece;
	TRY(merge_these(&m));
	*gone = m.gone;
	return NULL;
}

static Err *merge_once(Db *db, Arena *a, int64_t project, int64_t day, int64_t now_us, bool quiet,
                       size_t *merged, bool *more)
{
	SegmentsListedRow *rows;
	size_t count, chosen;
	bool gone = false;
	Err *err;

	TRY(db_all(db, a, segments_listed, &rows, &count, .project = project, .day = day));
	chosen = choose_due(rows, count, quiet);
	*more = chosen > 1;
	if (chosen < 2)
		return NULL;
	err = merge_rows(db, rows, chosen, project, day, now_us, &gone);
	*merged += gone ? 0 : chosen;
	return err ? err_copy(a, err) : NULL;
}

Err *merge_day(Db *db, Arena *a, int64_t project, int64_t day, size_t *merged)
{
	bool more = true;

	*merged = 0;
	while (more)
		TRY(merge_once(db, a, project, day, time_utc_us(), true, merged, &more));
	return NULL;
}

Err *merge_some(Db *db, Arena *a, int64_t now_us, size_t *merged)
{
	DaysInPiecesRow *days;
	size_t count;

	*merged = 0;
	TRY(db_all(db, a, days_in_pieces, &days, &count, .least = 2));
	for (size_t i = 0; i < count; i++) {
		bool quiet = days[i].newest < now_us - QUIET_US, more = true;

		while (more)
			TRY(merge_once(db, a, days[i].project, days[i].day, now_us, quiet, merged,
			               &more));
	}
	return NULL;
}

Err *analytics_merge(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	size_t merged = 0;
	Err *err = merge_some(job_db(run), job_arena(run), time_utc_us(), &merged);

	metric_add(analytics_of(home)->cells.at[CELL_MERGED], merged);
	return err;
}
