/* SPDX-License-Identifier: Apache-2.0
 *
 * One request of a service, from its head to its answer, in the order in which things may be said of it: is there such a thing
 * (404, 405), may who asks (401, 403), is it written as it must be (400, 415, 422), was it done already (its Idempotency-Key), do
 * it, answer. So nobody learns from a mistake's wording what he may not see.
 *
 * What a gateway tells of the client is believed of one that is trusted: it comes by the socket that only this process's gateway
 * knows, from this machine, or from a network that the configuration names. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "base/uuid.h"
#include "http/cookie.h"
#include "http/url.h"
#include "service/home_int.h"
#include "service/idempotency_int.h"
#include "service/route_int.h"
#include "service/trust_int.h"

enum { ID_MOST = 128 };
#define HANDLER_US (30 * US_PER_S)

static Err starting = ERR_STATIC(BUSY, "service.starting", "the service waits for its database");
static Err no_method = ERR_STATIC(METHOD, "request.method", "this path takes another method");
static Err no_route = ERR_STATIC(NOT_FOUND, "request.path", "there is no such path");
static Err nobody = ERR_STATIC(UNAUTHENTICATED, "auth.needed", "somebody known must ask for this");

/* --- who and where ----------------------------------------------------------------------------------------------------- */

static bool is_plain(Str text, size_t most)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '"' ||
		    text.at[i] == '\\')
			return false;
	return text.len > 0 && text.len <= most;
}

static Str forwarded_address(const ServiceCall *c)
{
	Str told = headers_get(&c->x->request.headers, HTTP_X_REAL_IP);

	if (!told.len) {
		told = headers_get(&c->x->request.headers, HTTP_X_FORWARDED_FOR);
		told = str_trim(str_sub(told, (size_t)(str_rfind_char(told, ',') + 1), told.len));
	}
	return is_plain(told, 64) ? told : (Str){ 0 };
}

static void look_at_peer(ServiceCall *c, const Home *home)
{
	const Headers *headers = &c->x->request.headers;
	bool trusted = trust_peer(home->trust, home->conf->trusted_proxies.count, &c->x->peer);
	Str id = headers_get(headers, HTTP_X_REQUEST_ID);

	if (trusted && is_plain(id, ID_MOST))
		c->request_id = id;
	else
		c->request_id = uuid_text(c->arena, uuid_new());
	if (trusted && is_plain(headers_get(headers, HTTP_TRACEPARENT), ID_MOST))
		c->traceparent = headers_get(headers, HTTP_TRACEPARENT);
	c->secure = c->x->secure ||
	            (trusted &&
	             str_eq_nocase(headers_get(headers, HTTP_X_FORWARDED_PROTO), S("https")));
	c->address = trusted ? forwarded_address(c) : (Str){ 0 };
	if (!c->address.len)
		c->address = peer_ip(c->arena, &c->x->peer);
}

static ServiceCall *call_begin(Exchange *x)
{
	Home *home = http_server_conf(x->server)->arg;
	ServiceCall *c = ARENA_NEW(x->arena, ServiceCall);

	*c = (ServiceCall){ .x = x, .arena = x->arena, .home = &home->pub, .db = home->pub.db };
	c->mistakes.arena = x->arena;
	x->user = c;
	reply_init(c);
	c->reply->number = home->routes->count;
	look_at_peer(c, home);
	return c;
}

/* --- steps ------------------------------------------------------------------------------------------------------------- */

static bool is_text(Str text)
{
	for (size_t i = 0; i < text.len;) {
		uint32_t code;
		size_t bytes = str_utf8(str_sub(text, i, text.len), &code);

		if (!bytes || code < ' ' || code == 0x7f)
			return false;
		i += bytes;
	}
	return true;
}

static Err *find_route(ServiceCall *c)
{
	const RouteSet *set = home_of(c)->routes;
	const RouteRow *row;
	Url url;

	TRY(url_canonical(c->arena, c->x->request.target, &(UrlRules){ 0 }, &url));
	c->path = url.path;
	row = routes_find(set, c->arena, c->x->request.method, url.path, c->parts, &c->part_count,
	                  &c->reply->allow);
	if (!row)
		return c->reply->allow.len ? &no_method : &no_route;
	c->route = row->route;
	c->reply->number = (size_t)(row - set->at);
	for (size_t i = 0; i < c->part_count; i++) {
		TRY(url_decode(c->arena, c->parts[i].value, &c->parts[i].value));
		if (!is_text(c->parts[i].value))
			return &no_route;
	}
	return NULL;
}

