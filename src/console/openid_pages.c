/* SPDX-License-Identifier: Apache-2.0
 *
 * A log-in at a provider, as the browser sees it:
 *
 *   the page   POST /console/openid/begin   a cookie with what is sealed; where to go, and the proof, which the page keeps
 *   provider   GET  /console/openid/back    leads to the page, with all that came behind the # (which nobody is sent)
 *   the page   POST /console/openid/end     that text and the proof, with the cookie: a session, or why not
 *
 * The address that the provider leads back to decides nothing and reads nothing, so there is nothing in coming there by a link of
 * somebody else's. */
#include "console/console_int.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "console/openid.h"
#include "http/cookie.h"
#include "http/exchange.h"
#include "http/url.h"

#define COOKIE_PATH "/console/openid"

static Err off = ERR_STATIC(NOT_FOUND, "openid.off",
                            "nobody logs in at a provider here: there is no admin.openid");
static Err too_large =
	ERR_STATIC(TOO_LARGE, "openid.query", "what the provider sent you back with is too long");

static Str cookie_name(const Exchange *x)
{
	return str_fmt(x->arena, "%.*s_openid", STR_ARG(console_cookie_name(x)));
}

static Str base_of(const Exchange *x)
{
	return str_fmt(x->arena, "%s://%.*s", x->secure ? "https" : "http",
	               STR_ARG(x->request.authority));
}

static Err *need_conf(const AdminOpenidConf **out)
{
	*out = admin_openid();
	return *out ? NULL : &off;
}

/* For the button: the provider's host, or nothing. */
static Err *page_ways(Exchange *x, Str rest)
{
	const AdminOpenidConf *conf = admin_openid();
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	Str body;

	(void)rest;
	json_begin_object(&w);
	if (conf)
		json_put_str(&w, "issuer", conf->issuer);
	json_end(&w);
	TRY(json_done(&w, &body));
	return console_answer(x, 200, NULL, 0, body);
}

static Err *page_begin(Exchange *x, Str rest)
{
	const AdminOpenidConf *conf;
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);
	OpenidBegun begun;
	Str body, cookie;

	(void)rest;
	TRY(need_conf(&conf));
	TRY(openid_begin(x->arena, conf, base_of(x), time_utc_us(), &begun));
	json_begin_object(&w);
	json_put_str(&w, "to", begun.to);
	json_put_str(&w, "proof", begun.proof);
	json_end(&w);
	TRY(json_done(&w, &body));
	cookie = console_cookie(x, cookie_name(x), begun.sealed, COOKIE_PATH);
	return console_answer(x, 200, &cookie, 1, body);
}

static Err *page_back(Exchange *x, Str rest)
{
	Head head = { .status = 303, .body = HTTP_BODY_NONE };
	const AdminOpenidConf *conf;
	Url url;

	(void)rest;
	TRY(need_conf(&conf));
	TRY(url_canonical(x->arena, x->request.target, &(UrlRules){ 0 }, &url));
	if (url.query.len > OPENID_ANSWER_BYTES)
		return &too_large;
	headers_add(&head.headers, x->arena, S("Location"),
	            str_fmt(x->arena, "/console/#/openid?%.*s", STR_ARG(url.query)));
	headers_add(&head.headers, x->arena, S("Referrer-Policy"), S("no-referrer"));
	headers_add(&head.headers, x->arena, S("Cache-Control"), S("no-store"));
	return http_begin(x, &head);
}

static Err *read_body(Exchange *x, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str piece;

	do {
		TRY(http_read(x, &piece));
		if (b.len + piece.len > OPENID_ANSWER_BYTES)
			return &too_large;
		buf_put(&b, piece);
	} while (piece.len);
	*out = str_dup(x->arena, buf_str(&b));
	return NULL;
}

/* The cookie of the first step goes when somebody got in. Otherwise it stays until its time is over, and is of no use: the
 * provider gives nothing for a code that came before. */
static Err *page_end(Exchange *x, Str rest)
{
	OpenidBack back = { .sealed = http_cookie(&x->request.headers, cookie_name(x)),
		            .proof = headers_get_name(&x->request.headers, S("X-Banyan-Proof")) };
	const AdminOpenidConf *conf;
	AdminWho who;
	Str leave;

	(void)rest;
	TRY(need_conf(&conf));
	TRY(read_body(x, &back.query));
	TRY(openid_end(x->arena, conf, base_of(x), time_utc_us(), &back, &who, &leave));
	return console_log_in(x, &who, leave,
	                      console_cookie(x, cookie_name(x), S(""), COOKIE_PATH));
}

static const AdminPage pages[] = {
	{ S("/console/openid"), S("GET"), page_ways, .logs_in = true },
	{ S("/console/openid/begin"), S("POST"), page_begin, .logs_in = true, .changes = true },
	{ S("/console/openid/back"), S("GET"), page_back, .logs_in = true },
	{ S("/console/openid/end"), S("POST"), page_end, .logs_in = true, .changes = true },
};

const AdminPage *openid_pages(size_t *count)
{
	*count = COUNT(pages);
	return pages;
}
