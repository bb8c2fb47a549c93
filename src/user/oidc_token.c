/* SPDX-License-Identifier: Apache-2.0
 *
 * The token endpoint (RFC 6749, section 3.2): a code, a refresh token or a client's own word becomes tokens.
 *
 * A code is looked at, judged (oidc_domain.h), and then taken by one statement that only one of many can do: whoever comes second
 * has used a code twice and ends what came of it. A refresh token the same, but that within the grace the second is given the
 * successor of the first: it lies in the family's row, sealed, bound to the client and to the token that it is the successor of.
 * Its person must still be one who may log in. */
#include "user/oidc_int.h"

#include "auth/b64.h"
#include "auth/seal.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/oidc_deed.h"

static Err *no_grant(Arena *a, const char *why)
{
	return oauth_err(a, ERR_INVALID, "invalid_grant", "%s", why);
}

/* Two have it, and one of them should not. */
static Err *reused(ServiceCall *c, const OidcGrant *grant, int64_t now_us)
{
	Asker asker = { .address = c->address,
		        .agent = str_sub(service_header(c, "User-Agent"), 0, 200),
		        .actor = str_fmt(c->arena, "client:%.*s", STR_ARG(grant->client)),
		        .traceparent = c->traceparent };

	return oidc_grant_reused(c->db, c->arena,
	                         &(OidcDeed){ .user = grant->user,
	                                      .client = grant->client,
	                                      .asker = &asker,
	                                      .grant = grant->id,
	                                      .now_us = now_us });
}

