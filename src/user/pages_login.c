/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in: name and password, then a code where the account has a second factor; and what is shown around log-out.
 *
 * Whatever was wrong with name or password is one sentence. Where a login leads is kept in the page as `next`, an address of ours
 * (pages_next), so that no login leads to anybody else's. */
#include "base/arena.h"
#include "base/time.h"
#include "user/pages.h"

/* --- name and password ---------------------------------------------------------------------------------------------------- */

static Err *show_login(ServiceCall *c, const Form *form, unsigned status, const char *problem,
                       Str seconds)
{
	Str next = pages_next(form), locales = form_get(form, "ui_locales");
	Page page = { .file = "login.html",
		      .title = "login.title",
		      .status = status,
		      .form = "login",
		      .locales = locales,
		      .data = pages_data(c) };
	OidcClient *client;

	TRY(pages_leads_to(c, next, &client, &page.to));
	page_put(page.data, "client", client ? client->name : (Str){ 0 });
	page_put(page.data, "login", form_get(form, "login"));
	page_put(page.data, "next", next);
	page_put(page.data, "seconds", seconds);
	page_put(page.data, "recover", pages_link(c, "/recover", next, locales));
	page_put(page.data, "register",
	         oidc_of(c)->registration ? pages_link(c, "/register", next, locales) : (Str){ 0 });
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *login_get(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_query(c, &form));
	return show_login(c, &form, 200, NULL, (Str){ 0 });
}

static Err *limited(ServiceCall *c, int64_t retry_us, Str *seconds)
{
	int64_t s = (retry_us + US_PER_S - 1) / US_PER_S;

	service_retry_after(c, retry_us);
	*seconds = str_fmt(c->arena, "%" PRId64, MAX(s, 1));
	return NULL;
}

/* The session before it, if any, ends: one browser, one person. */
static Err *go_in(ServiceCall *c, const Login *login, Str next, Str locales)
{
	bool done = login->state == LOGIN_DONE;

	pages_set_session(c, login->session, login->token);
	service_redirect(c, 303, done ? next : pages_link(c, "/login/code", next, locales));
	oidc_no_store(c);
	return NULL;
}

static Err *end_before(ServiceCall *c, Str token)
{
	Asker asker = pages_asker(c, NULL);
	bool ended;

	if (token.len != SESSION_TOKEN)
		return NULL;
	return session_end(oidc_of(c)->accounts, c->arena, token, &asker, &ended);
}

static Err *login_post(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	Str before = pages_session_token(c), seconds = { 0 };
	Login *login;
	Form form;

	TRY(pages_form(c, "login", &form));
	TRY(account_login(oidc_of(c)->accounts, c->arena,
	                  &(LoginTry){ form_get(&form, "login"), form_get(&form, "password"),
	                               &asker },
	                  &login));
	switch (login->state) {
	case LOGIN_REFUSED:
		return show_login(c, &form, 422, "login.refused", seconds);
	case LOGIN_LIMITED:
		TRY(limited(c, login->retry_us, &seconds));
		return show_login(c, &form, 429, "login.limited", seconds);
	case LOGIN_FACTOR:
	case LOGIN_DONE:
		break;
	}
	TRY(end_before(c, before));
	return go_in(c, login, pages_next(&form), form_get(&form, "ui_locales"));
}

/* --- the second factor ---------------------------------------------------------------------------------------------------- */

static Err *show_code(ServiceCall *c, const Form *form, unsigned status, const char *problem,
                      Str seconds)
{
	Str next = pages_next(form), locales = form_get(form, "ui_locales");
	Page page = { .file = "code.html",
		      .title = "code.title",
		      .status = status,
		      .form = "code",
		      .locales = locales,
		      .data = pages_data(c) };
	OidcClient *client;

	TRY(pages_leads_to(c, next, &client, &page.to));
	page_put(page.data, "next", next);
	page_put(page.data, "seconds", seconds);
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *code_get(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_query(c, &form));
	if (pages_session_token(c).len != SESSION_TOKEN) {
		service_redirect(c, 303,
		                 pages_link(c, "/login", pages_next(&form),
		                            form_get(&form, "ui_locales")));
		return NULL;
	}
	return show_code(c, &form, 200, NULL, (Str){ 0 });
}

static Err *code_post(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	Str seconds = { 0 };
	Login *login;
	Form form;

	TRY(pages_form(c, "code", &form));
	TRY(account_login_code(oidc_of(c)->accounts, c->arena, pages_session_token(c),
	                       form_get(&form, "code"), &asker, &login));
	switch (login->state) {
	case LOGIN_LIMITED:
		TRY(limited(c, login->retry_us, &seconds));
		return show_code(c, &form, 429, "login.limited", seconds);
	case LOGIN_REFUSED:
	case LOGIN_FACTOR:
		return show_code(c, &form, 422, "code.refused", seconds);
	case LOGIN_DONE:
		break;
	}
	return go_in(c, login, pages_next(&form), form_get(&form, "ui_locales"));
}

/* --- what a client would like, and log-out -------------------------------------------------------------------------------- */

static Str host_of(Str uri)
{
	ptrdiff_t scheme = str_find(uri, S("://"));
	Str rest = scheme < 0 ? uri : str_sub(uri, (size_t)scheme + 3, uri.len);
	size_t end = 0;

	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?' && rest.at[end] != ':')
		end++;
	return str_sub(rest, 0, end);
}

static Str user_name(const User *user)
{
	if (user->email.len)
		return user->email;
	return user->username.len ? user->username : user->name;
}

Err *pages_consent(ServiceCall *c, const PagesConsent *consent)
{
	Page page = { .file = "consent.html",
		      .title = "consent.title",
		      .form = "consent",
		      .locales = consent->locales,
		      .to = consent->redirect,
		      .data = pages_data(c) };
	Str rest = consent->scope, one;

	page_put(page.data, "client", consent->client->name);
	page_put(page.data, "user", user_name(consent->user));
	page_put(page.data, "host", host_of(consent->redirect));
	page_put(page.data, "request", consent->request);
	while (str_split(&rest, ' ', &one)) {
		const char *key = str_z(c->arena, str_fmt(c->arena, "scope.%.*s", STR_ARG(one)));
		Str text = pages_say(c, &page, key);

		page_put(page_add(page.data, "scopes"), "scope", text.len ? text : one);
	}
	return pages_show(c, &page);
}

Err *pages_ask_logout(ServiceCall *c, Str client, Str request, Str to)
{
	Page page = { .file = "logout.html",
		      .title = "logout.title",
		      .form = "logout",
		      .to = to,
		      .data = pages_data(c) };

	page_put(page.data, "client", client);
	page_put(page.data, "request", request);
	return pages_show(c, &page);
}

Err *pages_logged_out(ServiceCall *c)
{
	return pages_message(c, 200, "logout.done.title", "logout.done.lead", "/login", "go.login",
	                     (Str){ 0 });
}

static const ServiceRoute routes[] = {
	{ "GET", "/login", login_get, .fail = pages_fail, .hidden = true, .tag = "pages",
	  .help = "the page to log in" },
	{ "POST", "/login", login_post, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .hidden = true, .tag = "pages", .help = "what it posts" },
	{ "GET", "/login/code", code_get, .fail = pages_fail, .hidden = true, .tag = "pages",
	  .help = "the page for a second factor" },
	{ "POST", "/login/code", code_post, .kind = SERVICE_BODY_RAW, .fail = pages_fail,
	  .hidden = true, .tag = "pages", .help = "what it posts" },
};

const ServiceRoutes *pages_login_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
