/* SPDX-License-Identifier: Apache-2.0
 *
 * `POST /v1/events`: a JSON object a line, and of each line what became of it. The key stands in Authorization, X-Api-Key or `key` of
 * the query (for beacons, which set no headers). */
#include "analytics/batch.h"

#include "base/arena.h"
#include "http/exchange.h"
#include "http/url.h"

typedef struct NativeQuery {
	Str key;
	bool problems;
} NativeQuery;
static const Field query_rows[] = {
	{ "key", FIELD_STR, AT(NativeQuery, key), .max = 100,
	  .help = "the project's write key, where no header can be set" },
	{ "problems", FIELD_BOOL, AT(NativeQuery, problems),
	  .help = "tell only of rows that were not stored" },
};
static const FieldTable native_query = { "EventsQuery", FIELD_ROWS(NativeQuery, query_rows),
	                                 .help = "how events are taken" };

typedef struct RowOut {
	int64_t row;
	Str id, result, code, detail;
} RowOut;
static const Field row_rows[] = {
	{ "row", FIELD_INT, AT(RowOut, row), .help = "the line, from 1" },
	{ "id", FIELD_STR, AT(RowOut, id), .help = "the event's, given to it if it had none" },
	{ "result", FIELD_STR, AT(RowOut, result), .help = "stored, duplicate or refused" },
	{ "code", FIELD_STR, AT(RowOut, code), .help = "why it was refused" },
	{ "detail", FIELD_STR, AT(RowOut, detail), .help = "the same as a sentence" },
};
static const FieldTable row_table = { "EventResult", FIELD_ROWS(RowOut, row_rows),
	                              .help = "what became of one line" };

typedef struct TakenOut {
	int64_t stored, duplicates, refused;
	CONF_LIST_OF(RowOut) results;
} TakenOut;
static const Field taken_rows[] = {
	{ "stored", FIELD_INT, AT(TakenOut, stored), .help = "new events, durable now" },
	{ "duplicates", FIELD_INT, AT(TakenOut, duplicates), .help = "events that were there" },
	{ "refused", FIELD_INT, AT(TakenOut, refused),
	  .help = "lines that are no events, kept aside" },
	{ "results", FIELD_OBJECT, AT_LIST(TakenOut, results), .table = &row_table,
	  .help = "of each line" },
};
static const FieldTable taken_table = { "EventsTaken", FIELD_ROWS(TakenOut, taken_rows),
	                                .help = "what became of a batch" };

static Str key_of(ServiceCall *c)
{
	const NativeQuery *query = c->query;
	Str field = service_header(c, "Authorization"), scheme;

	if (str_split(&field, ' ', &scheme) && str_eq_nocase(scheme, S("Bearer")))
		return str_trim(field);
	field = service_header(c, "X-Api-Key");
	return field.len ? field : query->key;
}

static Err *read_lines(Batch *b)
{
	Str rest = b->body, line;

	while (rest.len && str_split(&rest, '\n', &line)) {
		const Json *value;
		Err *err;

		line = str_trim(line);
		if (line.len && line.at[line.len - 1] == '\r')
			line = str_sub(line, 0, line.len - 1);
		if (!line.len)
			continue;
		err = json_read(b->arena, line, 0, &value);
		if (err)
			TRY(batch_refuse(b, line, "json", err->text));
		else
			TRY(batch_add(b, line, value));
	}
	return NULL;
}

static void put_row(JsonWriter *w, const Batch *b, size_t i)
{
	const BatchRow *row = &b->rows[i];
	bool stored = !row->refusal.code && b->fates[row->hit] == INTAKE_STORED;

	json_begin_object(w);
	json_put_u64(w, "row", i + 1);
	if (!row->refusal.code)
		json_put_str(w, "id", uuid_text(b->arena, row->id));
	json_put_str(w, "result",
	             row->refusal.code ? S("refused")
	             : stored          ? S("stored")
	                               : S("duplicate"));
	if (row->refusal.code) {
		json_put_str(w, "code", str_of(row->refusal.code));
		json_put_str(w, "detail", row->refusal.text);
	}
	json_end(w);
}

static void put_taken(JsonWriter *w, const Batch *b, bool problems)
{
	json_begin_object(w);
	json_put_u64(w, "stored", b->stored);
	json_put_u64(w, "duplicates", b->duplicates);
	json_put_u64(w, "refused", b->refused);
	json_key(w, S("results"));
	json_begin_array(w);
	for (size_t i = 0; i < b->count; i++)
		if (!problems || b->rows[i].refusal.code ||
		    b->fates[b->rows[i].hit] != INTAKE_STORED)
			put_row(w, b, i);
	json_end(w);
	json_end(w);
}

static Err *events_post(ServiceCall *c)
{
	const NativeQuery *query = c->query;
	AUTO(batch_end) Batch b = { 0 };

	batch_allow_origin(c);
	TRY(batch_begin(c, "events", &b));
	TRY(batch_project(&b, key_of(c)));
	TRY(batch_read(&b, read_lines));
	TRY(batch_take(&b));
	put_taken(service_json(c), &b, query->problems);
	return NULL;
}

ServiceRoutes analytics_intake_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "POST", "/v1/events", events_post, .query = &native_query,
		  .kind = SERVICE_BODY_RAW, .answer = &taken_table, .tag = "events",
		  .help = "take events: a JSON object a line" },
		{ "OPTIONS", "/v1/events", batch_options, .status = 204, .hidden = true,
		  .help = "may a page of another origin send" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
