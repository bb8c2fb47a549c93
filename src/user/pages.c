/* SPDX-License-Identifier: Apache-2.0
 *
 * What all pages have in common.
 *
 * No page needs a script, and none may run one: the policy allows styles and pictures of this origin, forms to it, and no frame
 * around it. Browsers hold a form's redirects to that policy too, so a page whose form leads to a client in the end names that
 * client's origin, once it is known to be one.
 *
 * A form counts when it was sent by a page of ours in this browser: the browser has a random cookie, and every form a value that comes
 * of it and of what the form is for. The cookie's name begins with __Host- over https, so that no other host can set it. */
#include "user/pages.h"

#include "base/arena.h"
#include "base/log.h"
#include "http/exchange.h"
#include "user/user_api.h"

#include "user_web.h"

#include <string.h>

/* --- cookies ------------------------------------------------------------------------------------------------------------ */

static const char *form_cookie(const ServiceCall *c)
{
	return oidc_of(c)->secure ? "__Host-banyan_form" : "banyan_form";
}

static void set_cookie(ServiceCall *c, Str name, Str value, int64_t seconds)
{
	service_say_header(c, "Set-Cookie",
	                   str_fmt(c->arena,
	                           "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%" PRId64
	                           "%s",
	                           STR_ARG(name), STR_ARG(value), seconds,
	                           oidc_of(c)->secure ? "; Secure" : ""));
}

Str pages_session_token(ServiceCall *c)
{
	bool cookie;
	Str token = user_token(c, &cookie);

	return cookie ? token : (Str){ 0 };
}

void pages_set_session(ServiceCall *c, const Session *session, Str token)
{
	user_cookie(c, session ? token : (Str){ 0 }, session ? session->until_us : 0);
}

Err *pages_session(ServiceCall *c, Session **session, User **user)
{
	Str token = pages_session_token(c);

	*session = NULL;
	*user = NULL;
	if (token.len != SESSION_TOKEN)
		return NULL;
	TRY(session_find(oidc_of(c)->accounts, c->arena, token, session, user));
	if (*session && (*session)->level < 1) {
		*session = NULL;
		*user = NULL;
	}
	return NULL;
}

Asker pages_asker(ServiceCall *c, const User *user)
{
	return (Asker){ .address = c->address,
		        .agent = service_header(c, "User-Agent"),
		        .actor = user ? account_id_text(c->arena, user->id) : (Str){ 0 },
		        .traceparent = c->traceparent };
}

Err *pages_log_out(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	Str token = pages_session_token(c);
	bool ended;

	if (token.len)
		TRY(session_end(oidc_of(c)->accounts, c->arena, token, &asker, &ended));
	pages_set_session(c, NULL, (Str){ 0 });
	return NULL;
}

/* --- forms -------------------------------------------------------------------------------------------------------------- */

static Str csrf_of(ServiceCall *c, Str cookie, const char *what)
{
	return session_csrf(c->arena, str_fmt(c->arena, "%.*s %s", STR_ARG(cookie), what));
}

/* The browser's own, or a new one for it, once an answer. */
static Str form_secret(ServiceCall *c)
{
	Str cookie = service_cookie(c, form_cookie(c)), fresh;

	if (cookie.len == SECRET_TOKEN)
		return cookie;
	for (uint32_t i = 0; i < c->headers.count; i++) {
		Str name = str_of(form_cookie(c)), value = c->headers.at[i].value;

		if (str_starts(value, name) && value.len > name.len + 1 + SECRET_TOKEN)
			return str_sub(value, name.len + 1, name.len + 1 + SECRET_TOKEN);
	}
	fresh = secret_token(c->arena);
	set_cookie(c, str_of(form_cookie(c)), fresh, 30 * 86400);
	return fresh;
}

Str pages_csrf(ServiceCall *c, const char *what)
{
	return csrf_of(c, form_secret(c), what);
}

/* The origin of an address, or its scheme when that is an application's own. */
static Str source_of(Arena *a, Str uri)
{
	ptrdiff_t scheme = str_find(uri, S("://")), end;
	Str rest;

	if (scheme < 0)
		return str_sub(uri, 0, (size_t)(str_find_char(uri, ':') + 1));
	rest = str_sub(uri, (size_t)scheme + 3, uri.len);
	for (end = 0; (size_t)end < rest.len && rest.at[end] != '/' && rest.at[end] != '?';)
		end++;
	return str_dup(a, str_sub(uri, 0, (size_t)(scheme + 3 + end)));
}

