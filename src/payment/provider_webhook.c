/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks in. The signature is that of the bytes that came, so they are read as they are; then its time, then whether this event was
 * here before (the provider's own id of it: a type may come again for the same payment, an event may not). What the event says is not
 * believed: it may be old, overtaken by another or missing, and the state is asked for where it is known. So all that it does is that the
 * attempt is asked about now instead of later.
 *
 * Who cannot sign is told nothing but that. An event of something that is not ours is taken, or it would be sent for days. */
#include "payment/payment_api.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "http/server.h"
#include "payment/payment.h"
#include "payment/payment_store.h"
#include "payment/provider.h"
#include "rt/fiber.h"
#include "store/consumer.h"

#include <openssl/evp.h>

#include <string.h>

enum { BODY_BYTES = 1 << 20 };
#define BODY_US (10 * US_PER_S)
#define INBOX "payment.webhooks"

typedef struct News {
	Str provider;
	ProviderEvent event;
	bool fresh, known;
} News;

static Err *read_body(ServiceCall *c, Str *body)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(BODY_US);
	AUTO(buf_fini) Buf b = { .limit = BODY_BYTES };
	Str piece;

	do {
		TRY(http_read(c->x, &piece));
		buf_put(&b, piece);
	} while (piece.len);
	*body = str_dup(c->arena, buf_str(&b));
	return NULL;
}

/* A provider's id of an event as one of ours: the first half of its hash. */
static Uuid id_of(const News *news)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	Uuid id;

	EVP_Digest(news->event.id.at, news->event.id.len, hash, NULL, EVP_sha256(), NULL);
	memcpy(id.at, hash, sizeof id.at);
	return id;
}

static Err *take(Db *tx, Arena *a, void *arg)
{
	News *news = arg;

	news->known = false;
	TRY(inbox_take(tx, a, S(INBOX), news->provider, id_of(news), &news->fresh));
	if (!news->fresh)
		return NULL;
	return attempt_look_again(tx, a, news->provider, news->event.reference, news->event.key,
	                          &news->known);
}

static Err *webhook_post(ServiceCall *c)
{
	const Provider *p = provider_named(payment_of(c->home)->providers, service_part(c, "name"));
	News news = { 0 };
	JsonWriter *w;
	Str body;

	if (!p)
		return err_new(c->arena, ERR_NOT_FOUND, "provider.unknown",
		               "there is no such provider");
	TRY(read_body(c, &body));
	TRY(provider_verify_webhook(p, c->arena, &c->x->request.headers, body, time_utc_us()));
	TRY(provider_parse_webhook(p, c->arena, body, &news.event));
	news.provider = provider_name(p);
	TRY(db_txn(c->db, c->arena, DB_READ_COMMITTED, take, &news));
	w = service_json(c);
	json_begin_object(w);
	json_put_bool(w, "received", true);
	json_put_bool(w, "fresh", news.fresh);
	json_put_bool(w, "known", news.known);
	json_end(w);
	return NULL;
}

/* --- how they are ---------------------------------------------------------------------------------------------------------- */

typedef struct ProviderSaid {
	Str name, kind, url;
	bool healthy, webhooks;
} ProviderSaid;
static const Field said_rows[] = {
	{ "name", FIELD_STR, AT(ProviderSaid, name), .required = true,
	  .help = "as the configuration calls it" },
	{ "kind", FIELD_STR, AT(ProviderSaid, kind), .required = true,
	  .help = "stripe, fault, sandbox" },
	{ "healthy", FIELD_BOOL, AT(ProviderSaid, healthy),
	  .help = "false: it failed several times in a row, as this process sees it" },
	{ "webhook", FIELD_STR, AT(ProviderSaid, url),
	  .help = "where it is to send its events; absent: they are refused for want of a secret" },
};
static const FieldTable said = { "Provider", FIELD_ROWS(ProviderSaid, said_rows),
	                         .help = "one that moves the money" };

static void put_provider(ServiceCall *c, JsonWriter *w, const Provider *p)
{
	json_begin_object(w);
	json_put_str(w, "name", provider_name(p));
	json_put_str(w, "kind", str_of(provider_kind_name(p)));
	json_put_bool(w, "healthy", provider_healthy(p));
	if (provider_hears(p))
		json_put_str(w, "webhook",
		             str_fmt(c->arena, "%.*s/v1/providers/%.*s/webhook",
		                     STR_ARG(c->home->public_url), STR_ARG(provider_name(p))));
	json_end(w);
}

static Err *providers_get(ServiceCall *c)
{
	const Providers *all = payment_of(c->home)->providers;
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < providers_count(all); i++)
		put_provider(c, w, providers_at(all, i));
	json_end(w);
	json_end(w);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "POST", "/v1/providers/{name}/webhook", webhook_post, .kind = SERVICE_BODY_RAW,
	  .body_max = BODY_BYTES, .tag = "providers",
	  .help = "what a provider tells, signed by it" },
	{ "GET", "/v1/providers", providers_get, .scopes = "payment_intents:read", .answer = &said,
	  .list = true, .tag = "providers", .help = "who moves the money, in their order" },
};

ServiceRoutes provider_webhook_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
