/* SPDX-License-Identifier: Apache-2.0
 *
 * One-click unsubscribe (RFC 8058).
 *
 * The link in a mail has no session and asks for none: whoever has the mail may. Its token holds what is needed (version, channel,
 * the SHA-256 of the address, the category) and an HMAC over that, so links work as long as the key lives, whatever is purged. A GET
 * changes nothing (mail scanners follow links), it shows a page with one button; a POST, by that button or by the mail program
 * (List-Unsubscribe=One-Click), suppresses the category for the address. The same again is no error. */
#include "notification/unsubscribe.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "notification/notification_int.h"
#include "service/service.h"
#include "store/outbox.h"

#include "notification_recipient_sql.h"
#include "notification_sql.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { VERSION = 1, KEY_BYTES = 32, HASH_BYTES = 32, MAC_BYTES = 16, CATEGORY_MOST = 64 };

Err *unsubscribe_key(Db *db, Arena *a, Str *key)
{
	char made[KEY_BYTES];
	SecretGetRow *row;

	rand_bytes(made, sizeof(made));
	TRY(db_exec(db, a, secret_add, NULL, .name = S("unsubscribe"),
	            .value = (Str){ made, sizeof(made) }, .now = time_utc_us()));
	TRY(db_one(db, a, secret_get, &row, .name = S("unsubscribe")));
	if (!row)
		return err_new(a, ERR_INTERNAL, "notification.secret", "the key is gone");
	*key = row->value;
	return NULL;
}

/* --- tokens -------------------------------------------------------------------------------------------------------------- */

static void mac(const NotificationState *state, Str body, unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned int len;

	HMAC(EVP_sha256(), state->key.at, (int)state->key.len, (const unsigned char *)body.at,
	     body.len, out, &len);
}

Str unsubscribe_link(const NotificationState *state, Arena *a, Channel channel, Str address,
                     Str category)
{
	AUTO(buf_fini) Buf body = { 0 };
	Str base = state->conf->unsubscribe_url.len ? state->conf->unsubscribe_url
	                                            : state->home->public_url;
	unsigned char tag[EVP_MAX_MD_SIZE];

	if (!base.len)
		return S("");
	while (str_ends(base, S("/")))
		base.len--;
	buf_putc(&body, VERSION);
	buf_putc(&body, (char)channel);
	buf_put(&body, address_hash(a, channel, address));
	buf_put(&body, str_sub(category, 0, CATEGORY_MOST));
	mac(state, buf_str(&body), tag);
	buf_put(&body, (Str){ (const char *)tag, MAC_BYTES });
	return str_fmt(a, "%.*s/u/%.*s", STR_ARG(base), STR_ARG(b64url(a, buf_str(&body))));
}

typedef struct Token {
	Channel channel;
	Str hash, category;
} Token;

static Err *token_read(ServiceCall *c, Token *out)
{
	const NotificationState *state = c->home->state;
	unsigned char tag[EVP_MAX_MD_SIZE];
	Str bytes, body;

	if (!b64url_read(c->arena, service_part(c, "token"), &bytes) ||
	    bytes.len <= 2 + HASH_BYTES + MAC_BYTES || bytes.at[0] != VERSION ||
	    (unsigned char)bytes.at[1] >= CHANNELS)
		return err_new(c->arena, ERR_NOT_FOUND, "unsubscribe.token",
		               "that link is none of ours");
	body = str_sub(bytes, 0, bytes.len - MAC_BYTES);
	mac(state, body, tag);
	if (CRYPTO_memcmp(tag, bytes.at + body.len, MAC_BYTES) != 0)
		return err_new(c->arena, ERR_NOT_FOUND, "unsubscribe.token",
		               "that link is none of ours");
	*out = (Token){ .channel = (Channel)body.at[1],
		        .hash = str_sub(body, 2, 2 + HASH_BYTES),
		        .category = str_sub(body, 2 + HASH_BYTES, body.len) };
	return NULL;
}

/* --- pages --------------------------------------------------------------------------------------------------------------- */

#define PAGE(title, rest) \
	"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">" \
	"<meta name=\"robots\" content=\"noindex\"><title>" title "</title>" \
	"<body style=\"font-family:sans-serif;max-width:30em;margin:4em auto;padding:0 1em\"><h1>" title \
	"</h1>" rest

static void page(ServiceCall *c, Str body)
{
	service_say_header(c, "Cache-Control", S("no-store"));
	service_say_header(
		c, "Content-Security-Policy",
		S("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"));
	service_say_header(c, "Referrer-Policy", S("no-referrer"));
	service_say(c, 200, S("text/html; charset=utf-8"), body);
}

static Err *unsubscribe_get(ServiceCall *c)
{
	Token token;

	TRY(token_read(c, &token));
	page(c,
	     S(PAGE("Unsubscribe",
	            "<p>You will get no more messages of this kind at this address.</p>"
	            "<form method=\"post\"><button name=\"List-Unsubscribe\" value=\"One-Click\">"
	            "Unsubscribe</button></form>")));
	return NULL;
}

static Err *unsubscribe_do(ServiceCall *c, Db *tx, void *arg)
{
	const Token *token = arg;
	SuppressionRow row = { .channel = str_of(channel_name(token->channel)),
		               .address_hash = token->hash,
		               .scope = token->category.len ? token->category : S("*"),
		               .reason = S("unsubscribe"),
		               .detail = S("by the link in a message"),
		               .id = uuid_new(),
		               .created_at = time_utc_us() };
	int64_t added;

	TRY(db_exec_with(tx, c->arena, suppression_put, &row, &added));
	if (!added)
		return NULL;
	return outbox_put(tx, c->arena,
	                  &(Event){ .type = S("notification.unsubscribed"),
	                            .aggregate_type = S("suppression"),
	                            .aggregate_id = uuid_text(c->arena, row.id),
	                            .data = str_fmt(c->arena, "{\"channel\":\"%s\"}",
	                                            channel_name(token->channel)),
	                            .traceparent = c->traceparent },
	                  NULL);
}

static Err *unsubscribe_post(ServiceCall *c)
{
	Token token;

	TRY(token_read(c, &token));
	TRY(service_effect(c, DB_READ_COMMITTED, unsubscribe_do, &token));
	page(c, S(PAGE("Unsubscribed", "<p>It is done.</p>")));
	return NULL;
}

static const ServiceRoute unsubscribe_rows[] = {
	{ "GET", "/u/{token}", unsubscribe_get, .tag = "unsubscribe",
	  .help = "a page with the button that unsubscribes" },
	{ "POST", "/u/{token}", unsubscribe_post, .kind = SERVICE_BODY_RAW, .tag = "unsubscribe",
	  .status = 200, .help = "unsubscribe (RFC 8058)" },
};

ServiceRoutes unsubscribe_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(unsubscribe_rows);
}
