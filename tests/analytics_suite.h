/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of analytics on any engine: events taken, put together, counted and asked about, beside the same counted by hand. Whoever
 * includes it has included suite.h and events_lite.h or events_pg.h. */
#pragma once
#include "analytics/check.h"
#include "analytics/erase.h"
#include "analytics/export.h"
#include "analytics/facts.h"
#include "analytics/intake.h"
#include "analytics/merge.h"
#include "analytics/project.h"
#include "analytics/query.h"
#include "analytics/report.h"
#include "analytics/rollup.h"
#include "base/rand.h"
#include "base/time.h"
#include "service/service.h"
#include "statements.h"
#include "store/consumer.h"
#include "store/schema.h"

#include "analytics_schema.h"
#include "analytics_segment_sql.h"
#include "analytics_sql.h"

#include <string.h>

enum {
	FIRST_DAY = 20760 /* 2026-11-03 */,
	SUITE_DAYS = 4,
	SUITE_EVENTS = 1500,
	SUITE_PERSONS = 40
};

static inline Err *suite_schema(Db *db, Arena *a)
{
	Project *project;
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &analytics_schema, &applied));
	return project_make(db, a, S("shop"), PRIVACY_OPEN, NULL, 0, &project);
}

SUITE_TEST(every_statement_fits_the_schema_and_looks_up_what_it_can)
{
	suite_statements(db, a, &analytics_sql);
	suite_statements(db, a, &analytics_report_sql);
	suite_statements(db, a, &analytics_segment_sql);
	return NULL;
}

static const Str names[] = { S("view"), S("view"), S("cart"), S("paid"), S("other") };

/* Event i of a made-up site: the same for the same i. */
static Hit made(Arena *a, uint64_t i)
{
	uint64_t r = i * 0x9e3779b97f4a7c15;
	HitProp *props = ARENA_ARRAY(a, HitProp, 2);
	Hit hit = { .project = 1, .id = hit_id(str_fmt(a, "%" PRIu64, i)), .props = props };

	r ^= r >> 29;
	hit.name = names[r % COUNT(names)];
	hit.who = str_fmt(a, "person %" PRIu64, (r >> 8) % SUITE_PERSONS);
	hit.time_ms = (int64_t)FIRST_DAY * MS_OF_DAY +
	              (int64_t)((r >> 16) % ((uint64_t)SUITE_DAYS * MS_OF_DAY));
	hit.received_ms = hit.time_ms + 1000;
	props[hit.prop_count++] =
		(HitProp){ S("amount"), { CELL_INT, str_fmt(a, "%" PRIu64, r % 100) } };
	if (r & 64)
		props[hit.prop_count++] =
			(HitProp){ S("plan"), { CELL_STR, r & 128 ? S("pro") : S("free") } };
	return hit;
}

static Err *fill(Db *db, Arena *a, uint64_t from, uint64_t to, uint64_t at_once)
{
	for (uint64_t i = from; i < to; i += at_once) {
		Hit *hits = ARENA_ARRAY(a, Hit, at_once);
		uint8_t *fates = ARENA_ARRAY(a, uint8_t, at_once);

		for (uint64_t k = 0; k < at_once; k++)
			hits[k] = made(a, i + k);
		TRY(intake_take_alone(db, a, hits, at_once, fates));
		for (uint64_t k = 0; k < at_once; k++)
			CHECK_INT(fates[k], INTAKE_STORED);
	}
	return NULL;
}

static QueryIn whole(uint8_t kind)
{
	return (QueryIn){
		.project = S("shop"), .from = S("2026-11-03"), .to = S("2026-11-07"), .kind = kind
	};
}

static Err *ask(Db *db, Arena *a, const QueryIn *in, const Json **answer)
{
	AUTO(query_close) Query q = { .project = 1, .memory_most = 64 << 20 };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	TRY(query_open(a, in, &q));
	TRY(query_run(&q, db));
	query_put(&q, &w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, answer);
}

static int64_t number(const Json *object, Str key)
{
	int64_t n = -1;

	json_to_i64(json_get(object, key), &n);
	return n;
}

