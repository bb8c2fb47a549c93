/* SPDX-License-Identifier: Apache-2.0
 *
 * `POST /v1/query`. So many at once as the configuration says: each may take memory and a processor. One that was asked before, and
 * whose days have not changed since, is answered from memory (answers.h) and takes no place. */
#include "analytics/answers.h"
#include "analytics/project.h"
#include "analytics/query.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"

#include "analytics_segment_sql.h"

enum { QUERY_BODY = 256 << 10 };
#define WAIT_US (2 * US_PER_S)
#define LOOK_US (5 * US_PER_MS)

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

/* --- an answer ---------------------------------------------------------------------------------------------------------- */

typedef struct Asking {
	ServiceCall *c;
	Analytics *s;
	Arena *a;
	Query q;
	AnswerKey key;
	Str stamp;
} Asking;

static void asking_fini(Asking *k)
{
	query_close(&k->q);
	arena_free(k->a);
}

static Err *open_asking(Asking *k)
{
	const QueryIn *in = k->c->in;
	Opening o = { k->a, in, &k->q, NULL };
	Project *project;

	TRY(project_find(k->s->db, k->a, in->project, &project));
	k->q.project = project->id;
	k->q.memory_most = k->s->conf->query_memory;
	if (in->timezone.len)
		TRY(work_run(open_query, &o)); /* the zone has a file */
	else
		open_query(&o);
	return o.err;
}

static Err *find_stamp(Asking *k)
{
	AUTO(buf_fini) Buf question = { 0 };
	JsonWriter w = json_writer(&question);
	DaysStampRow *row;

	json_put(&w, k->c->json);
	k->key = answers_key(k->q.project, buf_str(&question));
	TRY(db_one(k->s->db, k->a, days_stamp, &row, .project = k->q.project,
	           .from_day = segment_day(k->q.from_ms), .to_day = segment_day(k->q.to_ms - 1)));
	k->stamp = str_fmt(k->a, "%" PRId64 "/%" PRId64 "/%" PRId64 "/%" PRId64, row->versions,
	                   row->days, row->merges, row->last_merge.v);
	return NULL;
}

static Err *make_answer(Asking *k)
{
	AUTO(leave) Analytics *in = NULL;
	AUTO(buf_fini) Buf body = { 0 };
	JsonWriter w = json_writer(&body);
	int64_t before_us = time_mono_us();
	Err *err;

	TRY(enter(k->c, k->s, &in));
	err = query_run(&k->q, k->s->db);
	metric_observe_us(k->s->cells.at[CELL_QUERY_TIME], time_mono_us() - before_us);
	TRY(err);
	query_put(&k->q, &w);
	answers_keep(k->s->answers, k->key, k->stamp, buf_str(&body));
	json_add_raw(service_json(k->c), buf_str(&body));
	return NULL;
}

static Err *answer(Asking *k)
{
	Str body;

	TRY(open_asking(k));
	TRY(find_stamp(k));
	if (!answers_find(k->s->answers, k->a, k->key, k->stamp, &body))
		return make_answer(k);
	metric_add(k->s->cells.at[CELL_ANSWERS_KEPT], 1);
	json_add_raw(service_json(k->c), body);
	return NULL;
}

static Err *query_post(ServiceCall *c)
{
	AUTO(asking_fini)
	Asking k = { .c = c, .s = analytics_of(c->home), .a = arena_new(0) };
	Err *err = answer(&k);

	return err ? err_copy(c->arena, err) : NULL;
}

ServiceRoutes analytics_query_routes(void)
{
	static ServiceRoute rows[] = {
		{ "POST", "/v1/query", query_post, .scopes = "analytics:read",
		  .body_max = QUERY_BODY, .tag = "reports", .help = "ask about events" },
	};

	rows[0].body = query_fields();
	rows[0].answer = query_answer();
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
