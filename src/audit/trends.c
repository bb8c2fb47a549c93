/* SPDX-License-Identifier: Apache-2.0
 *
 * Trends: what every sample's files measure, added up by area and by group. Sums come from the texts, changes and people from the change sets, which
 * belong to the first sample that is no older than they are. */
#include "audit/trends.h"

#include "audit/trends_int.h"
#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { TREND_AREAS = 1000 /* those with most code in some sample; the whole counts all */ };

typedef struct TrendWord {
	const char *name, *text;
} TrendWord;
static const TrendWord words[] = {
	[TREND_FILES] = { "files", "files of code" },
	[TREND_SLOC] = { "sloc", "lines of code" },
	[TREND_COMMENTS] = { "comments", "lines with a comment" },
	[TREND_FUNCTIONS] = { "functions", "functions and methods" },
	[TREND_CLASSES] = { "classes", "classes" },
	[TREND_CC] = { "cc", "cyclomatic complexity, summed over files" },
	[TREND_COGNITIVE] = { "cognitive", "cognitive complexity, summed over files" },
	[TREND_VOLUME] = { "volume", "Halstead's volume, summed over files" },
	[TREND_MI] = { "mi", "maintainability index, mean of files by their lines of code" },
	[TREND_COMPLEX] = { "complex", "functions with a cognitive complexity above 15" },
	[TREND_LONG] = { "long", "functions of more than 60 lines" },
	[TREND_NESTED] = { "nested", "functions nested deeper than 4" },
	[TREND_WIDE] = { "wide", "functions with more than 7 arguments" },
	[TREND_SCATTERED] = { "scattered",
	                      "classes whose methods fall into groups (LCOM4 above 1)" },
	[TREND_FINDINGS] = { "findings", "smells that a file tells by itself" },
	[TREND_MINUTES] = { "minutes", "to mend these" },
	[TREND_TESTS] = { "tests", "lines of code of the tests" },
	[TREND_CHANGES] = { "changes", "change sets since the sample before" },
	[TREND_FIXES] = { "fixes", "of these, those that say they mend something" },
	[TREND_PEOPLE] = { "people", "who made these change sets" },
};
_Static_assert(COUNT(words) == TREND_METRICS, "a metric has no words");

const char *trend_name(TrendMetric metric)
{
	return words[metric].name;
}

const char *trend_text(TrendMetric metric)
{
	return words[metric].text;
}

typedef struct Sums {
	TrendWork *work;
	const TrendNames *names;
	bool grouped;
	const uint32_t *place; /* by name: its row in the table, or AREA_NONE */
	uint32_t count;        /* of those; the whole comes after them */
	double *values;
} Sums;

static double *row_of(const Sums *s, uint32_t sample, uint32_t row)
{
	return s->values + ((size_t)sample * (s->count + 1) + row) * TREND_METRICS;
}

/* --- which areas ----------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Weight {
	Str name;
	uint32_t index;
	uint64_t sloc; /* in the sample that has most */
} Weight;

static int heavier_first(const void *x, const void *y)
{
	const Weight *p = x, *q = y;

	if (p->sloc != q->sloc)
		return p->sloc < q->sloc ? 1 : -1;
	return str_cmp(p->name, q->name);
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const Weight *)x)->name, ((const Weight *)y)->name);
}

static uint32_t name_in(const Sums *s, const TrendRow *row)
{
	return s->grouped ? row->group : row->area;
}

static void weigh(const Sums *s, Weight *weights)
{
	const TrendWork *w = s->work;
	uint64_t *now = ARENA_ARRAY(w->a, uint64_t, s->names->count + 1);

	for (uint32_t sample = 0; sample < w->out->sample_count; sample++) {
		memset(now, 0, s->names->count * sizeof(*now));
		for (uint32_t i = 0; i < w->row_counts[sample]; i++) {
			uint32_t name = name_in(s, &w->rows[sample][i]);

			if (name != AREA_NONE)
				now[name] += 1 + w->texts[w->rows[sample][i].text].is.sloc;
		}
		for (size_t i = 0; i < s->names->count; i++)
			weights[i].sloc = MAX(weights[i].sloc, now[i]);
	}
}

