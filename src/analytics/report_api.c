/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports over HTTP: kept, shown, answered, forgotten. */
#include "analytics/report.h"

#include "analytics/project.h"
#include "base/arena.h"
#include "base/time.h"

enum { REPORT_BODY = 256 << 10 };

typedef struct ReportIn {
	Str project, name, cron, workflow;
	const Json *question, *to;
	int64_t days;
} ReportIn;
static const Field in_rows[] = {
	{ "project", FIELD_STR, AT(ReportIn, project), .required = true, .max = 100,
	  .help = "its name or number" },
	{ "name", FIELD_STR, AT(ReportIn, name), .required = true, .min = 1, .max = 200,
	  .help = "what it is called" },
	{ "question", FIELD_JSON, AT(ReportIn, question), .required = true,
	  .help = "as POST /v1/query takes it, without project, from and to" },
	{ "days", FIELD_INT, AT(ReportIn, days), .required = true, .min = 1, .max = 3660,
	  .help = "whole days before the day on which it is asked" },
	{ "cron", FIELD_STR, AT(ReportIn, cron), .max = 100,
	  .help = "when it is sent: 0 7 * * mon Europe/Berlin; none: it is not" },
	{ "workflow", FIELD_STR, AT(ReportIn, workflow), .max = 128,
	  .help = "of the notification service; report" },
	{ "to", FIELD_JSON, AT(ReportIn, to),
	  .help = "whom it is sent to, as POST /v1/notifications takes them" },
};
static const FieldTable in_table = { "NewReport", FIELD_ROWS(ReportIn, in_rows),
	                             .help = "a question to keep" };

typedef struct ReportOut {
	Uuid id;
	int64_t project, days, created_at, next_at, sent_at;
	Str name, cron, workflow, error;
	const Json *question, *to;
} ReportOut;
static const Field out_rows[] = {
	{ "id", FIELD_ID, AT(ReportOut, id), .prefix = "rep_", .help = "its id" },
	{ "project", FIELD_INT, AT(ReportOut, project), .help = "whose events it is about" },
	{ "name", FIELD_STR, AT(ReportOut, name), .help = "what it is called" },
	{ "question", FIELD_JSON, AT(ReportOut, question), .help = "without its time" },
	{ "days", FIELD_INT, AT(ReportOut, days), .help = "before the day on which it is asked" },
	{ "cron", FIELD_STR, AT(ReportOut, cron), .help = "when it is sent" },
	{ "workflow", FIELD_STR, AT(ReportOut, workflow), .help = "by which workflow" },
	{ "to", FIELD_JSON, AT(ReportOut, to), .help = "to whom" },
	{ "created_at", FIELD_TIME, AT(ReportOut, created_at), .help = "when it was made" },
	{ "next_at", FIELD_TIME, AT(ReportOut, next_at), .help = "when it will be sent" },
	{ "sent_at", FIELD_TIME, AT(ReportOut, sent_at), .help = "when it was sent last" },
	{ "error", FIELD_STR, AT(ReportOut, error), .help = "why it could not be sent" },
};
static const FieldTable out_table = { "Report", FIELD_ROWS(ReportOut, out_rows),
	                              .help = "a question that is kept" };

static void put_time(JsonWriter *w, const char *key, OptInt us)
{
	if (!us.set)
		return;
	json_key(w, str_of(key));
	json_add_time(w, us.v);
}

static void put_report(JsonWriter *w, Arena *a, const ReportRow *r)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "rep_", r->id));
	json_put_i64(w, "project", r->project);
	json_put_str(w, "name", r->name);
	json_key(w, S("question"));
	json_add_raw(w, r->question);
	json_put_i64(w, "days", r->days);
	if (r->cron.set)
		json_put_str(w, "cron", r->cron.v);
	json_put_str(w, "workflow", r->workflow);
	json_key(w, S("to"));
	json_add_raw(w, r->recipients);
	put_time(w, "created_at", opt_int(r->created_at));
	put_time(w, "next_at", r->next_at);
	put_time(w, "sent_at", r->sent_at);
	json_put_str(w, "error", r->error);
	json_end(w);
}

static Str text_of(Arena *a, const Json *value, Str none)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (!value)
		return none;
	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

static Err *report_post(ServiceCall *c)
{
	const ReportIn *in = c->in;
	int64_t now_us = time_utc_us();
	Project *project;
	ReportRow row = { .id = uuid_new(),
		          .name = in->name,
		          .question = text_of(c->arena, in->question, S("{}")),
		          .days = in->days,
		          .cron = { in->cron.len > 0, in->cron },
		          .workflow = in->workflow.len ? in->workflow : S("report"),
		          .recipients = text_of(c->arena, in->to, S("[]")),
		          .created_at = now_us };

	if (in->cron.len && json_kind(in->to) != JSON_KIND_ARRAY)
		service_mistake(c, "/to", "required", "to must say whom it is sent to");
	TRY(service_mistakes(c));
	TRY(project_find(c->db, c->arena, in->project, &project));
	row.project = project->id;
	TRY(report_check(analytics_of(c->home), c->arena, &row, now_us));
	TRY(db_exec_with(c->db, c->arena, report_add, &row, NULL));
	put_report(service_json(c), c->arena, &row);
	return NULL;
}

static Err *find(ServiceCall *c, ReportRow **row)
{
	Uuid id;

	TRY(service_id(c, "id", "rep_", &id));
	TRY(db_one(c->db, c->arena, report_by_id, row, .id = id));
	return *row ? NULL
	            : err_new(c->arena, ERR_NOT_FOUND, "report.unknown", "there is no such report");
}

static Err *report_get(ServiceCall *c)
{
	ReportRow *row;

	TRY(find(c, &row));
	put_report(service_json(c), c->arena, row);
	return NULL;
}

static Err *report_delete(ServiceCall *c)
{
	ReportRow *row;

	TRY(find(c, &row));
	return db_exec(c->db, c->arena, report_remove, NULL, .id = row->id);
}

static Err *answer_get(ServiceCall *c)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	ReportRow *row;
	Str answer;
	Err *err;

	TRY(find(c, &row));
	err = report_answer(analytics_of(c->home), a, row, time_utc_us() / 1000, &answer);
	if (err)
		return err_copy(c->arena, err);
	json_add_raw(service_json(c), answer);
	return NULL;
}

static Err *reports_list(ServiceCall *c)
{
	ServicePage page;
	Project *project;
	ReportRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, reports_after, &rows, &count, .project = project->id,
	           .after = page.after_id, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_report(w, c->arena, &rows[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, rows[page.shown - 1].id) : S(""));
	return NULL;
}

ServiceRoutes analytics_report_routes(void)
{
	static ServiceRoute rows[] = {
		{ "POST", "/v1/reports", report_post, .scopes = "analytics:admin",
		  .body = &in_table, .body_max = REPORT_BODY, .answer = &out_table, .status = 201,
		  .tag = "reports", .help = "keep a question, and send its answer by the clock" },
		{ "GET", "/v1/projects/{project}/reports", reports_list, .scopes = "analytics:read",
		  .answer = &out_table, .list = true, .tag = "reports",
		  .help = "those of a project" },
		{ "GET", "/v1/reports/{id}", report_get, .scopes = "analytics:read",
		  .answer = &out_table, .tag = "reports", .help = "one of them" },
		{ "GET", "/v1/reports/{id}/answer", answer_get, .scopes = "analytics:read",
		  .tag = "reports", .status = 200, .help = "its answer now" },
		{ "DELETE", "/v1/reports/{id}", report_delete, .scopes = "analytics:admin",
		  .tag = "reports", .help = "forget it" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