static int64_t point(const Json *answer, size_t i)
{
	return number(json_at(json_get(answer, S("points")), i), S("value"));
}

static Err *checks_say(Db *db, Arena *a, uint64_t wrong)
{
	size_t count;
	const ServiceCheck *rows = analytics_checks(&count);
	uint64_t found = 0;

	for (size_t i = 0; i < count; i++) {
		ServiceFinding f = { .arena = a };

		TRY(rows[i].run(NULL, db, a, &f));
		found += f.wrong;
		if (f.wrong && !wrong)
			NOTE("%s: %.*s", rows[i].name, STR_ARG(f.examples[0]));
	}
	CHECK_INT(found, wrong);
	return NULL;
}

/* --- by hand ------------------------------------------------------------------------------------------------------------ */

static int hand_by_time(const void *x, const void *y)
{
	const Hit *p = x, *q = y;

	return p->time_ms < q->time_ms ? -1 : p->time_ms > q->time_ms;
}

static Hit *hand_sorted(Arena *a)
{
	Hit *hits = ARENA_ARRAY(a, Hit, SUITE_EVENTS);

	for (uint64_t i = 0; i < SUITE_EVENTS; i++)
		hits[i] = made(a, i);
	qsort(hits, SUITE_EVENTS, sizeof(*hits), hand_by_time);
	return hits;
}

/* How far a chain that begins at i comes within the window: the next event of each step is as good as any later one. */
static size_t hand_chain(const Hit *hits, size_t i, const Str *steps, size_t count,
                         int64_t window_ms)
{
	size_t level = 1;

	for (size_t k = i + 1; k < SUITE_EVENTS && level < count; k++)
		if (str_eq(hits[k].who, hits[i].who) &&
		    hits[k].time_ms - hits[i].time_ms <= window_ms &&
		    str_eq(hits[k].name, steps[level]))
			level++;
	return level;
}

static size_t hand_funnel(Arena *a, const Hit *hits, const Str *steps, size_t count,
                          int64_t window_ms, size_t level)
{
	size_t persons = 0;

	for (int p = 0; p < SUITE_PERSONS; p++) {
		Str who = str_fmt(a, "person %d", p);
		size_t best = 0;

		for (size_t i = 0; i < SUITE_EVENTS; i++)
			if (str_eq(hits[i].who, who) && str_eq(hits[i].name, steps[0]))
				best = MAX(best, hand_chain(hits, i, steps, count, window_ms));
		persons += best >= level;
	}
	return persons;
}

static size_t hand_persons(Arena *a, const Hit *hits, int64_t day, Str name)
{
	size_t persons = 0;

	for (int p = 0; p < SUITE_PERSONS; p++) {
		Str who = str_fmt(a, "person %d", p);
		bool there = false;

		for (size_t i = 0; i < SUITE_EVENTS; i++)
			there = there ||
			        (str_eq(hits[i].who, who) && segment_day(hits[i].time_ms) == day &&
			         (!name.len || str_eq(hits[i].name, name)));
		persons += there;
	}
	return persons;
}

static size_t hand_events(const Hit *hits, int64_t day, Str name)
{
	size_t count = 0;

	for (size_t i = 0; i < SUITE_EVENTS; i++)
		count += segment_day(hits[i].time_ms) == day &&
		         (!name.len || str_eq(hits[i].name, name));
	return count;
}

/* Sessions of all: pauses of half an hour between one's events. */
static size_t hand_sessions(const Hit *hits)
{
	size_t sessions = 0;

	for (size_t i = 0; i < SUITE_EVENTS; i++) {
		bool begins = true;

		for (size_t k = i; k-- > 0 && begins;)
			begins = !str_eq(hits[k].who, hits[i].who) ||
			         hits[i].time_ms - hits[k].time_ms >= 1800000;
		sessions += begins;
	}
	return sessions;
}

/* --- reports ------------------------------------------------------------------------------------------------------------ */

