/* SPDX-License-Identifier: Apache-2.0
 *
 * Query: a question about a project's events. query.c checks it and sees it through; scan.c finds the events that matter, a day
 * after the other; each kind has a file that counts them. */
#pragma once
#include "analytics/person.h"
#include "analytics/segment.h"
#include "base/arena.h"
#include "service/fields.h"

typedef struct Zone Zone;

typedef enum QueryKind {
	QUERY_TREND,
	QUERY_FUNNEL,
	QUERY_RETENTION,
	QUERY_PATHS,
	QUERY_SESSIONS,
	QUERY_UNIQUES,
	QUERY_KINDS
} QueryKind;
typedef enum QueryMeasure {
	MEASURE_COUNT,
	MEASURE_UNIQUES,
	MEASURE_SUM,
	MEASURE_AVERAGE
} QueryMeasure;
typedef enum QueryInterval {
	EVERY_DAY,
	EVERY_HOUR,
	EVERY_WEEK,
	EVERY_MONTH,
	EVERY_ALL
} QueryInterval;
typedef enum FilterOp {
	FILTER_EQUALS,
	FILTER_NOT,
	FILTER_CONTAINS,
	FILTER_ABOVE,
	FILTER_BELOW,
	FILTER_SET,
	FILTER_NOT_SET,
} FilterOp;

typedef struct QueryFilter {
	Str property; /* "event": its name */
	uint8_t op;
	const Json *value; /* a scalar, or a list of which one must hold */
} QueryFilter;
typedef struct FilterList {
	QueryFilter *at;
	size_t count;
} FilterList;

/* Events of this name (empty: all) of which all filters hold. */
typedef struct QueryStep {
	Str event;
	FilterList filters;
} QueryStep;

enum {
	QUERY_STEPS = 16,
	QUERY_FILTERS = 20,
	QUERY_GROUPS = 10000, /* values of a breakdown; those beyond are one, "other" */
	QUERY_BUCKETS = 2000,
};

/* As it was asked. */
typedef struct QueryIn {
	Str project, from, to, timezone, property, breakdown;
	uint8_t kind, measure, interval;
	struct {
		Str *at;
		size_t count;
	} events;
	FilterList filters;
	struct {
		QueryStep *at;
		size_t count;
	} steps;
	int64_t window_s; /* of a funnel: from its first step to its last */
	int64_t depth;    /* of paths */
	int64_t limit;    /* groups and paths that are told */
} QueryIn;

/* One event that matters. */
typedef struct Dot {
	uint32_t time;   /* ms of the day */
	uint32_t person; /* its root */
	uint32_t steps;  /* a bit for each step that it is */
	uint32_t group;  /* of the breakdown (or the event's name), from 1; 0: it has none */
	double value;    /* of in->property; NAN: none */
} Dot;

typedef struct Query Query;
typedef struct Rollup Rollup;
/* What a kind is. take gets the dots of one day, in order of time, on a worker or wherever: it does not park. */
typedef struct QueryRunner {
	void (*begin)(Query *q);
	void (*take)(Query *q, int64_t day, const Dot *dots, size_t count);
	/* A day as it was counted before, in place of its dots; NULL: it needs those. */
	void (*take_counts)(Query *q, int64_t day, const Rollup *counts);
	void (*put)(Query *q, JsonWriter *w); /* members of the answer */
	void (*end)(Query *q);                /* NULL: nothing to give back */
	bool names;                           /* the group is the event's name */
} QueryRunner;

struct Query {
	const QueryIn *in;
	const QueryRunner *runner;
	Arena *arena;
	int64_t project;
	const Zone *zone;
	int64_t from_ms, to_ms; /* to_ms is not in it */
	const QueryStep *steps; /* one at least */
	size_t step_count;
	int64_t *edges; /* starts of the intervals, and the end of the last: buckets + 1 */
	size_t buckets;
	Persons persons;
	WordBook groups;
	uint64_t memory_most, charged;
	uint64_t scanned; /* events looked at */
	uint64_t rolled;  /* events that were counted before */
	bool approximate; /* a number of the answer is an estimate */
	bool here;        /* no worker: whoever asks is in a transaction */
	void *state;      /* the runner's */
};

const FieldTable *query_fields(void);
const FieldTable *query_answer(void); /* members that every answer has */
const ConfWord *query_intervals(void);
/* Checks what no table can see and sets up q. Blocks on a zone's file: on a worker. Fails with INVALID "query.invalid". */
Err *query_open(Arena *a, const QueryIn *in, Query *q) MUST_USE;
void query_close(Query *q);
/* A date of the zone, or a time of RFC 3339. Fails with INVALID "query.invalid". */
Err *query_moment(Arena *a, const Zone *zone, Str text, int64_t *ms) MUST_USE;
/* Reads what there is and gives it to the runner. Parks. Fails as db.h, and with TOO_LARGE "query.too_large". */
Err *query_run(Query *q, Db *db) MUST_USE;
void query_put(Query *q, JsonWriter *w);
/* fn(arg) on a worker, or here. May park. */
Err *query_work(const Query *q, void (*fn)(void *arg), void *arg) MUST_USE;
/* The interval that a moment is in. Within from_ms and to_ms. */
size_t query_bucket(const Query *q, int64_t ms, size_t guess);
/* The start of an interval as a date, or a time, of the query's zone. */
void query_put_edge(const Query *q, JsonWriter *w, const char *key, size_t bucket);
void query_put_group(const Query *q, JsonWriter *w, const char *key, uint32_t group);
/* Groups by what they weigh, the heaviest first, `most` of them; *count: how many. */
uint32_t *query_top(const Query *q, const double *weights, size_t groups, size_t most,
                    size_t *count);
/* Memory of a runner's own, beside the arena's. */
static inline void query_charge(Query *q, size_t bytes)
{
	q->charged += bytes;
}
static inline bool query_full(const Query *q)
{
	return arena_used(q->arena) + q->charged > q->memory_most;
}

const QueryRunner *query_trend(void);
const QueryRunner *query_funnel(void);
const QueryRunner *query_retention(void);
const QueryRunner *query_paths(void);
const QueryRunner *query_sessions(void);
