/* SPDX-License-Identifier: Apache-2.0
 *
 * The step between a route and what it does: who is it, and may they?
 *
 * What a policy proves ends up as one Identity, whatever it was proved by, and rules, headers, logs and moves go by that.
 * Headers that tell servers of it are the gateway's alone: they are taken out of every request on every route first, and out
 * of its trailers, in any case and with any sign for "-", because WSGI makes one name of "-" and "_" (PEP 3333), PHP of "."
 * too, CGI of all signs, and a route that somebody forgot to put a policy on must not be the one where a client can say who it
 * is. */
#include "gateway/auth.h"

#include "auth/rule.h"
#include "base/arena.h"
#include "base/time.h"
#include "gateway/auth_api_keys.h"
#include "gateway/auth_basic.h"
#include "gateway/auth_int.h"
#include "gateway/auth_jwt.h"
#include "gateway/auth_mint.h"
#include "gateway/fetch.h"
#include "gateway/upstream.h"
#include "http/cookie.h"

static const Str outcome_names[] = {
	[AUTH_FRESH] = S("verified"),  [AUTH_KNOWN] = S("known"),
	[AUTH_NOBODY] = S("nobody"),   [AUTH_MISSING] = S("missing"),
	[AUTH_REFUSED] = S("refused"), [AUTH_DENIED] = S("denied"),
	[AUTH_LIMITED] = S("limited"), [AUTH_UNAVAILABLE] = S("unavailable"),
};
_Static_assert(COUNT(outcome_names) == AUTH_OUTCOMES, "an outcome has no name");

static const MetricFamily families[] = {
	{ "banyan_auth_requests_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests by policy and outcome: verified, known (verified before), nobody, missing, refused, denied, limited, unavailable",
	  { "policy", "outcome" } },
};

const MetricFamily *auth_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

struct Auth {
	AuthPolicy *at;
	size_t count;
	Str *own; /* names of identity headers, lower case, with "-" */
	size_t own_count;
};

static Err cross_site = ERR_STATIC(DENIED, "auth.cross_site",
                                   "a page of another site may not do that with your session");
static Err denied = ERR_STATIC(DENIED, "auth.denied", "the rule of this address does not let you");
static Err plain = ERR_STATIC(DENIED, "auth.plain",
                              "a password is taken over https alone: others could read it");
static Err missing =
	ERR_STATIC(UNAUTHENTICATED, "auth.missing", "this address wants to know who asks");

/* --- life --------------------------------------------------------------------------------------------------------------- */

const Rule *auth_rule(Arena *a, Str text)
{
	const Rule *rule;

	return text.len && !rule_read(a, text, &rule) ? rule : NULL;
}

static const AuthPolicy *policy_named(const Auth *auth, Str name)
{
	for (size_t i = 0; auth && i < auth->count; i++)
		if (str_eq(auth->at[i].conf->name, name))
			return &auth->at[i];
	return NULL;
}

/* Files are read anew at every reload. */
static bool is_same(const AuthPolicy *before, const AuthConf *conf)
{
	return before && before->jwt && !key_source_is_fixed(jwt_guard_keys(before->jwt)) &&
	       conf_equal(&jwt_conf_table, jwt_guard_conf(before->jwt), &conf->jwt);
}

static Err *take_jwt(AuthPolicy *policy, Arena *a, const Snapshot *snap, const AuthPolicy *before)
{
	const AuthConf *conf = policy->conf;

	if (!conf->has_jwt)
		return NULL;
	if (is_same(before, conf)) {
		policy->jwt = jwt_guard_ref(before->jwt);
		return NULL;
	}
	TRY(jwt_guard_new(a, snap->hold, &conf->jwt, conf->name, &policy->jwt));
	if (before && before->jwt)
		key_source_inherit(jwt_guard_keys(policy->jwt), jwt_guard_keys(before->jwt));
	return NULL;
}

static Err *take_basic(AuthPolicy *policy, Arena *a, const Snapshot *snap, const AuthPolicy *before)
{
	const AuthConf *conf = policy->conf;

	if (!conf->has_basic)
		return NULL;
	if (!before || !before->basic ||
	    !conf_equal(&basic_conf_table, basic_conf(before->basic), &conf->basic))
		return basic_new(a, snap->hold, &conf->basic, conf->name, &policy->basic);
	policy->basic = basic_ref(before->basic);
	return basic_look(policy->basic, a);
}