/* The heaviest that were somewhere, by name. */
static void choose_areas(Sums *s, TrendTable *out)
{
	Arena *a = s->work->a;
	Weight *weights = ARENA_ARRAY(a, Weight, s->names->count + 1);
	uint32_t *place = ARENA_ARRAY(a, uint32_t, s->names->count + 1);
	Str *names;

	for (size_t i = 0; i < s->names->count; i++) {
		weights[i] = (Weight){ s->names->at[i], (uint32_t)i, 0 };
		place[i] = AREA_NONE;
	}
	weigh(s, weights);
	qsort(weights, s->names->count, sizeof(*weights), heavier_first);
	while (s->count < MIN(s->names->count, (size_t)TREND_AREAS) && weights[s->count].sloc)
		s->count++;
	qsort(weights, s->count, sizeof(*weights), by_name);
	names = ARENA_ARRAY(a, Str, s->count + 1);
	for (uint32_t i = 0; i < s->count; i++) {
		place[weights[i].index] = i;
		names[i] = weights[i].name;
	}
	s->place = place;
	*out = (TrendTable){ .areas = names, .count = s->count };
}

/* --- sums of texts ----------------------------------------------------------------------------------------------------------------------------------- */

static void add_text(double *to, const TextMeasures *m)
{
	to[TREND_FILES]++;
	to[TREND_SLOC] += m->sloc;
	to[TREND_COMMENTS] += m->comments;
	to[TREND_FUNCTIONS] += m->functions;
	to[TREND_CLASSES] += m->classes;
	to[TREND_CC] += m->cc;
	to[TREND_COGNITIVE] += m->cognitive;
	to[TREND_VOLUME] += m->volume;
	to[TREND_MI] += m->mi * m->sloc;
	to[TREND_COMPLEX] += m->complex;
	to[TREND_LONG] += m->lengthy;
	to[TREND_NESTED] += m->nested;
	to[TREND_WIDE] += m->wide;
	to[TREND_SCATTERED] += m->scattered;
	to[TREND_FINDINGS] += m->findings;
	to[TREND_MINUTES] += m->minutes;
}

static void add_row(const Sums *s, uint32_t sample, const TrendRow *row)
{
	const TextMeasures *m = &s->work->texts[row->text].is;
	uint32_t name = name_in(s, row);
	double *to[2] = { row_of(s, sample, s->count), NULL };

	if (m->missing)
		return;
	if (name != AREA_NONE && s->place[name] != AREA_NONE)
		to[1] = row_of(s, sample, s->place[name]);
	for (int i = 0; i < 2 && to[i]; i++)
		if (row->kind == SOURCE_CODE && !m->generated)
			add_text(to[i], m);
		else if (row->kind == SOURCE_TEST)
			to[i][TREND_TESTS] += m->sloc;
}

static void add_texts(const Sums *s)
{
	const TrendWork *w = s->work;

	for (uint32_t sample = 0; sample < w->out->sample_count; sample++) {
		for (uint32_t i = 0; i < w->row_counts[sample]; i++)
			add_row(s, sample, &w->rows[sample][i]);
		for (uint32_t i = 0; i <= s->count; i++) {
			double *to = row_of(s, sample, i);

			to[TREND_MI] = to[TREND_SLOC] > 0 ? to[TREND_MI] / to[TREND_SLOC] : -1;
		}
	}
}

