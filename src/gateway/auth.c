/* SPDX-License-Identifier: Apache-2.0
 *
 * The step between a route and what it does: who is it, and may they?
 *
 * What a policy proves ends up as one Identity, whatever it was proved by, and rules, headers, logs and moves go by that.
 * Headers that tell servers of it are the gateway's alone: they are taken out of every request on every route first, with "_"
 * for "-" and in any case, because WSGI makes one name of all those (PEP 3333), and a route that somebody forgot to put a
 * policy on must not be the one where a client can say who it is. */
#include "gateway/auth.h"

#include "auth/rule.h"
#include "base/arena.h"
#include "base/time.h"
#include "gateway/auth_jwt.h"
#include "gateway/passage.h"
#include "gateway/upstream.h"

typedef enum Outcome {
	OUTCOME_FRESH,
	OUTCOME_KNOWN,
	OUTCOME_NOBODY,
	OUTCOME_MISSING,
	OUTCOME_REFUSED,
	OUTCOME_DENIED,
	OUTCOME_UNAVAILABLE,
	OUTCOMES
} Outcome;

static const Str outcome_names[] = {
	[OUTCOME_FRESH] = S("verified"),          [OUTCOME_KNOWN] = S("known"),
	[OUTCOME_NOBODY] = S("nobody"),           [OUTCOME_MISSING] = S("missing"),
	[OUTCOME_REFUSED] = S("refused"),         [OUTCOME_DENIED] = S("denied"),
	[OUTCOME_UNAVAILABLE] = S("unavailable"),
};
_Static_assert(COUNT(outcome_names) == OUTCOMES, "an outcome has no name");

static const MetricFamily families[] = {
	{ "banyan_auth_requests_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests by policy and outcome: verified, known (verified before), nobody, missing, refused, denied, unavailable",
	  { "policy", "outcome" } },
};

const MetricFamily *auth_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

struct AuthPolicy {
	const AuthConf *conf;
	JwtGuard *jwt;     /* NULL: no tokens */
	const Rule *allow; /* NULL: whoever is known */
	MetricCell outcomes[OUTCOMES];
};

struct Auth {
	AuthPolicy *at;
	size_t count;
	Str *own; /* names of identity headers, lower case, with "-" */
	size_t own_count;
};

static Err denied = ERR_STATIC(DENIED, "auth.denied", "the rule of this address does not let you");
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

static Err *policy_init(AuthPolicy *policy, Arena *a, ConfHold *hold, const AuthConf *conf,
                        const AuthPolicy *before)
{
	policy->conf = conf;
	policy->allow = auth_rule(a, conf->allow);
	for (size_t i = 0; i < OUTCOMES; i++)
		policy->outcomes[i] =
			metric_cell(&families[0], (Str[]){ conf->name, outcome_names[i] }, 2);
	if (conf->has_jwt && is_same(before, conf))
		policy->jwt = jwt_guard_ref(before->jwt);
	else if (conf->has_jwt)
		TRY(jwt_guard_new(a, hold, &conf->jwt, conf->name, &policy->jwt));
	return NULL;
}

static char folded(char c)
{
	return (char)(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static Str fold(Arena *a, Str name)
{
	char *at = arena_alloc_raw(a, name.len);

	for (size_t i = 0; i < name.len; i++)
		at[i] = folded(name.at[i]);
	return (Str){ at, name.len };
}

static void take_own(Auth *auth, Arena *a, const GatewayConf *conf)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->auth.count; i++)
		count += conf->auth.at[i].headers.count;
	auth->own = ARENA_ARRAY(a, Str, count);
	for (size_t i = 0; i < conf->auth.count; i++)
		for (size_t k = 0; k < conf->auth.at[i].headers.count; k++)
			auth->own[auth->own_count++] = fold(a, conf->auth.at[i].headers.at[k].name);
}

static void drop(Auth **auth)
{
	auth_free(*auth);
}

Err *auth_new(Arena *a, ConfHold *hold, const GatewayConf *conf, const Auth *before, Auth **out)
{
	AUTO(drop) Auth *auth = ARENA_NEW(a, Auth);

	auth->at = ARENA_ARRAY(a, AuthPolicy, conf->auth.count);
	take_own(auth, a, conf);
	for (size_t i = 0; i < conf->auth.count; i++) {
		const AuthConf *row = &conf->auth.at[i];

		auth->count++;
		TRY(policy_init(&auth->at[i], a, hold, row, policy_named(before, row->name)));
	}
	*out = TAKE(auth);
	return NULL;
}

void auth_free(Auth *auth)
{
	for (size_t i = 0; auth && i < auth->count; i++) {
		for (size_t k = 0; k < OUTCOMES; k++)
			metric_cell_free(auth->at[i].outcomes[k]);
		jwt_guard_unref(auth->at[i].jwt);
	}
}