static Err *policy_init(AuthPolicy *policy, Arena *a, const Snapshot *snap,
                        const AuthPolicy *before)
{
	const AuthConf *conf = policy->conf;

	policy->allow = auth_rule(a, conf->allow);
	for (size_t i = 0; i < AUTH_OUTCOMES; i++)
		policy->outcomes[i] =
			metric_cell(&families[0], (Str[]){ conf->name, outcome_names[i] }, 2);
	TRY(take_jwt(policy, a, snap, before));
	TRY(take_basic(policy, a, snap, before));
	if (conf->has_keys)
		TRY(api_keys_new(a, snap->hold, &conf->keys, conf->name, &policy->keys));
	if (conf->has_bridge)
		TRY(bridge_new(a, &conf->bridge, conf->name, snap, &policy->bridge));
	if (conf->has_forward)
		TRY(forward_new(a, &conf->forward, conf->name, snap, &policy->forward));
	return conf->has_token ? mint_new(a, &conf->token, conf->name, &policy->mint) : NULL;
}

static void policy_fini(AuthPolicy *policy)
{
	for (size_t i = 0; i < AUTH_OUTCOMES; i++)
		metric_cell_free(policy->outcomes[i]);
	jwt_guard_unref(policy->jwt);
	api_keys_unref(policy->keys);
	basic_unref(policy->basic);
	bridge_free(policy->bridge);
	forward_free(policy->forward);
	mint_free(policy->mint);
}

Err *auth_place(Arena *a, const Snapshot *snap, Str url, Str ca, FetchPlace *out)
{
	FetchPlace place;

	TRY(fetch_place(a, url, ca, &place));
	for (size_t i = 0; snap->targets && !place.tls && i < snap->conf->upstreams.count; i++)
		if (str_eq(snap->targets[i].conf->name, place.url.authority))
			place.up = upstream_ref(snap->targets[i].up);
	*out = place;
	return NULL;
}

static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	return (char)((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-');
}

static Str fold(Arena *a, Str name)
{
	char *at = arena_alloc_raw(a, name.len);

	for (size_t i = 0; i < name.len; i++)
		at[i] = folded(name.at[i]);
	return (Str){ at, name.len };
}

/* Names that no client may say. */
static void take_own(Auth *auth, Arena *a, const GatewayConf *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->auth.count; i++)
		count += conf->auth.at[i].headers.count + 1;
	auth->own = ARENA_ARRAY(a, Str, count);
	for (size_t i = 0; i < conf->auth.count; i++) {
		const AuthConf *row = &conf->auth.at[i];

		for (size_t k = 0; k < row->headers.count; k++)
			auth->own[auth->own_count++] = fold(a, row->headers.at[k].name);
		if (row->has_token && header_id(row->token.header) == HTTP_OTHER)
			auth->own[auth->own_count++] = fold(a, row->token.header);
	}
}

static void drop(Auth **auth)
{
	auth_free(*auth);
}

Err *auth_new(Arena *a, const Snapshot *snap, const Auth *before, Auth **out)
{
	const GatewayConf *conf = snap->conf;
	AUTO(drop) Auth *auth = ARENA_NEW(a, Auth);

	auth->at = ARENA_ARRAY(a, AuthPolicy, conf->auth.count);
	take_own(auth, a, conf);
	for (size_t i = 0; i < conf->auth.count; i++) {
		AuthPolicy *policy = &auth->at[auth->count++];

		policy->conf = &conf->auth.at[i];
		TRY(policy_init(policy, a, snap, policy_named(before, policy->conf->name)));
	}
	*out = TAKE(auth);
	return NULL;
}

void auth_free(Auth *auth)
{
	for (size_t i = 0; auth && i < auth->count; i++)
		policy_fini(&auth->at[i]);
}

