/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhook endpoints as Stripe has them. The secret is shown when an endpoint is made, and by rotate_secret, never else. What is changed is
 * what was said; `enabled_events` are Stripe's words ("invoice.paid", "*"), and "invoice.*" is one too. */
#include "payment/payment_api.h"

#include "base/arena.h"
#include "payment/stripe_int.h"
#include "service/hook.h"

typedef struct EndpointIn {
	Str url, description, api_version;
	bool has_url, has_description, has_disabled, disabled, has_events;
	CONF_LIST_OF(Str) events;
	const Json *metadata, *left;
} EndpointIn;

static const Field new_rows[] = {
	{ "url", FIELD_STR, AT(EndpointIn, url), GIVEN(EndpointIn, has_url), .required = true,
	  .max = HOOK_URL_MOST, .help = "where events are sent, https://..." },
	{ "enabled_events", FIELD_STR, AT_LIST(EndpointIn, events), GIVEN(EndpointIn, has_events),
	  .required = true, .items_max = HOOK_TYPES_MOST, .max = 100,
	  .help = "which: invoice.paid, invoice.*, or *" },
	{ "description", FIELD_STR, AT(EndpointIn, description), GIVEN(EndpointIn, has_description),
	  .max = 5000, .controls = true, .help = "for yourself" },
	{ "api_version", FIELD_STR, AT(EndpointIn, api_version), .max = 40,
	  .help = "kept, and said again" },
	{ "metadata", FIELD_JSON, AT(EndpointIn, metadata), .help = "texts of your own, by key" },
	{ "connect", FIELD_JSON, AT(EndpointIn, left), .help = "taken and left" },
};
static const FieldTable new_endpoint = { "NewWebhookEndpoint", FIELD_ROWS(EndpointIn, new_rows),
	                                 .help = "who is to be told of events" };

static const Field change_rows[] = {
	{ "url", FIELD_STR, AT(EndpointIn, url), GIVEN(EndpointIn, has_url), .max = HOOK_URL_MOST,
	  .help = "where events are sent" },
	{ "enabled_events", FIELD_STR, AT_LIST(EndpointIn, events), GIVEN(EndpointIn, has_events),
	  .items_max = HOOK_TYPES_MOST, .max = 100, .help = "which" },
	{ "description", FIELD_STR, AT(EndpointIn, description), GIVEN(EndpointIn, has_description),
	  .max = 5000, .controls = true, .help = "for yourself" },
	{ "disabled", FIELD_BOOL, AT(EndpointIn, disabled), GIVEN(EndpointIn, has_disabled),
	  .help = "is it told nothing" },
	{ "metadata", FIELD_JSON, AT(EndpointIn, metadata), .help = "texts of your own, by key" },
};
static const FieldTable endpoint_change = { "WebhookEndpointChange",
	                                    FIELD_ROWS(EndpointIn, change_rows),
	                                    .help = "what is to change" };

/* --- what is said --------------------------------------------------------------------------------------------------------- */

static void endpoint_put(JsonWriter *w, Arena *a, const Hook *hook, bool secret)
{
	stripe_begin(w, service_id_text(a, "we_", hook->id), "webhook_endpoint");
	stripe_put_text(w, "api_version", hook->api_version);
	stripe_put_text(w, "application", S(""));
	stripe_put_time(w, "created", hook->created_us);
	stripe_put_text(w, "description", hook->description);
	stripe_put_json(w, "enabled_events", hook->types);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", hook->metadata);
	if (secret)
		json_put_str(w, "secret", hook->secret);
	json_put_str(w, "status", hook->enabled ? S("enabled") : S("disabled"));
	if (hook->reason.len)
		json_put_str(w, "disabled_reason", hook->reason);
	json_put_str(w, "url", hook->url);
	json_end(w);
}

static void deleted_put(JsonWriter *w, Arena *a, Uuid id)
{
	stripe_begin(w, service_id_text(a, "we_", id), "webhook_endpoint");
	json_put_bool(w, "deleted", true);
	json_end(w);
}

/* --- handlers -------------------------------------------------------------------------------------------------------------- */

static Str types_of(Arena *a, const EndpointIn *in)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_array(&w);
	for (size_t i = 0; i < in->events.count; i++)
		json_add_str(&w, in->events.at[i]);
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

