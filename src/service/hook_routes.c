/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service's API says about its deliveries, the same at every service: which there are, telling them again, a new secret. */
#include "base/arena.h"
#include "base/time.h"
#include "service/hook_int.h"

#include <string.h>

#define KEEP_OLD_US (24 * INT64_C(3600) * US_PER_S)
enum { PAGE_MOST = 100 };

typedef struct DeliveriesAsk {
	uint8_t state;
	int64_t limit; /* of the page: service_page reads them */
	Str cursor;
} DeliveriesAsk;
enum { WAITING, DELIVERED, DEAD };
static const ConfWord states[] = {
	{ "waiting", WAITING, "for its next try" },
	{ "delivered", DELIVERED, "the endpoint took it" },
	{ "dead", DEAD, "given up, until it is replayed" },
	{ 0 },
};
static const Field asked_rows[] = {
	{ "state", FIELD_ENUM, AT(DeliveriesAsk, state), .names = states, .help = "which ones" },
	{ "limit", FIELD_INT, AT(DeliveriesAsk, limit), .min = 1, .max = 100,
	  .help = "how many on a page (20)" },
	{ "cursor", FIELD_STR, AT(DeliveriesAsk, cursor),
	  .help = "where the page begins: `next` of the one before" },
};
static const FieldTable asked = { "DeliveriesAsk", FIELD_ROWS(DeliveriesAsk, asked_rows),
	                          .help = "which deliveries" };

typedef struct DeliverySaid {
	Uuid id, endpoint;
	Str event, type, error;
	uint8_t state;
	int64_t tries, status, created_at, tried_at;
} DeliverySaid;
static const Field said_rows[] = {
	{ "id", FIELD_ID, AT(DeliverySaid, id), .required = true, .prefix = "whd_",
	  .help = "its id" },
	{ "endpoint", FIELD_ID, AT(DeliverySaid, endpoint), .required = true, .prefix = "we_",
	  .help = "who is told" },
	{ "event", FIELD_STR, AT(DeliverySaid, event), .required = true,
	  .help = "the event's id: webhook-id" },
	{ "type", FIELD_STR, AT(DeliverySaid, type), .required = true, .help = "of the event" },
	{ "state", FIELD_ENUM, AT(DeliverySaid, state), .names = states, .help = "how it stands" },
	{ "tries", FIELD_INT, AT(DeliverySaid, tries), .help = "how often it was tried" },
	{ "status", FIELD_INT, AT(DeliverySaid, status),
	  .help = "of the last answer; 0: none came" },
	{ "error", FIELD_STR, AT(DeliverySaid, error),
	  .help = "what went wrong with the last try" },
	{ "created_at", FIELD_TIME, AT(DeliverySaid, created_at), .help = "when the event was" },
	{ "tried_at", FIELD_TIME, AT(DeliverySaid, tried_at), .help = "when it was tried last" },
};
static const FieldTable said = { "WebhookDelivery", FIELD_ROWS(DeliverySaid, said_rows),
	                         .help = "an event told to an endpoint" };

static void put_delivery(JsonWriter *w, Arena *a, const HookDelivery *d)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "whd_", d->id));
	json_put_str(w, "endpoint", service_id_text(a, "we_", d->endpoint));
	json_put_str(w, "event", d->event);
	json_put_str(w, "type", d->type);
	json_put_str(w, "state", d->state);
	json_put_i64(w, "tries", d->tries);
	json_put_i64(w, "status", d->status);
	json_put_str(w, "error", d->error);
	json_key(w, S("created_at"));
	json_add_time(w, d->created_us);
	if (d->tried_us) {
		json_key(w, S("tried_at"));
		json_add_time(w, d->tried_us);
	}
	json_end(w);
}

static Err *unknown(ServiceCall *c, const char *what)
{
	return err_new(c->arena, ERR_NOT_FOUND, "webhook.unknown", "there is no such %s", what);
}