static Err *trends_are_right(Db *db, Arena *a, const Hit *hits)
{
	Str asked[] = { S("view") };
	QueryIn count = whole(QUERY_TREND), uniques = whole(QUERY_TREND);
	const Json *answer, *persons;

	count.events.at = uniques.events.at = asked;
	count.events.count = uniques.events.count = 1;
	uniques.measure = MEASURE_UNIQUES;
	TRY(ask(db, a, &count, &answer));
	TRY(ask(db, a, &uniques, &persons));
	for (size_t d = 0; d < SUITE_DAYS; d++) {
		CHECK_INT(point(answer, d), hand_events(hits, FIRST_DAY + (int64_t)d, asked[0]));
		CHECK_INT(point(persons, d),
		          hand_persons(a, hits, FIRST_DAY + (int64_t)d, asked[0]));
	}
	count = whole(QUERY_TREND);
	count.breakdown = S("event");
	TRY(ask(db, a, &count, &answer));
	CHECK_INT(number(answer, S("total")), SUITE_EVENTS);
	CHECK_INT(json_count(json_get(answer, S("groups"))), 4);
	return NULL;
}

static Err *funnel_is_right(Db *db, Arena *a, const Hit *hits, const Str steps[3], int64_t window_s)
{
	QueryStep asked[3] = { { .event = steps[0] },
		               { .event = steps[1] },
		               { .event = steps[2] } };
	QueryIn in = whole(QUERY_FUNNEL);
	const Json *answer;

	in.steps.at = asked;
	in.steps.count = 3;
	in.window_s = window_s;
	TRY(ask(db, a, &in, &answer));
	for (size_t s = 0; s < 3; s++) {
		NOTE("window %" PRId64 " s, step %zu", window_s, s);
		CHECK_INT(number(json_at(json_get(answer, S("steps")), s), S("persons")),
		          hand_funnel(a, hits, steps, 3, window_s * 1000, s + 1));
	}
	return NULL;
}

static Err *funnels_are_right(Db *db, Arena *a, const Hit *hits)
{
	static const Str steps[] = { S("view"), S("cart"), S("paid") };
	static const Str twice[] = { S("cart"), S("cart"),
		                     S("cart") }; /* one event is one step of a chain */
	static const int64_t windows_s[] = { 600, 7200, 86400, 14 * 86400 };

	for (size_t w = 0; w < COUNT(windows_s); w++) {
		TRY(funnel_is_right(db, a, hits, steps, windows_s[w]));
		TRY(funnel_is_right(db, a, hits, twice, windows_s[w]));
	}
	return NULL;
}

/* The day on which a person came first, or SUITE_DAYS; and whether on another. */
static size_t hand_day(const Hit *hits, Str who, bool came[SUITE_DAYS])
{
	size_t first = SUITE_DAYS;

	memset(came, 0, SUITE_DAYS * sizeof(*came));
	for (size_t i = 0; i < SUITE_EVENTS; i++)
		if (str_eq(hits[i].who, who)) {
			size_t day = (size_t)(segment_day(hits[i].time_ms) - FIRST_DAY);

			came[day] = true;
			first = MIN(first, day);
		}
	return first;
}

static Err *retention_is_right(Db *db, Arena *a, const Hit *hits)
{
	int64_t size[SUITE_DAYS] = { 0 }, back[SUITE_DAYS][SUITE_DAYS] = { 0 };
	QueryIn in = whole(QUERY_RETENTION);
	const Json *answer;

	for (int p = 0; p < SUITE_PERSONS; p++) {
		bool came[SUITE_DAYS];
		size_t first = hand_day(hits, str_fmt(a, "person %d", p), came);

		for (size_t d = first; d < SUITE_DAYS; d++) {
			size[first] += d == first;
			back[first][d] += d > first && came[d];
		}
	}
	TRY(ask(db, a, &in, &answer));
	for (size_t c = 0; c < SUITE_DAYS; c++) {
		const Json *cohort = json_at(json_get(answer, S("cohorts")), c);

		CHECK_INT(number(cohort, S("persons")), size[c]);
		for (size_t d = c + 1; d < SUITE_DAYS; d++) {
			int64_t n = -1;

			json_to_i64(json_at(json_get(cohort, S("back")), d - c - 1), &n);
			CHECK_INT(n, back[c][d]);
		}
	}
	return NULL;
}

