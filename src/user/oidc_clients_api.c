/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/clients: who may log people in, for programs with a token that holds clients:read or clients:write.
 *
 * A secret is said in the one answer that follows its making. The answer that is kept under an Idempotency-Key is written without
 * it, so a request that comes again gets the client alone: a secret is nowhere but with who asked first. Who lost that answer
 * removes the client and makes another.
 *
 * How a client proves itself never changes: that is another client. */
#include "user/oidc_clients.h"
#include "user/user_api.h"

#include "base/arena.h"

typedef struct ClientIn {
	Str id, name, scope, audience;
	uint8_t auth, alg;
	const Json *jwks;
	CONF_LIST_OF(Str) redirects;
	CONF_LIST_OF(Str) logouts;
	CONF_LIST_OF(Str) grants;
	bool trusted;
	bool has_name, has_scope, has_audience, has_auth, has_alg, has_jwks;
	bool has_redirects, has_logouts, has_grants, has_trusted;
	Str secret; /* of answers */
} ClientIn;

enum { ALG_ES256, ALG_RS256 };
static const ConfWord alg_words[] = {
	{ "ES256", ALG_ES256, "what all newer libraries know" },
	{ "RS256", ALG_RS256, "for clients that know no other" },
	{ 0 },
};
static const ConfWord auth_words[] = {
	{ "none", OIDC_AUTH_NONE, "a public client: an application on people's devices" },
	{ "client_secret_basic", OIDC_AUTH_BASIC, "a secret, in the Authorization header" },
	{ "client_secret_post", OIDC_AUTH_POST, "a secret, in the body" },
	{ "private_key_jwt", OIDC_AUTH_KEY, "a key of its own, of jwks" },
	{ 0 },
};

#define ID_ROW \
	{ \
		"client_id", FIELD_STR, AT(ClientIn, id), \
			.max = 100, .help = "what it calls itself; made up when left out" \
	}
#define AUTH_ROW \
	{ \
		"token_endpoint_auth_method", FIELD_ENUM, AT(ClientIn, auth), \
			GIVEN(ClientIn, has_auth), \
			.names = auth_words, \
			.help = "how it proves who it is; client_secret_basic" \
	}
#define DETAIL_ROWS \
	{ "client_name",      FIELD_STR, \
	  AT(ClientIn, name), GIVEN(ClientIn, has_name), \
	  .max = 100,         .help = "what people are shown" }, \
		{ "redirect_uris", \
		  FIELD_STR, \
		  AT_LIST(ClientIn, redirects), \
		  GIVEN(ClientIn, has_redirects), \
		  .min = 1, \
		  .max = 2048, \
		  .items_max = 50, \
		  .help = "where people may be sent back to, byte for byte" }, \
		{ "post_logout_redirect_uris", \
		  FIELD_STR, \
		  AT_LIST(ClientIn, logouts), \
		  GIVEN(ClientIn, has_logouts), \
		  .min = 1, \
		  .max = 2048, \
		  .items_max = 50, \
		  .help = "where they may be sent after a log-out" }, \
		{ "grant_types", \
		  FIELD_STR, \
		  AT_LIST(ClientIn, grants), \
		  GIVEN(ClientIn, has_grants), \
		  .min = 1, \
		  .max = 50, \
		  .items_max = 3, \
		  .help = "what it may ask tokens for; authorization_code and refresh_token" }, \
		{ "scope", \
		  FIELD_STR, \
		  AT(ClientIn, scope), \
		  GIVEN(ClientIn, has_scope), \
		  .max = 1000, \
		  .help = "the most it may have; " OIDC_CLIENT_SCOPE }, \
		{ "audience", \
		  FIELD_STR, \
		  AT(ClientIn, audience), \
		  GIVEN(ClientIn, has_audience), \
		  .max = 300, \
		  .help = "who its access tokens are for; empty: the issuer" }, \
		{ "jwks", FIELD_JSON, AT(ClientIn, jwks), GIVEN(ClientIn, has_jwks), \
		  .help = "its public keys, a JWK set" }, \
		{ "trusted", FIELD_BOOL, AT(ClientIn, trusted), GIVEN(ClientIn, has_trusted), \
		  .help = "one's own: people are not asked for consent" }, \
	{ \
		"id_token_signed_response_alg", FIELD_ENUM, AT(ClientIn, alg), \
			GIVEN(ClientIn, has_alg), .names = alg_words, \
						  .help = "of its ID tokens; ES256" \
	}