static Err *deliveries_get(ServiceCall *c)
{
	const DeliveriesAsk *in = c->query;
	HookDelivery *rows;
	ServicePage page;
	JsonWriter *w;
	size_t count;
	Uuid id, before;

	TRY(service_id(c, "id", "we_", &id));
	TRY(service_page(c, &page));
	before = page.after_id;
	if (page.first)
		memset(before.at, 0xff, sizeof before.at);
	TRY(hook_deliveries(c->db, c->arena, id, str_of(states[in->state].name), before,
	                    page.limit + 1, &rows, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_delivery(w, c->arena, &rows[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, rows[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *replay_one(ServiceCall *c, Db *tx, void *arg)
{
	const Uuid *id = arg;
	bool done;

	TRY(hook_replay(tx, c->arena, *id, &done));
	return done ? NULL : unknown(c, "delivery that ended");
}

static Err *delivery_replay_post(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "whd_", &id));
	return service_effect(c, DB_READ_COMMITTED, replay_one, &id);
}

typedef struct ReplayIn {
	int64_t since;
} ReplayIn;
static const Field replay_rows[] = {
	{ "since", FIELD_TIME, AT(ReplayIn, since), .help = "events from then on; absent: all" },
};
static const FieldTable replay_in = { "WebhookReplay", FIELD_ROWS(ReplayIn, replay_rows),
	                              .help = "which dead deliveries" };

typedef struct ReplaySaid {
	int64_t replayed;
} ReplaySaid;
static const Field replayed_rows[] = {
	{ "replayed", FIELD_INT, AT(ReplaySaid, replayed),
	  .help = "how many are told again; 1000 at a time" },
};
static const FieldTable replayed = { "WebhookReplayed", FIELD_ROWS(ReplaySaid, replayed_rows),
	                             .help = "what is told again" };

static Err *replay_dead(ServiceCall *c, Db *tx, void *arg)
{
	const Uuid *id = arg;
	const ReplayIn *in = c->in;
	JsonWriter *w;
	int64_t count;
	Hook *hook;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(hook_load(tx, c->arena, *id, &hook));
	if (!hook)
		return unknown(c, "endpoint");
	TRY(hook_replay_dead(tx, c->arena, *id, in->since, &count));
	w = service_json(c);
	json_begin_object(w);
	json_put_i64(w, "replayed", count);
	json_end(w);
	return NULL;
}

static Err *endpoint_replay_post(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "we_", &id));
	return service_effect(c, DB_READ_COMMITTED, replay_dead, &id);
}

typedef struct SecretSaid {
	Str secret;
} SecretSaid;
static const Field secret_rows[] = {
	{ "secret", FIELD_STR, AT(SecretSaid, secret), .required = true,
	  .help = "signs from now on; the one before does too for a day" },
};
static const FieldTable secret_said = { "WebhookSecret", FIELD_ROWS(SecretSaid, secret_rows),
	                                .help = "a new secret" };

static Err *rotate(ServiceCall *c, Db *tx, void *arg)
{
	const Uuid *id = arg;
	JsonWriter *w;
	Hook *hook;

	TRY(db_lock(tx, c->arena, service_part(c, "id"))); /* who changes it writes it whole */
	TRY(hook_rotate(tx, c->arena, *id, KEEP_OLD_US, &hook));
	if (!hook)
		return unknown(c, "endpoint");
	w = service_json(c);
	json_begin_object(w);
	json_put_str(w, "secret", hook->secret);
	json_end(w);
	return NULL;
}

static Err *rotate_post(ServiceCall *c)
{
	Uuid id;

	TRY(service_id(c, "id", "we_", &id));
	return service_effect(c, DB_READ_COMMITTED, rotate, &id);
}

static const ServiceRoute routes[] = {
	{ "GET", "/v1/webhook_endpoints/{id}/deliveries", deliveries_get, .scopes = "webhooks:read",
	  .query = &asked, .answer = &said, .list = true, .tag = "webhooks",
	  .help = "what an endpoint was told, newest first" },
	{ "POST", "/v1/webhook_endpoints/{id}/replay", endpoint_replay_post,
	  .scopes = "webhooks:write", .body = &replay_in, .answer = &replayed, .idempotent = true,
	  .tag = "webhooks", .help = "tell an endpoint its dead deliveries again" },
	{ "POST", "/v1/webhook_endpoints/{id}/rotate_secret", rotate_post,
	  .scopes = "webhooks:write", .answer = &secret_said, .idempotent = true, .tag = "webhooks",
	  .help = "give an endpoint a new secret" },
	{ "POST", "/v1/webhook_deliveries/{id}/replay", delivery_replay_post,
	  .scopes = "webhooks:write", .status = 204, .idempotent = true, .tag = "webhooks",
	  .help = "tell one delivery again" },
};

ServiceRoutes hook_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
