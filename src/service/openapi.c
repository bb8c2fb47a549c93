/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenAPI 3.1 out of the table of routes, so that what is described is what is done: each path with its methods, parameters,
 * bodies and answers, and the schema of every table of fields that is met on the way, once by its name. */
#include "service/openapi_int.h"

#include "base/arena.h"
#include "service/route_int.h"

#include <ctype.h>
#include <string.h>

enum { SCHEMAS_MOST = 256 };

typedef struct Schemas {
	const FieldTable *at[SCHEMAS_MOST];
	size_t count;
} Schemas;

static Str ref(Arena *a, const char *name)
{
	return str_fmt(a, "#/components/schemas/%s", name);
}

static void meet(Schemas *s, const FieldTable *table)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i] == table)
			return;
	if (!table || s->count == SCHEMAS_MOST)
		return;
	s->at[s->count++] = table;
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].table)
			meet(s, table->rows[i].table);
}

/* --- parameters -------------------------------------------------------------------------------------------------------- */

static void put_parameter(JsonWriter *w, const char *in, Str name, bool required, const char *help)
{
	json_begin_object(w);
	json_put_str(w, "name", name);
	json_put_str(w, "in", str_of(in));
	json_put_bool(w, "required", required);
	if (help)
		json_put_str(w, "description", str_of(help));
	json_key(w, S("schema"));
	json_begin_object(w);
	json_put_str(w, "type", S("string"));
	json_end(w);
	json_end(w);
}

static void put_page_parameters(JsonWriter *w)
{
	json_begin_object(w);
	json_put_str(w, "name", S("limit"));
	json_put_str(w, "in", S("query"));
	json_put_str(w, "description", S("how many at most"));
	json_key(w, S("schema"));
	json_begin_object(w);
	json_put_str(w, "type", S("integer"));
	json_put_i64(w, "minimum", 1);
	json_put_i64(w, "maximum", 100);
	json_put_i64(w, "default", 20);
	json_end(w);
	json_end(w);
	put_parameter(w, "query", S("cursor"), false, "the `next` of the page before");
}

static void put_parameters(JsonWriter *w, const RouteRow *row)
{
	const ServiceRoute *route = row->route;
	bool changes = strcmp(route->method, "GET") != 0;

	json_key(w, S("parameters"));
	json_begin_array(w);
	for (size_t i = 0; i < row->count; i++)
		if (row->at[i].part)
			put_parameter(w, "path", row->at[i].text, true, NULL);
	for (size_t i = 0; route->query && i < route->query->count; i++)
		put_parameter(w, "query", str_of(route->query->rows[i].name),
		              route->query->rows[i].required, route->query->rows[i].help);
	if (route->list)
		put_page_parameters(w);
	if (route->idempotent)
		put_parameter(w, "header", S("Idempotency-Key"), false,
		              "the same for the same request, however often it is sent");
	if (route->etag)
		put_parameter(w, "header", changes ? S("If-Match") : S("If-None-Match"), false,
		              changes ? "only while it is this version"
		                      : "answer 304 while it is this version");
	json_end(w);
}

/* --- bodies ------------------------------------------------------------------------------------------------------------ */

static void put_content(JsonWriter *w, Arena *a, const char *type, const FieldTable *table,
                        bool list)
{
	json_key(w, S("content"));
	json_begin_object(w);
	json_key(w, str_of(type));
	json_begin_object(w);
	json_key(w, S("schema"));
	json_begin_object(w);
	if (list) {
		json_put_str(w, "type", S("object"));
		json_key(w, S("properties"));
		json_begin_object(w);
		json_key(w, S("data"));
		json_begin_object(w);
		json_put_str(w, "type", S("array"));
		json_key(w, S("items"));
		json_begin_object(w);
		json_put_str(w, "$ref", ref(a, table->name));
		json_end(w);
		json_end(w);
		json_key(w, S("has_more"));
		json_add_raw(w, S("{\"type\":\"boolean\"}"));
		json_key(w, S("next"));
		json_add_raw(w, S("{\"type\":\"string\"}"));
		json_end(w);
	} else {
		json_put_str(w, "$ref", ref(a, table->name));
	}
	json_end(w);
	json_end(w);
	json_end(w);
}