static const Field new_rows[] = { ID_ROW, AUTH_ROW, DETAIL_ROWS };
static const FieldTable new_client = { "NewClient", FIELD_ROWS(ClientIn, new_rows),
	                               .help = "who is to log people in" };
static const Field change_rows[] = { DETAIL_ROWS };
static const FieldTable client_change = { "ClientChange", FIELD_ROWS(ClientIn, change_rows),
	                                  .help = "what is to change; a list is all of it" };
static const Field client_rows[] = {
	ID_ROW,
	{ "client_secret", FIELD_STR, AT(ClientIn, secret),
	  .help = "in the answer that follows its making, and never again" },
	AUTH_ROW,
	DETAIL_ROWS,
};
static const FieldTable client_fields = { "Client", FIELD_ROWS(ClientIn, client_rows),
	                                  .help = "who may log people in" };

/* --- as JSON ------------------------------------------------------------------------------------------------------------ */

static Err *answer(ServiceCall *c, const OidcClient *client, Str secret)
{
	service_etag(c, oidc_client_version(c->arena, client));
	return oidc_client_put(service_json(c), c->arena, client, secret);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static Err *unknown(Arena *a)
{
	return err_new(a, ERR_NOT_FOUND, "oidc.client", "there is no such client");
}

static Err *client_get(ServiceCall *c)
{
	Str id = service_part(c, "id");
	OidcClient *client;

	if (!oidc_client_id_is(id))
		return unknown(c->arena);
	TRY(oidc_client_load(c->db, c->arena, id, &client));
	return client ? answer(c, client, S("")) : unknown(c->arena);
}

static Err *clients_get(ServiceCall *c)
{
	OidcClient *clients;
	ServicePage page;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	if (!page.first && !oidc_client_id_is(page.after))
		service_mistake(c, "?cursor", "invalid", "the cursor is none of ours");
	TRY(service_mistakes(c));
	TRY(oidc_clients_page(c->db, c->arena, page.after, page.limit + 1, &clients, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		TRY(oidc_client_put(w, c->arena, &clients[i], S("")));
	service_page_end(c, &page, page.shown ? clients[page.shown - 1].id : S(""));
	return NULL;
}

/* --- making and changing ------------------------------------------------------------------------------------------------ */

static Str words_of(Arena *a, const Str *at, size_t count)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_putc(&b, ' ');
		buf_put(&b, at[i]);
	}
	return str_dup(a, buf_str(&b));
}

static Str json_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (!value || json_kind(value) == JSON_KIND_NULL)
		return S("");
	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

/* What was said takes the place of what was; then, may it be so? */
static Err *fill(ServiceCall *c, OidcClient *client)
{
	const ClientIn *in = c->in;
	OidcClientFault fault;

	if (in->has_name)
		client->name = in->name;
	if (in->has_redirects)
		client->redirects = words_of(c->arena, in->redirects.at, in->redirects.count);
	if (in->has_logouts)
		client->logout_redirects = words_of(c->arena, in->logouts.at, in->logouts.count);
	if (in->has_grants)
		client->grants =
			oidc_grants_read(words_of(c->arena, in->grants.at, in->grants.count));
	if (in->has_scope)
		client->scope = in->scope;
	if (in->has_audience)
		client->audience = in->audience;
	if (in->has_jwks)
		client->jwks = json_text(c->arena, in->jwks);
	if (in->has_trusted)
		client->trusted = in->trusted;
	if (in->has_alg)
		client->rs256 = in->alg == ALG_RS256;
	fault = oidc_client_check(c->arena, client);
	if (fault.at)
		service_mistake(c,
		                str_z(c->arena, field_pointer(c->arena, S(""), str_of(fault.at))),
		                "invalid", "%.*s", STR_ARG(fault.why));
	return service_mistakes(c);
}

typedef struct Doing {
	const OidcClient *add;
	const Asker *asker;
} Doing;

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const Doing *in = arg;
	Err *err = oidc_client_add_told(tx, c->arena, in->add, in->asker);

	if (err_is(err, "db.unique"))
		return err_new(c->arena, ERR_CONFLICT, "oidc.client_taken",
		               "there is a client %.*s", STR_ARG(in->add->id));
	TRY(err);
	service_say_header(c, "Location",
	                   str_fmt(c->arena, "/v1/clients/%.*s", STR_ARG(in->add->id)));
	return answer(c, in->add, S(""));
}

