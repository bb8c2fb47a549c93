/* SPDX-License-Identifier: Apache-2.0
 *
 * Projects over HTTP, and what is known of one: the names of its events and their properties. */
#include "analytics/erase.h"
#include "analytics/hit.h"
#include "analytics/project.h"

#include "base/arena.h"
#include "base/civil.h"

#include "analytics_segment_sql.h"
#include "analytics_sql.h"

typedef struct ProjectIn {
	Str name;
	uint8_t privacy;
	struct {
		Str *at;
		size_t count;
	} domains;
} ProjectIn;

typedef struct ProjectOut {
	int64_t id, created_at;
	Str name, ingest_key, privacy;
	struct {
		Str *at;
		size_t count;
	} domains;
} ProjectOut;
static const Field out_rows[] = {
	{ "id", FIELD_INT, AT(ProjectOut, id), .help = "its number" },
	{ "name", FIELD_STR, AT(ProjectOut, name), .help = "what it is called" },
	{ "ingest_key", FIELD_STR, AT(ProjectOut, ingest_key),
	  .help = "may write events and nothing else; no secret" },
	{ "privacy", FIELD_STR, AT(ProjectOut, privacy), .help = "open, consent or visitors" },
	{ "domains", FIELD_STR, AT_LIST(ProjectOut, domains), .help = "sites whose pages send" },
	{ "created_at", FIELD_TIME, AT(ProjectOut, created_at), .help = "when it was made" },
};
static const FieldTable project_fields = { "Project", FIELD_ROWS(ProjectOut, out_rows),
	                                   .help = "whom events belong to" };

static Err *domains_of(ServiceCall *c, int64_t project, Str **domains, size_t *count)
{
	ProjectDomainsRow *rows;

	TRY(db_all(c->db, c->arena, project_domains, &rows, count, .project = project));
	*domains = ARENA_ARRAY(c->arena, Str, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*domains)[i] = rows[i].domain;
	return NULL;
}

static Err *project_post(ServiceCall *c)
{
	const ProjectIn *in = c->in;
	Project *project;

	TRY(project_make(c->db, c->arena, in->name, (Privacy)in->privacy, in->domains.at,
	                 in->domains.count, &project));
	project_put(service_json(c), project, in->domains.at, in->domains.count);
	return NULL;
}

static Err *project_get(ServiceCall *c)
{
	Project *project;
	Str *domains;
	size_t count;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(domains_of(c, project->id, &domains, &count));
	project_put(service_json(c), project, domains, count);
	return NULL;
}

static Err *projects_list(ServiceCall *c)
{
	ServicePage page;
	ProjectRow *rows;
	JsonWriter *w;
	size_t count;
	int64_t after = 0;

	TRY(service_page(c, &page));
	str_to_i64(page.after, &after);
	TRY(db_all(c->db, c->arena, projects_after, &rows, &count, .after = after,
	           .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++) {
		Project *project;
		Str *domains;
		size_t many;

		TRY(project_find(c->db, c->arena, rows[i].name, &project));
		TRY(domains_of(c, project->id, &domains, &many));
		project_put(w, project, domains, many);
	}
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, rows[page.shown - 1].id)
	                            : S(""));
	return NULL;
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

typedef struct NamesOut {
	struct {
		Str *at;
		size_t count;
	} events, properties;
} NamesOut;
static const Field names_rows[] = {
	{ "events", FIELD_STR, AT_LIST(NamesOut, events), .help = "that ever came" },
	{ "properties", FIELD_STR, AT_LIST(NamesOut, properties), .help = "of any of them" },
};
static const FieldTable names_fields = { "Schemas", FIELD_ROWS(NamesOut, names_rows),
	                                 .help = "what there is to ask for" };

static Err *put_names(ServiceCall *c, JsonWriter *w, int64_t project, const char *key, Str kind)
{
	NamesOfRow *rows;
	size_t count;

	TRY(db_all(c->db, c->arena, names_of, &rows, &count, .project = project, .kind = kind));
	json_key(w, str_of(key));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		json_add_str(w, rows[i].name);
	json_end(w);
	return NULL;
}

static Err *schemas_get(ServiceCall *c)
{
	Project *project;
	JsonWriter *w;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	w = service_json(c);
	json_begin_object(w);
	TRY(put_names(c, w, project->id, "events", S("event")));
	TRY(put_names(c, w, project->id, "properties", S("property")));
	json_end(w);
	return NULL;
}

/* --- state -------------------------------------------------------------------------------------------------------------- */

typedef struct StateOut {
	int64_t events, days, counted_days, segments, small_segments, failed_events;
	Str first_day, last_day;
} StateOut;
static const Field state_rows[] = {
	{ "events", FIELD_INT, AT(StateOut, events), .help = "all that were taken" },
	{ "days", FIELD_INT, AT(StateOut, days), .help = "of UTC that have some" },
	{ "first_day", FIELD_STR, AT(StateOut, first_day), .help = "the first of them" },
	{ "last_day", FIELD_STR, AT(StateOut, last_day), .help = "the last" },
	{ "counted_days", FIELD_INT, AT(StateOut, counted_days),
	  .help = "days whose counts are there and up to date" },
	{ "segments", FIELD_INT, AT(StateOut, segments), .help = "pieces that events are kept in" },
	{ "small_segments", FIELD_INT, AT(StateOut, small_segments),
	  .help = "of them, those that wait to be put together" },
	{ "failed_events", FIELD_INT, AT(StateOut, failed_events),
	  .help = "that wait for somebody to look" },
};
static const FieldTable state_fields = { "ProjectState", FIELD_ROWS(StateOut, state_rows),
	                                 .help = "what there is of a project" };

