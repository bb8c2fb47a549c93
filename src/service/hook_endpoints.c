/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/webhook_endpoints of services that have no manner of their own for it: JSON in and out. (Payment's is Stripe's.) The secret is
 * told once, when an endpoint is made, and by rotate_secret. */
#include "base/arena.h"
#include "service/hook_int.h"

#include <string.h>

typedef struct EndpointIn {
	Str url, description;
	bool has_url, has_description, has_types, enabled, has_enabled;
	CONF_LIST_OF(Str) types;
} EndpointIn;
#define ENDPOINT_ROWS(need) \
	{ "url", \
	  FIELD_STR, \
	  AT(EndpointIn, url), \
	  GIVEN(EndpointIn, has_url), \
	  .required = (need), \
	  .max = HOOK_URL_MOST, \
	  .format = "uri", \
	  .help = "where events are sent, https://..." }, \
		{ "types", \
		  FIELD_STR, \
		  AT_LIST(EndpointIn, types), \
		  GIVEN(EndpointIn, has_types), \
		  .required = (need), \
		  .items_max = HOOK_TYPES_MOST, \
		  .max = 100, \
		  .help = "which events: message.sent, message.*, or *" }, \
		{ "description", \
		  FIELD_STR, \
		  AT(EndpointIn, description), \
		  GIVEN(EndpointIn, has_description), \
		  .controls = true, \
		  .help = "for yourself" },
static const Field new_rows[] = { ENDPOINT_ROWS(true) };
static const FieldTable new_endpoint = { "NewWebhook", FIELD_ROWS(EndpointIn, new_rows),
	                                 .help = "who is to be told of events" };
static const Field change_rows[] = {
	ENDPOINT_ROWS(false){ "enabled", FIELD_BOOL, AT(EndpointIn, enabled),
	                      GIVEN(EndpointIn, has_enabled), .help = "is it told" },
};
static const FieldTable endpoint_change = { "WebhookChange", FIELD_ROWS(EndpointIn, change_rows),
	                                    .help = "what is to change" };

typedef struct EndpointSaid {
	Uuid id;
	Str url, description, reason, secret;
	CONF_LIST_OF(Str) types;
	bool enabled;
	int64_t failing_since, created_at;
} EndpointSaid;
static const Field said_rows[] = {
	{ "id", FIELD_ID, AT(EndpointSaid, id), .required = true, .prefix = "we_",
	  .help = "its id" },
	{ "url", FIELD_STR, AT(EndpointSaid, url), .required = true,
	  .help = "where events are sent" },
	{ "types", FIELD_STR, AT_LIST(EndpointSaid, types), .help = "which events" },
	{ "description", FIELD_STR, AT(EndpointSaid, description), .help = "for yourself" },
	{ "enabled", FIELD_BOOL, AT(EndpointSaid, enabled), .help = "is it told" },
	{ "reason", FIELD_STR, AT(EndpointSaid, reason), .help = "why it is not" },
	{ "secret", FIELD_STR, AT(EndpointSaid, secret),
	  .help = "what events are signed with; when it is made only" },
	{ "failing_since", FIELD_TIME, AT(EndpointSaid, failing_since),
	  .help = "it has taken nothing since then" },
	{ "created_at", FIELD_TIME, AT(EndpointSaid, created_at), .help = "when it was made" },
};
static const FieldTable said = { "Webhook", FIELD_ROWS(EndpointSaid, said_rows),
	                         .help = "who is told of events" };

static void put_endpoint(JsonWriter *w, Arena *a, const Hook *hook, bool secret)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "we_", hook->id));
	json_put_str(w, "url", hook->url);
	json_key(w, S("types"));
	json_add_raw(w, hook->types);
	json_put_str(w, "description", hook->description);
	json_put_bool(w, "enabled", hook->enabled);
	json_put_str(w, "reason", hook->reason);
	if (secret)
		json_put_str(w, "secret", hook->secret);
	if (hook->failing_since_us) {
		json_key(w, S("failing_since"));
		json_add_time(w, hook->failing_since_us);
	}
	json_key(w, S("created_at"));
	json_add_time(w, hook->created_us);
	json_end(w);
}