/* What hook.h says is wrong, in Stripe's words. */
static Err *wrong(ServiceCall *c, Err *err)
{
	if (err_is(err, "webhook.url"))
		return stripe_wrong(c, "url", "url_invalid", "Invalid URL: %.*s",
		                    STR_ARG(err->text));
	if (err_is(err, "webhook.types"))
		return stripe_wrong(c, "enabled_events", "parameter_invalid_string", "%.*s",
		                    STR_ARG(err->text));
	return err;
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const EndpointIn *in = arg;
	Hook hook = { .url = in->url,
		      .types = types_of(c->arena, in),
		      .description = in->description,
		      .api_version = in->api_version,
		      .enabled = true };
	Err *err;

	TRY(stripe_metadata(c, S("{}"), in->metadata, &hook.metadata));
	err = hook_add(tx, c->arena, c->home->development, &hook);
	if (err)
		return wrong(c, err);
	endpoint_put(stripe_json(c), c->arena, &hook, true);
	return NULL;
}

static Err *endpoints_post(ServiceCall *c)
{
	EndpointIn in;

	TRY(stripe_take(c, &new_endpoint, &in));
	return stripe_effect(c, add, &in);
}

static Err *load(ServiceCall *c, Db *db, Hook **hook)
{
	Uuid id;

	TRY(stripe_id(c, "we_", &id));
	TRY(hook_load(db, c->arena, id, hook));
	return *hook ? NULL : stripe_missing(c, "webhook endpoint", service_part(c, "id"), "id");
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const EndpointIn *in = arg;
	Hook *hook;
	Err *err;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &hook));
	hook->url = in->has_url ? in->url : hook->url;
	hook->types = in->has_events ? types_of(c->arena, in) : hook->types;
	hook->description = in->has_description ? in->description : hook->description;
	hook->enabled = in->has_disabled ? !in->disabled : hook->enabled;
	TRY(stripe_metadata(c, hook->metadata, in->metadata, &hook->metadata));
	err = hook_change(tx, c->arena, c->home->development, hook);
	if (err)
		return wrong(c, err);
	endpoint_put(stripe_json(c), c->arena, hook, false);
	return NULL;
}

static Err *endpoint_post(ServiceCall *c)
{
	EndpointIn in;

	TRY(stripe_take(c, &endpoint_change, &in));
	return stripe_effect(c, change, &in);
}

static Err *erase(ServiceCall *c, Db *tx, void *arg)
{
	Hook *hook;
	bool removed;

	(void)arg;
	TRY(load(c, tx, &hook));
	TRY(hook_remove(tx, c->arena, hook->id, &removed));
	deleted_put(stripe_json(c), c->arena, hook->id);
	return NULL;
}

static Err *endpoint_delete(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, erase, NULL);
}

static Err *endpoint_get(ServiceCall *c)
{
	Hook *hook;

	TRY(stripe_take(c, NULL, NULL));
	TRY(load(c, c->db, &hook));
	endpoint_put(stripe_json(c), c->arena, hook, false);
	return stripe_say(c);
}

static Err *endpoints_get(ServiceCall *c)
{
	StripeList list;
	JsonWriter *w;
	Hook *hooks;
	size_t count;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_list_begin(c, "we_", &list));
	TRY(hook_page(c->db, c->arena, list.after, list.before, list.backwards, (size_t)list.most,
	              &hooks, &count));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		endpoint_put(w, c->arena, &hooks[stripe_list_at(&list, i)], false);
	return stripe_list_end(c, &list);
}

static const ServiceRoute routes[] = {
	STRIPE_POST("/v1/webhook_endpoints", endpoints_post, &new_endpoint, "webhooks:write",
	            "have events sent somewhere"),
	STRIPE_GET("/v1/webhook_endpoints", endpoints_get, "webhooks:read",
	           "where events are sent, newest first"),
	STRIPE_GET("/v1/webhook_endpoints/{id}", endpoint_get, "webhooks:read", "one endpoint"),
	STRIPE_POST("/v1/webhook_endpoints/{id}", endpoint_post, &endpoint_change, "webhooks:write",
	            "change one"),
	STRIPE_DELETE("/v1/webhook_endpoints/{id}", endpoint_delete, "webhooks:write",
	              "send it nothing more"),
};

ServiceRoutes webhook_endpoint_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
