/* SPDX-License-Identifier: Apache-2.0
 *
 * analytics fill|query EVENTS FOLDER
 *
 * Thirty days of a site's events (200,000 persons, 24 names, 4 properties) as the service has them once its segments are merged; and a
 * funnel of four steps over all of them, as POST /v1/query does it. bench/analytics.py makes the same rows in PostgreSQL with the
 * same arithmetic. One line of JSON: seconds of the clock and of the processor, and what each step counted, so that both sides can
 * be seen to say the same. */
#include "analytics/analytics_int.h"
#include "analytics/query.h"
#include "analytics_schema.h"
#include "analytics_segment_sql.h"
#include "analytics_sql.h"
#include "crew.h"
#include "store/schema.h"

#include <string.h>

enum { PERSONS = 200000, DAYS = 30, FIRST_DAY = 20758 /* 2026-11-01 */ };

static int64_t events;
static const char *folder;

/* --- rows: event i of so many ------------------------------------------------------------------------------------------- */

static Str name_of(Arena *a, int64_t i)
{
	static const Str names[] = { S("view"), S("cart"), S("checkout"), S("paid") };
	int64_t draw = (i * 48271 + 11) % 99991 % 100;

	if (draw < 40)
		return names[0];
	if (draw < 50)
		return names[1];
	if (draw < 54)
		return names[2];
	return draw < 56 ? names[3] : str_fmt(a, "other %" PRId64, draw % 20);
}

static Hit hit_of(Arena *a, int64_t i)
{
	static const Str countries[] = { S("de"), S("fr"), S("it"), S("es"),
		                         S("pl"), S("nl"), S("at") };
	HitProp *props = ARENA_ARRAY(a, HitProp, 4);
	Hit hit = { .project = 1, .name = name_of(a, i), .props = props, .prop_count = 4 };

	hit.number = (uint32_t)(i * 1103515245 % 2147483647 % PERSONS + 1);
	hit.time_ms = (int64_t)FIRST_DAY * MS_OF_DAY +
	              i * ((int64_t)DAYS * MS_OF_DAY / 1000) / events * 1000 + i % 1000;
	hit.received_ms = hit.time_ms + 200;
	hit.id = uuid_new();
	props[0] =
		(HitProp){ S("country"), { CELL_STR, countries[hit.number % COUNT(countries)] } };
	props[1] = (HitProp){ S("path"), { CELL_STR, str_fmt(a, "/products/%" PRId64, i % 997) } };
	props[2] = (HitProp){ S("plan"), { CELL_STR, hit.number % 10 ? S("free") : S("pro") } };
	props[3] = (HitProp){ S("amount"), { CELL_REAL, str_fmt(a, "%" PRId64 ".5", i % 250) } };
	return hit;
}

/* --- filling ------------------------------------------------------------------------------------------------------------ */

typedef struct Chunk {
	Segment built, merged;
} Chunk;

static Err *fetch(void *arg, Arena *a, size_t source, Str name, Str *bytes)
{
	const Chunk *part = arg;

	(void)a;
	(void)source;
	*bytes = S("");
	for (size_t i = 0; i < part->built.part_count; i++)
		if (str_eq(part->built.parts[i].name, name))
			*bytes = part->built.parts[i].bytes;
	return NULL;
}

static Err *write_part(Db *tx, Arena *a, void *arg)
{
	const Segment *s = &((const Chunk *)arg)->merged;
	SegmentAddRow *row;

	TRY(db_one(tx, a, segment_add, &row, .project = 1, .day = s->day, .events = s->events,
	           .first_ms = s->first_ms, .last_ms = s->last_ms, .now = time_utc_us()));
	for (size_t i = 0; i < s->part_count; i++)
		TRY(db_exec(tx, a, segment_part_add, NULL, .segment = row->id,
		            .name = s->parts[i].name, .data = s->parts[i].bytes));
	return db_exec(tx, a, day_add, NULL, .project = 1, .day = s->day, .events = s->events);
}

