/* SPDX-License-Identifier: Apache-2.0
 *
 * A query from its fields to its answer. Times are given as dates or moments and become moments in the query's zone once, so that the
 * day on which clocks are put back has 25 hours in every kind alike: `edges` holds where each interval begins.
 *
 * Days of UTC are read one after the other, each as dots (scan.h) which its runner takes; nothing but the runner's own state lives
 * longer than a day. A week begins on Monday. */
#include "analytics/query.h"

#include "analytics/rollup.h"
#include "analytics/scan.h"
#include "base/civil.h"
#include "base/time.h"
#include "base/zone.h"
#include "rt/work.h"
#include "store/db.h"

#include "analytics_segment_sql.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_MOST = 3660 };

/* --- fields ------------------------------------------------------------------------------------------------------------ */

static const ConfWord kinds[] = {
	{ "trend", QUERY_TREND, "how many, how much, over time" },
	{ "funnel", QUERY_FUNNEL, "how many persons go from one step to the next" },
	{ "retention", QUERY_RETENTION, "how many come back, by when they came first" },
	{ "paths", QUERY_PATHS, "what is done after what, in one session" },
	{ "sessions", QUERY_SESSIONS, "events of one person with no pause of 30 minutes" },
	{ "uniques", QUERY_UNIQUES, "how many persons" },
	{ 0 },
};
static const ConfWord measures[] = {
	{ "count", MEASURE_COUNT, "events" },
	{ "uniques", MEASURE_UNIQUES, "persons" },
	{ "sum", MEASURE_SUM, "of a property" },
	{ "average", MEASURE_AVERAGE, "of a property" },
	{ 0 },
};
static const ConfWord intervals[] = {
	{ "day", EVERY_DAY, "from midnight to midnight" }, { "hour", EVERY_HOUR, "an hour" },
	{ "week", EVERY_WEEK, "from Monday to Monday" },   { "month", EVERY_MONTH, "a month" },
	{ "all", EVERY_ALL, "the whole time as one" },     { 0 },
};
static const ConfWord ops[] = {
	{ "equals", FILTER_EQUALS, "the value, or one of a list" },
	{ "not", FILTER_NOT, "none of these" },
	{ "contains", FILTER_CONTAINS, "the text is in it" },
	{ "above", FILTER_ABOVE, "a larger number" },
	{ "below", FILTER_BELOW, "a smaller number" },
	{ "set", FILTER_SET, "it is there" },
	{ "not_set", FILTER_NOT_SET, "it is not there" },
	{ 0 },
};

static const Field filter_rows[] = {
	{ "property", FIELD_STR, AT(QueryFilter, property), .required = true, .max = HIT_KEY_MOST,
	  .help = "its name; event: the event's name" },
	{ "is", FIELD_ENUM, AT(QueryFilter, op), .names = ops, .help = "how it is compared" },
	{ "value", FIELD_JSON, AT(QueryFilter, value), .help = "a value, or a list of them" },
};
static const FieldTable filter_table = { "QueryFilter", FIELD_ROWS(QueryFilter, filter_rows),
	                                 .help = "what must hold of an event" };
static const Field step_rows[] = {
	{ "event", FIELD_STR, AT(QueryStep, event), .max = HIT_NAME_MOST, .help = "its name" },
	{ "filters", FIELD_OBJECT, AT_LIST(QueryStep, filters), .table = &filter_table,
	  .items_max = QUERY_FILTERS, .help = "what must hold of it" },
};
static const FieldTable step_table = { "QueryStep", FIELD_ROWS(QueryStep, step_rows),
	                               .help = "a step of a funnel" };