static void put_day(ServiceCall *c, JsonWriter *w, const char *key, OptInt day)
{
	Civil date = civil_of(day.v);

	if (day.set)
		json_put_str(w, key,
		             str_fmt(c->arena, "%04" PRId64 "-%02d-%02d", date.year, date.month,
		                     date.day));
}

static Err *state_get(ServiceCall *c)
{
	Project *project;
	ProjectStateRow *state;
	ProjectCountedRow *counted;
	ProjectPiecesRow *pieces;
	FailedCountRow *failed;
	JsonWriter *w;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(db_one(c->db, c->arena, project_state, &state, .project = project->id));
	TRY(db_one(c->db, c->arena, project_counted, &counted, .project = project->id));
	TRY(db_one(c->db, c->arena, project_pieces, &pieces, .project = project->id));
	TRY(db_one(c->db, c->arena, failed_count, &failed, .project = project->id));
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "events", state->events);
	json_put_i64(w, "days", state->days);
	put_day(c, w, "first_day", state->first_day);
	put_day(c, w, "last_day", state->last_day);
	json_put_i64(w, "counted_days", counted->days);
	json_put_i64(w, "segments", pieces->segments);
	json_put_i64(w, "small_segments", pieces->small);
	json_put_i64(w, "failed_events", failed->count);
	json_end(w);
	return NULL;
}

/* --- persons -------------------------------------------------------------------------------------------------------------- */

typedef struct EraseIn {
	Str id;
} EraseIn;
static const Field erase_rows[] = {
	{ "id", FIELD_STR, AT(EraseIn, id), .required = true, .max = HIT_WHO_MOST,
	  .help = "any of the person's names: a distinct_id" },
};
static const FieldTable erase_in = { "ErasePerson", FIELD_ROWS(EraseIn, erase_rows),
	                             .help = "who is to go" };
typedef struct EraseOut {
	Uuid job;
} EraseOut;
static const Field erase_out_rows[] = {
	{ "job", FIELD_ID, AT(EraseOut, job), .prefix = "job_", .help = "banyan jobs show has it" },
};
static const FieldTable erase_out = { "Erasing", FIELD_ROWS(EraseOut, erase_out_rows),
	                              .help = "it is under way" };

static Err *persons_erase(ServiceCall *c)
{
	const EraseIn *in = c->in;
	Project *project;
	JsonWriter *w;
	Uuid id;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(erase_later(c->db, c->arena, project->id, in->id, &id));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "job", service_id_text(c->arena, "job_", id));
	json_end(w);
	return NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

ServiceRoutes analytics_project_routes(void)
{
	static Field in_rows[] = {
		{ "name", FIELD_STR, AT(ProjectIn, name), .required = true, .max = 100,
		  .help = "letters, digits and . _ -" },
		{ "privacy", FIELD_ENUM, AT(ProjectIn, privacy),
		  .help = "whom events are told to be of" },
		{ "domains", FIELD_STR, AT_LIST(ProjectIn, domains), .max = 253, .items_max = 50,
		  .help = "sites whose pages send, as Plausible's script names them" },
	};
	static const FieldTable in_table = { "NewProject", FIELD_ROWS(ProjectIn, in_rows),
		                             .help = "whom events will belong to" };
	static const ServiceRoute rows[] = {
		{ "POST", "/v1/projects", project_post, .scopes = "analytics:admin",
		  .body = &in_table, .answer = &project_fields, .status = 201, .tag = "projects",
		  .help = "make a project" },
		{ "GET", "/v1/projects", projects_list, .scopes = "analytics:read",
		  .answer = &project_fields, .list = true, .tag = "projects",
		  .help = "all projects" },
		{ "GET", "/v1/projects/{project}", project_get, .scopes = "analytics:read",
		  .answer = &project_fields, .tag = "projects", .help = "one project" },
		{ "GET", "/v1/projects/{project}/schemas", schemas_get, .scopes = "analytics:read",
		  .answer = &names_fields, .tag = "projects",
		  .help = "names of its events and properties" },
		{ "POST", "/v1/projects/{project}/persons:erase", persons_erase,
		  .scopes = "analytics:admin", .body = &erase_in, .answer = &erase_out,
		  .status = 202, .tag = "persons",
		  .help = "forget a person, and all that was done under any of the names" },
		{ "GET", "/v1/projects/{project}/state", state_get, .scopes = "analytics:read",
		  .answer = &state_fields, .tag = "projects", .help = "what there is of it" },
	};

	in_rows[1].names = project_privacies();
	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
