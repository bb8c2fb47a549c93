/* SPDX-License-Identifier: Apache-2.0
 *
 * `POST /v1/users:import`: rows as the body, what became of each as the answer.
 *
 * The body is read as it comes, a batch at a time; the answer is written when all of it was taken. An error on the way (a database
 * that is away) is a problem document, and what was taken until then stays: the same body again goes on. So no Idempotency-Key is
 * needed, and bodies of any number of rows are sent as several of IMPORT_BODY_MAX. */
#include "base/arena.h"
#include "http/exchange.h"
#include "user/import.h"
#include "user/import_command.h"
#include "user/user_api.h"

#include <string.h>

enum { IMPORT_BODY_MAX = 16 << 20 };

typedef struct ImportQuery {
	Str source, model;
	uint8_t format;
	bool dry_run, wrap, no_password, no_email, refresh, verified;
} ImportQuery;

static const ConfWord shapes[] = {
	{ "guess", IMPORT_GUESS, "by its first bytes" },
	{ "ndjson", IMPORT_NDJSON, "a JSON object a line" },
	{ "csv", IMPORT_CSV, "the first line names the columns" },
	{ "django", IMPORT_DJANGO, "what manage.py dumpdata writes" },
	{ 0 },
};
static const Field query_rows[] = {
	{ "source", FIELD_STR, AT(ImportQuery, source), .max = 32,
	  .help = "where the rows come from; its id 42 becomes the external id SOURCE:42" },
	{ "model", FIELD_STR, AT(ImportQuery, model), .max = 100,
	  .help = "of a Django dump: which holds the users" },
	{ "format", FIELD_ENUM, AT(ImportQuery, format), .names = shapes, .help = "of the body" },
	{ "dry_run", FIELD_BOOL, AT(ImportQuery, dry_run),
	  .help = "say what would be done, and keep nothing" },
	{ "wrap", FIELD_BOOL, AT(ImportQuery, wrap),
	  .help = "put argon2id over passwords of weak formats" },
	{ "no_password", FIELD_BOOL, AT(ImportQuery, no_password),
	  .help = "a password of unknown format is left out; its row would fail else" },
	{ "no_email", FIELD_BOOL, AT(ImportQuery, no_email),
	  .help = "an address that is none, or another account's, is left out; its row would fail else" },
	{ "refresh", FIELD_BOOL, AT(ImportQuery, refresh),
	  .help = "accounts that are there get the password and the status that their system has now" },
	{ "verified", FIELD_BOOL, AT(ImportQuery, verified),
	  .help = "the other system has verified its addresses" },
};
static const FieldTable import_query = { "ImportQuery", FIELD_ROWS(ImportQuery, query_rows),
	                                 .help = "how rows are taken" };

typedef struct Body {
	Exchange *x;
	Str left;
} Body;

static Err *pull(void *arg, Arena *a UNUSED, char *into, size_t room, size_t *got)
{
	Body *body = arg;

	if (!body->left.len)
		TRY(http_read(body->x, &body->left));
	*got = MIN(room, body->left.len);
	if (*got)
		memcpy(into, body->left.at, *got);
	body->left = str_sub(body->left, *got, body->left.len);
	return NULL;
}

typedef struct Telling {
	JsonWriter *w;
} Telling;

static void tell(void *arg, const ImportResult *result)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Telling *t = arg;

	import_put_result(t->w, a, result);
}

static Err *import_post(ServiceCall *c)
{
	const ImportQuery *q = c->query;
	ImportConf conf = { .shape = q->format,
		            .source = q->source,
		            .model = q->model,
		            .dry_run = q->dry_run,
		            .wrap = q->wrap,
		            .no_password = q->no_password,
		            .no_email = q->no_email,
		            .refresh = q->refresh,
		            .verified = q->verified };
	Body body = { .x = c->x };
	JsonWriter *w = service_json(c);
	Telling telling = { w };
	ImportReader *reader = import_reader_new(c->arena, &conf, pull, &body);
	ImportCounts counts = { 0 };
	int64_t retry_us;

	json_begin_object(w);
	json_put_bool(w, "dry_run", conf.dry_run);
	json_key(w, S("results"));
	json_begin_array(w);
	TRY(import_run(accounts_of(c->home), c->arena, &conf, reader, user_asker(c, &retry_us),
	               tell, &telling, &counts));
	json_end(w);
	import_put_counts(w, &counts);
	json_end(w);
	return NULL;
}

ServiceRoutes user_import_routes(void)
{
	static const ServiceRoute routes[] = {
		{ "POST", "/v1/users:import", import_post, .scopes = "users:write",
		  .query = &import_query, .kind = SERVICE_BODY_RAW, .body_max = IMPORT_BODY_MAX,
		  .tag = "users",
		  .help = "take in the users of another system: JSON lines, CSV or a Django dump" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
