/* SPDX-License-Identifier: Apache-2.0
 *
 * How the provider's endpoints read what is sent to them and say what is wrong.
 *
 * OAuth has a form of errors of its own (RFC 6749, section 5.2), which clients know and no problem document can be; so here, and
 * only here, errors are written so. Their names are the slugs of our errors after "oauth.". What is our own fault is a
 * server_error, what will pass is temporarily_unavailable. */
#include "user/oidc_int.h"

#include "base/arena.h"
#include "http/exchange.h"
#include "http/url.h"

Oidc *oidc_of(const ServiceCall *c)
{
	return oidc_of_home(c->home);
}

Err *oidc_need_issuer(ServiceCall *c)
{
	if (oidc_of(c)->issuer.len)
		return NULL;
	return oauth_err(c->arena, ERR_NOT_FOUND, "invalid_request",
	                 "this is no provider yet: its configuration has no public_url");
}

void oidc_no_store(ServiceCall *c)
{
	service_say_header(c, "Cache-Control", S("no-store"));
}

void oidc_for_anybody(ServiceCall *c)
{
	oidc_no_store(c);
	service_say_header(c, "Access-Control-Allow-Origin", S("*"));
}

Err *oidc_preflight(ServiceCall *c)
{
	oidc_for_anybody(c);
	service_say_header(c, "Access-Control-Allow-Methods", S("GET, POST"));
	service_say_header(c, "Access-Control-Allow-Headers", S("Authorization, Content-Type"));
	service_say_header(c, "Access-Control-Max-Age", S("7200"));
	c->status = 204;
	return NULL;
}

/* --- errors ------------------------------------------------------------------------------------------------------------- */

static const char *oauth_name(const Err *err)
{
	if (str_starts(str_of(err->slug), S("oauth.")))
		return err->slug + 6;
	switch (err_status(err)) {
	case 503:
	case 429:
		return "temporarily_unavailable";
	case 500:
	case 502:
	case 504:
		return "server_error";
	default:
		return "invalid_request";
	}
}

static void say_error(ServiceCall *c, const Err *err)
{
	const char *name = oauth_name(err);
	JsonWriter *w = service_json(c);

	c->status = (unsigned)err_status(err);
	oidc_for_anybody(c);
	json_begin_object(w);
	json_put_str(w, "error", str_of(name));
	if (c->status < 500)
		json_put_str(w, "error_description", err->text);
	json_put_str(w, "request_id", c->request_id);
	json_end(w);
}

Err *oidc_fail(ServiceCall *c, const Err *err)
{
	say_error(c, err);
	if (c->status == 401)
		service_say_header(c, "WWW-Authenticate", S("Basic realm=\"oauth2\""));
	return NULL;
}

Err *oidc_bearer_fail(ServiceCall *c, const Err *err)
{
	Str challenge = S("Bearer realm=\"oauth2\"");

	say_error(c, err);
	if (service_header(c, "Authorization").len)
		challenge = str_fmt(c->arena, "%.*s, error=\"%s\"", STR_ARG(challenge),
		                    oauth_name(err));
	if (c->status == 401 || c->status == 403)
		service_say_header(c, "WWW-Authenticate", challenge);
	return NULL;
}

/* --- parameters --------------------------------------------------------------------------------------------------------- */

static Err *read_form(ServiceCall *c, Str text, Form *out)
{
	Err *err = form_read(c->arena, text, out);

	if (err)
		return oauth_err(c->arena, err->kind, "invalid_request", "%.*s",
		                 STR_ARG(err->text));
	return NULL;
}

Err *oidc_read_query(ServiceCall *c, Form *out)
{
	return read_form(c, url_raw(c->x->request.target).query, out);
}

Err *oidc_read_body(ServiceCall *c, Form *out)
{
	Str type = service_header(c, "Content-Type"), piece, text;
	AUTO(buf_fini) Buf body = { .limit = FORM_BYTES };
	ptrdiff_t more = str_find_char(type, ';');

	if (!str_eq_nocase(str_trim(more < 0 ? type : str_sub(type, 0, (size_t)more)),
	                   S("application/x-www-form-urlencoded")))
		return oauth_err(c->arena, ERR_INVALID, "invalid_request",
		                 "the body is not application/x-www-form-urlencoded");
	do {
		TRY(http_read(c->x, &piece));
		buf_put(&body, piece);
	} while (piece.len);
	if (buf_done(&body, &text))
		return oauth_err(c->arena, ERR_TOO_LARGE, "invalid_request",
		                 "the body has more than %d bytes", FORM_BYTES);
	return read_form(c, str_dup(c->arena, text), out);
}