static Err *fill_part(Db *db, const Hit **hits, size_t count)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Chunk part = { 0 };
	uint32_t all = (uint32_t)count;
	Str names[16];
	SegmentMerge merge = {
		.events = &all, .sources = 1, .names = names, .fetch = fetch, .arg = &part
	};

	segment_build(a, hits, count, &part.built);
	for (size_t i = 0; i < part.built.part_count; i++)
		names[merge.name_count++] = part.built.parts[i].name;
	part.merged = part.built;
	need(segment_merge(a, &merge, &part.merged));
	need(db_txn(db, a, DB_READ_COMMITTED, write_part, &part));
	return NULL;
}

static Err *fill_day(Db *db, int64_t *next, int64_t day)
{
	while (*next < events) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		const Hit **hits = ARENA_ARRAY(a, const Hit *, SEGMENT_EVENTS);
		size_t count = 0;

		while (*next < events && count < SEGMENT_EVENTS) {
			Hit *hit = ARENA_NEW(a, Hit);

			*hit = hit_of(a, *next);
			if (segment_day(hit->time_ms) != day)
				break;
			hits[count++] = hit;
			++*next;
		}
		if (!count)
			break;
		TRY(fill_part(db, hits, count));
	}
	return NULL;
}

static Err *fill_persons(Db *db, Arena *a)
{
	AUTO(buf_fini) Buf names = { 0 };

	buf_putc(&names, '[');
	for (int i = 1; i <= PERSONS; i++)
		buf_fmt(&names, "%s\"person %d\"", i > 1 ? "," : "", i);
	buf_putc(&names, ']');
	return db_exec(db, a, ids_add, NULL, .project = 1, .names = buf_str(&names),
	               .now = time_utc_us());
}

static Err *open_db(Arena *a, Db **db)
{
	DbConf conf = { .url = str_fmt(a, "sqlite:%s/analytics.db", folder), .create = true };
	uint32_t applied;

	TRY(db_open(a, &conf, db));
	TRY(schema_apply(*db, a, store_own_schema(), &applied));
	return schema_apply(*db, a, &analytics_schema, &applied);
}

static Err *fill(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int64_t next = 0;
	Db *db;

	(void)arg;
	need(open_db(a, &db));
	need(db_exec(db, a, project_add, NULL, .name = S("bench"), .ingest_key = S("bench"),
	             .privacy = S("open"), .now = 1));
	need(fill_persons(db, a));
	for (int64_t day = FIRST_DAY; day < FIRST_DAY + DAYS; day++)
		need(fill_day(db, &next, day));
	db_close(db);
	if (next != events)
		die("not all events were written");
	printf("{\"events\":%" PRId64 "}\n", next);
	return NULL;
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

static Err *ask(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	static QueryStep steps[] = { { .event = S("view") },
		                     { .event = S("cart") },
		                     { .event = S("checkout") },
		                     { .event = S("paid") } };
	QueryIn in = { .project = S("bench"),
		       .from = S("2026-11-01"),
		       .to = S("2026-12-01"),
		       .kind = QUERY_FUNNEL,
		       .steps = { steps, COUNT(steps) } };
	AUTO(query_close) Query q = { .project = 1, .memory_most = 256 << 20 };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	int64_t before, cpu;
	Db *db;

	(void)arg;
	need(open_db(a, &db));
	before = time_mono_us();
	cpu = cpu_us();
	need(query_open(a, &in, &q));
	need(query_run(&q, db));
	query_put(&q, &w);
	printf("{\"seconds\":%.3f,\"cpu\":%.3f,\"answer\":%.*s}\n",
	       (double)(time_mono_us() - before) / 1e6, (double)(cpu_us() - cpu) / 1e6,
	       STR_ARG(buf_str(&b)));
	db_close(db);
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("analytics fill|query EVENTS FOLDER");
	events = atoll(argv[2]);
	folder = argv[3];
	need(rt_run(&(RtConf){ .loops = 1, .workers = 1 },
	            strcmp(argv[1], "fill") == 0 ? fill : ask, NULL));
	return 0;
}