/* --- sums of changes ----------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Person {
	uint32_t sample, row, author;
} Person;

static int by_place(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(Person));
}

static uint32_t sample_of(const TrendWork *w, int64_t time_s)
{
	uint32_t low = 0, high = w->out->sample_count;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (w->samples[mid].time_s < time_s)
			low = mid + 1;
		else
			high = mid;
	}
	return MIN(low, w->out->sample_count - 1);
}

/* Rows that a set touches, each once, the whole last; 0: it touches nothing that is measured. */
static uint32_t rows_of(const Sums *s, const ChangeSet *set, uint32_t *rows)
{
	const uint32_t *of = s->grouped ? s->work->file_group : s->work->file_area;
	uint32_t count = 0;
	bool any = false;

	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t name = of[set->files[i]], k = 0, row;

		any = any || s->work->file_area[set->files[i]] != AREA_NONE;
		row = name == AREA_NONE ? AREA_NONE : s->place[name];
		while (k < count && rows[k] != row)
			k++;
		if (k == count && row != AREA_NONE)
			rows[count++] = row;
	}
	if (any)
		rows[count++] = s->count;
	return count;
}

static void add_changes(const Sums *s)
{
	const History *h = &s->work->audit->history;
	Person *made = NULL;
	size_t all = 0, room = 0;

	for (size_t i = 0; i < h->set_count; i++)
		room += h->sets[i].count + 1;
	made = ARENA_ARRAY(s->work->a, Person, room + 1);
	for (size_t i = 0; i < h->set_count; i++) {
		uint32_t rows[HISTORY_SET_FILES + 1], count = rows_of(s, &h->sets[i], rows);
		uint32_t sample = sample_of(s->work, h->sets[i].time_s);

		for (uint32_t k = 0; k < count; k++) {
			double *to = row_of(s, sample, rows[k]);

			to[TREND_CHANGES]++;
			to[TREND_FIXES] += h->sets[i].fix;
			made[all++] = (Person){ sample, rows[k], h->sets[i].author };
		}
	}
	qsort(made, all, sizeof(*made), by_place);
	for (size_t i = 0; i < all; i++)
		if (!i || memcmp(&made[i - 1], &made[i], sizeof(*made)) != 0)
			row_of(s, made[i].sample, made[i].row)[TREND_PEOPLE]++;
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------------------- */

static void sum_up(TrendWork *w, const TrendNames *names, bool grouped, TrendTable *out)
{
	Sums s = { .work = w, .names = names, .grouped = grouped };

	choose_areas(&s, out);
	s.values = ARENA_ARRAY(w->a, double,
	                       (size_t)w->out->sample_count *(s.count + 1) * TREND_METRICS);
	add_texts(&s);
	add_changes(&s);
	out->values = s.values;
}

static void count_missing(TrendWork *w)
{
	for (uint32_t sample = 0; sample < w->out->sample_count; sample++)
		for (uint32_t i = 0; i < w->row_counts[sample]; i++)
			w->samples[sample].missing += w->texts[w->rows[sample][i].text].is.missing;
	w->out->samples = w->samples;
}

static void work_fini(TrendWork *w)
{
	map_fini(&w->by_id);
	map_fini(&w->areas.known);
	map_fini(&w->groups.known);
}

static void trends_read(TrendWork *w)
{
	int64_t from_us = time_mono_us();

	w->areas.by = areas_of(w->a, &w->audit->project);
	w->groups.by = areas_grouped(w->a, w->rules->conf);
	if (w->audit->history.why_not.len) {
		w->out->why_not = w->audit->history.why_not;
		return;
	}
	if (!trends_walk(w))
		return;
	trends_measure(w);
	count_missing(w);
	sum_up(w, &w->areas, false, &w->out->areas);
	sum_up(w, &w->groups, true, &w->out->groups);
	w->out->taken_us = time_mono_us() - from_us;
}

Err *trends_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	AUTO(work_fini)
	TrendWork w = { .a = a, .rules = rules, .audit = audit, .out = ARENA_NEW(a, Trends) };

	if (!rules->trends || rules->from)
		return NULL;
	trends_read(&w);
	audit->trends = w.out;
	return NULL;
}