/* Each session begins in one way; of those that go on each goes on in one. */
static Err *paths_add_up(Db *db, Arena *a, const Hit *hits)
{
	QueryIn in = whole(QUERY_PATHS);
	const Json *answer, *paths;
	int64_t first = 0, second = 0;

	in.limit = 1000;
	TRY(ask(db, a, &in, &answer));
	paths = json_get(answer, S("paths"));
	for (size_t i = 0; i < json_count(paths); i++) {
		const Json *path = json_get(json_at(paths, i), S("path"));

		first += json_count(path) == 1 ? number(json_at(paths, i), S("sessions")) : 0;
		second += json_count(path) == 2 ? number(json_at(paths, i), S("sessions")) : 0;
	}
	CHECK_INT(first, hand_sessions(hits));
	CHECK(second > 0 && second < first);
	return NULL;
}

static Err *reports_are_right(Db *db, Arena *a)
{
	const Hit *hits = hand_sorted(a);
	QueryIn sessions = whole(QUERY_SESSIONS);
	const Json *answer;

	TRY(trends_are_right(db, a, hits));
	TRY(funnels_are_right(db, a, hits));
	TRY(retention_is_right(db, a, hits));
	TRY(paths_add_up(db, a, hits));
	TRY(ask(db, a, &sessions, &answer));
	CHECK_INT(number(answer, S("sessions")), hand_sessions(hits));
	CHECK_INT(number(answer, S("events")), SUITE_EVENTS);
	return checks_say(db, a, 0);
}

static int64_t pieces(Db *db, Arena *a);

SUITE_TEST(reports_are_what_counting_by_hand_gives_however_events_are_kept)
{
	size_t merged, counted;
	QueryIn in = whole(QUERY_TREND);
	const Json *answer;

	TRY(fill(db, a, 0, SUITE_EVENTS, 50));
	TRY(reports_are_right(db, a));
	for (int64_t day = FIRST_DAY; day < FIRST_DAY + SUITE_DAYS; day++) {
		TRY(merge_day(db, a, 1, day, &merged));
		CHECK(merged > 1);
	}
	CHECK_INT(pieces(db, a), SUITE_DAYS);
	TRY(reports_are_right(db, a));
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	CHECK_INT(counted, SUITE_DAYS);
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("events_counted_before")), SUITE_EVENTS);
	CHECK_INT(number(answer, S("events_scanned")), 0);
	return reports_are_right(db, a);
}

static Err *take_row(Db *db, Arena *a, const char *const *row, size_t count)
{
	Hit *hits = ARENA_ARRAY(a, Hit, count);
	uint8_t *fates = ARENA_ARRAY(a, uint8_t, count);

	for (size_t i = 0; i < count; i++) {
		hits[i] = made(a, i);
		hits[i].id = uuid_new();
		hits[i].name = str_of(row[i]);
		hits[i].who = S("ann");
		hits[i].time_ms = (int64_t)FIRST_DAY * MS_OF_DAY;
	}
	return intake_take_alone(db, a, hits, count, fates);
}

SUITE_TEST(what_came_first_is_first_among_events_of_one_time)
{
	static const char *const first[] = { "basket", "view", "view", "view" };
	static const char *const second[] = { "paid" };
	QueryStep steps[] = { { .event = S("basket") }, { .event = S("paid") } };
	QueryIn in = whole(QUERY_FUNNEL);
	const Json *answer;
	size_t merged = 0;

	in.steps.at = steps;
	in.steps.count = COUNT(steps);
	TRY(take_row(db, a, first, COUNT(first)));
	TRY(take_row(db, a, second, COUNT(second)));
	for (size_t i = 0; i < 2; i++) {
		TRY(ask(db, a, &in, &answer));
		CHECK_INT(number(json_at(json_get(answer, S("steps")), 1), S("persons")), 1);
		TRY(merge_day(db, a, 1, FIRST_DAY, &merged));
	}
	CHECK_INT(merged, 0); /* it was the second time */
	return NULL;
}