static Err *need_grant(ServiceCall *c, const OidcClient *client, uint32_t bit)
{
	if (client->grants & bit)
		return NULL;
	return oauth_err(c->arena, ERR_INVALID, "unauthorized_client",
	                 "the client may not use this grant");
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static Err *answer(ServiceCall *c, const OidcMint *mint, Str refresh, bool with_id)
{
	Oidc *oidc = oidc_of(c);
	Str access, id = { 0 };
	JsonWriter *w;

	TRY(oidc_access_token(oidc, c->arena, mint, &access));
	if (with_id)
		TRY(oidc_id_token(oidc, c->arena, mint, access, &id));
	w = service_json(c);
	oidc_for_anybody(c);
	json_begin_object(w);
	json_put_str(w, "access_token", access);
	json_put_str(w, "token_type", S("Bearer"));
	json_put_i64(w, "expires_in", oidc_access_s(oidc));
	if (refresh.len)
		json_put_str(w, "refresh_token", refresh);
	if (id.len)
		json_put_str(w, "id_token", id);
	json_put_str(w, "scope", mint->scope);
	json_end(w);
	return NULL;
}

/* --- codes -------------------------------------------------------------------------------------------------------------- */

static bool verifier_fits(Arena *a, const OidcKept *code, Str verifier)
{
	return oidc_verifier_is(verifier) &&
	       secret_eq(b64url(a, secret_hash(a, verifier)), code->challenge);
}

static Err *judge_code(ServiceCall *c, const OidcClient *client, const Form *form,
                       const OidcKept *kept, const OidcGrant *grant, int64_t now_us)
{
	OidcCode code = { 0 };
	OidcVerdict verdict;

	if (kept && grant)
		code = (OidcCode){ grant->client, kept->redirect_uri, kept->until_us, kept->used,
			           grant->ended || !grant->active };
	verdict = oidc_code_judge(kept && grant ? &code : NULL, client,
	                          form_get(form, "redirect_uri"), now_us);
	if (verdict == OIDC_REVOKE) {
		TRY(reused(c, grant, now_us));
		return no_grant(c->arena, "the code was used before; what came of it is revoked");
	}
	if (verdict != OIDC_TAKE)
		return no_grant(c->arena,
		                "the code is none, is over, or is for another client or address");
	if (!verifier_fits(c->arena, kept, form_get(form, "code_verifier")))
		return no_grant(c->arena, "code_verifier is not that of the code's challenge");
	return NULL;
}

static Err *token_code(ServiceCall *c, const OidcClient *client, const Form *form)
{
	Oidc *oidc = oidc_of(c);
	int64_t now_us = time_utc_us();
	bool refreshes = client->grants & OIDC_GRANT_REFRESH, used;
	OidcTicket ticket = { 0 };
	OidcGrant *grant = NULL;
	OidcKept *code;

	TRY(need_grant(c, client, OIDC_GRANT_CODE));
	TRY(oidc_code_load(c->db, c->arena, secret_hash(c->arena, form_get(form, "code")), &code));
	if (code)
		TRY(oidc_grant_load(c->db, c->arena, code->grant, &grant));
	TRY(judge_code(c, client, form, code, grant, now_us));
	if (refreshes)
		ticket = oidc_ticket_new(c->arena, (Str){ 0 });
	TRY(oidc_code_spend(c->db, c->arena, code, ticket.handle_hash, ticket.secret_hash,
	                    now_us + oidc->conf.refresh_us, now_us, &used));
	if (!used) {
		TRY(reused(c, grant, now_us));
		return no_grant(c->arena, "the code was used before; what came of it is revoked");
	}
	return answer(c, &(OidcMint){ client, grant, grant->scope, now_us, code->nonce },
	              ticket.text, oidc_scope_has(grant->scope, S("openid")));
}

/* --- refresh tokens ----------------------------------------------------------------------------------------------------- */

/* What it says of itself, as it stands in its family's row. */
static OidcRefresh state_of(const OidcGrant *g, const OidcTicket *ticket)
{
	OidcRefresh token = { .client = g->client,
		              .expires_us = g->until_us,
		              .revoked = g->ended || !g->active };

	if (secret_eq(ticket->secret_hash, g->newest))
		return token;
	token.used = true;
	if (secret_eq(ticket->secret_hash, g->last)) {
		token.used_us = g->last_used_us;
	} else {
		token.successor_used = true;
		token.used_us = secret_eq(ticket->secret_hash, g->before) ? g->before_used_us : 0;
	}
	return token;
}

/* For whom the successor lies there. */
static Str successor_context(Arena *a, const OidcGrant *g, const OidcTicket *old)
{
	return str_fmt(a, "oidc.refresh:%.*s:%.*s", STR_ARG(g->client),
	               STR_ARG(b64url(a, old->secret_hash)));
}

static Err *rotate(ServiceCall *c, const OidcGrant *g, const OidcTicket *old, int64_t now_us,
                   Str *fresh)
{
	OidcTicket next = oidc_ticket_new(c->arena, old->handle);
	bool rotated;
	Str sealed;

	TRY(seal_close(oidc_of(c)->seal, c->arena, successor_context(c->arena, g, old), next.text,
	               &sealed));
	TRY(oidc_grant_rotate(c->db, c->arena, g->id, old->secret_hash, next.secret_hash, sealed,
	                      now_us, &rotated));
	*fresh = rotated ? next.text : (Str){ 0 };
	return NULL;
}

typedef struct Refreshing {
	const OidcClient *client;
	OidcTicket ticket;
	Str asked; /* scope; empty: all that was granted */
	OidcGrant *grant;
	Str fresh;
} Refreshing;

/* r->fresh stays empty when somebody was quicker: to be looked at again. */
static Err *refresh_once(ServiceCall *c, Refreshing *r, int64_t now_us)
{
	Oidc *oidc = oidc_of(c);
	OidcRefresh state;
	OidcVerdict verdict;

	TRY(oidc_grant_of_refresh(c->db, c->arena, r->ticket.handle_hash, &r->grant));
	if (!r->grant)
		return no_grant(c->arena, "the refresh token is none");
	state = state_of(r->grant, &r->ticket);
	verdict = oidc_refresh_judge(&state, r->client, oidc->conf.grace_us, now_us);
	if ((verdict == OIDC_TAKE || verdict == OIDC_REPEAT) &&
	    !oidc_scope_covers(r->grant->scope, r->asked))
		return oauth_err(c->arena, ERR_INVALID, "invalid_scope",
		                 "the scope goes beyond what was granted");
	switch (verdict) {
	case OIDC_TAKE:
		return rotate(c, r->grant, &r->ticket, now_us, &r->fresh);
	case OIDC_REPEAT:
		return seal_open(oidc->seal, c->arena,
		                 successor_context(c->arena, r->grant, &r->ticket),
		                 r->grant->sealed, &r->fresh);
	case OIDC_REVOKE:
		TRY(reused(c, r->grant, now_us));
		return no_grant(c->arena,
		                "the refresh token was used before; its family is revoked");
	case OIDC_REFUSE:
		break;
	}
	return no_grant(c->arena, "the refresh token is over, revoked, or of another client");
}

static Err *token_refresh(ServiceCall *c, const OidcClient *client, const Form *form)
{
	Refreshing r = { .client = client, .asked = form_get(form, "scope") };
	int64_t now_us = 0;
	Str scope;

	TRY(need_grant(c, client, OIDC_GRANT_REFRESH));
	if (!oidc_ticket_read(c->arena, form_get(form, "refresh_token"), &r.ticket))
		return no_grant(c->arena, "the refresh token is none");
	for (int tries = 0; tries < 3 && !r.fresh.len; tries++)
		TRY(refresh_once(c, &r, now_us = time_utc_us()));
	if (!r.fresh.len)
		return no_grant(c->arena, "the refresh token was used by somebody else meanwhile");
	scope = r.asked.len ? oidc_scope_common(c->arena, r.asked, r.grant->scope) : r.grant->scope;
	return answer(c, &(OidcMint){ client, r.grant, scope, now_us, { 0 } }, r.fresh, false);
}

/* --- a client of its own ------------------------------------------------------------------------------------------------ */

static Err *token_client(ServiceCall *c, const OidcClient *client, const Form *form)
{
	Str asked = form_get(form, "scope"), scope = client->scope;

	TRY(need_grant(c, client, OIDC_GRANT_CLIENT));
	if (client->auth == OIDC_AUTH_NONE)
		return oauth_err(c->arena, ERR_INVALID, "unauthorized_client",
		                 "a public client has no word of its own");
	if (asked.len) {
		if (!oidc_scope_is(asked) || !oidc_scope_covers(client->scope, asked))
			return oauth_err(c->arena, ERR_INVALID, "invalid_scope",
			                 "the client may not have all of that scope");
		scope = oidc_scope_common(c->arena, asked, client->scope);
	}
	return answer(c, &(OidcMint){ client, NULL, scope, time_utc_us(), { 0 } }, (Str){ 0 },
	              false);
}

typedef Err *GrantFn(ServiceCall *c, const OidcClient *client, const Form *form);

static const struct {
	Str name;
	GrantFn *run;
} grants[] = {
	{ S("authorization_code"), token_code },
	{ S("refresh_token"), token_refresh },
	{ S("client_credentials"), token_client },
};

static Err *token_post(ServiceCall *c)
{
	OidcClient *client;
	Form form;
	Str type;

	TRY(oidc_need_issuer(c));
	TRY(oidc_read_body(c, &form));
	type = form_get(&form, "grant_type");
	if (!type.len)
		return oauth_err(c->arena, ERR_INVALID, "invalid_request", "grant_type is missing");
	TRY(oidc_client_proved(c, &form, &client));
	for (size_t i = 0; i < COUNT(grants); i++)
		if (str_eq(grants[i].name, type))
			return grants[i].run(c, client, &form);
	return oauth_err(
		c->arena, ERR_INVALID, "unsupported_grant_type",
		"the grant_type is authorization_code, refresh_token or client_credentials");
}

static const ServiceRoute routes[] = {
	{ "OPTIONS", "/oauth2/token", oidc_preflight, .hidden = true, .tag = "openid",
	  .help = "may pages of other origins ask" },
	{ "POST", "/oauth2/token", token_post, .kind = SERVICE_BODY_RAW, .fail = oidc_fail,
	  .tag = "openid", .help = "a code, a refresh token or a client's own word for tokens" },
};

const ServiceRoutes *oidc_token_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
