/* SPDX-License-Identifier: Apache-2.0
 *
 * The authorization endpoint (RFC 6749, section 3.1): a person's browser comes from a client and goes back to it with a code.
 *
 * What comes next is decided by oidc_next_step; on the way through the pages for logging in the request travels as their `next`, an
 * address of ours, so nothing is kept for whoever has not proved anything yet. Where the client wants a new login, `next` has a
 * sealed mark of when it was asked for: a login after that, and soon, is meant for it.
 *
 * Consent is a form that posts the request back, and is read anew from the first letter on: what was on the page counts for
 * nothing but the yes. */
#include "user/oidc_int.h"

#include "auth/seal.h"
#include "base/arena.h"
#include "base/time.h"
#include "user/accounts.h"
#include "user/oidc_deed.h"
#include "user/pages.h"

#define MARK "asked" /* a parameter of ours */

enum { MARK_S = 900 };

typedef struct Request {
	Form form;
	OidcClient *client;
	OidcAsked asked;
	Session *session; /* NULL: nobody */
	User *user;
	OidcPerson person;
} Request;

/* --- going back to the client --------------------------------------------------------------------------------------------- */

static void send_back(ServiceCall *c, const Form *form, const FormPair *pairs, size_t count)
{
	Str redirect = form_get(form, "redirect_uri"), state = form_get(form, "state");
	AUTO(buf_fini) Buf to = { 0 };

	buf_put(&to, redirect);
	if (str_find_char(redirect, '?') < 0)
		buf_putc(&to, '?');
	for (size_t i = 0; i < count; i++)
		form_put(&to, pairs[i].name, pairs[i].value);
	if (state.len)
		form_put(&to, S("state"), state);
	form_put(&to, S("iss"), oidc_of(c)->issuer);
	oidc_no_store(c);
	service_redirect(c, 303, str_dup(c->arena, buf_str(&to)));
}

static Err *send_fault(ServiceCall *c, const Form *form, OidcFault fault)
{
	const FormPair pairs[] = { { S("error"), str_of(fault.error) },
		                   { S("error_description"), str_of(fault.why) } };

	send_back(c, form, pairs, COUNT(pairs));
	return NULL;
}

static Err *send_code(ServiceCall *c, const Request *r, bool *sent)
{
	Oidc *oidc = oidc_of(c);
	Str code = secret_token(c->arena);
	int64_t now_us = time_utc_us();
	OidcGrant grant = { .id = uuid_new(),
		            .client = r->client->id,
		            .user = r->user->id,
		            .session = r->session->id,
		            .scope = r->asked.scope,
		            .level = r->session->level,
		            .methods = r->session->methods,
		            .auth_us = r->session->proved_us,
		            .offline = oidc_scope_has(r->asked.scope, S("offline_access")),
		            .until_us = now_us + oidc->conf.code_us + oidc->conf.access_us };
	OidcKept kept = { .hash = secret_hash(c->arena, code),
		          .redirect_uri = form_get(&r->form, "redirect_uri"),
		          .challenge = form_get(&r->form, "code_challenge"),
		          .nonce = form_get(&r->form, "nonce"),
		          .until_us = now_us + oidc->conf.code_us };
	const FormPair pairs[] = { { S("code"), code } };

	TRY(oidc_grant_begin(c->db, c->arena, &grant, &kept, sent));
	if (*sent)
		send_back(c, &r->form, pairs, COUNT(pairs));
	return NULL;
}

/* --- who sits there ------------------------------------------------------------------------------------------------------- */

static Str mark_context(Arena *a, const Request *r)
{
	return str_fmt(a, "oidc.asked:%.*s", STR_ARG(r->client->id));
}

/* When this request sent its person to log in; 0: it did not, or long ago. */
static int64_t read_mark(ServiceCall *c, const Request *r)
{
	Str mark = form_get(&r->form, MARK), plain;
	uint64_t us;

	if (!mark.len ||
	    seal_open(oidc_of(c)->seal, c->arena, mark_context(c->arena, r), mark, &plain) ||
	    !str_to_u64(plain, &us) || time_utc_us() - (int64_t)us > MARK_S * US_PER_S)
		return 0;
	return (int64_t)us;
}

