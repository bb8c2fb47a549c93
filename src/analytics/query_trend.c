/* SPDX-License-Identifier: Apache-2.0
 *
 * Trends, and uniques, which are a trend of persons over the whole time as one interval. A cell for each value of the breakdown and each
 * interval: events, the sum of a property and of how many it is the sum, the persons. The whole of a group is not the sum of its
 * intervals where persons are counted: it has a set of its own. */
#include "analytics/query.h"

#include "analytics/rollup.h"
#include "analytics/sketch.h"
#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Cells {
	uint64_t count, numbers;
	double sum;
	Sketch persons;
} Cells;

typedef struct Trend {
	Cells **groups; /* of buckets + 1 cells, the last is of all; NULL: not met */
	size_t count;
	size_t buckets; /* 1 where only the whole is asked */
	uint8_t measure;
	bool broken_down;
	size_t sketches; /* bytes */
	Cells *all;
} Trend;

static void begin(Query *q)
{
	Trend *t = ARENA_NEW(q->arena, Trend);
	bool uniques = q->in->kind == QUERY_UNIQUES;

	t->measure = uniques ? MEASURE_UNIQUES : q->in->measure;
	t->buckets = q->buckets;
	t->broken_down = q->in->breakdown.len > 0;
	t->all = ARENA_ARRAY(q->arena, Cells, t->buckets + 1);
	q->state = t;
}

static void end_cells(const Trend *t, Cells *cells)
{
	for (size_t i = 0; cells && i <= t->buckets; i++)
		sketch_fini(&cells[i].persons);
}

static void end(Query *q)
{
	Trend *t = q->state;

	end_cells(t, t->all);
	for (size_t g = 0; g < t->count; g++)
		end_cells(t, t->groups[g]);
	free(t->groups);
}

/* NULL: there is no memory for one more; the query ends with that (query_full). */
static Cells *group_of(Query *q, Trend *t, uint32_t group)
{
	if (group >= t->count) {
		size_t to = MAX((size_t)group + 1, t->count * 2);
		Cells **more = reallocarray(t->groups, to, sizeof(*more));

		if (!more)
			abort();
		memset(more + t->count, 0, (to - t->count) * sizeof(*more));
		t->groups = more;
		t->count = to;
	}
	if (!t->groups[group] && !query_full(q))
		t->groups[group] = ARENA_ARRAY(q->arena, Cells, t->buckets + 1);
	return t->groups[group];
}

static void add_person(Trend *t, Sketch *s, uint32_t person)
{
	size_t before = sketch_bytes(s);

	sketch_add(s, person);
	t->sketches += sketch_bytes(s) - before;
}

static void add(Trend *t, Cells *cells, size_t bucket, const Dot *dot)
{
	Cells *const at[] = { &cells[bucket], &cells[t->buckets] };

	for (size_t i = 0; i < COUNT(at); i++) {
		at[i]->count++;
		if (!isnan(dot->value)) {
			at[i]->numbers++;
			at[i]->sum += dot->value;
		}
		if (t->measure == MEASURE_UNIQUES)
			add_person(t, &at[i]->persons, dot->person);
	}
}

static void take(Query *q, int64_t day, const Dot *dots, size_t count)
{
	Trend *t = q->state;
	int64_t start = day * MS_OF_DAY;
	size_t bucket = 0, before = t->sketches;

	for (size_t i = 0; i < count; i++) {
		Cells *group = t->broken_down ? group_of(q, t, dots[i].group) : NULL;

		bucket = query_bucket(q, start + dots[i].time, bucket);
		add(t, t->all, bucket, &dots[i]);
		if (group)
			add(t, group, bucket, &dots[i]);
	}
	query_charge(q, t->sketches - before);
}

/* --- of what was counted before ---------------------------------------------------------------------------------------- */

static bool is_asked(const QueryIn *in, Str name)
{
	for (size_t i = 0; i < in->events.count; i++)
		if (str_eq(in->events.at[i], name))
			return true;
	return !in->events.count;
}

