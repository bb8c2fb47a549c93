/* SPDX-License-Identifier: Apache-2.0
 *
 * What the console adds to the admin port: the page's files, log-in, log-out and who one is. All that it shows comes from the
 * port's other pages, by the browser.
 *
 * Logging in is a POST with the token as for everything else; the answer sets the cookie that stands for it from then on, and
 * gives the proof that what changes something must carry beside the cookie. The cookie's name has the port in it,
 * because cookies know no ports: two gateways on one host would otherwise log each other's people out. Logging in at a provider
 * is openid_pages.c; it ends here too. */
#include "console/console.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "console/console_int.h"
#include "console/files.h"
#include "console/sessions.h"
#include "http/cookie.h"
#include "http/exchange.h"
#include "http/url.h"
#include "obs/metric.h"

static Err no_page = ERR_STATIC(NOT_FOUND, "console.unknown", "the console has no such file");
static Err no_front = ERR_STATIC(NOT_FOUND, "admin.unknown",
                                 "there is no such page; for people there is /console/");
static Err no_proof =
	ERR_STATIC(DENIED, "console.proof",
                   "what changes something carries X-Banyan-Proof beside the cookie: log in again");
static Err no_login =
	ERR_STATIC(DENIED, "console.login", "logging in takes \"Authorization: Bearer TOKEN\"");

static void read_sessions(MetricOut *out)
{
	metric_emit(out, NULL, (double)console_session_count(time_mono_us()));
}

static void read_limit(MetricOut *out)
{
	metric_emit(out, NULL, SESSIONS_MAX);
}

static const MetricFamily families[] = {
	{ "banyan_console_sessions", METRIC_GAUGE, "sessions", "People logged in to the console",
	  .read = read_sessions },
	{ "banyan_console_sessions_limit", METRIC_GAUGE, "sessions",
	  "Sessions there is room for; one more ends the one used the longest time ago",
	  .read = read_limit },
};

/* --- sessions ------------------------------------------------------------------------------------------------------- */

Str console_cookie_name(const Exchange *x)
{
	Str host;
	uint16_t port = 0;

	if (url_authority(x->arena, x->request.authority, &host, &port))
		port = 0;
	return str_fmt(x->arena, "banyan_console_%u", port);
}

static Err *find_session(Exchange *x, bool changes, AdminWho *who)
{
	Str id = http_cookie(&x->request.headers, console_cookie_name(x));
	Str given = headers_get_name(&x->request.headers, S("X-Banyan-Proof")), proof;

	if (!console_session_find(x->arena, id, time_mono_us(), who, &proof))
		return NULL;
	return !changes || str_eq(given, proof) ? NULL : &no_proof;
}

Str console_cookie(const Exchange *x, Str name, Str value, const char *path)
{
	return str_fmt(x->arena, "%.*s=%.*s; Path=%s; HttpOnly; SameSite=Strict%s%s", STR_ARG(name),
	               STR_ARG(value), path, x->secure ? "; Secure" : "",
	               value.len ? "" : "; Max-Age=0");
}

Err *console_answer(Exchange *x, unsigned status, const Str *cookies, size_t count, Str body)
{
	Head head = { .status = (uint16_t)status,
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)body.len };

	headers_add(&head.headers, x->arena, S("Content-Type"), S("application/json"));
	headers_add(&head.headers, x->arena, S("Cache-Control"), S("no-store"));
	for (size_t i = 0; i < count; i++)
		if (cookies[i].len)
			headers_add(&head.headers, x->arena, S("Set-Cookie"), cookies[i]);
	TRY(http_begin(x, &head));
	TRY(http_write(x, body));
	return http_end(x, NULL);
}

static Err *answer_who(Exchange *x, const AdminWho *who, const Str *cookies, size_t count,
                       Str proof)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	Str body;

	json_begin_object(&w);
	json_put_str(&w, "name", who->name);
	json_put_str(&w, "role", admin_role_name(who->role));
	json_put_bool(&w, "changes",
	              who->name.len > 0); /* without a token nobody can change a thing */
	if (proof.len)
		json_put_str(&w, "proof", proof);
	json_end(&w);
	TRY(json_done(&w, &body));
	return console_answer(x, 200, cookies, count, body);
}

Err *console_log_in(Exchange *x, const AdminWho *who, Str leave, Str cookie)
{
	Str name = console_cookie_name(x), id, proof;

	console_session_end(x->arena, http_cookie(&x->request.headers, name), &id);
	console_session_begin(x->arena, who, leave, time_mono_us(), &id, &proof);
	return answer_who(x, who, (Str[]){ console_cookie(x, name, id, "/"), cookie }, 2, proof);
}

/* --- pages ---------------------------------------------------------------------------------------------------------- */

static Err *redirect(Exchange *x)
{
	Head head = { .status = 307, .body = HTTP_BODY_NONE };

	headers_add(&head.headers, x->arena, S("Location"), S("/console/"));
	return http_begin(x, &head);
}

static bool is_browser(const Exchange *x)
{
	return str_find(headers_get(&x->request.headers, HTTP_ACCEPT), S("text/html")) >= 0;
}

static Err *page_front(Exchange *x, Str rest)
{
	(void)rest;
	return is_browser(x) ? redirect(x) : &no_front;
}

static Err *page_slash(Exchange *x, Str rest)
{
	(void)rest;
	return redirect(x);
}

static Err *page_file(Exchange *x, Str rest)
{
	const ConsoleFile *file = console_file(rest);

	return file ? console_file_answer(x, file) : &no_page;
}

static Err *page_who(Exchange *x, Str rest)
{
	(void)rest;
	return answer_who(x, admin_who(x), NULL, 0, (Str){ 0 });
}

/* The guards have read the token: who asks is known. A cookie alone begins no second session. */
static Err *page_login(Exchange *x, Str rest)
{
	(void)rest;
	if (!headers_get(&x->request.headers, HTTP_AUTHORIZATION).len)
		return &no_login;
	return console_log_in(x, admin_who(x), (Str){ 0 }, (Str){ 0 });
}

/* Who came by a provider is told where to go, to be logged out there too. */
static Err *page_logout(Exchange *x, Str rest)
{
	Str name = console_cookie_name(x), cookie = console_cookie(x, name, S(""), "/"), leave,
	    body;
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);

	(void)rest;
	console_session_end(x->arena, http_cookie(&x->request.headers, name), &leave);
	json_begin_object(&w);
	json_put_bool(&w, "ok", true);
	if (leave.len)
		json_put_str(&w, "to", leave);
	json_end(&w);
	TRY(json_done(&w, &body));
	return console_answer(x, 200, &cookie, 1, body);
}

static const AdminPage pages[] = {
	{ S("/"), S("GET"), page_front, .open = true },
	{ S("/console"), S("GET"), page_slash, .open = true },
	{ S("/console/who"), S("GET"), page_who },
	{ S("/console/login"), S("POST"), page_login, .changes = true },
	{ S("/console/logout"), S("POST"), page_logout, .changes = true },
	{ S("/console/**"), S("GET"), page_file, .open = true },
};

void console_begin(void)
{
	size_t count;
	const AdminPage *more = openid_pages(&count);

	admin_extend(more, count);
	admin_extend(pages, COUNT(pages));
	admin_sessions(find_session);
	metrics_add(families, COUNT(families));
}

void console_put_metrics(Buf *b)
{
	metrics_put_markdown(b, families, COUNT(families));
}