static const Field in_rows[] = {
	{ "project", FIELD_STR, AT(QueryIn, project), .required = true, .max = 100,
	  .help = "its name or number" },
	{ "kind", FIELD_ENUM, AT(QueryIn, kind), .required = true, .names = kinds,
	  .help = "what is asked" },
	{ "from", FIELD_STR, AT(QueryIn, from), .required = true, .max = 40,
	  .help = "a date of the time zone, or a time of RFC 3339" },
	{ "to", FIELD_STR, AT(QueryIn, to), .required = true, .max = 40,
	  .help = "the same; what happens at that moment is not in it" },
	{ "timezone", FIELD_STR, AT(QueryIn, timezone), .max = 64,
	  .help = "Europe/Berlin; UTC where none is given" },
	{ "interval", FIELD_ENUM, AT(QueryIn, interval), .names = intervals,
	  .help = "what the time is cut into" },
	{ "measure", FIELD_ENUM, AT(QueryIn, measure), .names = measures,
	  .help = "what a trend counts" },
	{ "property", FIELD_STR, AT(QueryIn, property), .max = HIT_KEY_MOST,
	  .help = "of sum and average" },
	{ "events", FIELD_STR, AT_LIST(QueryIn, events), .max = HIT_NAME_MOST,
	  .help = "names of events; none: all" },
	{ "filters", FIELD_OBJECT, AT_LIST(QueryIn, filters), .table = &filter_table,
	  .items_max = QUERY_FILTERS, .help = "what must hold of every event" },
	{ "breakdown", FIELD_STR, AT(QueryIn, breakdown), .max = HIT_KEY_MOST,
	  .help = "a property: the answer for each of its values" },
	{ "steps", FIELD_OBJECT, AT_LIST(QueryIn, steps), .table = &step_table,
	  .items_max = QUERY_STEPS,
	  .help = "of a funnel; of retention: what counts as coming, and as coming back" },
	{ "window_s", FIELD_INT, AT(QueryIn, window_s), .min = 0, .max = 366 * 86400,
	  .help = "seconds from a funnel's first step to its last; 14 days" },
	{ "depth", FIELD_INT, AT(QueryIn, depth), .min = 0, .max = 10,
	  .help = "steps of a path; 4" },
	{ "limit", FIELD_INT, AT(QueryIn, limit), .min = 0, .max = 1000,
	  .help = "values of the breakdown, or paths, that are told; 25" },
};

const FieldTable *query_fields(void)
{
	static const FieldTable table = { "Query", FIELD_ROWS(QueryIn, in_rows),
		                          .help = "a question about events" };

	return &table;
}

typedef struct AnswerOut {
	Str kind, timezone;
	int64_t from, to, events_scanned, events_counted_before;
	bool approximate;
} AnswerOut;
static const Field answer_rows[] = {
	{ "kind", FIELD_STR, AT(AnswerOut, kind), .help = "what was asked" },
	{ "from", FIELD_TIME, AT(AnswerOut, from), .help = "where the time begins" },
	{ "to", FIELD_TIME, AT(AnswerOut, to), .help = "and ends; not included" },
	{ "timezone", FIELD_STR, AT(AnswerOut, timezone), .help = "of days and weeks" },
	{ "approximate", FIELD_BOOL, AT(AnswerOut, approximate),
	  .help = "a number of persons above 10,000 is an estimate" },
	{ "events_scanned", FIELD_INT, AT(AnswerOut, events_scanned),
	  .help = "events that were looked at" },
	{ "events_counted_before", FIELD_INT, AT(AnswerOut, events_counted_before),
	  .help = "events whose counts were there" },
};
const FieldTable *query_answer(void)
{
	static const FieldTable table = {
		"QueryAnswer", FIELD_ROWS(AnswerOut, answer_rows), .open = true,
		.help = "members beside these are the kind's: points, groups, steps, cohorts, paths"
	};

	return &table;
}

const ConfWord *query_intervals(void)
{
	return intervals;
}

/* --- time -------------------------------------------------------------------------------------------------------------- */

static Err *invalid(Arena *a, const char *text)
{
	return err_new(a, ERR_INVALID, "query.invalid", "%s", text);
}

static int64_t moment_ms(const Zone *zone, int64_t wall_s)
{
	int64_t at[2];

	zone_moments(zone, wall_s, at);
	return at[0] * 1000;
}

