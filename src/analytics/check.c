/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan analytics fsck` asks of each day: that its segments open and are sorted and add up to what the day says; that no event is in
 * it twice; that each person in it is one that was given a number; and that what was counted of it is what is found by counting it
 * again, byte for byte. */
#include "analytics/check.h"

#include "analytics/rollup.h"
#include "base/arena.h"

#include "analytics_segment_sql.h"
#include "analytics_sql.h"

#include <stdlib.h>
#include <string.h>

/* A column of a segment, packed or not; empty: there is none. */
static Err *column(Db *db, Arena *a, int64_t id, Str name, Str *bytes)
{
	SegmentRow *row;
	SegmentPartRow *part;
	ColumnPart *parts;
	size_t count = 0;

	*bytes = S("");
	TRY(db_one(db, a, segment_by_id, &row, .id = id));
	if (!row)
		return NULL;
	if (!row->packed.set) {
		TRY(db_one(db, a, segment_part, &part, .segment = id, .name = name));
		*bytes = part ? part->data : S("");
		return NULL;
	}
	TRY(columns_unpack(a, row->packed.v, &parts, &count));
	for (size_t i = 0; i < count; i++)
		if (str_eq(parts[i].name, name))
			*bytes = parts[i].bytes;
	return NULL;
}

static Err *fixed(Db *db, Arena *a, const SegmentsListedRow *s, Str name, const void **at)
{
	Str bytes;

	TRY(column(db, a, s->id, name, &bytes));
	return column_read_fixed(a, bytes, segment_width(name), (size_t)s->events, at);
}

/* Runs fn for each day that there is, with memory of its own. */
typedef Err *DayCheck(Db *db, Arena *a, const DaysOfAllRow *day, ServiceFinding *found);

static Err *each_day(Db *db, Arena *a, ServiceFinding *found, DayCheck *fn)
{
	DaysOfAllRow *days;
	size_t count;

	TRY(db_all(db, a, days_of_all, &days, &count));
	for (size_t i = 0; i < count; i++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		Err *err = fn(db, own, &days[i], found);

		if (err && err_is(err, "analytics.damaged"))
			service_wrong(found, "project %" PRId64 ", day %" PRId64 ": %.*s",
			              days[i].project, days[i].day, STR_ARG(err->text));
		else if (err)
			return err_copy(a, err);
	}
	return NULL;
}

/* --- segments ----------------------------------------------------------------------------------------------------------- */

static Err *check_segment(Db *db, Arena *a, const SegmentsListedRow *s, ServiceFinding *found)
{
	const void *at;
	const uint32_t *time;
	Words words;
	Str bytes;

	TRY(fixed(db, a, s, SEGMENT_TIME, &at));
	time = at;
	for (int64_t i = 1; i < s->events; i++)
		if (time[i] < time[i - 1]) {
			service_wrong(found, "segment %" PRId64 " is not in order", s->id);
			break;
		}
	if (time[0] != s->first_ms || time[s->events - 1] != s->last_ms)
		service_wrong(found, "segment %" PRId64 " begins or ends at another time", s->id);
	TRY(column(db, a, s->id, SEGMENT_EVENT, &bytes));
	TRY(column_read_words(a, bytes, (size_t)s->events, &words));
	for (int64_t i = 0; i < s->events; i++)
		if (!words_code(&words, (size_t)i)) {
			service_wrong(found, "segment %" PRId64 " has an event without a name",
			              s->id);
			break;
		}
	return NULL;
}

static Err *segments_of(Db *db, Arena *a, const DaysOfAllRow *day, ServiceFinding *found)
{
	SegmentsListedRow *rows;
	size_t count;
	int64_t events = 0;

	TRY(db_all(db, a, segments_listed, &rows, &count, .project = day->project,
	           .day = day->day));
	for (size_t i = 0; i < count; i++) {
		events += rows[i].events;
		TRY(check_segment(db, a, &rows[i], found));
	}
	found->looked += count;
	if (events != day->events)
		service_wrong(found,
		              "project %" PRId64 ", day %" PRId64 ": %" PRId64
		              " events in segments, %" PRId64 " were taken",
		              day->project, day->day, events, day->events);
	return NULL;
}

static Err *check_segments(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	(void)home;
	return each_day(db, a, found, segments_of);
}

/* --- each once ---------------------------------------------------------------------------------------------------------- */

static int by_id(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(Uuid));
}

static Err *ids_of_day(Db *db, Arena *a, const DaysOfAllRow *day, ServiceFinding *found)
{
	SegmentsListedRow *rows;
	size_t count, n = 0;
	Uuid *ids = ARENA_ARRAY(a, Uuid, (size_t)MAX(day->events, 0) + 1);

	TRY(db_all(db, a, segments_listed, &rows, &count, .project = day->project,
	           .day = day->day));
	for (size_t i = 0; i < count; i++) {
		const void *at;

		if ((int64_t)n + rows[i].events > day->events)
			return NULL; /* the check of segments tells */
		TRY(fixed(db, a, &rows[i], SEGMENT_ID, &at));
		memcpy(ids + n, at, (size_t)rows[i].events * sizeof(Uuid));
		n += (size_t)rows[i].events;
	}
	qsort(ids, n, sizeof(*ids), by_id);
	found->looked += n;
	for (size_t i = 1; i < n; i++)
		if (uuid_eq(ids[i], ids[i - 1]))
			service_wrong(found,
			              "project %" PRId64 ", day %" PRId64
			              ": event %.*s is there twice",
			              day->project, day->day, STR_ARG(uuid_text(a, ids[i])));
	return NULL;
}

static Err *check_once(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	(void)home;
	return each_day(db, a, found, ids_of_day);
}

/* --- persons ------------------------------------------------------------------------------------------------------------ */

static Err *persons_of(Db *db, Arena *a, const DaysOfAllRow *day, ServiceFinding *found)
{
	SegmentsListedRow *rows;
	IdsMostRow *most;
	size_t count;

	TRY(db_one(db, a, ids_most, &most, .project = day->project));
	TRY(db_all(db, a, segments_listed, &rows, &count, .project = day->project,
	           .day = day->day));
	for (size_t i = 0; i < count; i++) {
		const void *at;

		TRY(fixed(db, a, &rows[i], SEGMENT_PERSON, &at));
		for (int64_t k = 0; k < rows[i].events; k++) {
			uint32_t person = ((const uint32_t *)at)[k];

			found->looked++;
			if (!person || person > most->number)
				service_wrong(found, "segment %" PRId64 ": nobody has number %u",
				              rows[i].id, person);
		}
	}
	return NULL;
}

static Err *check_persons(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	(void)home;
	return each_day(db, a, found, persons_of);
}

/* --- counts ------------------------------------------------------------------------------------------------------------- */

static Err *counts_of(Db *db, Arena *a, const DaysOfAllRow *day, ServiceFinding *found)
{
	RollupsBetweenRow *rows;
	AUTO(rollup_fini) Rollup again = { 0 }, kept = { 0 };
	AUTO(buf_fini) Buf b = { 0 }, there = { 0 };
	size_t count;

	TRY(db_all(db, a, rollups_between, &rows, &count, .project = day->project,
	           .from_day = day->day, .to_day = day->day));
	if (!count)
		return NULL; /* it is not counted yet, or was changed since */
	TRY(rollup_make(db, a, day->project, day->day, true, &again));
	rollup_put(&b, &again);
	TRY(rollup_read(a, rows[0].data, &kept));
	rollup_put(&there, &kept); /* squeezed by the same library */
	found->looked++;
	if (!str_eq(buf_str(&b), buf_str(&there)))
		service_wrong(found,
		              "project %" PRId64 ", day %" PRId64
		              ": its counts are not its events'",
		              day->project, day->day);
	return NULL;
}

static Err *check_counts(const ServiceHome *home, Db *db, Arena *a, ServiceFinding *found)
{
	(void)home;
	return each_day(db, a, found, counts_of);
}

const ServiceCheck *analytics_checks(size_t *count)
{
	static const ServiceCheck rows[] = {
		{ "analytics.segments", check_segments,
		  "segments open, are in order of time and add up to their day" },
		{ "analytics.once", check_once, "no event is in a day twice" },
		{ "analytics.persons", check_persons, "who is in an event has a name" },
		{ "analytics.counts", check_counts,
		  "a day's counts are what its events add up to" },
	};

	*count = COUNT(rows);
	return rows;
}
