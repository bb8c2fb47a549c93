/* SPDX-License-Identifier: Apache-2.0
 *
 * `GET /v1/facts/{fact}`: revenue, refunds, sign-ups, deliveries by day. Each is a row: which events, what is added up. More is asked by
 * POST /v1/query of the project `banyan`. */
#include "analytics/facts.h"

#include "analytics/project.h"
#include "analytics/query.h"
#include "base/arena.h"
#include "rt/work.h"

enum { EVENTS_MOST = 8 };

typedef struct Fact {
	Str name;
	Str events[EVENTS_MOST];
	uint8_t measure;
	Str property;
	Str breakdown; /* where none is asked for */
	const char *help;
} Fact;

static const Fact facts[] = {
	{ S("revenue"),
	  { S("payment_intent.succeeded") },
	  MEASURE_SUM,
	  S("amount_received"),
	  S("currency"),
	  "what was paid, in the smallest unit of each currency" },
	{ S("refunds"),
	  { S("refund.created") },
	  MEASURE_SUM,
	  S("amount"),
	  S("currency"),
	  "what was given back, in the smallest unit of each currency" },
	{ S("payments"),
	  { S("payment_intent.succeeded"), S("payment_intent.payment_failed"),
	    S("payment_intent.canceled") },
	  MEASURE_COUNT,
	  S(""),
	  S("event"),
	  "payments that ended, by how" },
	{ S("checkouts"),
	  { S("checkout.completed"), S("checkout.undone"), S("checkout.stuck") },
	  MEASURE_COUNT,
	  S(""),
	  S("event"),
	  "checkouts that ended, by how" },
	{ S("signups"),
	  { S("user.registered") },
	  MEASURE_COUNT,
	  S(""),
	  S(""),
	  "accounts that were made" },
	{ S("deliveries"),
	  { S("notification.delivered"), S("notification.accepted"), S("notification.failed"),
	    S("notification.bounced_hard"), S("notification.bounced_soft"),
	    S("notification.suppressed"), S("notification.expired"), S("notification.cancelled") },
	  MEASURE_COUNT,
	  S(""),
	  S("event"),
	  "messages, by what became of them" },
};

typedef struct FactIn {
	Str from, to, timezone, breakdown;
	uint8_t interval;
} FactIn;

static Err *unknown_fact(ServiceCall *c)
{
	AUTO(buf_fini) Buf names = { 0 };

	for (size_t i = 0; i < COUNT(facts); i++)
		buf_fmt(&names, "%s%.*s", i ? ", " : "", STR_ARG(facts[i].name));
	return err_new(c->arena, ERR_NOT_FOUND, "fact.unknown", "there are %.*s",
	               STR_ARG(buf_str(&names)));
}

static QueryIn question(const Fact *fact, const FactIn *in)
{
	QueryIn q = { .project = FACTS_PROJECT,
		      .kind = QUERY_TREND,
		      .from = in->from,
		      .to = in->to,
		      .timezone = in->timezone,
		      .interval = in->interval,
		      .measure = fact->measure,
		      .property = fact->property,
		      .breakdown = in->breakdown.len ? in->breakdown : fact->breakdown };

	q.events.at = (Str *)fact->events;
	while (q.events.count < EVENTS_MOST && fact->events[q.events.count].len)
		q.events.count++;
	return q;
}

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

static Err *answer(ServiceCall *c, Arena *a, const Fact *fact)
{
	const Analytics *s = analytics_of(c->home);
	QueryIn in = question(fact, c->query);
	AUTO(query_close) Query q = { .memory_most = s->conf->query_memory };
	Opening o = { a, &in, &q, NULL };
	Project *project = NULL;
	Err *err = project_find(s->db, a, in.project, &project);

	if (err && !err_is(err, "project.unknown"))
		return err; /* nothing was told yet: zeros */
	q.project = project ? project->id : 0;
	TRY(work_run(open_query, &o));
	TRY(o.err);
	TRY(query_run(&q, s->db));
	query_put(&q, service_json(c));
	return NULL;
}

static Err *fact_get(ServiceCall *c)
{
	for (size_t i = 0; i < COUNT(facts); i++) {
		AUTO(arena_freep) Arena *a = NULL;
		Err *err;

		if (!str_eq(facts[i].name, service_part(c, "fact")))
			continue;
		a = arena_new(0);
		err = answer(c, a, &facts[i]);
		return err ? err_copy(c->arena, err) : NULL;
	}
	return unknown_fact(c);
}

static Err *facts_get(ServiceCall *c)
{
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < COUNT(facts); i++) {
		json_begin_object(w);
		json_put_str(w, "name", facts[i].name);
		json_put_str(w, "help", str_of(facts[i].help));
		json_end(w);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

/* --- rows ---------------------------------------------------------------------------------------------------------------- */

typedef struct FactOut {
	Str name, help;
} FactOut;
typedef struct FactsOut {
	struct {
		FactOut *at;
		size_t count;
	} data;
} FactsOut;
static const Field fact_rows[] = {
	{ "name", FIELD_STR, AT(FactOut, name), .help = "for /v1/facts/NAME" },
	{ "help", FIELD_STR, AT(FactOut, help), .help = "what it is" },
};
static const FieldTable fact_fields = { "Fact", FIELD_ROWS(FactOut, fact_rows),
	                                .help = "a question with a name" };
static const Field facts_rows[] = {
	{ "data", FIELD_OBJECT, AT_LIST(FactsOut, data), .table = &fact_fields,
	  .help = "all of them" },
};
static const FieldTable facts_fields = { "Facts", FIELD_ROWS(FactsOut, facts_rows),
	                                 .help = "questions with a name" };

ServiceRoutes analytics_fact_routes(void)
{
	static Field in_rows[] = {
		{ "from", FIELD_STR, AT(FactIn, from), .required = true, .max = 40,
		  .help = "a date of the time zone, or a time of RFC 3339" },
		{ "to", FIELD_STR, AT(FactIn, to), .required = true, .max = 40,
		  .help = "the same; not included" },
		{ "timezone", FIELD_STR, AT(FactIn, timezone), .max = 64, .help = "Europe/Berlin" },
		{ "breakdown", FIELD_STR, AT(FactIn, breakdown), .max = HIT_KEY_MOST,
		  .help = "a property: provider, channel, workflow" },
		{ "interval", FIELD_ENUM, AT(FactIn, interval),
		  .help = "what the time is cut into" },
	};
	static const FieldTable in_table = { "FactQuery", FIELD_ROWS(FactIn, in_rows),
		                             .help = "when, and by what" };
	static ServiceRoute rows[] = {
		{ "GET", "/v1/facts", facts_get, .scopes = "analytics:read",
		  .answer = &facts_fields, .tag = "facts",
		  .help = "what is known of the other services" },
		{ "GET", "/v1/facts/{fact}", fact_get, .scopes = "analytics:read",
		  .query = &in_table, .tag = "facts", .help = "one of them over time" },
	};

	in_rows[4].names = query_intervals();
	rows[1].answer = query_answer();
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
