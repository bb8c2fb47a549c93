/* SPDX-License-Identifier: Apache-2.0
 *
 * A report is a question without a time: the time is whole days of its zone, up to the midnight before the moment it is asked, so that what
 * is sent on Monday morning is the week that is over and stays what it was.
 *
 * Sending is at least once, and once for whoever gets it: the notification service keeps the answer to a key, and the key is made of the
 * report and of the time that was due. What cannot be sent is tried again a minute later; the error stands at the report. */
#include "analytics/report.h"

#include "analytics/query.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/time.h"
#include "base/zone.h"
#include "rt/work.h"
#include "service/peer.h"
#include "store/cron.h"

enum { AT_ONCE = 20, UNKNOWN_WORKFLOW = 404 };

/* --- its question -------------------------------------------------------------------------------------------------------- */

static Str date_of(Arena *a, int64_t day)
{
	Civil date = civil_of(day);

	return str_fmt(a, "%04" PRId64 "-%02d-%02d", date.year, date.month, date.day);
}

typedef struct Zoning {
	Arena *a;
	Str name;
	const Zone *zone;
	Err *err;
} Zoning;

static void load_zone(void *arg)
{
	Zoning *z = arg;

	z->err = zone_load(z->a, z->name, &z->zone);
}

/* The day of the zone's clocks. */
static Err *today(Arena *a, Str name, int64_t now_ms, int64_t *day)
{
	Zoning z = { .a = a, .name = name, .zone = zone_utc() };
	int64_t now_s = civil_floor(now_ms, 1000);

	if (name.len)
		TRY(work_run(load_zone, &z));
	TRY(z.err);
	*day = civil_floor(now_s + zone_offset(z.zone, now_s), SECONDS_OF_DAY);
	return NULL;
}

static bool is_ours(Str key)
{
	return str_eq(key, S("project")) || str_eq(key, S("from")) || str_eq(key, S("to"));
}

static Err *whole_question(Arena *a, const ReportRow *report, int64_t now_ms, const Json **out)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *question, *value;
	Str zone = S(""), key;
	int64_t day;
	void *at = NULL;

	TRY(json_read(a, report->question, 0, &question));
	json_to_str(json_get(question, S("timezone")), &zone);
	TRY(today(a, zone, now_ms, &day));
	json_begin_object(&w);
	json_put_str(&w, "project", str_fmt(a, "%" PRId64, report->project));
	json_put_str(&w, "from", date_of(a, day - report->days));
	json_put_str(&w, "to", date_of(a, day));
	while (json_next(question, &at, &key, &value)) {
		if (is_ours(key))
			continue;
		json_key(&w, key);
		json_put(&w, value);
	}
	json_end(&w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, out);
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

static Err *open_report(Arena *a, const ReportRow *report, int64_t now_ms, Query *q)
{
	FieldMistakes mistakes = { .arena = a };
	QueryIn *in = ARENA_NEW(a, QueryIn);
	Opening o = { a, in, q, NULL };
	const Json *question;

	TRY(whole_question(a, report, now_ms, &question));
	fields_read(query_fields(), question, false, in, &mistakes);
	if (mistakes.count)
		return err_new(a, ERR_INVALID, "report.question", "its question: %.*s at %.*s",
		               STR_ARG(mistakes.at[0].text), STR_ARG(mistakes.at[0].pointer));
	q->project = report->project;
	TRY(work_run(open_query, &o));
	return o.err;
}

Err *report_answer(const Analytics *s, Arena *a, const ReportRow *report, int64_t now_ms, Str *json)
{
	AUTO(query_close) Query q = { .memory_most = s->conf->query_memory };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	TRY(open_report(a, report, now_ms, &q));
	TRY(query_run(&q, s->db));
	query_put(&q, &w);
	*json = str_dup(a, buf_str(&b));
	return NULL;
}

/* --- its clock ----------------------------------------------------------------------------------------------------------- */

typedef struct Clock {
	Arena *a;
	Str line;
	Cron cron;
	Err *err;
} Clock;

static void load_cron(void *arg)
{
	Clock *c = arg;

	c->err = cron_load(c->a, c->line, &c->cron);
}

