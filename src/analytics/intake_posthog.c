/* SPDX-License-Identifier: Apache-2.0
 *
 * PostHog's shape: `/batch/` { api_key, batch: [...], sent_at }, `/i/v0/e/` (and the older `/e/`, `/capture/`) with one event, a list, or
 * the same as a batch. posthog-node 5.70 and posthog-js-lite send gzip; whether they say so or not is the same here (batch.c).
 *
 * sent_at is the client's clock when it sent. Where that differs from ours by more than a minute its clock is wrong, and its events are
 * moved by the difference; below that it may be the way here, and their times are left as they are. */
#include "analytics/batch.h"

#include "base/arena.h"
#include "base/time.h"

enum { SKEW_MS = 60000 };

/* In the batch's own memory; key: of the body, or of its first event. */
static Str key_in(const Json *value)
{
	static const Str names[] = { S("api_key"), S("token") };
	Str key = S("");

	for (size_t i = 0; i < COUNT(names); i++)
		if (json_to_str(json_get(value, names[i]), &key))
			return key;
	json_to_str(json_get(json_get(value, S("properties")), S("token")), &key);
	return key;
}

static const Json *events_of(const Json *whole)
{
	const Json *batch = json_get(whole, S("batch"));

	return batch ? batch : whole;
}

static int64_t skew_of(const Batch *b, const Json *whole)
{
	int64_t us, skew;
	Str text;

	if (!json_to_str(json_get(whole, S("sent_at")), &text) || !time_read_rfc3339(text, &us))
		return 0;
	skew = b->limits.now_ms - us / 1000;
	return skew > SKEW_MS || skew < -SKEW_MS ? skew : 0;
}

static Err *add(Batch *b, const Json *event)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	size_t before = b->count - b->hit_count;

	TRY(batch_add(b, S(""), event));
	if (b->count - b->hit_count != before) {
		json_put(&w, event);
		b->rows[b->count - 1].raw = str_dup(b->arena, buf_str(&text));
	}
	return NULL;
}

static Err *read_json(Batch *b)
{
	const Json *whole, *events;

	TRY(json_read(b->arena, b->body, 0, &whole));
	events = events_of(whole);
	b->shift_ms = skew_of(b, whole);
	b->key = key_in(whole);
	if (json_kind(events) != JSON_KIND_ARRAY) {
		b->key = b->key.len ? b->key : key_in(events);
		return add(b, events);
	}
	for (size_t i = 0; i < json_count(events); i++) {
		b->key = b->key.len ? b->key : key_in(json_at(events, i));
		TRY(add(b, json_at(events, i)));
	}
	return NULL;
}

static Err *posthog_post(ServiceCall *c)
{
	AUTO(batch_end) Batch b = { 0 };
	JsonWriter *w;

	batch_allow_origin(c);
	TRY(batch_begin(c, "posthog", &b));
	TRY(batch_read(&b, read_json));
	TRY(batch_project(&b, b.key));
	TRY(batch_take(&b));
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "status", S("Ok"));
	json_end(w);
	return NULL;
}

typedef struct StatusOut {
	Str status;
} StatusOut;
static const Field status_rows[] = {
	{ "status", FIELD_STR, AT(StatusOut, status), .help = "Ok" },
};
static const FieldTable status_fields = { "PostHogStatus", FIELD_ROWS(StatusOut, status_rows),
	                                  .help = "all of it is durable" };

#define TAKES(path_, hidden_) \
	{ \
		"POST", \
		(path_), \
		posthog_post, \
		.kind = SERVICE_BODY_RAW, \
		.answer = &status_fields, \
		.hidden = (hidden_), \
		.tag = "events", \
		.help = "take events in PostHog's shape", \
	}, \
	{ \
		"OPTIONS", (path_), batch_options, .status = 204, .hidden = true, \
						   .help = "may a page of another origin send" \
	}

ServiceRoutes analytics_posthog_routes(void)
{
	static const ServiceRoute rows[] = {
		TAKES("/batch", true),    TAKES("/batch/", false), TAKES("/i/v0/e", true),
		TAKES("/i/v0/e/", false), TAKES("/e/", true),      TAKES("/capture/", true),
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