enum { MANY_NAMES = 4200 };

SUITE_TEST(no_property_is_lost_by_merging)
{
	QueryFilter filter = { .op = FILTER_SET };
	QueryIn in = whole(QUERY_TREND);
	Hit *hits = ARENA_ARRAY(a, Hit, MANY_NAMES);
	uint8_t *fates = ARENA_ARRAY(a, uint8_t, MANY_NAMES);
	HitProp *props = ARENA_ARRAY(a, HitProp, MANY_NAMES);
	const Json *answer;
	size_t merged, half = MANY_NAMES / 2;

	for (size_t i = 0; i < MANY_NAMES; i++) {
		props[i] = (HitProp){ str_fmt(a, "p%zu", i), { CELL_INT, S("1") } };
		hits[i] = made(a, i);
		hits[i].time_ms = (int64_t)FIRST_DAY * MS_OF_DAY;
		hits[i].props = &props[i];
		hits[i].prop_count = 1;
	}
	TRY(intake_take_alone(db, a, hits, half, fates));
	TRY(intake_take_alone(db, a, hits + half, half, fates));
	TRY(merge_day(db, a, 1, FIRST_DAY, &merged));
	CHECK_INT(merged, 2);
	in.filters.at = &filter;
	in.filters.count = 1;
	for (size_t i = 0; i < MANY_NAMES; i += MANY_NAMES - 1) {
		filter.property = props[i].key;
		TRY(ask(db, a, &in, &answer));
		CHECK_INT(number(answer, S("total")), 1);
	}
	return NULL;
}

SUITE_TEST(an_event_is_taken_once_whoever_sends_it_again)
{
	Hit hits[3] = { made(a, 1), made(a, 2), made(a, 1) };
	uint8_t fates[3];
	QueryIn in = whole(QUERY_TREND);
	const Json *answer;

	TRY(intake_take_alone(db, a, hits, 3, fates));
	CHECK_INT(fates[0], INTAKE_STORED);
	CHECK_INT(fates[1], INTAKE_STORED);
	CHECK_INT(fates[2], INTAKE_DUPLICATE);
	hits[2] = made(a, 3);
	TRY(intake_take_alone(db, a, hits, 3, fates));
	CHECK_INT(fates[0], INTAKE_DUPLICATE);
	CHECK_INT(fates[1], INTAKE_DUPLICATE);
	CHECK_INT(fates[2], INTAKE_STORED);
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("total")), 3);
	return checks_say(db, a, 0);
}

/* What comes late is in no count that was made before it. */
SUITE_TEST(a_late_event_makes_the_day_be_counted_anew)
{
	QueryIn in = whole(QUERY_TREND);
	const Json *answer;
	size_t counted;

	TRY(fill(db, a, 0, 100, 100));
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	TRY(fill(db, a, 100, 101, 1));
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("total")), 101);
	CHECK(number(answer, S("events_counted_before")) > 0);
	CHECK(number(answer, S("events_scanned")) > 0);
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	CHECK_INT(counted, 1);
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("events_counted_before")), 101);
	return checks_say(db, a, 0);
}

SUITE_TEST(who_has_two_names_is_one_person)
{
	QueryIn in = whole(QUERY_UNIQUES);
	const Json *answer;
	int64_t before;
	size_t counted;

	TRY(fill(db, a, 0, 400, 100));
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	TRY(ask(db, a, &in, &answer));
	before = number(answer, S("total"));
	CHECK_INT(before, SUITE_PERSONS);
	TRY(person_merge(db, a, 1, S("person 7"), S("person 3")));
	TRY(person_merge(db, a, 1, S("person 3"), S("person 9")));
	TRY(person_merge(db, a, 1, S("person 9"), S("person 7")));
	TRY(person_merge(db, a, 1, S("person 1"), S("somebody who never came")));
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("total")), before - 2);
	return checks_say(db, a, 0);
}

