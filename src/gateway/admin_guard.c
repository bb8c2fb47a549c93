/* SPDX-License-Identifier: Apache-2.0
 *
 * Guards of the admin port, in the order in which they are asked: a name that is not an address or localhost is refused (DNS
 * rebinding); what changes something, and whatever comes with a session's cookie, is asked for by no page of another site;
 * a token or a session says who it is; their role must be enough. Without any token configured, what shows is open to all
 * that reach the port (loopback, or the configuration is refused) and nothing can be changed: on a shared machine anybody
 * reaches loopback. */
#include "gateway/admin_guard.h"

#include "base/arena.h"
#include "http/exchange.h"
#include "http/url.h"

static Err wrong_host =
	ERR_STATIC(MISDIRECTED, "admin.host", "the admin port is asked by address or as localhost");
static Err wrong_origin =
	ERR_STATIC(DENIED, "admin.origin", "a page of another site may not change anything here");
static Err no_token = ERR_STATIC(UNAUTHENTICATED, "admin.token",
                                 "the admin port wants \"Authorization: Bearer TOKEN\"");
static Err token_needed = ERR_STATIC(
	DENIED, "admin.token_needed",
	"what changes something wants a token, here too: set admin.token, or send a signal");

static bool host_is_ours(Arena *a, Str authority)
{
	Str host;
	uint16_t port;

	if (!authority.len || url_authority(a, authority, &host, &port))
		return false;
	return str_eq(host, S("localhost")) ||
	       str_find_char(host, ':') >= 0 || /* an IPv6 literal */
	       (host.len && host.at[host.len - 1] >= '0' && host.at[host.len - 1] <= '9');
}

/* A browser says where the page is from that makes it ask. */
static bool is_same_origin(const Exchange *x)
{
	Str origin = headers_get_name(&x->request.headers, S("Origin"));
	Str site = headers_get_name(&x->request.headers, S("Sec-Fetch-Site"));

	if (site.len && !str_eq(site, S("same-origin")) && !str_eq(site, S("none")))
		return false;
	if (str_starts(origin, S("http://")))
		origin = str_sub(origin, 7, origin.len);
	else if (str_starts(origin, S("https://")))
		origin = str_sub(origin, 8, origin.len);
	return !origin.len || str_eq(origin, x->request.authority);
}

static bool same_secret(Str x, Str y)
{
	unsigned char diff = x.len != y.len;

	for (size_t i = 0; i < MIN(x.len, y.len); i++)
		diff |= (unsigned char)(x.at[i] ^ y.at[i]);
	return !diff;
}

static Str given_token(const Exchange *x)
{
	Str given = headers_get(&x->request.headers, HTTP_AUTHORIZATION);
	Str scheme = S("Bearer ");

	if (!str_eq_nocase(str_sub(given, 0, scheme.len), scheme))
		return (Str){ 0 };
	return str_trim(str_sub(given, scheme.len, given.len));
}

static bool find_token(const AdminConf *conf, Str token, AdminWho *who)
{
	bool found = false;

	if (conf->token.len && same_secret(token, conf->token)) {
		*who = (AdminWho){ S("admin"), ADMIN_APPROVE };
		found = true;
	}
	for (size_t i = 0; i < conf->tokens.count; i++) {
		const AdminTokenConf *one = &conf->tokens.at[i];

		if (same_secret(token, one->token)) {
			*who = (AdminWho){ one->name, one->role };
			found = true;
		}
	}
	return found;
}

static Err *identify(Exchange *x, const AdminConf *conf, bool changes, AdminWho *who)
{
	Str token = given_token(x);

	if (token.len)
		return find_token(conf, token, who) ? NULL : &no_token;
	if (admin_session())
		TRY(admin_session()(x, changes, who));
	if (!who->name.len)
		return &no_token;
	return is_same_origin(x) ? NULL : &wrong_origin;
}

Err *admin_guard(Exchange *x, const AdminConf *conf, const AdminPage *page, AdminWho *who)
{
	bool tokens = conf->token.len || conf->tokens.count || conf->has_openid;

	if (page->open)
		return NULL;
	if (!host_is_ours(x->arena, x->request.authority))
		return &wrong_host;
	if (page->changes && !is_same_origin(x))
		return &wrong_origin;
	if (page->logs_in)
		return NULL;
	if (page->changes && !tokens)
		return &token_needed;
	if (tokens)
		TRY(identify(x, conf, page->changes, who));
	return admin_need(x, page->role);
}
