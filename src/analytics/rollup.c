/* SPDX-License-Identifier: Apache-2.0
 *
 * Days counted. A trend of a year over names and hours does not look at a year's events: it adds up 365 small tables. What was counted
 * and what is found by looking are the same number, always: a rollup names the version of its day, which every commit raises, and is
 * made of the version that was there before it was begun. One that an event overtook has an older number and is not used.
 *
 * Persons are kept as sets by the numbers that came, so a report in which persons were merged since looks at the events (query.c). */
#include "analytics/rollup.h"

#include "analytics/analytics_int.h"
#include "analytics/scan.h"
#include "base/arena.h"
#include "base/time.h"
#include "store/db.h"

#include "analytics_segment_sql.h"

#include <stdlib.h>
#include <string.h>

enum {
	AT_ONCE = 50,     /* days */
	LATE_MS = 3600000 /* after midnight, for what is late */
};

void rollup_fini(Rollup *r)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t h = 0; h < ROLLUP_HOURS; h++)
			sketch_fini(&r->names[i].persons[h]);
	r->count = 0;
}

/* --- bytes ------------------------------------------------------------------------------------------------------------- */

static void put_raw(Buf *b, const void *at, size_t bytes)
{
	buf_put(b, (Str){ at, bytes });
}

/* { count of names, of each: length, name, 24 counts, the sets of hours that have some }, squeezed as a column of bytes behind its
 * length. */
void rollup_put(Buf *b, const Rollup *r)
{
	AUTO(buf_fini) Buf plain = { 0 };
	uint32_t n = (uint32_t)r->count;

	put_raw(&plain, &n, sizeof(n));
	for (size_t i = 0; i < r->count; i++) {
		const RollupName *name = &r->names[i];

		n = (uint32_t)name->name.len;
		put_raw(&plain, &n, sizeof(n));
		buf_put(&plain, name->name);
		put_raw(&plain, name->counts, sizeof(name->counts));
		for (size_t h = 0; h < ROLLUP_HOURS; h++)
			if (name->counts[h])
				sketch_put(&plain, &name->persons[h]);
	}
	n = (uint32_t)plain.len;
	put_raw(b, &n, sizeof(n));
	column_put_fixed(b, plain.at, 1, plain.len, true);
}

static Err *damaged(Arena *a)
{
	return err_new(a, ERR_IO, "analytics.damaged", "a day's counts are damaged");
}

static bool take_raw(Str *rest, void *into, size_t bytes)
{
	if (rest->len < bytes)
		return false;
	memcpy(into, rest->at, bytes);
	*rest = str_sub(*rest, bytes, rest->len);
	return true;
}

static bool read_name(Str *rest, RollupName *name)
{
	uint32_t len;

	if (!take_raw(rest, &len, sizeof(len)) || len > rest->len)
		return false;
	name->name = str_sub(*rest, 0, len);
	*rest = str_sub(*rest, len, rest->len);
	if (!take_raw(rest, name->counts, sizeof(name->counts)))
		return false;
	for (size_t h = 0; h < ROLLUP_HOURS; h++) {
		size_t used;

		if (!name->counts[h])
			continue;
		if (!sketch_read(*rest, &name->persons[h], &used))
			return false;
		*rest = str_sub(*rest, used, rest->len);
	}
	return true;
}

Err *rollup_read(Arena *a, Str bytes, Rollup *out)
{
	uint32_t plain, count;
	const void *at;
	Str rest;

	*out = (Rollup){ 0 };
	if (!take_raw(&bytes, &plain, sizeof(plain)))
		return damaged(a);
	TRY(column_read_fixed(a, bytes, 1, plain, &at));
	rest = (Str){ at, plain };
	if (!take_raw(&rest, &count, sizeof(count)) || count > rest.len / sizeof(count))
		return damaged(a);
	out->names = ARENA_ARRAY(a, RollupName, count + 1);
	for (out->count = 0; out->count < count; out->count++)
		if (!read_name(&rest, &out->names[out->count])) {
			out->count++; /* what it has of sets is given back too */
			return damaged(a);
		}
	for (size_t i = 0; i < out->count; i++)
		for (size_t h = 0; h < ROLLUP_HOURS; h++)
			out->events += out->names[i].counts[h];
	return rest.len ? damaged(a) : NULL;
}

