/* SPDX-License-Identifier: Apache-2.0
 *
 * What was no event: shown, tried again, forgotten. A replay reads the body as it came, by today's rules (a limit that was raised, a
 * mistake of ours that was mended); what is an event now is taken as any other, and its row goes. Ids make it safe to replay twice. */
#include "analytics/intake.h"
#include "analytics/project.h"

#include "base/arena.h"
#include "base/time.h"

#include "analytics_sql.h"

typedef struct FailedOut {
	Uuid id;
	int64_t received_at, tries;
	Str source, code, detail, body;
} FailedOut;
static const Field failed_rows[] = {
	{ "id", FIELD_ID, AT(FailedOut, id), .prefix = "fev_", .help = "its id" },
	{ "source", FIELD_STR, AT(FailedOut, source), .help = "events, posthog or plausible" },
	{ "code", FIELD_STR, AT(FailedOut, code), .help = "why it is no event" },
	{ "detail", FIELD_STR, AT(FailedOut, detail), .help = "the same as a sentence" },
	{ "body", FIELD_STR, AT(FailedOut, body), .help = "as it came" },
	{ "received_at", FIELD_TIME, AT(FailedOut, received_at), .help = "when" },
	{ "tries", FIELD_INT, AT(FailedOut, tries), .help = "times it was replayed" },
};
static const FieldTable failed_fields = { "FailedEvent", FIELD_ROWS(FailedOut, failed_rows),
	                                  .help = "what came and was no event" };

typedef struct ReplayOut {
	int64_t stored, failed;
} ReplayOut;
static const Field replay_rows[] = {
	{ "stored", FIELD_INT, AT(ReplayOut, stored), .help = "events now (or known before)" },
	{ "failed", FIELD_INT, AT(ReplayOut, failed), .help = "still none" },
};
static const FieldTable replay_fields = { "Replay", FIELD_ROWS(ReplayOut, replay_rows),
	                                  .help = "what became of them" };

static void put_failed(JsonWriter *w, Arena *a, const FailedRow *row)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "fev_", row->id));
	json_put_str(w, "source", row->source);
	json_put_str(w, "code", row->code);
	json_put_str(w, "detail", row->detail);
	json_put_str(w, "body", row->body);
	json_key(w, S("received_at"));
	json_add_time(w, row->received_at);
	json_put_i64(w, "tries", row->tries);
	json_end(w);
}

static Err *failed_list(ServiceCall *c)
{
	ServicePage page;
	Project *project;
	FailedRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(service_page(c, &page));
	TRY(db_all(c->db, c->arena, failed_after, &rows, &count, .project = project->id,
	           .after = page.after_id, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_failed(w, c->arena, &rows[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, rows[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *failed_delete(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "fev_", &id));
	return db_exec(c->db, c->arena, failed_remove, NULL, .id = id);
}

/* --- again -------------------------------------------------------------------------------------------------------------- */

/* A visitor of the day it came on cannot be found again: the address is gone. */
static bool may_name(const Project *project, const Hit *hit)
{
	const HitProp *prop = hit_prop(hit, S("$consent"));

	return project->privacy == PRIVACY_OPEN ||
	       (project->privacy == PRIVACY_CONSENT && prop &&
	        cell_eq(prop->value, (Cell){ CELL_BOOL, S("true") }));
}

static Err *replay_one(ServiceCall *c, Arena *a, const Project *project, const FailedRow *row,
                       bool *stored)
{
	Analytics *s = analytics_of(c->home);
	HitLimits limits = { .now_ms = time_utc_us() / 1000,
		             .past_ms = s->conf->past_us / 1000,
		             .future_ms = s->conf->future_us / 1000 };
	HitRefusal refusal = { .code = "json", .text = row->detail };
	Hit hit = { 0 };
	const Json *value;
	uint8_t fate;
	Err *err = json_read(a, row->body, 0, &value);

	*stored = !err && hit_read(a, value, &limits, 0, &hit, &refusal);
	if (*stored && !may_name(project, &hit)) {
		refusal = (HitRefusal){ "consent", S("who it was is not known any more") };
		*stored = false;
	}
	if (!*stored)
		return db_exec(s->db, a, failed_again, NULL, .id = row->id,
		               .code = str_of(refusal.code), .detail = refusal.text);
	hit.project = row->project;
	hit.received_ms = row->received_at / 1000;
	TRY(intake_take(s, a, &hit, 1, &fate));
	return db_exec(s->db, a, failed_remove, NULL, .id = row->id);
}

static Err *replay_some(ServiceCall *c, Arena *a, const Project *project, Uuid *after,
                        ReplayOut *out, bool *more)
{
	enum { AT_ONCE = 100 };
	FailedRow *rows;
	size_t count;

	TRY(db_all(c->db, a, failed_after, &rows, &count, .project = project->id, .after = *after,
	           .most = AT_ONCE));
	for (size_t i = 0; i < count; i++) {
		bool stored;

		TRY(replay_one(c, a, project, &rows[i], &stored));
		out->stored += stored;
		out->failed += !stored;
		*after = rows[i].id;
	}
	*more = count == AT_ONCE;
	return NULL;
}

static Err *failed_replay(ServiceCall *c)
{
	Project *project;
	ReplayOut out = { 0 };
	Uuid after = { { 0 } };
	bool more = true;
	JsonWriter *w;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	while (more) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		Err *err = replay_some(c, a, project, &after, &out, &more);

		if (err)
			return err_copy(c->arena, err);
	}
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "stored", out.stored);
	json_put_i64(w, "failed", out.failed);
	json_end(w);
	return NULL;
}

ServiceRoutes analytics_failed_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "GET", "/v1/projects/{project}/failed-events", failed_list,
		  .scopes = "analytics:read", .answer = &failed_fields, .list = true,
		  .tag = "failed events", .help = "what came and was no event" },
		{ "POST", "/v1/projects/{project}/failed-events:replay", failed_replay,
		  .scopes = "analytics:admin", .answer = &replay_fields, .tag = "failed events",
		  .help = "try them again by today's rules" },
		{ "DELETE", "/v1/projects/{project}/failed-events/{id}", failed_delete,
		  .scopes = "analytics:admin", .tag = "failed events", .help = "forget one" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