static Err *read_person(ServiceCall *c, Request *r)
{
	TRY(pages_session(c, &r->session, &r->user));
	if (!r->session)
		return NULL;
	r->person = (OidcPerson){ .known = true,
		                  .auth_us = r->session->proved_us,
		                  .level = r->session->level,
		                  .has_second = r->user->totp,
		                  .asked_us = read_mark(c, r) };
	return oidc_consent_load(c->db, c->arena, r->user->id, r->client->id, &r->person.consented);
}

/* --- what is asked -------------------------------------------------------------------------------------------------------- */

/* *fault is one that may go to the client. Fails where nothing may go anywhere. */
static Err *read_request(ServiceCall *c, Request *r, OidcFault *fault)
{
	Str id = form_get(&r->form, "client_id");
	const Form *f = &r->form;
	OidcAsk ask = { .response_type = form_get(f, "response_type"),
		        .response_mode = form_get(f, "response_mode"),
		        .redirect_uri = form_get(f, "redirect_uri"),
		        .scope = form_get(f, "scope"),
		        .state = form_get(f, "state"),
		        .nonce = form_get(f, "nonce"),
		        .code_challenge = form_get(f, "code_challenge"),
		        .code_challenge_method = form_get(f, "code_challenge_method"),
		        .prompt = form_get(f, "prompt"),
		        .max_age = form_get(f, "max_age"),
		        .acr_values = form_get(f, "acr_values"),
		        .has_request = form_get(f, "request").len > 0,
		        .has_request_uri = form_get(f, "request_uri").len > 0,
		        .has_registration = form_get(f, "registration").len > 0 };

	TRY(oidc_need_issuer(c));
	if (id.len)
		TRY(oidc_client_load(c->db, c->arena, id, &r->client));
	*fault = oidc_ask_where(r->client, ask.redirect_uri);
	if (fault->error)
		return oauth_err(c->arena, ERR_INVALID, "invalid_request", "%s", fault->why);
	*fault = oidc_ask_check(c->arena, r->client, &ask, &r->asked);
	return NULL;
}

/* The request once more, as an address of ours; with a mark when a new login is wanted. */
static Err *next_address(ServiceCall *c, const Request *r, Str *out)
{
	bool again = r->asked.prompt & OIDC_PROMPT_LOGIN || r->asked.max_age_s == 0;
	AUTO(buf_fini) Buf to = { 0 };
	Str mark;

	buf_put(&to, S("/oauth2/authorize?"));
	for (size_t i = 0; i < r->form.count; i++)
		if (!str_eq(r->form.at[i].name, S(MARK)))
			form_put(&to, r->form.at[i].name, r->form.at[i].value);
	if (again) {
		TRY(seal_close(oidc_of(c)->seal, c->arena, mark_context(c->arena, r),
		               str_fmt(c->arena, "%" PRId64, time_utc_us()), &mark));
		form_put(&to, S(MARK), mark);
	}
	*out = str_dup(c->arena, buf_str(&to));
	return NULL;
}

static Err *send_to_page(ServiceCall *c, const Request *r, const char *page)
{
	Str hint = form_get(&r->form, "login_hint"), locales = form_get(&r->form, "ui_locales");
	AUTO(buf_fini) Buf to = { 0 };
	Str next;

	TRY(next_address(c, r, &next));
	buf_put(&to, str_of(page));
	buf_putc(&to, '?');
	form_put(&to, S("next"), next);
	if (hint.len)
		form_put(&to, S("login"), hint);
	if (locales.len)
		form_put(&to, S("ui_locales"), locales);
	oidc_no_store(c);
	service_redirect(c, 303, str_dup(c->arena, buf_str(&to)));
	return NULL;
}