/* --- counting ---------------------------------------------------------------------------------------------------------- */

typedef struct Counting {
	Query q;
	const Dot *dots;
	size_t count;
	Rollup *out;
} Counting;

static int by_name(const void *x, const void *y)
{
	const RollupName *p = x, *q = y;

	return str_cmp(p->name, q->name);
}

static void count_dots(void *arg)
{
	Counting *c = arg;
	Rollup *r = c->out;
	size_t kept = 0;

	r->names = ARENA_ARRAY(c->q.arena, RollupName, c->q.groups.count);
	r->count = c->q.groups.count;
	for (size_t i = 1; i < r->count; i++)
		r->names[i].name = c->q.groups.cells[i].text;
	for (size_t i = 0; i < c->count; i++) {
		RollupName *name = &r->names[c->dots[i].group];
		size_t hour = c->dots[i].time / 3600000;

		name->counts[hour]++;
		sketch_add(&name->persons[hour], c->dots[i].person);
	}
	for (size_t i = 1; i < r->count; i++)
		r->names[kept++] = r->names[i];
	r->count = kept;
	r->events = c->count;
	qsort(r->names, r->count, sizeof(*r->names), by_name);
}

Err *rollup_make(Db *db, Arena *a, int64_t project, int64_t day, bool here, Rollup *out)
{
	static const QueryIn nothing = { .kind = QUERY_TREND };
	static const QueryRunner runner = { .names = true };
	static const QueryStep any = { { 0 }, { 0 } };
	Counting c = { .q = { .in = &nothing,
		              .runner = &runner,
		              .arena = a,
		              .project = project,
		              .from_ms = day * MS_OF_DAY,
		              .to_ms = (day + 1) * MS_OF_DAY,
		              .steps = &any,
		              .step_count = 1,
		              .memory_most = UINT64_MAX,
		              .here = here },
		       .out = out };
	Dot *dots;
	Err *err;

	*out = (Rollup){ 0 };
	word_book_init(&c.q.groups, a);
	err = scan_day(&c.q, db, a, day, &dots, &c.count);
	c.dots = dots;
	if (!err)
		err = query_work(&c.q, count_dots, &c);
	word_book_fini(&c.q.groups);
	return err;
}

static Err *count_day(Db *db, Arena *a, int64_t project, int64_t day, int64_t version)
{
	AUTO(rollup_fini) Rollup r = { 0 };
	AUTO(buf_fini) Buf b = { 0 };

	TRY(rollup_make(db, a, project, day, false, &r));
	rollup_put(&b, &r);
	return db_exec(db, a, rollup_set, NULL, .project = project, .day = day, .version = version,
	               .data = buf_str(&b));
}

Err *rollup_some(Db *db, Arena *a, int64_t now_us, size_t *counted)
{
	DaysUncountedRow *days;
	int64_t before = segment_day(now_us / 1000 - LATE_MS);

	TRY(db_all(db, a, days_uncounted, &days, counted, .before = before, .most = AT_ONCE));
	for (size_t i = 0; i < *counted; i++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		Err *err = count_day(db, own, days[i].project, days[i].day, days[i].version);

		if (err)
			return err_copy(a, err);
	}
	return NULL;
}

Err *analytics_count(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	size_t counted = 1;

	while (counted) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		Err *err = rollup_some(job_db(run), a, time_utc_us(), &counted);

		if (err)
			return err_copy(job_arena(run), err);
		metric_add(analytics_of(home)->cells.at[CELL_COUNTED], counted);
	}
	return NULL;
}