static void put_request(JsonWriter *w, Arena *a, const ServiceRoute *route)
{
	if (!route->body)
		return;
	json_key(w, S("requestBody"));
	json_begin_object(w);
	json_put_bool(w, "required", true);
	put_content(w, a,
	            route->kind == SERVICE_BODY_FORM || route->kind == SERVICE_BODY_OWN
	                    ? "application/x-www-form-urlencoded"
	                    : "application/json",
	            route->body, false);
	json_end(w);
}

static void put_answers(JsonWriter *w, Arena *a, const ServiceRoute *route)
{
	unsigned status = route->status ? route->status : route->answer ? 200 : 204;

	json_key(w, S("responses"));
	json_begin_object(w);
	json_key(w, str_fmt(a, "%u", status));
	json_begin_object(w);
	json_put_str(w, "description", http_reason(status));
	if (route->answer)
		put_content(w, a, "application/json", route->answer, route->list);
	json_end(w);
	if (!route->fail) {
		json_key(w, S("default"));
		json_begin_object(w);
		json_put_str(w, "description", S("it was not done"));
		json_key(w, S("content"));
		json_add_raw(w, S("{\"application/problem+json\":{\"schema\":{\"$ref\":"
		                  "\"#/components/schemas/Problem\"}}}"));
		json_end(w);
	}
	json_end(w);
}

/* --- paths ------------------------------------------------------------------------------------------------------------- */

static Str operation_id(Arena *a, const ServiceRoute *route)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (const char *c = route->method; *c; c++)
		buf_putc(&b, (char)tolower((unsigned char)*c));
	for (const char *c = route->path; *c; c++)
		buf_putc(&b, isalnum((unsigned char)*c) ? *c : '_');
	return str_dup(a, buf_str(&b));
}

static void put_security(JsonWriter *w, const ServiceRoute *route)
{
	Str rest = str_of(route->scopes), scope;

	if (!route->scopes)
		return;
	json_key(w, S("security"));
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, S("bearer"));
	json_begin_array(w);
	while (rest.len && str_split(&rest, ' ', &scope))
		json_add_str(w, scope);
	json_end(w);
	json_end(w);
	json_end(w);
}

static void put_operation(JsonWriter *w, Arena *a, const RouteRow *row)
{
	const ServiceRoute *route = row->route;
	char method[16];
	size_t len = 0;

	for (; route->method[len] && len < sizeof method; len++)
		method[len] = (char)tolower((unsigned char)route->method[len]);
	json_key(w, (Str){ method, len });
	json_begin_object(w);
	json_put_str(w, "operationId", operation_id(a, route));
	json_put_str(w, "summary", str_of(route->help));
	if (route->tag) {
		json_key(w, S("tags"));
		json_begin_array(w);
		json_add_str(w, str_of(route->tag));
		json_end(w);
	}
	put_security(w, route);
	put_parameters(w, row);
	put_request(w, a, route);
	put_answers(w, a, route);
	json_end(w);
}

/* Rows of one path stand side by side: they are sorted by it. */
static void put_paths(JsonWriter *w, Arena *a, const RouteSet *set)
{
	const char *open = NULL;

	json_key(w, S("paths"));
	json_begin_object(w);
	for (size_t i = 0; i < set->count; i++) {
		const ServiceRoute *route = set->at[i].route;

		if (route->hidden)
			continue;
		if (!open || strcmp(open, route->path) != 0) {
			if (open)
				json_end(w);
			json_key(w, str_of(route->path));
			json_begin_object(w);
		}
		open = route->path;
		put_operation(w, a, &set->at[i]);
	}
	if (open)
		json_end(w);
	json_end(w);
}

