/* SPDX-License-Identifier: Apache-2.0
 *
 * The account's page: where one is logged in, the second factor, who has access; each can be ended here.
 *
 * What changes how one logs in wants a login of the last few minutes, so that a browser left open is not enough. */
#include "base/arena.h"
#include "base/time.h"
#include "user/account_change.h"
#include "user/oidc_deed.h"
#include "user/pages.h"
#include "user/totps.h"

enum { FRESH_S = 600, DAY_BYTES = 10 };

typedef struct Here {
	Session *session;
	User *user;
	Asker asker;
} Here;

/* Proved just now, and with the second factor where there is one (user_need_fresh). */
static bool is_fresh(const Here *here)
{
	return time_utc_us() - here->session->proved_us < FRESH_S * US_PER_S &&
	       (!here->user->totp || here->session->level >= 2);
}

/* Who is not logged in is sent there; then *there is false, and all is said. */
static Err *find_here(ServiceCall *c, bool fresh, const char *back, Here *here, bool *there)
{
	TRY(pages_session(c, &here->session, &here->user));
	here->asker = pages_asker(c, here->user);
	*there = here->session && (!fresh || is_fresh(here));
	if (!*there) {
		oidc_no_store(c);
		service_redirect(c, 303, pages_link(c, "/login", str_of(back), (Str){ 0 }));
	}
	return NULL;
}

static Str day_of(Arena *a, int64_t us)
{
	AUTO(buf_fini) Buf text = { 0 };

	time_put_rfc3339(&text, us);
	return str_dup(a, str_sub(buf_str(&text), 0, DAY_BYTES));
}

/* --- the page ------------------------------------------------------------------------------------------------------------- */

/* What a browser calls itself, in two words. */
static Str agent_name(Arena *a, Str agent)
{
	static const char *const browsers[][2] = {
		{ "Edg/", "Edge" },      { "OPR/", "Opera" },     { "Firefox/", "Firefox" },
		{ "Chrome/", "Chrome" }, { "Safari/", "Safari" }, { "curl/", "curl" },
	};
	static const char *const systems[][2] = {
		{ "Android", "Android" }, { "iPhone", "iPhone" },  { "iPad", "iPad" },
		{ "Windows", "Windows" }, { "Mac OS X", "macOS" }, { "Linux", "Linux" },
	};
	const char *browser = NULL, *system = NULL;

	for (size_t i = 0; i < COUNT(browsers) && !browser; i++)
		if (str_find(agent, str_of(browsers[i][0])) >= 0)
			browser = browsers[i][1];
	for (size_t i = 0; i < COUNT(systems) && !system; i++)
		if (str_find(agent, str_of(systems[i][0])) >= 0)
			system = systems[i][1];
	if (browser)
		return str_fmt(a, system ? "%s, %s" : "%s", browser, system);
	return str_sub(agent, 0, 60);
}

static Err *put_sessions(ServiceCall *c, const Page *page, const Here *here)
{
	Session *sessions;
	size_t count;

	TRY(session_list(oidc_of(c)->accounts, c->arena, here->user->id, &sessions, &count));
	for (size_t i = 0; i < count; i++) {
		PageData *row = page_add(page->data, "sessions");
		bool current = uuid_eq(sessions[i].id, here->session->id);
		Str agent = agent_name(c->arena, sessions[i].agent);

		page_put(row, "id", session_id_text(c->arena, sessions[i].id));
		page_put(row, "agent", agent.len ? agent : pages_say(c, page, "account.unknown"));
		page_put(row, "address", sessions[i].address);
		page_put(row, "when", day_of(c->arena, sessions[i].used_us));
		page_put(row, "current", current ? S("1") : (Str){ 0 });
	}
	page_put(page->data, "others", count > 1 ? S("1") : (Str){ 0 });
	return NULL;
}

static Err *put_consents(ServiceCall *c, const Page *page, const Here *here)
{
	OidcConsent *list;
	size_t count;

	TRY(oidc_consent_list(c->db, c->arena, here->user->id, &list, &count));
	for (size_t i = 0; i < count; i++) {
		PageData *row = page_add(page->data, "consents");

		page_put(row, "client_id", list[i].client);
		page_put(row, "name", list[i].name);
		page_put(row, "when", day_of(c->arena, list[i].given_us));
	}
	return NULL;
}

static Err *account_get(ServiceCall *c)
{
	Page page = { .file = "account.html", .title = "account.title", .form = "account" };
	Here here;
	bool there;

	TRY(find_here(c, false, "/account", &here, &there));
	if (!there)
		return NULL;
	page.data = pages_data(c);
	page_put(page.data, "user", here.user->email.len ? here.user->email : here.user->username);
	page_put(page.data, "totp", here.user->totp ? S("1") : (Str){ 0 });
	page_put(page.data, "logout_csrf", pages_csrf(c, "logout"));
	TRY(put_sessions(c, &page, &here));
	TRY(put_consents(c, &page, &here));
	return pages_show(c, &page);
}

static void back(ServiceCall *c)
{
	oidc_no_store(c);
	service_redirect(c, 303, S("/account"));
}

/* --- what it posts ------------------------------------------------------------------------------------------------------- */

static Err *sessions_post(ServiceCall *c)
{
	int64_t ended;
	Uuid id = { 0 };
	Form form;
	Here here;
	bool there;

	TRY(pages_form(c, "account", &form));
	TRY(find_here(c, false, "/account", &here, &there));
	if (!there)
		return NULL;
	if (form_get(&form, "session").len && !session_id_read(form_get(&form, "session"), &id))
		return err_new(c->arena, ERR_INVALID, "user.session", "there is no such session");
	TRY(session_revoke(oidc_of(c)->accounts, c->arena, here.user->id, id,
	                   uuid_is_nil(id) ? here.session->id : (Uuid){ 0 }, &here.asker, &ended));
	back(c);
	return NULL;
}