static bool read_number(Str text, size_t from, size_t to, int *out)
{
	uint64_t n;

	if (text.len < to || !str_to_u64(str_sub(text, from, to), &n))
		return false;
	*out = (int)n;
	return true;
}

static bool read_date(Str text, int64_t *days)
{
	int year, month, day;

	if (text.len != 10 || text.at[4] != '-' || text.at[7] != '-' ||
	    !read_number(text, 0, 4, &year) || !read_number(text, 5, 7, &month) ||
	    !read_number(text, 8, 10, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > civil_month_days(year, month))
		return false;
	*days = civil_days(year, month, day);
	return true;
}

Err *query_moment(Arena *a, const Zone *zone, Str text, int64_t *ms)
{
	int64_t days, us;

	if (read_date(text, &days))
		*ms = moment_ms(zone, days * SECONDS_OF_DAY);
	else if (time_read_rfc3339(text, &us))
		*ms = civil_floor(us, 1000);
	else
		return err_new(a, ERR_INVALID, "query.invalid",
		               "%.*s is neither a date nor a time of RFC 3339",
		               STR_ARG(str_quote(a, text)));
	return NULL;
}

/* The wall time at which the interval begins that this one is in; and the next. */
static int64_t wall_floor(uint8_t interval, int64_t wall_s)
{
	int64_t days = civil_floor(wall_s, SECONDS_OF_DAY);
	Civil date;

	if (interval == EVERY_WEEK)
		days -= (civil_weekday(days) + 6) % 7;
	if (interval == EVERY_MONTH) {
		date = civil_of(days);
		days = civil_days(date.year, date.month, 1);
	}
	return days * SECONDS_OF_DAY;
}

static int64_t wall_next(uint8_t interval, int64_t wall_s)
{
	int64_t days = civil_floor(wall_s, SECONDS_OF_DAY);
	Civil date;

	if (interval != EVERY_MONTH)
		return (days + (interval == EVERY_WEEK ? 7 : 1)) * SECONDS_OF_DAY;
	date = civil_of(days);
	return civil_days(date.year + date.month / 12, date.month % 12 + 1, 1) * SECONDS_OF_DAY;
}

static int64_t wall_of(const Zone *zone, int64_t ms)
{
	int64_t utc_s = civil_floor(ms, 1000);

	return utc_s + zone_offset(zone, utc_s);
}

/* Hours are of the clock that everybody has: the one that is repeated is two. */
static int64_t first_edge(const Query *q)
{
	if (q->in->interval == EVERY_ALL)
		return q->from_ms;
	if (q->in->interval == EVERY_HOUR)
		return civil_floor(q->from_ms, 3600000) * 3600000;
	return moment_ms(q->zone, wall_floor(q->in->interval, wall_of(q->zone, q->from_ms)));
}

static int64_t next_edge(const Query *q, int64_t ms)
{
	int64_t next;

	if (q->in->interval == EVERY_ALL)
		return q->to_ms;
	if (q->in->interval == EVERY_HOUR)
		return ms + 3600000;
	next = moment_ms(q->zone, wall_next(q->in->interval, wall_of(q->zone, ms)));
	return next > ms ? next : ms + 86400000; /* midnight itself was left out */
}

static Err *find_edges(Query *q)
{
	int64_t at = first_edge(q);

	q->edges = ARENA_ARRAY(q->arena, int64_t, QUERY_BUCKETS + 2);
	q->edges[0] = at;
	while (at < q->to_ms) {
		if (q->buckets == QUERY_BUCKETS)
			return invalid(q->arena,
			               "the time has more intervals than a query may have");
		at = next_edge(q, at);
		q->edges[++q->buckets] = at;
	}
	return NULL;
}

size_t query_bucket(const Query *q, int64_t ms, size_t guess)
{
	size_t from = 0, to = q->buckets;

	if (guess < q->buckets && ms >= q->edges[guess] && ms < q->edges[guess + 1])
		return guess;
	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;

		if (q->edges[middle] <= ms)
			from = middle;
		else
			to = middle;
	}
	return from;
}