/* --- the document ------------------------------------------------------------------------------------------------------ */

static const Field problem_error_rows[] = {
	{ "pointer", FIELD_STR, AT(FieldMistake, pointer), .help = "where in the body (RFC 6901)" },
	{ "parameter", FIELD_STR, AT(FieldMistake, pointer),
	  .help = "which parameter of the query" },
	{ "code", FIELD_STR, AT(FieldMistake, pointer), .help = "what is wrong, for programs" },
	{ "detail", FIELD_STR, AT(FieldMistake, pointer), .help = "what is wrong, for people" },
};
static const FieldTable problem_error = { "ProblemError",
	                                  FIELD_ROWS(FieldMistake, problem_error_rows),
	                                  .open = true, .help = "one thing that is wrong" };

typedef struct ProblemFields {
	Str text;
	int64_t status;
	CONF_LIST_OF(FieldMistake) errors;
} ProblemFields;

static const Field problem_rows[] = {
	{ "type", FIELD_STR, AT(ProblemFields, text), .required = true, .format = "uri",
	  .help = "the kind of problem" },
	{ "title", FIELD_STR, AT(ProblemFields, text), .required = true,
	  .help = "the status in words" },
	{ "status", FIELD_INT, AT(ProblemFields, status), .required = true, .help = "of HTTP" },
	{ "detail", FIELD_STR, AT(ProblemFields, text), .help = "one sentence" },
	{ "code", FIELD_STR, AT(ProblemFields, text), .required = true,
	  .help = "the kind of problem, for programs" },
	{ "instance", FIELD_STR, AT(ProblemFields, text), .help = "the path that was asked for" },
	{ "request_id", FIELD_STR, AT(ProblemFields, text),
	  .help = "what the log calls the request" },
	{ "errors", FIELD_OBJECT, AT_LIST(ProblemFields, errors), .table = &problem_error,
	  .help = "all that is wrong" },
};
static const FieldTable problem = { "Problem", FIELD_ROWS(ProblemFields, problem_rows),
	                            .open = true, .help = "RFC 9457" };

static void put_components(JsonWriter *w, const Schemas *schemas)
{
	json_key(w, S("components"));
	json_begin_object(w);
	json_key(w, S("securitySchemes"));
	json_add_raw(w, S("{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
	json_key(w, S("schemas"));
	json_begin_object(w);
	for (size_t i = 0; i < schemas->count; i++) {
		json_key(w, str_of(schemas->at[i]->name));
		fields_put_schema(w, schemas->at[i]);
	}
	json_end(w);
	json_end(w);
}

static void put_info(JsonWriter *w, const Home *home)
{
	const Service *service = home->pub.service;

	json_put_str(w, "openapi", S("3.1.0"));
	json_key(w, S("info"));
	json_begin_object(w);
	json_put_str(w, "title", str_of(service->name));
	json_put_str(w, "description", str_of(service->summary));
	json_put_str(w, "version", str_of(service->version ? service->version : "1"));
	json_end(w);
	if (home->pub.public_url.len) {
		json_key(w, S("servers"));
		json_begin_array(w);
		json_begin_object(w);
		json_put_str(w, "url", home->pub.public_url);
		json_end(w);
		json_end(w);
	}
}

void openapi_put(Buf *b, const Home *home)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Schemas *schemas = ARENA_NEW(a, Schemas);
	JsonWriter w = json_writer(b);

	meet(schemas, &problem);
	for (size_t i = 0; i < home->routes->count; i++) {
		const ServiceRoute *route = home->routes->at[i].route;

		if (!route->hidden) {
			meet(schemas, route->body);
			meet(schemas, route->answer);
		}
	}
	json_begin_object(&w);
	put_info(&w, home);
	put_paths(&w, a, home->routes);
	put_components(&w, schemas);
	json_end(&w);
	buf_putc(b, '\n');
}