static Err *consents_post(ServiceCall *c)
{
	Form form;
	Here here;
	bool there;

	TRY(pages_form(c, "account", &form));
	TRY(find_here(c, false, "/account", &here, &there));
	if (!there)
		return NULL;
	TRY(oidc_consent_withdraw(c->db, c->arena,
	                          &(OidcDeed){ .user = here.user->id,
	                                       .client = form_get(&form, "client"),
	                                       .asker = &here.asker,
	                                       .now_us = time_utc_us() }));
	back(c);
	return NULL;
}

/* --- the password --------------------------------------------------------------------------------------------------------- */

static Err *show_password(ServiceCall *c, const FieldMistakes *wrong, const char *problem)
{
	Page page = { .file = "password.html",
		      .title = "password.title",
		      .form = "password",
		      .status = problem || (wrong && wrong->count) ? 422 : 200,
		      .data = pages_data(c) };

	page_put(page.data, "seconds", S("60"));
	if (wrong)
		TRY(pages_mistakes(c, &page, wrong));
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *password_get(ServiceCall *c)
{
	Here here;
	bool there;

	TRY(find_here(c, false, "/account/password", &here, &there));
	return there ? show_password(c, NULL, NULL) : NULL;
}

static Err *password_post(ServiceCall *c)
{
	FieldMistakes wrong = { .arena = c->arena };
	Str token = { 0 };
	Form form;
	Here here;
	bool there;
	Err *err;

	TRY(pages_form(c, "password", &form));
	TRY(find_here(c, false, "/account/password", &here, &there));
	if (!there)
		return NULL;
	err = account_password(oidc_of(c)->accounts, c->arena,
	                       &(PasswordChange){ .user = here.user,
	                                          .session = here.session,
	                                          .token = pages_session_token(c),
	                                          .current = form_get(&form, "current"),
	                                          .fresh = form_get(&form, "password"),
	                                          .asker = &here.asker },
	                       &wrong, &token);
	if (err_is(err, "user.limited"))
		return show_password(c, NULL, "login.limited");
	TRY(err);
	if (!token.len)
		return show_password(c, &wrong, NULL);
	pages_set_session(c, here.session, token);
	back(c);
	return NULL;
}

/* --- the second factor ---------------------------------------------------------------------------------------------------- */

static Str in_fours(Arena *a, Str secret)
{
	AUTO(buf_fini) Buf text = { 0 };

	for (size_t i = 0; i < secret.len; i++) {
		if (i && i % 4 == 0)
			buf_putc(&text, ' ');
		buf_putc(&text, secret.at[i]);
	}
	return str_dup(a, buf_str(&text));
}

static Err *show_totp(ServiceCall *c, const Here *here, const char *problem)
{
	Page page = { .file = "totp.html",
		      .title = "totp.title",
		      .form = "totp",
		      .status = problem ? 422 : 200,
		      .data = pages_data(c) };
	TotpOffer offer;

	TRY(totp_offer(oidc_of(c)->accounts, c->arena, here->user, &here->asker, &offer));
	page_put(page.data, "secret", in_fours(c->arena, offer.secret));
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *totp_get(ServiceCall *c)
{
	Here here;
	bool there;

	TRY(find_here(c, true, "/account/totp", &here, &there));
	if (!there)
		return NULL;
	if (here.user->totp) {
		back(c);
		return NULL;
	}
	return show_totp(c, &here, NULL);
}

static Err *totp_post(ServiceCall *c)
{
	Page page = { .file = "codes.html", .title = "codes.title" };
	const Str *codes;
	Form form;
	Here here;
	bool there;

	TRY(pages_form(c, "totp", &form));
	TRY(find_here(c, true, "/account/totp", &here, &there));
	if (!there)
		return NULL;
	TRY(totp_confirm(oidc_of(c)->accounts, c->arena, here.user, form_get(&form, "code"),
	                 &here.asker, &codes));
	if (!codes)
		return show_totp(c, &here, "code.refused");
	page.data = pages_data(c);
	for (size_t i = 0; i < SECRET_CODES; i++)
		page_put(page_add(page.data, "codes"), "recovery", codes[i]);
	return pages_show(c, &page);
}

static Err *drop_post(ServiceCall *c)
{
	bool there, dropped;
	Form form;
	Here here;

	TRY(pages_form(c, "account", &form));
	TRY(find_here(c, true, "/account", &here, &there));
	if (!there)
		return NULL;
	TRY(totp_drop(oidc_of(c)->accounts, c->arena, here.user->id, &here.asker, &dropped));
	back(c);
	return NULL;
}

#define PAGE_GET .fail = pages_fail, .hidden = true, .tag = "pages"
#define PAGE_POST .kind = SERVICE_BODY_RAW, PAGE_GET

static const ServiceRoute routes[] = {
	{ "GET", "/account", account_get, PAGE_GET, .help = "the page of one's account" },
	{ "POST", "/account/sessions", sessions_post, PAGE_POST, .help = "end sessions" },
	{ "GET", "/account/password", password_get, PAGE_GET, .help = "the page for a password" },
	{ "POST", "/account/password", password_post, PAGE_POST, .help = "what it posts" },
	{ "POST", "/account/consents", consents_post, PAGE_POST, .help = "withdraw consent" },
	{ "GET", "/account/totp", totp_get, PAGE_GET, .help = "the page for an authenticator" },
	{ "POST", "/account/totp", totp_post, PAGE_POST, .help = "what it posts" },
	{ "POST", "/account/totp/drop", drop_post, PAGE_POST, .help = "remove it" },
};

const ServiceRoutes *pages_account_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