void query_put_edge(const Query *q, JsonWriter *w, const char *key, size_t bucket)
{
	int64_t wall = wall_of(q->zone, q->edges[bucket]);
	Civil date = civil_of(civil_floor(wall, SECONDS_OF_DAY));

	if (q->in->interval == EVERY_HOUR || q->in->interval == EVERY_ALL) {
		json_key(w, str_of(key));
		json_add_time(w, q->edges[bucket] * 1000);
	} else {
		json_put_str(w, key,
		             str_fmt(q->arena, "%04" PRId64 "-%02d-%02d", date.year, date.month,
		                     date.day));
	}
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

void query_put_group(const Query *q, JsonWriter *w, const char *key, uint32_t group)
{
	json_key(w, str_of(key));
	if (group < q->groups.count && q->groups.cells[group].kind == CELL_JSON &&
	    str_eq(q->groups.cells[group].text, S("other")))
		json_add_str(w, S("other"));
	else
		cell_put_json(w, q->groups.cells[group]);
}

typedef struct Weighed {
	double weight;
	uint32_t group;
} Weighed;

static int by_weight(const void *x, const void *y)
{
	const Weighed *p = x, *q = y;

	if (p->weight != q->weight)
		return p->weight > q->weight ? -1 : 1;
	return p->group < q->group ? -1 : p->group > q->group;
}

uint32_t *query_top(const Query *q, const double *weights, size_t groups, size_t most,
                    size_t *count)
{
	Weighed *all = ARENA_ARRAY(q->arena, Weighed, groups + 1);
	uint32_t *top = ARENA_ARRAY(q->arena, uint32_t, groups + 1);
	size_t n = 0;

	for (size_t i = 0; i < groups; i++)
		if (weights[i] != 0)
			all[n++] = (Weighed){ weights[i], (uint32_t)i };
	qsort(all, n, sizeof(*all), by_weight);
	*count = MIN(n, most);
	for (size_t i = 0; i < *count; i++)
		top[i] = all[i].group;
	return top;
}

/* --- its course --------------------------------------------------------------------------------------------------------- */

static const QueryRunner *runner_of(uint8_t kind)
{
	static const QueryRunner *(*const runners[QUERY_KINDS])(void) = {
		[QUERY_TREND] = query_trend,         [QUERY_FUNNEL] = query_funnel,
		[QUERY_RETENTION] = query_retention, [QUERY_PATHS] = query_paths,
		[QUERY_SESSIONS] = query_sessions,   [QUERY_UNIQUES] = query_trend,
	};

	return runners[kind]();
}

static Err *check(Query *q)
{
	const QueryIn *in = q->in;
	bool sums = in->kind == QUERY_TREND && in->measure >= MEASURE_SUM;

	if (q->to_ms <= q->from_ms)
		return invalid(q->arena, "to is not after from");
	if (in->kind == QUERY_FUNNEL && in->steps.count < 2)
		return invalid(q->arena, "a funnel has two steps at least");
	if (in->kind == QUERY_RETENTION && in->steps.count > 2)
		return invalid(q->arena, "retention has two steps: coming, and coming back");
	if (in->kind != QUERY_FUNNEL && in->kind != QUERY_RETENTION && in->steps.count)
		return invalid(q->arena, "only a funnel and retention have steps");
	if (sums && !in->property.len)
		return invalid(q->arena, "sum and average need a property");
	return NULL;
}

Err *query_open(Arena *a, const QueryIn *in, Query *q)
{
	static const QueryStep any = { { 0 }, { 0 } };

	q->in = in;
	q->arena = a;
	q->zone = zone_utc();
	if (in->timezone.len)
		TRY(zone_load(a, in->timezone, &q->zone));
	TRY(query_moment(a, q->zone, in->from, &q->from_ms));
	TRY(query_moment(a, q->zone, in->to, &q->to_ms));
	TRY(check(q));
	q->steps = in->steps.count ? in->steps.at : &any;
	q->step_count = in->steps.count ? in->steps.count : 1;
	q->runner = runner_of(in->kind);
	word_book_init(&q->groups, a);
	TRY(find_edges(q));
	q->runner->begin(q);
	return NULL;
}

void query_close(Query *q)
{
	if (q->runner && q->state && q->runner->end)
		q->runner->end(q);
	word_book_fini(&q->groups);
	q->state = NULL;
}

Err *query_work(const Query *q, void (*fn)(void *arg), void *arg)
{
	if (!q->here)
		return work_run(fn, arg);
	fn(arg);
	return NULL;
}

typedef struct Taking {
	Query *q;
	int64_t day;
	Dot *dots;
	size_t count;
} Taking;

static void take(void *arg)
{
	Taking *t = arg;

	t->q->runner->take(t->q, t->day, t->dots, t->count);
}

static Err *too_large(const Query *q)
{
	return query_full(q) ? err_new(q->arena, ERR_TOO_LARGE, "query.too_large",
	                               "the query takes more memory than it may")
	                     : NULL;
}

static Err *run_day(Query *q, Db *db, int64_t day)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Taking t = { q, day, NULL, 0 };
	Err *err = scan_day(q, db, a, day, &t.dots, &t.count);

	if (!err && t.count)
		err = query_work(q, take, &t);
	return err ? err_copy(q->arena, err) : too_large(q);
}

