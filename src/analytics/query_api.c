/* SPDX-License-Identifier: Apache-2.0
 *
 * `POST /v1/query`. So many at once as the configuration says: each may take memory and a processor. */
#include "analytics/project.h"
#include "analytics/query.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"

enum { QUERY_BODY = 256 << 10 };
#define WAIT_US (2 * US_PER_S)
#define LOOK_US (5 * US_PER_MS)

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
static const FieldTable answer_table = {
	"QueryAnswer", FIELD_ROWS(AnswerOut, answer_rows), .open = true,
	.help = "members beside these are the kind's: points, groups, steps, cohorts, paths"
};

typedef struct Opening {
	Arena *a;
	const QueryIn *in;
	Query *q;
	Err *err;
} Opening;

static void open_query(void *arg)
{
	Opening *o = arg;

	o->err = query_open(o->a, o->in, o->q);
}

static void leave(Analytics **s)
{
	if (*s)
		__atomic_sub_fetch(&(*s)->queries, 1, __ATOMIC_RELAXED);
}

static bool try_enter(Analytics *s)
{
	if (__atomic_add_fetch(&s->queries, 1, __ATOMIC_RELAXED) <= s->conf->queries)
		return true;
	__atomic_sub_fetch(&s->queries, 1, __ATOMIC_RELAXED);
	return false;
}

/* Most questions take milliseconds: a place is waited for, not for long. */
static Err *enter(ServiceCall *c, Analytics *s, Analytics **in)
{
	int64_t until_us = time_mono_us() + WAIT_US;

	while (!try_enter(s)) {
		if (time_mono_us() >= until_us) {
			metric_add(s->cells.at[CELL_QUERIES_REFUSED], 1);
			service_retry_after(c, 2 * US_PER_S);
			return err_new(c->arena, ERR_BUSY, "query.busy",
			               "as many queries run as may");
		}
		TRY(fiber_sleep(LOOK_US));
	}
	*in = s;
	return NULL;
}

static Err *answer(ServiceCall *c, Analytics *s, Arena *a)
{
	AUTO(query_close) Query q = { 0 };
	Opening o = { a, c->in, &q, NULL };
	const QueryIn *in = c->in;
	Project *project;

	TRY(project_find(s->db, a, in->project, &project));
	q.project = project->id;
	q.memory_most = s->conf->query_memory;
	TRY(work_run(open_query, &o));
	TRY(o.err);
	TRY(query_run(&q, s->db));
	query_put(&q, service_json(c));
	return NULL;
}

static Err *query_post(ServiceCall *c)
{
	Analytics *s = analytics_of(c->home);
	AUTO(leave) Analytics *in = NULL;
	AUTO(arena_freep) Arena *a = arena_new(0);
	int64_t before_us = time_mono_us();
	Err *err;

	TRY(enter(c, s, &in));
	err = answer(c, s, a);
	metric_observe_us(s->cells.at[CELL_QUERY_TIME], time_mono_us() - before_us);
	return err ? err_copy(c->arena, err) : NULL;
}

ServiceRoutes analytics_query_routes(void)
{
	static ServiceRoute rows[] = {
		{ "POST", "/v1/query", query_post, .scopes = "analytics:read",
		  .body_max = QUERY_BODY, .answer = &answer_table, .tag = "reports",
		  .help = "ask about events" },
	};

	rows[0].body = query_fields();
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
