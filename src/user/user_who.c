/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks the user service. A person has a session: its token comes as a cookie (browsers) or as `Authorization: Bearer` (apps);
 * a program has a token of its own (`banyan user token`), which begins with "bst_" and holds scopes.
 *
 * A cookie is sent by a browser whoever wrote the page, so what changes something has to bring X-CSRF-Token too, which only our own
 * pages know; SameSite=Lax is the second lock. A bearer token is put there by who knows it and needs no such thing. */
#include "user/user_api.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/exchange.h"
#include "user/secret.h"

#include "user_access_sql.h"

#include <string.h>

#define SCOPES_OF_A_USER S("me")

static const UserConf *conf_of(const ServiceCall *c)
{
	return c->home->conf;
}

/* In development there is no https, and browsers take a name with a prefix over https only. */
static const char *cookie_name(ServiceCall *c)
{
	Str name = conf_of(c)->cookie.name;

	if (c->home->development && str_starts(name, S("__Host-")))
		name = str_sub(name, 7, name.len);
	else if (c->home->development && str_starts(name, S("__Secure-")))
		name = str_sub(name, 9, name.len);
	return str_z(c->arena, name);
}

void user_cookie(ServiceCall *c, Str token, int64_t until_us)
{
	const CookieConf *conf = &conf_of(c)->cookie;
	Str domain = conf->domain.len ? str_fmt(c->arena, "; Domain=%.*s", STR_ARG(conf->domain))
	                              : S("");
	int64_t age_s = token.len ? MAX(1, (until_us - time_utc_us()) / US_PER_S) : 0;

	service_say_header(c, "Set-Cookie",
	                   str_fmt(c->arena,
	                           "%s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%" PRId64
	                           "%.*s%s",
	                           cookie_name(c), STR_ARG(token), age_s, STR_ARG(domain),
	                           c->home->development ? "" : "; Secure"));
}

static Str bearer(const ServiceCall *c)
{
	Str field = service_header(c, "Authorization"), scheme;

	if (!str_split(&field, ' ', &scheme) || !str_eq_nocase(scheme, S("Bearer")))
		return S("");
	return str_trim(field);
}

Str user_token(ServiceCall *c, bool *cookie)
{
	Str token = bearer(c);

	*cookie = !token.len;
	return token.len ? token : service_cookie(c, cookie_name(c));
}

Err *user_csrf(ServiceCall *c, Str token)
{
	Str method = c->x->request.method;

	if (str_eq(method, S("GET")) || str_eq(method, S("HEAD")))
		return NULL;
	if (session_csrf_is(c->arena, token, service_header(c, "X-CSRF-Token")))
		return NULL;
	return err_new(
		c->arena, ERR_DENIED, "auth.csrf",
		"a request with a cookie has to bring X-CSRF-Token, as the session's answer has it");
}

/* --- programs ----------------------------------------------------------------------------------------------------------- */

/* "NAME:SCOPES:SHA256" of the configuration. */
static bool of_file(const UserConf *conf, Arena *a, Str token, ServiceWho *who)
{
	Str hash = secret_hex(a, secret_hash(a, token));

	for (size_t i = 0; i < conf->tokens.count; i++) {
		Str row = conf->tokens.at[i], scopes = row, name;
		ptrdiff_t last = str_rfind_char(row, ':');

		if (last < 0 || !secret_eq(str_sub(row, (size_t)last + 1, row.len), hash))
			continue;
		scopes = str_sub(row, 0, (size_t)last);
		str_split(&scopes, ':', &name);
		*who = (ServiceWho){ .known = true,
			             .name = str_fmt(a, "token:%.*s", STR_ARG(name)),
			             .scopes = scopes };
		return true;
	}
	return false;
}