static void add_hour(Trend *t, Cells *cells, size_t bucket, uint64_t count, const Sketch *persons)
{
	Cells *const at[] = { &cells[bucket], &cells[t->buckets] };

	for (size_t i = 0; i < COUNT(at); i++) {
		size_t before = sketch_bytes(&at[i]->persons);

		at[i]->count += count;
		if (t->measure != MEASURE_UNIQUES)
			continue;
		sketch_merge(&at[i]->persons, persons);
		t->sketches += sketch_bytes(&at[i]->persons) - before;
	}
}

static void take_name(Query *q, int64_t start, const RollupName *name)
{
	Trend *t = q->state;
	Cell cell = { CELL_STR, str_dup(q->arena, name->name) };
	Cells *group = NULL;

	for (size_t h = 0; h < ROLLUP_HOURS; h++) {
		int64_t ms = start + (int64_t)h * 3600000;
		size_t bucket;

		if (!name->counts[h] || ms < q->from_ms || ms >= q->to_ms)
			continue;
		bucket = query_bucket(q, ms, 0);
		q->rolled += name->counts[h];
		add_hour(t, t->all, bucket, name->counts[h], &name->persons[h]);
		if (t->broken_down)
			group = group_of(q, t, word_book_code(&q->groups, cell));
		if (group)
			add_hour(t, group, bucket, name->counts[h], &name->persons[h]);
	}
}

static void take_counts(Query *q, int64_t day, const Rollup *counts)
{
	Trend *t = q->state;
	size_t before = t->sketches;

	for (size_t i = 0; i < counts->count; i++)
		if (is_asked(q->in, counts->names[i].name))
			take_name(q, day * MS_OF_DAY, &counts->names[i]);
	query_charge(q, t->sketches - before);
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static double value_of(const Trend *t, const Cells *cell)
{
	switch (t->measure) {
	case MEASURE_UNIQUES:
		return (double)sketch_count(&cell->persons);
	case MEASURE_SUM:
		return cell->sum;
	case MEASURE_AVERAGE:
		return cell->numbers ? cell->sum / (double)cell->numbers : NAN;
	default:
		return (double)cell->count;
	}
}

static void put_value(Query *q, JsonWriter *w, const char *key, const Trend *t, const Cells *cell)
{
	double value = value_of(t, cell);

	q->approximate = q->approximate || sketch_approximate(&cell->persons);
	if (t->measure <= MEASURE_UNIQUES)
		json_put_u64(w, key, (uint64_t)value);
	else
		json_put_real(w, key, value);
}

static void put_points(Query *q, JsonWriter *w, const Trend *t, const Cells *cells)
{
	put_value(q, w, "total", t, &cells[t->buckets]);
	json_key(w, S("points"));
	json_begin_array(w);
	for (size_t b = 0; b < t->buckets; b++) {
		json_begin_object(w);
		query_put_edge(q, w, "at", b);
		put_value(q, w, "value", t, &cells[b]);
		json_end(w);
	}
	json_end(w);
}

static void put_groups(Query *q, JsonWriter *w, const Trend *t)
{
	double *weights = ARENA_ARRAY(q->arena, double, t->count + 1);
	uint32_t *top;
	size_t count;

	for (size_t g = 0; g < t->count; g++)
		weights[g] = t->groups[g] ? value_of(t, &t->groups[g][t->buckets]) : 0;
	top = query_top(q, weights, t->count, q->in->limit ? (size_t)q->in->limit : 25, &count);
	json_key(w, S("groups"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		query_put_group(q, w, "value", top[i]);
		put_points(q, w, t, t->groups[top[i]]);
		json_end(w);
	}
	json_end(w);
}

static void put(Query *q, JsonWriter *w)
{
	const Trend *t = q->state;

	put_points(q, w, t, t->all);
	if (t->broken_down)
		put_groups(q, w, t);
	if (q->approximate)
		json_put_real(w, "error", SKETCH_ERROR);
}

const QueryRunner *query_trend(void)
{
	static const QueryRunner runner = {
		.begin = begin, .take = take, .take_counts = take_counts, .put = put, .end = end
	};

	return &runner;
}