Err *service_who(ServiceCall *c)
{
	const Service *service = c->home->service;

	if (!c->reply->asked_who && service->who)
		TRY(service->who(c, &c->who));
	c->reply->asked_who = true;
	return c->who.known ? NULL : &nobody;
}

bool service_has_scope(const ServiceCall *c, const char *scope)
{
	Str rest = c->who.scopes, one;

	if (c->who.peer)
		return true;
	while (str_split(&rest, ' ', &one))
		if (str_eq(one, str_of(scope)))
			return true;
	return false;
}

Err *service_need_scope(ServiceCall *c, const char *scope)
{
	TRY(service_who(c));
	if (service_has_scope(c, scope))
		return NULL;
	return err_new(c->arena, ERR_DENIED, "auth.scope", "this takes the scope %s", scope);
}

static Err *check_who(ServiceCall *c)
{
	Str rest = str_of(c->route->scopes), scope;

	if (!c->route->scopes)
		return NULL;
	TRY(service_who(c));
	while (rest.len && str_split(&rest, ' ', &scope))
		TRY(service_need_scope(c, str_z(c->arena, scope)));
	return NULL;
}

static Err *run(ServiceCall *c)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	bool done = false;

	if (c->route->kind != SERVICE_BODY_RAW && c->route->kind != SERVICE_BODY_OWN)
		limit = deadline_begin(HANDLER_US);
	TRY(check_who(c));
	TRY(body_take(c));
	TRY(idempotency_begin(c, &done));
	return done ? NULL : c->route->run(c);
}

Err *service_handle(Exchange *x)
{
	ServiceCall *c = call_begin(x);
	Home *home = home_of(c);
	Err *err;

	TRY(find_route(c));
	if (!route_is_frame(c->route) && !__atomic_load_n(&home->up, __ATOMIC_ACQUIRE))
		return &starting;
	err = run(c);
	cached_forget(c);
	idempotency_end(c); /* before the answer: whoever has it may send the next */
	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err && x->begun)
		return err;
	if (err)
		return service_failed(x, err);
	return x->begun ? NULL : reply_send(c);
}

/* --- failing, and the end ---------------------------------------------------------------------------------------------- */

static void say(const ServiceCall *c, const Err *err)
{
	if (err_level(err) < LOG_WARN || err->kind == ERR_CANCELLED)
		return;
	log_err(err, "service %s: %.*s %.*s, request %.*s", c->home->service->name,
	        STR_ARG(c->x->request.method), STR_ARG(c->path), STR_ARG(c->request_id));
}

Err *service_failed(Exchange *x, Err *err)
{
	ServiceCall *c = x->user ? x->user : call_begin(x);

	say(c, err);
	TRY(reply_problem(c, err));
	return reply_send(c);
}

void service_done(Exchange *x, const Err *err)
{
	const ServiceCall *c = x->user;
	const RouteCells *cells;

	(void)err;
	if (!c)
		return;
	cells = &home_of(c)->cells[c->reply->number];
	metric_add(cells->answers[MIN(x->status / 100, 5)], 1);
	metric_observe_us(cells->seconds, time_mono_us() - c->reply->start_us);
	idempotency_end(c);
}

/* --- what was sent ----------------------------------------------------------------------------------------------------- */

Str service_part(const ServiceCall *c, const char *name)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (str_eq(c->parts[i].name, str_of(name)))
			return c->parts[i].value;
	return (Str){ 0 };
}

bool service_id_read(Str text, const char *prefix, Uuid *id)
{
	Str start = str_of(prefix);

	return str_starts(text, start) && uuid_read(str_sub(text, start.len, text.len), id);
}

Err *service_id(ServiceCall *c, const char *name, const char *prefix, Uuid *id)
{
	if (service_id_read(service_part(c, name), prefix, id))
		return NULL;
	return err_new(c->arena, ERR_NOT_FOUND, "request.id", "there is nothing of that id");
}

Str service_id_text(Arena *a, const char *prefix, Uuid id)
{
	return str_fmt(a, "%s%.*s", prefix, STR_ARG(uuid_text(a, id)));
}

Str service_header(const ServiceCall *c, const char *name)
{
	return headers_get_name(&c->x->request.headers, str_of(name));
}

/* Two of one name: nobody can say which is whose. */
Str service_cookie(const ServiceCall *c, const char *name)
{
	CookieAt at = { 0 };
	Str value, other;

	if (!http_cookie_next(&c->x->request.headers, str_of(name), &at, &value) ||
	    http_cookie_next(&c->x->request.headers, str_of(name), &at, &other))
		return (Str){ 0 };
	return value;
}