static bool is_from_here(ServiceCall *c, const Form *form, const char *what)
{
	Str origin = service_header(c, "Origin"), site = service_header(c, "Sec-Fetch-Site");
	Str cookie = service_cookie(c, form_cookie(c)), issuer = oidc_of(c)->issuer;
	Str own = source_of(c->arena, issuer), host = c->x->request.authority;
	ptrdiff_t scheme = str_find(origin, S("://"));

	if (cookie.len != SECRET_TOKEN ||
	    !secret_eq(csrf_of(c, cookie, what), form_get(form, "csrf")))
		return false;
	if (site.len && !str_eq(site, S("same-origin")) && !str_eq(site, S("none")))
		return false;
	if (!issuer.len && scheme > 0)
		return str_eq(str_sub(origin, (size_t)scheme + 3, origin.len), host);
	return !origin.len || str_eq(origin, own);
}

Err *pages_form(ServiceCall *c, const char *what, Form *out)
{
	TRY(oidc_read_body(c, out));
	if (!is_from_here(c, out, what))
		return err_new(c->arena, ERR_DENIED, "page.form",
		               "the form is too old, or was not sent by a page of ours");
	return NULL;
}

/* --- where to go ---------------------------------------------------------------------------------------------------------- */

#define AUTHORIZE "/oauth2/authorize?"

/* It becomes a header's value. */
static bool is_visible(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return true;
}

Str pages_next(const Form *form)
{
	static const Str pages[] = { S("/account"), S("/account/totp"), S("/account/password") };
	Str next = form_get(form, "next");

	if (str_starts(next, S(AUTHORIZE)) && is_visible(next))
		return next;
	for (size_t i = 0; i < COUNT(pages); i++)
		if (str_eq(next, pages[i]))
			return pages[i];
	return pages[0];
}

Err *pages_leads_to(ServiceCall *c, Str next, OidcClient **client, Str *to)
{
	Str redirect;
	Form form;

	*client = NULL;
	*to = (Str){ 0 };
	if (!str_starts(next, S(AUTHORIZE)) ||
	    form_read(c->arena, str_sub(next, sizeof(AUTHORIZE) - 1, next.len), &form))
		return NULL;
	TRY(oidc_client_load(c->db, c->arena, form_get(&form, "client_id"), client));
	redirect = form_get(&form, "redirect_uri");
	if (oidc_ask_where(*client, redirect).error)
		*client = NULL;
	else
		*to = redirect;
	return NULL;
}

Str pages_link(ServiceCall *c, const char *path, Str next, Str locales)
{
	AUTO(buf_fini) Buf to = { 0 };

	buf_put(&to, str_of(path));
	if (next.len || locales.len)
		buf_putc(&to, '?');
	if (next.len)
		form_put(&to, S("next"), next);
	if (locales.len)
		form_put(&to, S("ui_locales"), locales);
	return str_dup(c->arena, buf_str(&to));
}

/* --- the answer ----------------------------------------------------------------------------------------------------------- */

static PageLanguage language_of(const ServiceCall *c, Str locales)
{
	return page_language(locales, service_header(c, "Accept-Language"));
}

Str pages_say(ServiceCall *c, const Page *page, const char *key)
{
	return page_text(str_of(key), language_of(c, page->locales));
}

PageData *pages_data(ServiceCall *c)
{
	const Oidc *oidc = oidc_of(c);
	PageData *data = page_data(c->arena);

	page_put(data, "site", oidc->conf.name);
	page_put(data, "css", S("/pages/pages.css"));
	page_put(data, "theme", oidc->theme.len ? S("/pages/theme.css") : (Str){ 0 });
	page_put(data, "logo", oidc->logo.len ? S("/pages/logo") : (Str){ 0 });
	page_put(data, "least", str_fmt(c->arena, "%u", oidc->password_least));
	page_put(data, "next", (Str){ 0 });
	page_put(data, "ui_locales", (Str){ 0 });
	return data;
}

Err *pages_problem(ServiceCall *c, const Page *page, const char *key)
{
	Str text;

	if (!key)
		return NULL;
	TRY(page_say(c->arena, key, language_of(c, page->locales), page->data, &text));
	page_put(page_add(page->data, "problems"), "problem", text);
	return NULL;
}

/* Which sentence a mistake in a field is, and which field's. */
static const struct {
	const char *code, *key;
} mistakes[] = {
	{ "too_short", "field.too_short" }, { "too_long", "field.too_long" },
	{ "known", "field.breached" },      { "required", "field.required" },
	{ "wrong", "field.wrong" },
};

Err *pages_mistakes(ServiceCall *c, const Page *page, const FieldMistakes *wrong)
{
	for (size_t i = 0; i < wrong->count; i++) {
		const FieldMistake *m = &wrong->at[i];
		Str label = str_fmt(c->arena, "register.%.*s",
		                    STR_ARG(str_sub(m->pointer, 1, m->pointer.len)));
		Str name = pages_say(c, page, str_z(c->arena, label));
		const char *key = "field.other";

		for (size_t j = 0; j < COUNT(mistakes); j++)
			if (!strcmp(mistakes[j].code, m->code))
				key = mistakes[j].key;
		page_put(page->data, "field", name.len ? name : m->pointer);
		TRY(pages_problem(c, page, key));
	}
	return NULL;
}

