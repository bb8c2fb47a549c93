/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens that somebody asks about, and their end: introspection (RFC 7662), revocation (RFC 7009), userinfo.
 *
 * Who asks about a token is told of it when it was given to him or is meant for him; of all others he learns that they are not
 * active, as of those that are none. Revoking a refresh token ends its family, revoking an access token ends that token. */
#include "user/oidc_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "user/accounts.h"

static bool is_for(const OidcProved *p, const OidcClient *client)
{
	Str aud = { 0 };

	(void)json_to_str(json_get(p->claims, S("aud")), &aud);
	return str_eq(p->client, client->id) || str_eq(aud, client->id) ||
	       (client->audience.len && str_eq(aud, client->audience)) ||
	       oidc_scope_has(client->scope, S("introspect"));
}

/* The family of a refresh token that could be used now; NULL: it is none of that client's. */
static Err *live_family(ServiceCall *c, const OidcClient *client, Str token, bool newest,
                        OidcGrant **out)
{
	OidcTicket ticket;
	OidcGrant *g;

	*out = NULL;
	if (!oidc_ticket_read(c->arena, token, &ticket))
		return NULL;
	TRY(oidc_grant_of_refresh(c->db, c->arena, ticket.handle_hash, &g));
	if (g && !g->ended && g->active && str_eq(g->client, client->id) &&
	    g->until_us > time_utc_us() && (!newest || secret_eq(ticket.secret_hash, g->newest)))
		*out = g;
	return NULL;
}

static Err *read_question(ServiceCall *c, OidcClient **client, Str *token)
{
	Form form;

	TRY(oidc_read_body(c, &form));
	TRY(oidc_client_proved(c, &form, client));
	*token = form_get(&form, "token");
	if (!token->len)
		return oauth_err(c->arena, ERR_INVALID, "invalid_request", "token is missing");
	oidc_for_anybody(c);
	return NULL;
}

static void put_access(JsonWriter *w, const OidcProved *p)
{
	void *at = NULL;
	const Json *value;
	Str key;

	json_put_bool(w, "active", true);
	json_put_str(w, "token_type", S("Bearer"));
	while (json_next(p->claims, &at, &key, &value)) {
		json_key(w, key);
		json_put(w, value);
	}
}

static void put_refresh(JsonWriter *w, const Oidc *oidc, Arena *a, const OidcGrant *g)
{
	json_put_bool(w, "active", true);
	json_put_str(w, "iss", oidc->issuer);
	json_put_str(w, "sub", account_id_text(a, g->user));
	json_put_str(w, "client_id", g->client);
	json_put_str(w, "scope", g->scope);
	json_put_i64(w, "exp", g->until_us / US_PER_S);
}

static Err *introspect_post(ServiceCall *c)
{
	OidcClient *client;
	OidcProved *proved;
	OidcGrant *family;
	JsonWriter *w;
	Str token;

	TRY(read_question(c, &client, &token));
	if (client->auth == OIDC_AUTH_NONE)
		return oauth_err(c->arena, ERR_UNAUTHENTICATED, "invalid_client",
		                 "a public client may not ask what tokens are");
	TRY(live_family(c, client, token, true, &family));
	TRY(oidc_access_prove(oidc_of(c), c->arena, token, &proved));
	w = service_json(c);
	json_begin_object(w);
	if (family)
		put_refresh(w, oidc_of(c), c->arena, family);
	else if (proved && is_for(proved, client))
		put_access(w, proved);
	else
		json_put_bool(w, "active", false);
	json_end(w);
	return NULL;
}

/* 200 whatever it was (RFC 7009, section 2.2). */
static Err *revoke_post(ServiceCall *c)
{
	OidcClient *client;
	OidcProved *proved;
	OidcGrant *family;
	bool first;
	Str token;

	TRY(read_question(c, &client, &token));
	TRY(live_family(c, client, token, false, &family));
	if (family)
		TRY(oidc_grant_end(c->db, c->arena, family->id, time_utc_us(), &first));
	TRY(oidc_access_prove(oidc_of(c), c->arena, token, &proved));
	if (proved && str_eq(proved->client, client->id))
		TRY(oidc_spend(c->db, c->arena, proved->id_hash, proved->expires_us, &first));
	service_say(c, 200, S("application/json"), S("{}\n"));
	return NULL;
}