static int64_t pieces(Db *db, Arena *a)
{
	SegmentsListedRow *rows;
	size_t count;
	int64_t all = 0;

	for (int64_t day = FIRST_DAY; day < FIRST_DAY + SUITE_DAYS; day++) {
		CHECK_OK(db_all(db, a, segments_listed, &rows, &count, .project = 1, .day = day));
		all += (int64_t)count;
	}
	return all;
}

SUITE_TEST(what_somebody_changed_by_hand_is_found)
{
	SegmentsListedRow *rows;
	size_t count, counted;

	TRY(fill(db, a, 0, 200, 100));
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	TRY(checks_say(db, a, 0));
	TRY(db_all(db, a, segments_listed, &rows, &count, .project = 1, .day = FIRST_DAY));
	TRY(db_exec(db, a, segment_remove, NULL, .id = rows[0].id));
	return checks_say(db, a, 2); /* the day does not add up, and was counted otherwise */
}

static Err *keep_piece(void *arg, Str piece)
{
	buf_put(arg, piece);
	return NULL;
}

static Err *exported(Db *db, Arena *a, bool csv, Str *out)
{
	ExportSpec spec = { .project = 1,
		            .to_ms = (int64_t)(FIRST_DAY + 30) * MS_OF_DAY,
		            .csv = csv };
	AUTO(buf_fini) Buf b = { 0 };
	uint64_t events;

	TRY(export_hits(db, a, &spec, keep_piece, &b, &events));
	CHECK_INT(events, SUITE_EVENTS);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

/* What goes out may come in again: it is known. However events are kept, the bytes are the same. */
SUITE_TEST(what_is_exported_is_what_was_taken)
{
	static const HitLimits limits = { .now_ms = INT64_MAX / 4, .future_ms = 1 };
	Str before, after, line, rest;
	size_t merged, lines = 0;
	int64_t last_ms = 0;

	TRY(fill(db, a, 0, SUITE_EVENTS, 50));
	TRY(exported(db, a, false, &before));
	rest = before;
	while (rest.len && str_split(&rest, '\n', &line)) {
		Hit *hit = ARENA_NEW(a, Hit);
		HitRefusal refusal;
		const Json *value;
		uint8_t fate;

		TRY(json_read(a, line, 0, &value));
		CHECK(hit_read(a, value, &limits, 0, hit, &refusal));
		CHECK(hit->time_ms >= last_ms);
		last_ms = hit->time_ms;
		hit->project = 1;
		if (lines++ % 100 == 0) {
			TRY(intake_take_alone(db, a, hit, 1, &fate));
			CHECK_INT(fate, INTAKE_DUPLICATE);
		}
	}
	CHECK_INT(lines, SUITE_EVENTS);
	for (int64_t day = FIRST_DAY; day < FIRST_DAY + 2; day++)
		TRY(merge_day(db, a, 1, day, &merged));
	TRY(exported(db, a, false, &after));
	CHECK(str_eq(before, after));
	return exported(db, a, true, &after);
}

/* Nothing of who was erased is left; all others are as they were. */
SUITE_TEST(who_is_erased_leaves_nothing_behind)
{
	QueryIn in = whole(QUERY_UNIQUES), trend = whole(QUERY_TREND);
	const Json *answer;
	Erased erased, again;
	size_t merged, counted;
	int64_t of_them = 0;
	IdByNameRow *row;

	TRY(fill(db, a, 0, 600, 50));
	TRY(merge_day(db, a, 1, FIRST_DAY, &merged)); /* one day is merged, the others are not */
	TRY(person_merge(db, a, 1, S("person 7"), S("person 3")));
	TRY(rollup_some(db, a, (int64_t)(FIRST_DAY + 30) * MS_OF_DAY * 1000, &counted));
	for (uint64_t i = 0; i < 600; i++) {
		Hit hit = made(a, i);

		of_them += str_eq(hit.who, S("person 7")) || str_eq(hit.who, S("person 3"));
	}
	TRY(erase_person(db, a, 1, S("person 3"), &erased));
	CHECK_INT(erased.names, 2);
	CHECK_INT(erased.events, of_them);
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("total")), SUITE_PERSONS - 2);
	TRY(ask(db, a, &trend, &answer));
	CHECK_INT(number(answer, S("total")), 600 - of_them);
	TRY(db_one(db, a, id_by_name, &row, .project = 1, .name = S("person 7")));
	CHECK_NULL(row);
	TRY(erase_person(db, a, 1, S("person 3"), &again));
	CHECK_INT(again.events, 0);
	TRY(fill(db, a, 600, 1000, 50)); /* the same names come back, as somebody new */
	TRY(ask(db, a, &in, &answer));
	CHECK_INT(number(answer, S("total")), SUITE_PERSONS);
	return checks_say(db, a, 0);
}

