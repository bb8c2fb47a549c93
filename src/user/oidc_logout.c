/* SPDX-License-Identifier: Apache-2.0
 *
 * Log-out that a client asks for (OpenID Connect RP-Initiated Logout 1.0).
 *
 * With an ID token of the very session there is nothing to ask: who has that is the client of that person. Without one anybody
 * could have sent the browser here, so the person is asked. Where it goes afterwards is an address the client registered, or
 * nowhere. An ID token that is over is taken: it says who asks, and opens nothing. */
#include "user/oidc_int.h"

#include "auth/jws.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/accounts.h"
#include "user/pages.h"

typedef struct Leaving {
	OidcClient *client; /* NULL: it is not known */
	Str sid;            /* of the ID token; empty: there was none that is ours */
	Str back;           /* where to go; empty: nowhere */
} Leaving;

static Err *read_hint(ServiceCall *c, Str hint, Str *client, Str *sid)
{
	JwsRules rules = { .algs = JWS_BIT(JWS_ES256) | JWS_BIT(JWS_RS256), .typ = S("JWT") };
	const OidcRing *ring;
	const Json *claims;
	Str issuer;
	Jws jws;

	TRY(oidc_keys_ring(oidc_of(c)->keys, c->arena, false, &ring));
	if (jws_verify(c->arena, hint, &ring->all, &rules, &jws) ||
	    json_read(c->arena, jws.payload, 0, &claims) ||
	    !json_to_str(json_get(claims, S("iss")), &issuer) ||
	    !str_eq(issuer, oidc_of(c)->issuer) || !json_to_str(json_get(claims, S("aud")), client))
		return NULL;
	(void)json_to_str(json_get(claims, S("sid")), sid);
	return NULL;
}

static Err *read_leaving(ServiceCall *c, const Form *form, Leaving *out)
{
	Str id = form_get(form, "client_id"), hint = form_get(form, "id_token_hint"), named = { 0 };
	Str back = form_get(form, "post_logout_redirect_uri"), state = form_get(form, "state");
	AUTO(buf_fini) Buf to = { 0 };

	*out = (Leaving){ 0 };
	if (hint.len)
		TRY(read_hint(c, hint, &named, &out->sid));
	if (named.len && id.len && !str_eq(named, id))
		return oauth_err(c->arena, ERR_INVALID, "invalid_request",
		                 "client_id is not that of id_token_hint");
	if (named.len || id.len)
		TRY(oidc_client_load(c->db, c->arena, named.len ? named : id, &out->client));
	if (!back.len)
		return NULL;
	if (!out->client || !oidc_redirect_known(out->client->logout_redirects, back))
		return oauth_err(c->arena, ERR_INVALID, "invalid_request",
		                 "post_logout_redirect_uri is not one the client registered");
	buf_put(&to, back);
	if (state.len) {
		if (str_find_char(back, '?') < 0)
			buf_putc(&to, '?');
		form_put(&to, S("state"), state);
	}
	out->back = str_dup(c->arena, buf_str(&to));
	return NULL;
}

static Err *leave(ServiceCall *c, const Leaving *l)
{
	TRY(pages_log_out(c));
	if (!l->back.len)
		return pages_logged_out(c);
	service_redirect(c, 303, l->back);
	return NULL;
}

static Err *logout(ServiceCall *c, const Form *form)
{
	AUTO(buf_fini) Buf query = { 0 };
	Session *session;
	Leaving l;
	User *user;

	oidc_no_store(c);
	TRY(read_leaving(c, form, &l));
	TRY(pages_session(c, &session, &user));
	if (!session || (l.sid.len && str_eq(l.sid, session_id_text(c->arena, session->id))))
		return leave(c, &l);
	for (size_t i = 0; i < form->count; i++)
		form_put(&query, form->at[i].name, form->at[i].value);
	return pages_ask_logout(c, l.client ? l.client->name : (Str){ 0 },
	                        str_dup(c->arena, buf_str(&query)), l.back);
}

static Err *logout_get(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_query(c, &form));
	return logout(c, &form);
}

static Err *logout_post(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_body(c, &form));
	return logout(c, &form);
}

/* What the page that asks posts. */
static Err *logout_yes(ServiceCall *c)
{
	Form form, asked;
	Leaving l;

	TRY(pages_form(c, "logout", &form));
	TRY(form_read(c->arena, form_get(&form, "request"), &asked));
	TRY(read_leaving(c, &asked, &l));
	return leave(c, &l);
}

static const ServiceRoute routes[] = {
	{ "GET", "/oauth2/logout", logout_get, .fail = pages_fail, .tag = "openid",
	  .help = "where clients send people to log out" },
	{ "POST", "/oauth2/logout", logout_post, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .tag = "openid", .help = "the same, by a form" },
	{ "POST", "/logout", logout_yes, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .hidden = true, .tag = "pages", .help = "what the page that asks posts" },
};

const ServiceRoutes *oidc_logout_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