static Str types_of(Arena *a, const EndpointIn *in)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_array(&w);
	for (size_t i = 0; i < in->types.count; i++)
		json_add_str(&w, in->types.at[i]);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

/* What hook.h says is wrong, as a mistake of the body. */
static Err *wrong(ServiceCall *c, Err *err)
{
	if (err_is(err, "webhook.url"))
		service_mistake(c, "/url", "invalid", "%.*s", STR_ARG(err->text));
	else if (err_is(err, "webhook.types"))
		service_mistake(c, "/types", "invalid", "%.*s", STR_ARG(err->text));
	else
		return err;
	return service_mistakes(c);
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const EndpointIn *in = c->in;
	Hook hook = { .url = in->url,
		      .types = types_of(c->arena, in),
		      .description = in->description,
		      .enabled = true };
	Err *err = hook_add(tx, c->arena, c->home->development, &hook);

	(void)arg;
	if (err)
		return wrong(c, err);
	put_endpoint(service_json(c), c->arena, &hook, true);
	return NULL;
}

static Err *endpoints_post(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, add, NULL);
}

static Err *load(ServiceCall *c, Db *db, Hook **hook)
{
	Uuid id;

	TRY(service_id(c, "id", "we_", &id));
	TRY(hook_load(db, c->arena, id, hook));
	return *hook ? NULL
	             : err_new(c->arena, ERR_NOT_FOUND, "webhook.unknown",
	                       "there is no such endpoint");
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const EndpointIn *in = c->in;
	Hook *hook;
	Err *err;

	(void)arg;
	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &hook));
	hook->url = in->has_url ? in->url : hook->url;
	hook->types = in->has_types ? types_of(c->arena, in) : hook->types;
	hook->description = in->has_description ? in->description : hook->description;
	hook->enabled = in->has_enabled ? in->enabled : hook->enabled;
	err = hook_change(tx, c->arena, c->home->development, hook);
	if (err)
		return wrong(c, err);
	put_endpoint(service_json(c), c->arena, hook, false);
	return NULL;
}

static Err *endpoint_patch(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, change, NULL);
}

static Err *erase(ServiceCall *c, Db *tx, void *arg)
{
	bool removed;
	Hook *hook;

	(void)arg;
	TRY(load(c, tx, &hook));
	return hook_remove(tx, c->arena, hook->id, &removed);
}

static Err *endpoint_delete(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, erase, NULL);
}

static Err *endpoint_get(ServiceCall *c)
{
	Hook *hook;

	TRY(load(c, c->db, &hook));
	put_endpoint(service_json(c), c->arena, hook, false);
	return NULL;
}

static Err *endpoints_get(ServiceCall *c)
{
	ServicePage page;
	JsonWriter *w;
	Hook *hooks;
	size_t count;
	Uuid after;

	TRY(service_page(c, &page));
	after = page.after_id;
	if (page.first)
		memset(after.at, 0xff, sizeof after.at);
	TRY(hook_page(c->db, c->arena, after, (Uuid){ 0 }, false, page.limit + 1, &hooks, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		put_endpoint(w, c->arena, &hooks[i], false);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, hooks[page.shown - 1].id) : S(""));
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "GET", "/v1/webhook_endpoints", endpoints_get, .scopes = "webhooks:read", .answer = &said,
	  .list = true, .tag = "webhooks", .help = "where events are sent, newest first" },
	{ "POST", "/v1/webhook_endpoints", endpoints_post, .scopes = "webhooks:write",
	  .body = &new_endpoint, .answer = &said, .status = 201, .idempotent = true,
	  .tag = "webhooks", .help = "have events sent somewhere" },
	{ "GET", "/v1/webhook_endpoints/{id}", endpoint_get, .scopes = "webhooks:read",
	  .answer = &said, .tag = "webhooks", .help = "one endpoint" },
	{ "PATCH", "/v1/webhook_endpoints/{id}", endpoint_patch, .scopes = "webhooks:write",
	  .body = &endpoint_change, .answer = &said, .tag = "webhooks", .help = "change one" },
	{ "DELETE", "/v1/webhook_endpoints/{id}", endpoint_delete, .scopes = "webhooks:write",
	  .tag = "webhooks", .help = "send it nothing more" },
};

ServiceRoutes hook_endpoint_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