/* --- what other services tell -------------------------------------------------------------------------------------------- */

static ConsumerConf facts_conf(Db *db)
{
	size_t count;
	const ServiceConsumer *row = facts_consumers(&count);

	return (ConsumerConf){ .name = str_of(row->name),
		               .db = db,
		               .fn = row->fn,
		               .many = row->many,
		               .batch = row->batch };
}

/* Event i of a service: of the first day up to 200, then of the second. */
static Event told(Arena *a, unsigned i)
{
	return (Event){ .id = hit_id(str_fmt(a, "told %u", i)),
		        .type = i % 2 ? S("payment_intent.succeeded") : S("refund.created"),
		        .aggregate_type = S("payment_intent"),
		        .aggregate_id = str_fmt(a, "pi_%u", i / 2),
		        .time_us = ((int64_t)FIRST_DAY + i / 200) * MS_OF_DAY * 1000,
		        .data = str_fmt(a, "{\"amount\":%u,\"currency\":\"eur\"}", i),
		        .seq = i + 1 };
}

static Err *facts_are(Db *db, Arena *a, int64_t events, int64_t segments, int64_t commits)
{
	ProjectStateRow *state;
	ProjectPiecesRow *pieces_row;
	Project *project;
	DayOfRow *day;

	TRY(project_find(db, a, FACTS_PROJECT, &project));
	TRY(db_one(db, a, project_state, &state, .project = project->id));
	TRY(db_one(db, a, project_pieces, &pieces_row, .project = project->id));
	TRY(db_one(db, a, day_of, &day, .project = project->id, .day = FIRST_DAY));
	CHECK_INT(state->events, events);
	CHECK_INT(pieces_row->segments, segments);
	CHECK_INT(day->version, commits); /* that had events of the first day */
	return checks_say(db, a, 0);
}

static Err *consumer_forgets(Db *db, Arena *a, Part *part)
{
	int64_t gone, parts;

	TRY(inbox_purge(db, a, -US_PER_S, &gone));
	TRY(consumer_rewind(db, a, part->conf->name, part->source, 0, &parts));
	CHECK_INT(parts, 1);
	return part_claim(part, a);
}

/* What a commit costs is paid once a delivery, not once an event; and an event that was told twice counts once. */
SUITE_TEST(what_is_told_together_is_one_segment)
{
	ConsumerConf conf = facts_conf(db);
	Event *events = ARENA_ARRAY(a, Event, conf.batch + 100);
	AUTO(part_fini) Part part = { 0 };

	CHECK(conf.batch >= 256);
	for (unsigned i = 0; i < conf.batch + 100; i++)
		events[i] = told(a, i);
	part_init(&part, a, &conf, S("/payment"), 0);
	TRY(part_claim(&part, a));
	TRY(part_deliver(&part, a, events, 150, 150));
	TRY(facts_are(db, a, 150, 1, 1));
	TRY(part_deliver(&part, a, events, conf.batch, conf.batch));
	TRY(facts_are(db, a, conf.batch, 3, 2));
	TRY(part_deliver(&part, a, events, conf.batch, conf.batch));
	TRY(facts_are(db, a, conf.batch, 3, 2));
	TRY(consumer_forgets(db, a, &part)); /* what the inbox has forgotten the intake knows */
	TRY(part_deliver(&part, a, events, conf.batch + 100, conf.batch + 100));
	return facts_are(db, a, conf.batch + 100, 4, 2);
}