/* Was it made just now, by us? Then the secret is still to be said. */
static Err *client_post(ServiceCall *c)
{
	const ClientIn *in = c->in;
	int64_t retry_us;
	OidcClient client = { .id = in->id.len ? in->id : uuid_text(c->arena, uuid_new()),
		              .auth = in->has_auth ? (OidcAuth)in->auth : OIDC_AUTH_BASIC,
		              .grants = OIDC_GRANT_CODE | OIDC_GRANT_REFRESH,
		              .scope = S(OIDC_CLIENT_SCOPE) };
	Doing doing = { .add = &client, .asker = user_asker(c, &retry_us) };
	OidcClient *made;
	Str secret;

	client.name = client.id;
	TRY(fill(c, &client));
	secret = oidc_client_secret(c->arena, &client);
	TRY(service_effect(c, DB_READ_COMMITTED, add, &doing));
	TRY(oidc_client_load(c->db, c->arena, client.id, &made));
	if (!made || !secret.len || !str_eq(made->secret_hash, client.secret_hash))
		return NULL;
	service_say_header(c, "Cache-Control", S("no-store"));
	return answer(c, &client, secret);
}

static Err *held(ServiceCall *c, Db *tx, OidcClient **client)
{
	Str id = service_part(c, "id");

	if (!oidc_client_id_is(id))
		return unknown(c->arena);
	TRY(oidc_client_keep(tx, c->arena, id, client));
	if (!*client)
		return unknown(c->arena);
	return service_match(c, oidc_client_version(c->arena, *client));
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const Doing *in = arg;
	OidcClient *client;

	TRY(held(c, tx, &client));
	TRY(fill(c, client));
	TRY(oidc_client_change_told(tx, c->arena, client, in->asker));
	return answer(c, client, S(""));
}

static Err *client_patch(ServiceCall *c)
{
	int64_t retry_us;
	Doing in = { .asker = user_asker(c, &retry_us) };

	return service_effect(c, DB_READ_COMMITTED, change, &in);
}

static Err *removal(ServiceCall *c, Db *tx, void *arg)
{
	const Doing *in = arg;
	OidcClient *client;
	bool removed;

	TRY(held(c, tx, &client));
	return oidc_client_remove_told(tx, c->arena, client->id, in->asker, &removed);
}

static Err *client_delete(ServiceCall *c)
{
	int64_t retry_us;
	Doing in = { .asker = user_asker(c, &retry_us) };

	return service_effect(c, DB_READ_COMMITTED, removal, &in);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

#define READ .scopes = "clients:read", .tag = "clients"
#define WRITE .scopes = "clients:write", .tag = "clients"

static const ServiceRoute routes[] = {
	{ "GET", "/v1/clients", clients_get, READ, .answer = &client_fields, .list = true,
	  .help = "who may log people in, by their ids" },
	{ "GET", "/v1/clients/{id}", client_get, READ, .answer = &client_fields, .etag = true,
	  .help = "one client, without its secret" },
	{ "POST", "/v1/clients", client_post, WRITE, .body = &new_client, .answer = &client_fields,
	  .status = 201, .idempotent = true,
	  .help = "register a client; its secret is shown this once" },
	{ "PATCH", "/v1/clients/{id}", client_patch, WRITE, .body = &client_change,
	  .answer = &client_fields, .etag = true, .help = "change it" },
	{ "DELETE", "/v1/clients/{id}", client_delete, WRITE, .etag = true,
	  .help = "remove it, and all that was granted to it" },
};

ServiceRoutes oidc_clients_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