static void say_guards(ServiceCall *c, Str to)
{
	Str source = to.len ? source_of(c->arena, to) : (Str){ 0 };

	if (str_find_char(source, ';') >= 0 || str_find_char(source, ',') >= 0)
		source.len = 0; /* it would end the policy's line */

	service_say_header(
		c, "Content-Security-Policy",
		str_fmt(c->arena,
	                "default-src 'none'; style-src 'self'; img-src 'self'; "
	                "form-action 'self' %.*s; base-uri 'none'; frame-ancestors 'none'",
	                STR_ARG(source)));
	service_say_header(c, "X-Content-Type-Options", S("nosniff"));
	service_say_header(c, "X-Frame-Options", S("DENY"));
	service_say_header(c, "Referrer-Policy", S("same-origin"));
	service_say_header(c, "Cross-Origin-Opener-Policy", S("same-origin"));
	service_say_header(c, "Vary", S("Accept-Language, Cookie"));
	oidc_no_store(c);
}

Err *pages_show(ServiceCall *c, const Page *page)
{
	PageLanguage language = language_of(c, page->locales);
	AUTO(buf_fini) Buf out = { 0 };
	Str html, title;

	page_put(page->data, "lang", page_language_tag(language));
	if (page->locales.len)
		page_put(page->data, "ui_locales", page->locales);
	if (page->form)
		page_put(page->data, "csrf", pages_csrf(c, page->form));
	TRY(page_say(c->arena, page->title, language, page->data, &title));
	page_put(page->data, "title", title);
	TRY(page_render(c->arena, user_pages, COUNT(user_pages), page->file, language, page->data,
	                &out));
	TRY(buf_done(&out, &html));
	say_guards(c, page->to);
	service_say(c, page->status ? page->status : 200, S("text/html; charset=utf-8"), html);
	return NULL;
}

Err *pages_message(ServiceCall *c, unsigned status, const char *title, const char *text,
                   const char *link, const char *link_text, Str locales)
{
	Page page = { .file = "message.html",
		      .title = title,
		      .status = status,
		      .locales = locales,
		      .data = pages_data(c) };

	page_put(page.data, "text", pages_say(c, &page, text));
	if (link) {
		page_put(page.data, "link", str_of(link));
		page_put(page.data, "link_text", pages_say(c, &page, link_text));
	}
	return pages_show(c, &page);
}

Err *pages_fail(ServiceCall *c, const Err *err)
{
	unsigned status = (unsigned)err_status(err);
	Page page = { .file = "message.html",
		      .title = "error.title",
		      .status = status,
		      .data = pages_data(c) };
	const char *key = "error.request";
	Str text;

	if (status >= 500)
		key = "error.later";
	else if (err_is(err, "page.form"))
		key = "error.form";
	if (status >= 500)
		log_warn("page %.*s: %.*s", STR_ARG(c->path), STR_ARG(err_chain(c->arena, err)));
	page_put(page.data, "why", err->text);
	TRY(page_say(c->arena, key, language_of(c, page.locales), page.data, &text));
	page_put(page.data, "text", text);
	page_put(page.data, "request_id", c->request_id);
	return pages_show(c, &page);
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */

static Err *send_file(ServiceCall *c, Str type, Str bytes)
{
	if (!bytes.len)
		return err_new(c->arena, ERR_NOT_FOUND, "page.file", "there is no such file");
	service_say_header(c, "Cache-Control", S("public, max-age=300"));
	service_say_header(c, "X-Content-Type-Options", S("nosniff"));
	service_say_header(c, "Content-Security-Policy",
	                   S("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
	service_say(c, 200, type, bytes);
	return NULL;
}

static Err *file_get(ServiceCall *c)
{
	const Oidc *oidc = oidc_of(c);
	Str name = service_part(c, "file");

	if (str_eq(name, S("theme.css")))
		return send_file(c, S("text/css; charset=utf-8"), oidc->theme);
	if (str_eq(name, S("logo")))
		return send_file(c, oidc->logo_type, oidc->logo);
	for (size_t i = 0; i < COUNT(user_pages); i++)
		if (str_eq(user_pages[i].name, name) && str_ends(name, S(".css")))
			return send_file(c, S("text/css; charset=utf-8"), user_pages[i].bytes);
	return err_new(c->arena, ERR_NOT_FOUND, "page.file", "there is no such file");
}

static const ServiceRoute routes[] = {
	{ "GET", "/pages/{file}", file_get, .hidden = true, .tag = "pages",
	  .help = "what pages look like" },
};

const ServiceRoutes *pages_file_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