static Err *next_time(Arena *a, const ReportRow *report, int64_t after_us, OptInt *next)
{
	Clock clock = { .a = a, .line = report->cron.v };

	*next = (OptInt){ 0 };
	if (!report->cron.set)
		return NULL;
	TRY(work_run(load_cron, &clock));
	TRY(clock.err);
	next->set = cron_next(&clock.cron, after_us, &next->v);
	return NULL;
}

Err *report_check(const Analytics *s, Arena *a, ReportRow *report, int64_t now_us)
{
	AUTO(query_close) Query q = { .memory_most = s->conf->query_memory };

	TRY(open_report(a, report, now_us / 1000, &q));
	return next_time(a, report, now_us, &report->next_at);
}

/* --- sending ------------------------------------------------------------------------------------------------------------- */

static const Str first_workflow = S(
	"{\"class\":\"transactional\",\"category\":\"reports\",\"channels\":[\"email\"],\"locale\":\"en\"}");

/* A notification whose text says the numbers, and whose data has the whole answer for who has a template. */
static Str letter_of(Arena *a, const ReportRow *report, Str answer)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "workflow", report->workflow);
	json_key(&w, S("to"));
	json_add_raw(&w, report->recipients);
	json_key(&w, S("data"));
	json_begin_object(&w);
	json_put_str(&w, "name", report->name);
	json_put_str(&w, "text", answer);
	json_key(&w, S("answer"));
	json_add_raw(&w, answer);
	json_end(&w);
	json_key(&w, S("content"));
	json_begin_object(&w);
	json_put_str(&w, "subject", S("{{name}}"));
	json_put_str(&w, "text", S("{{text}}\n"));
	json_end(&w);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

static Err *ask_notification(const Analytics *s, Arena *a, Str method, Str target, Str body,
                             Str key, AskAnswer *answer)
{
	PeerAsk wish = { .service = "notification",
		         .method = method,
		         .target = target,
		         .body = body,
		         .idempotency_key = key };

	return service_peer_call(s->home, a, &wish, answer);
}

static Err *send_report(const Analytics *s, Arena *a, const ReportRow *report, int64_t now_us)
{
	Str answer, body, target = S("/v1/notifications");
	Str key = str_fmt(a, "report:%.*s:%" PRId64, STR_ARG(uuid_text(a, report->id)),
	                  report->next_at.v);
	AskAnswer got;

	TRY(report_answer(s, a, report, now_us / 1000, &answer));
	body = letter_of(a, report, answer);
	TRY(ask_notification(s, a, S("POST"), target, body, key, &got));
	if (got.status == UNKNOWN_WORKFLOW) {
		TRY(ask_notification(s, a, S("PUT"),
		                     str_fmt(a, "/v1/workflows/%.*s", STR_ARG(report->workflow)),
		                     first_workflow, S(""), &got));
		TRY(service_peer_refusal(a, "notification", &got));
		TRY(ask_notification(s, a, S("POST"), target, body, key, &got));
	}
	return service_peer_refusal(a, "notification", &got);
}

static Err *send_one(const Analytics *s, Arena *lasting, const ReportRow *report, int64_t now_us,
                     bool *done)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = send_report(s, a, report, now_us);
	OptInt next =
		report->next_at; /* still due: the job comes every minute, and the key stays */

	*done = !err;
	if (!err)
		err = next_time(a, report, now_us, &next);
	err = db_exec(s->db, a, report_sent, NULL, .id = report->id, .next_at = next,
	              .sent_at = *done ? opt_int(now_us) : (OptInt){ 0 },
	              .error = err ? err_chain(a, err) : S(""));
	return err ? err_copy(lasting, err) : NULL;
}

Err *reports_send_due(const Analytics *s, Arena *a, int64_t now_us, size_t *sent)
{
	ReportRow *rows;
	size_t count;

	*sent = 0;
	TRY(db_all(s->db, a, reports_due, &rows, &count, .now = now_us, .most = AT_ONCE));
	for (size_t i = 0; i < count; i++) {
		bool done;

		TRY(send_one(s, a, &rows[i], now_us, &done));
		*sent += done;
	}
	return NULL;
}

Err *analytics_report(JobRun *run, void *arg)
{
	size_t sent;

	return reports_send_due(analytics_of(arg), job_arena(run), time_utc_us(), &sent);
}