Err *auth_begin(Auth *auth)
{
	for (size_t i = 0; i < auth->count; i++) {
		if (auth->at[i].jwt)
			TRY(key_source_start(jwt_guard_keys(auth->at[i].jwt)));
		if (auth->at[i].keys)
			TRY(api_keys_start(auth->at[i].keys));
		if (auth->at[i].basic)
			TRY(basic_start(auth->at[i].basic));
	}
	return NULL;
}

static bool has_guard(const Auth *auth, const JwtGuard *guard)
{
	for (size_t i = 0; auth && i < auth->count; i++)
		if (auth->at[i].jwt == guard)
			return true;
	return false;
}

static bool has_basic(const Auth *auth, const Basic *basic)
{
	for (size_t i = 0; auth && i < auth->count; i++)
		if (auth->at[i].basic == basic)
			return true;
	return false;
}

void auth_end(Auth *auth, const Auth *after)
{
	for (size_t i = 0; i < auth->count; i++) {
		if (auth->at[i].jwt && !has_guard(after, auth->at[i].jwt))
			key_source_stop(jwt_guard_keys(auth->at[i].jwt));
		if (auth->at[i].keys)
			api_keys_stop(auth->at[i].keys);
		if (auth->at[i].basic && !has_basic(after, auth->at[i].basic))
			basic_stop(auth->at[i].basic);
	}
}

const AuthPolicy *auth_policy(const Auth *auth, const RouteConf *route)
{
	return route->policy ? policy_named(auth, route->policy->name) : NULL;
}

/* --- refusals ----------------------------------------------------------------------------------------------------------- */

/* RFC 6750, section 3: no quotes and no backslashes in a description. */
static void put_description(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_putc(b, text.at[i] == '"' || text.at[i] == '\\' ? '\'' : text.at[i]);
}

static void put_scopes(Buf *b, const JwtConf *conf)
{
	for (size_t i = 0; i < conf->scopes.count; i++)
		buf_fmt(b, "%s%.*s", i ? " " : ", scope=\"", STR_ARG(conf->scopes.at[i]));
	if (conf->scopes.count)
		buf_putc(b, '"');
}

static void put_bearer(Buf *b, const AuthPolicy *policy, const Err *err)
{
	const JwtConf *jwt = &policy->conf->jwt;

	for (size_t i = 0; i < jwt->scheme.count; i++) {
		buf_fmt(b, "%s%.*s realm=\"%.*s\"", i ? ", " : "", STR_ARG(jwt->scheme.at[i]),
		        STR_ARG(policy->conf->name));
		if (err == &missing || err_is(err, "auth.login"))
			continue;
		buf_fmt(b, ", error=\"%s\", error_description=\"",
		        err->kind == ERR_DENIED ? "insufficient_scope" : "invalid_token");
		put_description(b, err->text);
		buf_putc(b, '"');
		if (err->kind == ERR_DENIED)
			put_scopes(b, jwt);
	}
}

/* RFC 7617, section 2.1. Nobody is asked for a password where others can read it. */
static void put_basic(Buf *b, const AuthPolicy *policy)
{
	Str realm = policy->conf->basic.realm;

	buf_fmt(b, "%sBasic realm=\"%.*s\", charset=\"UTF-8\"", b->len ? ", " : "",
	        STR_ARG(realm.len ? realm : policy->conf->name));
}

static Str challenge(const AuthPolicy *policy, const Passage *p, const Err *err)
{
	AUTO(buf_fini) Buf b = { 0 };
	Arena *a = p->x->arena;

	if (policy->jwt)
		put_bearer(&b, policy, err);
	if (policy->basic && err->kind == ERR_UNAUTHENTICATED && !basic_is_plain(policy->basic, p))
		put_basic(&b, policy);
	return str_dup(a, buf_str(&b));
}