static Err *program(ServiceCall *c, Str token, ServiceWho *who)
{
	ServiceTokenRow *row;

	if (of_file(conf_of(c), c->arena, token, who))
		return NULL;
	TRY(db_one(c->db, c->arena, service_token_by_hash, &row,
	           .token_hash = secret_hash(c->arena, token)));
	if (!row || row->ended_at.set || (row->until.set && row->until.v <= time_utc_us()))
		return err_new(c->arena, ERR_UNAUTHENTICATED, "auth.token",
		               "the token is none, or no longer");
	*who = (ServiceWho){ .known = true,
		             .name = str_fmt(c->arena, "token:%.*s", STR_ARG(row->name)),
		             .scopes = row->scopes };
	return NULL;
}

/* --- people ------------------------------------------------------------------------------------------------------------- */

/* A JWT, or a key: ours have no dots, and begin otherwise. */
static bool is_of_others(Str token)
{
	return str_starts(token, S("bk_")) || str_find_char(token, '.') >= 0;
}

/* Whoever it is has no session, and what is about "me" is about that: no token has this scope. Services look accounts up. */
static Err *other(ServiceCall *c, Str token, ServiceWho *who)
{
	AUTO(buf_fini) Buf scopes = { 0 };
	Str rest, one;

	TRY(service_who_token(c, token, who));
	rest = who->peer ? S("users:read") : who->scopes;
	while (str_split(&rest, ' ', &one))
		if (one.len && !str_eq(one, SCOPES_OF_A_USER))
			buf_fmt(&scopes, "%s%.*s", scopes.len ? " " : "", STR_ARG(one));
	who->peer = false;
	who->scopes = str_dup(c->arena, buf_str(&scopes));
	return NULL;
}

Err *user_who(ServiceCall *c, ServiceWho *who)
{
	Seen seen = { .session = NULL };

	seen.token = user_token(c, &seen.cookie);
	if (!seen.token.len)
		return NULL;
	if (!seen.cookie && str_starts(seen.token, S("bst_")))
		return program(c, seen.token, who);
	if (!seen.cookie && is_of_others(seen.token))
		return other(c, seen.token, who);
	TRY(session_find(accounts_of(c->home), c->arena, seen.token, &seen.session, &seen.user));
	if (!seen.session || !seen.session->level) {
		if (seen.cookie)
			return NULL;
		return err_new(c->arena, ERR_UNAUTHENTICATED, "auth.token",
		               "the token is none, or no longer");
	}
	if (seen.cookie)
		TRY(user_csrf(c, seen.token));
	*who = (ServiceWho){ .known = true,
		             .id = seen.user->id,
		             .name = account_id_text(c->arena, seen.user->id),
		             .scopes = SCOPES_OF_A_USER };
	who->more = memcpy(ARENA_NEW(c->arena, Seen), &seen, sizeof(seen));
	return NULL;
}

const Seen *user_seen(const ServiceCall *c)
{
	return c->who.more;
}

Err *user_need_fresh(ServiceCall *c)
{
	const Seen *seen = user_seen(c);

	if (seen->user->totp && seen->session->level < 2)
		return err_new(c->arena, ERR_DENIED, "user.second_factor",
		               "this wants a code of your authenticator: POST /v1/sessions/proof");
	if (session_is_fresh(seen->session, &conf_of(c)->sessions, time_utc_us()))
		return NULL;
	return err_new(c->arena, ERR_DENIED, "user.reauthenticate",
	               "this wants your password or a code again: POST /v1/sessions/proof");
}

Asker *user_asker(ServiceCall *c, int64_t *retry_us)
{
	Asker *asker = ARENA_NEW(c->arena, Asker);

	*retry_us = 0;
	*asker = (Asker){ .address = c->address,
		          .agent = service_header(c, "User-Agent"),
		          .actor = c->who.known ? c->who.name : S(""),
		          .traceparent = c->traceparent,
		          .retry_us = retry_us };
	return asker;
}

Err *user_limited(ServiceCall *c, const int64_t *retry_us, Err *err)
{
	if (err && *retry_us)
		service_retry_after(c, *retry_us);
	return err;
}
