/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of providers: who is asked, in which order, and who is left alone. What is known is of the process that answers. */
#include "notification/provider.h"

#include "base/json.h"
#include "notification/notification_api.h"
#include "notification/notification_int.h"

typedef struct ProviderOut {
	Str name, channel, kind, health, why;
	int64_t order, weight, per_second, failures, wait_ms;
	bool can_dedupe;
} ProviderOut;
static const Field provider_rows_out[] = {
	{ "name", FIELD_STR, AT(ProviderOut, name), .required = true,
	  .help = "as the configuration calls it" },
	{ "channel", FIELD_STR, AT(ProviderOut, channel), .help = "email, sms, push" },
	{ "kind", FIELD_STR, AT(ProviderOut, kind), .help = "smtp, twilio, webpush" },
	{ "order", FIELD_INT, AT(ProviderOut, order), .help = "the lowest is asked first" },
	{ "weight", FIELD_INT, AT(ProviderOut, weight),
	  .help = "its share among those of its order" },
	{ "per_second", FIELD_INT, AT(ProviderOut, per_second),
	  .help = "messages at most; 0: no limit" },
	{ "can_dedupe", FIELD_BOOL, AT(ProviderOut, can_dedupe), .help = "does it know a repeat" },
	{ "health", FIELD_STR, AT(ProviderOut, health),
	  .help = "well, failing, throttled, ailing" },
	{ "why", FIELD_STR, AT(ProviderOut, why), .help = "it ails" },
	{ "failures", FIELD_INT, AT(ProviderOut, failures), .help = "in a row" },
	{ "wait_ms", FIELD_INT, AT(ProviderOut, wait_ms), .help = "until it is asked again" },
};
static const FieldTable provider_out = { "Provider", FIELD_ROWS(ProviderOut, provider_rows_out),
	                                 .help = "a way by which messages leave" };

static void put_provider(JsonWriter *w, const Provider *p, const ProviderState *state)
{
	static const char *const names[] = { [PROVIDER_WELL] = "well",
		                             [PROVIDER_OPEN] = "failing",
		                             [PROVIDER_THROTTLED] = "throttled",
		                             [PROVIDER_AILS] = "ailing" };

	json_begin_object(w);
	json_put_str(w, "name", p->name);
	json_put_str(w, "channel", str_of(channel_name(p->kind->channel)));
	json_put_str(w, "kind", str_of(p->kind->name));
	json_put_i64(w, "order", p->order);
	json_put_i64(w, "weight", p->weight ? p->weight : 1);
	json_put_i64(w, "per_second", p->per_second);
	json_put_bool(w, "can_dedupe", p->kind->can_dedupe);
	json_put_str(w, "health", str_of(names[state->health]));
	json_put_str(w, "why", state->why);
	json_put_i64(w, "failures", state->failures);
	json_put_i64(w, "wait_ms", state->wait_us / 1000);
	json_end(w);
}

static Err *providers_get(ServiceCall *c)
{
	Providers *providers = notification_state(c->home)->providers;
	JsonWriter *w = service_json(c);
	const Provider *p;

	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; (p = provider_at(providers, i)); i++) {
		ProviderState state;

		provider_state(providers, c->arena, p, &state);
		put_provider(w, p, &state);
	}
	json_end(w);
	json_end(w);
	return NULL;
}

static const ServiceRoute provider_rows[] = {
	{ "GET", "/v1/channels", providers_get, .scopes = SCOPE_READ, .answer = &provider_out,
	  .tag = "providers", .help = "by which messages leave, and how these are" },
};

ServiceRoutes provider_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(provider_rows);
}