static AuthOutcome outcome_of(const Err *err)
{
	return err == &missing                    ? AUTH_MISSING
	       : err->kind == ERR_UNAUTHENTICATED ? AUTH_REFUSED
	       : err->kind == ERR_DENIED          ? AUTH_DENIED
	       : err->kind == ERR_LIMITED         ? AUTH_LIMITED
	                                          : AUTH_UNAVAILABLE;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static bool is_preflight(const Head *request)
{
	return str_eq(request->method, S("OPTIONS")) &&
	       headers_get_name(&request->headers, S("Origin")).len &&
	       headers_get_name(&request->headers, S("Access-Control-Request-Method")).len;
}

bool auth_is_cross_site(const Passage *p)
{
	const Head *request = &p->x->request;
	Str site = headers_get_name(&request->headers, S("Sec-Fetch-Site"));
	Str origin = headers_get_name(&request->headers, S("Origin"));
	ptrdiff_t host = str_find(origin, S("://"));

	if (!request->upgrade.len &&
	    (str_eq(request->method, S("GET")) || str_eq(request->method, S("HEAD")) ||
	     str_eq(request->method, S("OPTIONS"))))
		return false;
	if (site.len)
		return !str_eq(site, S("same-origin")) && !str_eq(site, S("none"));
	return origin.len &&
	       (host < 0 ||
	        !str_eq_nocase(str_sub(origin, (size_t)host + 3, origin.len), p->forwarded.host));
}

static Err *try_jwt(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	bool by_cookie;
	Str token;

	TRY(jwt_guard_token(policy->jwt, &p->x->request.headers, &found->there, &by_cookie,
	                    &token));
	if (!found->there)
		return NULL;
	if (by_cookie && auth_is_cross_site(p))
		return &cross_site;
	found->by = "jwt";
	found->id = auth_id(token);
	return jwt_guard_verify(policy->jwt, p->x->arena, found->id, token, time_utc_us(),
	                        &found->claims, &found->known);
}

/* The first way whose credentials the request has. */
static Err *find(const AuthPolicy *policy, Passage *p, AuthFound *found)
{
	const struct {
		const void *way;
		AuthTry *try;
	} ways[] = { { policy->jwt, try_jwt },
		     { policy->keys, auth_try_keys },
		     { policy->basic, auth_try_basic },
		     { policy->conf->certificate ? policy : NULL, auth_try_certificate },
		     { policy->bridge, auth_try_bridge },
		     { policy->forward, auth_try_forward } };

	for (size_t i = 0; i < COUNT(ways) && !found->there; i++)
		if (ways[i].way)
			TRY(ways[i].try(policy, p, found));
	return NULL;
}

/* A password is all that would do, and it may not be sent this way. */
static bool asks_in_vain(const AuthPolicy *policy, const Passage *p)
{
	return policy->basic && basic_is_plain(policy->basic, p) && !policy->jwt && !policy->keys &&
	       !policy->bridge && !policy->conf->certificate;
}

static Err *identify(const AuthPolicy *policy, Passage *p, AuthOutcome *outcome)
{
	AuthFound found = { 0 };
	Identity *identity;

	TRY(find(policy, p, &found));
	if (p->x->begun)
		return NULL;
	if (!found.there) {
		*outcome = AUTH_NOBODY;
		if (!policy->conf->optional)
			return asks_in_vain(policy, p) ? &plain : &missing;
		return NULL;
	}
	*outcome = found.known ? AUTH_KNOWN : AUTH_FRESH;
	identity = ARENA_NEW(p->x->arena, Identity);
	*identity = (Identity){ .by = found.by, .claims = found.claims, .id = found.id };
	identity->subject = identity_claim(identity, p->x->arena, S("sub"));
	p->identity = identity;
	return NULL;
}

static bool part_of(const void *arg, Str name, Str *value)
{
	const Passage *p = arg;
	Str raw;

	return route_part(p->route, p->url.path, name, &raw) &&
	       !url_decode(p->x->arena, raw, value);
}

static Err *check_rule(const Passage *p, const Rule *rule)
{
	const RuleAsk ask = { .claims = p->identity ? p->identity->claims : NULL,
		              .method = p->x->request.method,
		              .path = p->url.path,
		              .part = part_of,
		              .arg = p };

	if (!rule || rule_holds(rule, &ask))
		return NULL;
	return p->identity || !p->state->auth ? &denied : &missing;
}

Err *auth_check(Passage *p)
{
	const AuthPolicy *policy = p->state->auth;
	AuthOutcome outcome = AUTH_NOBODY;
	Err *err = NULL;

	if (!policy)
		return check_rule(p, p->state->allow);
	if (!policy->conf->preflight || !is_preflight(&p->x->request)) {
		err = identify(policy, p, &outcome);
		if (p->x->begun)
			return err;
		err = err ? err : check_rule(p, policy->allow);
		err = err ? err : check_rule(p, p->state->allow);
	}
	if (err && !p->challenge.len &&
	    (err->kind == ERR_UNAUTHENTICATED || err->kind == ERR_DENIED))
		p->challenge = challenge(policy, p, err);
	metric_add(policy->outcomes[err ? outcome_of(err) : outcome], 1);
	return err;
}

/* --- towards servers ---------------------------------------------------------------------------------------------------- */

static bool is_own(const Auth *auth, Str name)
{
	for (size_t i = 0; i < auth->own_count; i++) {
		Str own = auth->own[i];
		size_t k = 0;

		while (own.len == name.len && k < own.len && folded(name.at[k]) == own.at[k])
			k++;
		if (own.len == name.len && k == own.len)
			return true;
	}
	return false;
}

/* What somebody could be known by, where the policy keeps it here; a token of ours stands instead of theirs anyway. */
static bool is_credential(const AuthPolicy *policy, const Header *h)
{
	const AuthConf *conf = policy->conf;

	if (h->id == HTTP_AUTHORIZATION)
		return !conf->keep ||
		       (policy->mint && header_id(conf->token.header) == HTTP_AUTHORIZATION);
	return !conf->keep && policy->keys && str_eq_nocase(h->name, conf->keys.header);
}

/* False: nothing is left of the line. */
static bool strip_cookies(const AuthConf *conf, Arena *a, Header *h)
{
	const Str names[] = { conf->jwt.cookie, conf->bridge.cookie };

	h->value = http_cookie_without(a, h->value, names, COUNT(names));
	return h->value.len > 0;
}

static bool stays(const Auth *auth, const AuthPolicy *policy, Arena *a, Header *h)
{
	if (h->id == HTTP_OTHER && is_own(auth, h->name))
		return false;
	if (!policy)
		return true;
	if (h->id == HTTP_COOKIE && !policy->conf->keep)
		return strip_cookies(policy->conf, a, h);
	return !is_credential(policy, h);
}

static void take_out(const Passage *p, Headers *headers)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++) {
		Header h = headers->at[i];

		if (stays(p->snap->auth, p->state->auth, p->x->arena, &h))
			headers->at[kept++] = h;
	}
	headers->count = kept;
}