static Err *show_consent(ServiceCall *c, const Request *r)
{
	AUTO(buf_fini) Buf query = { 0 };

	for (size_t i = 0; i < r->form.count; i++)
		form_put(&query, r->form.at[i].name, r->form.at[i].value);
	return pages_consent(c, &(PagesConsent){ .client = r->client,
	                                         .user = r->user,
	                                         .scope = r->asked.scope,
	                                         .request = str_dup(c->arena, buf_str(&query)),
	                                         .redirect = form_get(&r->form, "redirect_uri"),
	                                         .locales = form_get(&r->form, "ui_locales") });
}

static Err *go_on(ServiceCall *c, Request *r)
{
	OidcFault fault;
	OidcStep step;
	bool sent = false;

	step = oidc_next_step(r->client, &r->asked, &r->person, time_utc_us(), &fault);
	if (step == OIDC_STEP_CODE) {
		TRY(send_code(c, r, &sent));
		if (sent)
			return NULL;
		r->person = (OidcPerson){ .known = false }; /* logged out meanwhile */
		step = oidc_next_step(r->client, &r->asked, &r->person, time_utc_us(), &fault);
	}
	switch (step) {
	case OIDC_STEP_CODE:
	case OIDC_STEP_LOGIN:
		return send_to_page(c, r, "/login");
	case OIDC_STEP_CREATE:
		return send_to_page(c, r, "/register");
	case OIDC_STEP_SECOND:
		return send_to_page(c, r, "/login/code");
	case OIDC_STEP_CONSENT:
		return show_consent(c, r);
	case OIDC_STEP_FAULT:
		break;
	}
	return send_fault(c, &r->form, fault);
}

static Err *authorize(ServiceCall *c, Request *r)
{
	OidcFault fault;

	TRY(read_request(c, r, &fault));
	if (fault.error)
		return send_fault(c, &r->form, fault);
	TRY(read_person(c, r));
	return go_on(c, r);
}

static Err *authorize_get(ServiceCall *c)
{
	Request r = { 0 };

	TRY(oidc_read_query(c, &r.form));
	return authorize(c, &r);
}

static Err *authorize_post(ServiceCall *c)
{
	Request r = { 0 };

	TRY(oidc_read_body(c, &r.form));
	return authorize(c, &r);
}

static Err *keep_consent(ServiceCall *c, const Request *r)
{
	Asker asker = pages_asker(c, r->user);

	return oidc_consent_give(c->db, c->arena,
	                         &(OidcDeed){ .user = r->user->id,
	                                      .client = r->client->id,
	                                      .asker = &asker,
	                                      .scope =
	                                              oidc_scope_join(c->arena, r->person.consented,
	                                                              r->asked.scope),
	                                      .now_us = time_utc_us() });
}

/* The yes or no to a request that comes with it. */
static Err *consent_post(ServiceCall *c)
{
	Request r = { 0 };
	OidcFault fault;
	Form form;

	TRY(pages_form(c, "consent", &form));
	TRY(form_read(c->arena, form_get(&form, "request"), &r.form));
	TRY(read_request(c, &r, &fault));
	if (fault.error)
		return send_fault(c, &r.form, fault);
	TRY(read_person(c, &r));
	if (!str_eq(form_get(&form, "answer"), S("yes")))
		return send_fault(c, &r.form,
		                  (OidcFault){ "access_denied", "the person did not agree" });
	if (r.person.known) {
		TRY(keep_consent(c, &r));
		r.person.consent_now = true;
	}
	return go_on(c, &r);
}

static const ServiceRoute routes[] = {
	{ "GET", "/oauth2/authorize", authorize_get, .fail = pages_fail, .tag = "openid",
	  .help = "where clients send people to log in" },
	{ "POST", "/oauth2/authorize", authorize_post, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .tag = "openid", .help = "the same, by a form" },
	{ "POST", "/oauth2/consent", consent_post, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .hidden = true, .tag = "openid", .help = "what the consent page posts" },
};

const ServiceRoutes *oidc_authorize_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