Err *auth_begin(Auth *auth)
{
	for (size_t i = 0; i < auth->count; i++)
		if (auth->at[i].jwt)
			TRY(key_source_start(jwt_guard_keys(auth->at[i].jwt)));
	return NULL;
}

static bool has_guard(const Auth *auth, const JwtGuard *guard)
{
	for (size_t i = 0; auth && i < auth->count; i++)
		if (auth->at[i].jwt == guard)
			return true;
	return false;
}

void auth_end(Auth *auth, const Auth *after)
{
	for (size_t i = 0; i < auth->count; i++)
		if (auth->at[i].jwt && !has_guard(after, auth->at[i].jwt))
			key_source_stop(jwt_guard_keys(auth->at[i].jwt));
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

static Str challenge(const AuthPolicy *policy, Arena *a, const Err *err)
{
	AUTO(buf_fini) Buf b = { 0 };
	const JwtConf *jwt = &policy->conf->jwt;

	for (size_t i = 0; i < jwt->scheme.count; i++) {
		buf_fmt(&b, "%s%.*s realm=\"%.*s\"", i ? ", " : "", STR_ARG(jwt->scheme.at[i]),
		        STR_ARG(policy->conf->name));
		if (err == &missing)
			continue;
		buf_fmt(&b, ", error=\"%s\", error_description=\"",
		        err->kind == ERR_DENIED ? "insufficient_scope" : "invalid_token");
		put_description(&b, err->text);
		buf_putc(&b, '"');
		if (err->kind == ERR_DENIED)
			put_scopes(&b, jwt);
	}
	return str_dup(a, buf_str(&b));
}

static Outcome outcome_of(const Err *err)
{
	return err == &missing                    ? OUTCOME_MISSING
	       : err->kind == ERR_UNAUTHENTICATED ? OUTCOME_REFUSED
	       : err->kind == ERR_DENIED          ? OUTCOME_DENIED
	                                          : OUTCOME_UNAVAILABLE;
}

/* --- the step ----------------------------------------------------------------------------------------------------------- */

static bool is_preflight(const Head *request)
{
	return str_eq(request->method, S("OPTIONS")) &&
	       headers_get_name(&request->headers, S("Origin")).len &&
	       headers_get_name(&request->headers, S("Access-Control-Request-Method")).len;
}

static Err *identify(const AuthPolicy *policy, Passage *p, Outcome *outcome)
{
	Arena *a = p->x->arena;
	bool there = false, cached;
	Identity *identity;
	const Json *claims;
	Str token;

	if (policy->jwt)
		TRY(jwt_guard_token(policy->jwt, &p->x->request.headers, &there, &token));
	if (!there) {
		*outcome = OUTCOME_NOBODY;
		return policy->conf->optional ? NULL : &missing;
	}
	TRY(jwt_guard_verify(policy->jwt, a, token, time_utc_us(), &claims, &cached));
	*outcome = cached ? OUTCOME_KNOWN : OUTCOME_FRESH;
	identity = ARENA_NEW(a, Identity);
	*identity = (Identity){ .by = "jwt", .claims = claims };
	json_to_str(json_get(claims, S("sub")), &identity->subject);
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
	Outcome outcome = OUTCOME_NOBODY;
	Err *err = NULL;

	if (!policy)
		return check_rule(p, p->state->allow);
	if (!policy->conf->preflight || !is_preflight(&p->x->request)) {
		err = identify(policy, p, &outcome);
		err = err ? err : check_rule(p, policy->allow);
		err = err ? err : check_rule(p, p->state->allow);
	}
	if (err && (err->kind == ERR_UNAUTHENTICATED || err->kind == ERR_DENIED))
		p->challenge = challenge(policy, p->x->arena, err);
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

static void take_out(const Auth *auth, bool credentials, Headers *headers)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];

		if ((h->id == HTTP_OTHER && is_own(auth, h->name)) ||
		    (credentials && h->id == HTTP_AUTHORIZATION))
			continue;
		headers->at[kept++] = *h;
	}
	headers->count = kept;
}

void auth_headers(const Passage *p, Headers *headers)
{
	const AuthPolicy *policy = p->state->auth;
	const Auth *auth = p->snap->auth;
	Arena *a = p->x->arena;

	if (!auth || (!auth->own_count && !policy))
		return;
	take_out(auth, policy && !policy->conf->keep, headers);
	for (size_t i = 0; policy && p->identity && i < policy->conf->headers.count; i++) {
		const IdentityHeaderConf *row = &policy->conf->headers.at[i];
		Str value = identity_claim(p->identity, a, row->claim);

		if (value.len)
			headers_add(headers, a, row->name, value);
	}
}