bool auth_is_own(const Auth *auth, Str name)
{
	return auth && is_own(auth, name);
}

static Err *put_token(const Passage *p, const AuthPolicy *policy, Headers *headers)
{
	const MintConf *conf = &policy->conf->token;
	Arena *a = p->x->arena;
	bool bearer = header_id(conf->header) == HTTP_AUTHORIZATION;
	Str token;

	TRY(mint_token(policy->mint, a, p->identity->id, p->identity->claims, time_utc_us(),
	               &token));
	headers_add(headers, a, conf->header,
	            bearer ? str_fmt(a, "Bearer %.*s", STR_ARG(token)) : token);
	return NULL;
}

Err *auth_headers(const Passage *p, Headers *headers)
{
	const AuthPolicy *policy = p->state->auth;
	const Auth *auth = p->snap->auth;
	Arena *a = p->x->arena;

	if (!auth || (!auth->own_count && !policy))
		return NULL;
	take_out(p, headers);
	for (size_t i = 0; policy && p->identity && i < policy->conf->headers.count; i++) {
		const IdentityHeaderConf *row = &policy->conf->headers.at[i];
		Str value = identity_claim(p->identity, a, row->claim);

		if (value.len)
			headers_add(headers, a, row->name, value);
	}
	return policy && policy->mint && p->identity ? put_token(p, policy, headers) : NULL;
}

bool auth_publishes(const Auth *auth, const Head *request, Str *jwks)
{
	for (size_t i = 0; auth && i < auth->count; i++) {
		const AuthPolicy *policy = &auth->at[i];

		if (!policy->mint || !str_eq(request->target, policy->conf->token.jwks) ||
		    !(str_eq(request->method, S("GET")) || str_eq(request->method, S("HEAD"))))
			continue;
		*jwks = mint_jwks(policy->mint);
		return true;
	}
	return false;
}
