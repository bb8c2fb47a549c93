/* SPDX-License-Identifier: Apache-2.0
 *
 * One request through the gateway, top to bottom: canonical path, route, what the route does with it. */
#include "gateway/proxy.h"

#include "base/arena.h"
#include "gateway/action.h"
#include "gateway/auth.h"
#include "gateway/hooks.h"
#include "gateway/maintenance.h"
#include "gateway/options.h"
#include "gateway/proxy_int.h"
#include "gateway/reply.h"
#include "gateway/watermark.h"
#include "http/cookie.h"

static Err no_route = ERR_STATIC(NOT_FOUND, "gateway.no_route", "no route takes this address");
static Err too_late = ERR_STATIC(TIMEOUT, "upstream.timeout", "the server did not answer in time");
static Err no_connect = ERR_STATIC(METHOD, "gateway.connect", "this gateway is no forward proxy");

/* --- where it goes -------------------------------------------------------------------------------------------------- */

static Err *miss_error(Passage *p, const RouteMiss *miss)
{
	if (!miss->method)
		return &no_route;
	p->allow = str_dup(p->x->arena, str_of(miss->allow));
	return err_new(p->x->arena, ERR_METHOD, "gateway.method", "this address takes %s only",
	               miss->allow);
}

static uint8_t scheme_of(const Passage *p)
{
	return str_eq(p->forwarded.scheme, S("https")) ? MATCH_HTTPS : MATCH_HTTP;
}

/* *path: what is routed by. */
static Err *read_target(Passage *p, Str *path)
{
	Str target = p->x->request.target;

	if (p->snap->conf->passthrough) {
		p->url = url_raw(target);
		*path = S("/");
		return NULL;
	}
	TRY(url_canonical(p->x->arena, target, &p->snap->paths, &p->url));
	*path = p->url.path;
	return NULL;
}

static Err *find_route(Passage *p)
{
	Head *request = &p->x->request;
	const RouteLimitsConf *limits;
	RouteMiss miss;
	uint16_t port;
	Str path;

	if (str_eq(request->method, S("CONNECT"))) {
		http_close_after(p->x); /* what follows may be meant for a tunnel */
		return &no_connect;
	}
	TRY(read_target(p, &path));
	if (request->authority.len)
		TRY(url_authority(p->x->arena, request->authority, &p->host, &port));
	p->route = route_find(p->snap->routes,
	                      &(RouteAsk){ p->host, path, request->method, p->url.query,
	                                   &request->headers, scheme_of(p) },
	                      &miss);
	if (!p->route)
		return miss_error(p, &miss);
	p->state = &p->snap->states[p->route->index];
	p->times = &p->route->conf->timeouts;
	p->target = p->state->target;
	limits = &p->route->conf->limits;
	http_limit_pace(p->x, limits->body_idle_us, limits->write_us, limits->body_rate);
	return NULL;
}

static Str with_query(const Passage *p, Str path)
{
	return p->url.query.at
	               ? str_fmt(p->x->arena, "%.*s?%.*s", STR_ARG(path), STR_ARG(p->url.query))
	               : path;
}

Err *proxy_target(const Passage *p, Str *out)
{
	Str prefix = p->route->conf->strip_prefix;
	Str target = p->url.same ? p->x->request.target : with_query(p, p->url.path);
	Str rest;

	*out = target;
	if (p->state->rewrite) {
		TRY(action_rewrite(p, &rest));
		*out = with_query(p, rest);
	} else if (prefix.len && str_starts(target, prefix)) {
		rest = str_sub(target, prefix.len, target.len);
		*out = rest.len && rest.at[0] == '/' ? rest
		                                     : str_fmt(p->x->arena, "/%.*s", STR_ARG(rest));
	}
	return NULL;
}

static uint64_t hash_key(const Passage *p)
{
	const UpstreamConf *conf = upstream_conf(p->target->up);

	Str key = { 0 };

	if (conf->balance != BALANCE_HASH)
		return 0;
	if (conf->hash_kind == HASH_ON_HEADER)
		key = headers_get_name(&p->x->request.headers, conf->hash_name);
	else if (conf->hash_kind == HASH_ON_COOKIE)
		key = http_cookie(&p->x->request.headers, conf->hash_name);
	return balance_hash(key.len ? key : p->forwarded.client_ip);
}

static void limit_end(Passage **p)
{
	deadline_end(&(*p)->limit);
}

/* What was held of the body goes with a request that is refused. */
static Err *ask_hooks(Passage *p)
{
	const Target *chosen = p->target;
	Err *err = gateway_hooks()->ready(p);

	if (err)
		relay_forget(p);
	else if (p->target != chosen)
		p->key = hash_key(p);
	return err;
}

static Err *action_proxy(Passage *p)
{
	AUTO(limit_end) Passage *limited = p;
	bool gathered = false;
	Err *err;

	if (p->state->shift)
		gateway_hooks()->choose(p);
	if (p->target == p->state->new_target)
		p->reshape = p->state->reshape;
	TRY(http_limit_body(p->x, p->route->conf->body_bytes));
	TRY(proxy_target(p, &p->head.target));
	TRY(passage_request_headers(p));
	options_step(p->x->arena, &p->head);
	p->key = hash_key(p);
	if (p->reshape)
		TRY(proxy_reshape_request(p, &gathered));
	if (p->times->request_us)
		p->limit = deadline_begin(p->times->request_us);
	if (!gathered)
		TRY(relay_gather(p));
	relay_frame(p);
	if (p->shift)
		TRY(ask_hooks(p));
	p->ready_us = loop_now_us(); /* what it waited for before that is not its side's doing */
	err = attempts_run(p);
	return err_is(err, "rt.deadline") ? &too_late : err;
}

static Action *const actions[] = {
	[ROUTE_PROXY] = action_proxy,
	[ROUTE_FILES] = action_files,
	[ROUTE_REDIRECT] = action_redirect,
	[ROUTE_ANSWER] = action_answer,
};

static Err *check_memory(Exchange *x)
{
	Err *err = watermark_refusal();

	if (err)
		http_close_after(x);
	return err;
}

/* Files first; what is not there, or is no reading, is for the upstream. */
static Err *action_files_first(Passage *p)
{
	Str method = p->x->request.method;
	bool reads = str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
	Err *err = reads ? action_files(p) : NULL;

	if (reads && !(err && err->kind == ERR_NOT_FOUND))
		return err;
	return action_proxy(p);
}

/* The keys that servers check the gateway's own tokens with. */
static Err *publish(Passage *p, Str jwks)
{
	Head head = { .status = 200 };

	headers_add(&head.headers, p->x->arena, S("Content-Type"), S("application/jwk-set+json"));
	headers_add(&head.headers, p->x->arena, S("Cache-Control"), S("max-age=300"));
	return reply_whole(p, &head, jwks);
}

Err *proxy_handle(Exchange *x)
{
	Passage *p = passage_begin(x);
	Str jwks;

	TRY(check_memory(x));
	if (options_are_ours(&x->request))
		return options_answer(x,
		                      &(Header){ p->snap->conf->request_id.header,
		                                 p->forwarded.request_id },
		                      &p->allow);
	if (auth_publishes(p->snap->auth, &x->request, &jwks))
		return publish(p, jwks);
	TRY(find_route(p));
	TRY(p->refused);
	TRY(maintenance_check(p));
	if (p->state->auth || p->state->allow)
		TRY(auth_check(p));
	if (x->begun)
		return NULL; /* it was sent to where people log in */
	if (p->route->conf->has_files && p->route->conf->upstream)
		return action_files_first(p);
	return actions[p->route->conf->action](p);
}