/* May the day's counts stand for its events? They know names, hours and numbers of persons as they came. */
static bool countable(const Query *q)
{
	const QueryIn *in = q->in;
	bool uniques = in->kind == QUERY_UNIQUES || in->measure == MEASURE_UNIQUES;
	bool plain = !in->filters.count && !in->property.len && !in->steps.count &&
	             (!in->breakdown.len || str_eq(in->breakdown, SEGMENT_EVENT));

	if (!q->runner->take_counts || !plain || (uniques && q->persons.roots))
		return false;
	if (q->from_ms % 3600000 || q->to_ms % 3600000)
		return false;
	for (size_t i = 0; i < q->buckets; i++)
		if (q->edges[i] % 3600000)
			return false;
	return true;
}

typedef struct Counted {
	Query *q;
	bool *days; /* those that were taken, from the first on */
	int64_t first;
} Counted;

static Err *take_counted(const void *row, void *arg)
{
	const RollupsBetweenRow *day = row;
	Counted *c = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(rollup_fini) Rollup counts = { 0 };
	Err *err = rollup_read(a, day->data, &counts);

	if (err)
		return err_copy(c->q->arena, err);
	c->q->runner->take_counts(c->q, day->day, &counts);
	c->days[day->day - c->first] = true;
	return too_large(c->q);
}

Err *query_run(Query *q, Db *db)
{
	int64_t first = segment_day(q->from_ms), last = segment_day(q->to_ms - 1);
	Counted c = { .q = q, .first = first };

	if (last - first >= DAYS_MOST)
		return invalid(q->arena, "a query may be about ten years at most");
	TRY(persons_load(db, q->arena, q->project, &q->persons));
	c.days = ARENA_ARRAY(q->arena, bool, (size_t)(last - first + 1));
	if (countable(q))
		TRY(db_each(db, q->arena, rollups_between, take_counted, &c, .project = q->project,
		            .from_day = first, .to_day = last));
	for (int64_t day = first; day <= last; day++)
		if (!c.days[day - first])
			TRY(run_day(q, db, day));
	return NULL;
}

void query_put(Query *q, JsonWriter *w)
{
	json_begin_object(w);
	json_put_str(w, "kind", str_of(kinds[q->in->kind].name));
	json_key(w, S("from"));
	json_add_time(w, q->from_ms * 1000);
	json_key(w, S("to"));
	json_add_time(w, q->to_ms * 1000);
	json_put_str(w, "timezone", zone_name(q->zone));
	q->runner->put(q, w);
	json_put_bool(w, "approximate", q->approximate);
	json_put_u64(w, "events_scanned", q->scanned);
	json_put_u64(w, "events_counted_before", q->rolled);
	json_end(w);
}