/* --- userinfo (OpenID Connect Core 5.3, 5.4) ------------------------------------------------------------------------------- */

static void put_profile(JsonWriter *w, const User *user)
{
	if (user->name.len)
		json_put_str(w, "name", user->name);
	if (user->username.len)
		json_put_str(w, "preferred_username", user->username);
	if (user->locale.len)
		json_put_str(w, "locale", user->locale);
	json_put_i64(w, "updated_at", user->updated_us / US_PER_S);
}

static void put_roles(JsonWriter *w, const User *user)
{
	json_key(w, S("roles"));
	json_begin_array(w);
	for (size_t i = 0; i < user->role_count; i++)
		json_add_str(w, user->roles[i]);
	json_end(w);
}

static void put_user(JsonWriter *w, Str scope, Str subject, const User *user)
{
	json_begin_object(w);
	json_put_str(w, "sub", subject);
	if (oidc_scope_has(scope, S("profile")))
		put_profile(w, user);
	if (oidc_scope_has(scope, S("email")) && user->email.len) {
		json_put_str(w, "email", user->email);
		json_put_bool(w, "email_verified", user->email_verified);
	}
	if (oidc_scope_has(scope, S("roles")))
		put_roles(w, user);
	json_end(w);
}

static Err *userinfo(ServiceCall *c)
{
	Oidc *oidc = oidc_of(c);
	Str header = service_header(c, "Authorization");
	OidcProved *proved = NULL;
	User *user = NULL;

	if (!header.len)
		return oauth_err(c->arena, ERR_UNAUTHENTICATED, "invalid_token",
		                 "an access token is needed");
	if (str_eq_nocase(str_sub(header, 0, 7), S("Bearer ")))
		TRY(oidc_access_prove(oidc, c->arena, str_trim(str_sub(header, 7, header.len)),
		                      &proved));
	if (proved && proved->grant)
		TRY(account_by_id(oidc->accounts, c->arena, proved->grant->user, &user));
	if (!user)
		return oauth_err(c->arena, ERR_UNAUTHENTICATED, "invalid_token",
		                 "the access token is none, is over, or was revoked");
	if (!oidc_scope_has(proved->scope, S("openid")))
		return oauth_err(c->arena, ERR_DENIED, "insufficient_scope",
		                 "the access token has not the scope openid");
	oidc_for_anybody(c);
	put_user(service_json(c), proved->scope, proved->subject, user);
	return NULL;
}

static const ServiceRoute routes[] = {
	{ "OPTIONS", "/oauth2/userinfo", oidc_preflight, .hidden = true, .tag = "openid",
	  .help = "may pages of other origins ask" },
	{ "OPTIONS", "/oauth2/revoke", oidc_preflight, .hidden = true, .tag = "openid",
	  .help = "the same" },
	{ "POST", "/oauth2/introspect", introspect_post, .kind = SERVICE_BODY_RAW,
	  .fail = oidc_fail, .tag = "openid", .help = "what a token is (RFC 7662)" },
	{ "POST", "/oauth2/revoke", revoke_post, .kind = SERVICE_BODY_RAW, .fail = oidc_fail,
	  .tag = "openid", .help = "end a token (RFC 7009)" },
	{ "GET", "/oauth2/userinfo", userinfo, .fail = oidc_bearer_fail, .tag = "openid",
	  .help = "who an access token is of" },
	{ "POST", "/oauth2/userinfo", userinfo, .kind = SERVICE_BODY_RAW, .fail = oidc_bearer_fail,
	  .tag = "openid", .help = "the same" },
};

const ServiceRoutes *oidc_inspect_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
