/* SPDX-License-Identifier: Apache-2.0
 *
 * `GET /v1/projects/{project}/events` and `banyan analytics export`. */
#include "analytics/export.h"
#include "analytics/project.h"
#include "analytics/query.h"

#include "base/arena.h"
#include "base/zone.h"
#include "http/exchange.h"

#include <errno.h>

typedef struct ExportIn {
	Str from, to, event, columns;
	uint8_t format;
} ExportIn;
static const ConfWord formats[] = {
	{ "ndjson", 0, "a JSON object a line, as POST /v1/events takes it" },
	{ "csv", 1, "RFC 4180, the first line names the columns" },
	{ 0 },
};
static const Field in_rows[] = {
	{ "from", FIELD_STR, AT(ExportIn, from), .required = true, .max = 40,
	  .help = "a date of UTC, or a time of RFC 3339" },
	{ "to", FIELD_STR, AT(ExportIn, to), .required = true, .max = 40,
	  .help = "the same; what happened at that moment is not in it" },
	{ "event", FIELD_STR, AT(ExportIn, event), .max = HIT_NAME_MOST,
	  .help = "of this name only" },
	{ "format", FIELD_ENUM, AT(ExportIn, format), .names = formats, .help = "of the answer" },
	{ "columns", FIELD_STR, AT(ExportIn, columns), .max = 2000,
	  .help = "of CSV: properties with a column of their own, a comma between them; else all as JSON in one" },
};
static const FieldTable export_query = { "ExportQuery", FIELD_ROWS(ExportIn, in_rows),
	                                 .help = "which events, and how" };

static Err *spec_of(Arena *a, const ExportIn *in, int64_t project, ExportSpec *spec)
{
	Str rest = in->columns, name, *columns = ARENA_ARRAY(a, Str, in->columns.len + 1);

	*spec = (ExportSpec){
		.project = project, .event = in->event, .csv = in->format == 1, .columns = columns
	};
	TRY(query_moment(a, zone_utc(), in->from, &spec->from_ms));
	TRY(query_moment(a, zone_utc(), in->to, &spec->to_ms));
	while (rest.len && str_split(&rest, ',', &name))
		columns[spec->column_count++] = name;
	return NULL;
}

/* --- over HTTP ----------------------------------------------------------------------------------------------------------- */

static Err *write_piece(void *arg, Str piece)
{
	ServiceCall *c = arg;

	return http_write(c->x, piece);
}

static Err *events_get(ServiceCall *c)
{
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };
	Project *project;
	ExportSpec spec;
	uint64_t events;

	TRY(project_find(c->db, c->arena, service_part(c, "project"), &project));
	TRY(spec_of(c->arena, c->query, project->id, &spec));
	headers_add(&head.headers, c->arena, S("Content-Type"),
	            spec.csv ? S("text/csv; charset=utf-8") : S("application/x-ndjson"));
	headers_add(&head.headers, c->arena, S("Cache-Control"), S("no-store"));
	TRY(http_begin(c->x, &head));
	if (c->x->ended)
		return NULL;
	TRY(export_hits(c->db, c->arena, &spec, write_piece, c, &events));
	return http_end(c->x, NULL);
}

ServiceRoutes analytics_export_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "GET", "/v1/projects/{project}/events", events_get, .scopes = "analytics:read",
		  .query = &export_query, .kind = SERVICE_BODY_RAW, .status = 200, .tag = "events",
		  .help = "events as they were taken, in order of time" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}

/* --- a command ----------------------------------------------------------------------------------------------------------- */

typedef struct ExportArgs {
	Str config, project, from, to, event, columns;
	uint32_t format;
} ExportArgs;
static const ConfKey options[] = {
	{ "config", CONF_PATH, AT(ExportArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration" },
	{ "from", CONF_STR, AT(ExportArgs, from), .required = true, .value = "DATE",
	  .help = "a date of UTC, or a time of RFC 3339" },
	{ "to", CONF_STR, AT(ExportArgs, to), .required = true, .value = "DATE",
	  .help = "the same; what happened at that moment is not in it" },
	{ "event", CONF_STR, AT(ExportArgs, event), .value = "NAME", .help = "of this name only" },
	{ "format", CONF_ENUM, AT(ExportArgs, format), .names = formats, .def = "ndjson",
	  .help = "of the output" },
	{ "columns", CONF_STR, AT(ExportArgs, columns), .value = "NAMES",
	  .help = "of CSV: properties with a column of their own, a comma between them" },
};
static const ConfKey operands[] = {
	{ "PROJECT", CONF_STR, AT(ExportArgs, project), .required = true,
	  .help = "its name or number" },
};

static Err *print_piece(void *arg, Str piece)
{
	Cmd *cmd = arg;

	if (fwrite(piece.at, 1, piece.len, cmd->out) == piece.len)
		return NULL;
	return err_errno(cmd->arena, errno, "base.file", "the events could not be written");
}

static Err *export_task(Cmd *cmd, ServiceHome *home, void *arg)
{
	const ExportArgs *args = arg;
	ExportIn in = { args->from, args->to, args->event, args->columns, (uint8_t)args->format };
	ExportSpec spec;
	Project *project;
	uint64_t events;

	TRY(project_find(home->db, cmd->arena, args->project, &project));
	TRY(spec_of(cmd->arena, &in, project->id, &spec));
	TRY(export_hits(home->db, cmd->arena, &spec, print_piece, cmd, &events));
	fprintf(stderr, "%" PRIu64 " events exported\n", events);
	return NULL;
}

static Err *run_export(Cmd *cmd)
{
	ExportArgs *args = cmd->args;

	return service_command(cmd, analytics_service(), args->config, export_task, args);
}

Command analytics_export_command(void)
{
	return (Command){ "analytics export",
		          .group = "services",
		          .summary = "write events as they were taken, in order of time",
		          .run = run_export,
		          .examples =
		                  "banyan analytics export shop --from 2026-11-01 --to 2026-12-01 "
		                  "--format csv --columns plan,amount > november.csv",
		          COMMAND_OPTIONS(options),
		          COMMAND_OPERANDS(operands),
		          .size = sizeof(ExportArgs) };
}
