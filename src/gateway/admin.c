/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin port. One row a page: the gateway's own are here, those of other features come by admin_extend (http/admin.h). Who
 * may ask for what is admin_guard.c. It listens on loopback unless told otherwise. */
#include "gateway/admin.h"

#include "base/arena.h"
#include "base/log.h"
#include "gateway/admin_guard.h"
#include "gateway/admin_openid.h"
#include "gateway/orders.h"
#include "gateway/problem.h"
#include "gateway/snapshot.h"
#include "gateway/waiting.h"

struct Admin {
	Arena *arena;
	Gateway *gateway;
	AdminConf conf; /* of its start: a change takes a restart */
	Str key;        /* of its socket, for a process that takes over */
	Listener *listener;
	HttpListener *http;
	HttpServer *server;
};

static Err wrong_method =
	ERR_STATIC(METHOD, "admin.method", "this page of the admin port takes another method");
static Err not_ready = ERR_STATIC(BUSY, "admin.not_ready", "the gateway starts or drains");

/* --- pages ---------------------------------------------------------------------------------------------------------- */

#define TEXT S("text/plain; charset=utf-8")
#define JSON S("application/json")

static Gateway *gateway_of(const Exchange *x)
{
	return ((const Admin *)x->listener_arg)->gateway;
}

static Err *page_health(Exchange *x, Str rest)
{
	(void)rest;
	return http_reply(x, 200, TEXT, S("ok\n"));
}

static Err *page_ready(Exchange *x, Str rest)
{
	(void)rest;
	return gateway_is_ready(gateway_of(x)) ? http_reply(x, 200, TEXT, S("ready\n"))
	                                       : &not_ready;
}

static Err *page_metrics(Exchange *x, Str rest)
{
	AUTO(buf_fini) Buf out = { 0 };

	(void)rest;
	metrics_put(&out);
	return http_reply(x, 200, S(METRICS_CONTENT_TYPE), buf_str(&out));
}

static void snapshot_unrefp(Snapshot **snap)
{
	snapshot_unref(*snap);
}

static Err *page_config(Exchange *x, Str rest)
{
	AUTO(snapshot_unrefp) Snapshot *snap = gateway_snapshot(gateway_of(x));
	AUTO(buf_fini) Buf out = { 0 };
	Str keys[HOOKS_WAITING];
	size_t count = gateway_waiting(snap->conf, keys);

	(void)rest;
	for (size_t i = 0; i < count; i++)
		buf_fmt(&out, "# %.*s: another one is in force until a restart\n",
		        STR_ARG(keys[i]));
	buf_put(&out, snap->text);
	return http_reply(x, 200, S("application/yaml; charset=utf-8"), buf_str(&out));
}

static Err *page_upstreams(Exchange *x, Str rest)
{
	AUTO(snapshot_unrefp) Snapshot *snap = gateway_snapshot(gateway_of(x));
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);

	(void)rest;
	json_begin_array(&w);
	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		upstream_put_json(snap->targets[i].up, &w);
	json_end(&w);
	buf_putc(&out, '\n');
	return http_reply(x, 200, JSON, buf_str(&out));
}

static void order_fini(Order *order)
{
	buf_fini(&order->answer);
}

static Err *page_reload(Exchange *x, Str rest)
{
	AUTO(order_fini) Order order = { .kind = ORDER_RELOAD };

	(void)rest;
	gateway_order(gateway_of(x), &order);
	if (order.status == 503)
		return &not_ready;
	return http_reply(x, order.status,
	                  order.status == 200 ? JSON : S("application/problem+json"),
	                  buf_str(&order.answer));
}

static Err *page_drain(Exchange *x, Str rest)
{
	AUTO(order_fini) Order order = { .kind = ORDER_DRAIN };

	(void)rest;
	gateway_order(gateway_of(x), &order);
	return http_reply(x, 202, JSON, S("{\"draining\":true}\n"));
}

static const AdminPage own_pages[] = {
	{ S("/healthz"), S("GET"), page_health, .open = true },
	{ S("/readyz"), S("GET"), page_ready, .open = true },
	{ S("/metrics"), S("GET"), page_metrics },
	{ S("/config"), S("GET"), page_config },
	{ S("/upstreams"), S("GET"), page_upstreams },
	{ S("/config/reload"), S("POST"), page_reload, .changes = true, .role = ADMIN_OPERATE },
	{ S("/drain"), S("POST"), page_drain, .changes = true, .role = ADMIN_OPERATE },
};

/* --- the port ------------------------------------------------------------------------------------------------------- */

/* What a request's answer needs, beside who asks; x->user points to it, and pages see its first member. */
typedef struct Asked {
	AdminWho who;
	Str allow;
} Asked;

static Err *admin_handle(Exchange *x)
{
	Admin *admin = x->listener_arg;
	Asked *asked = ARENA_NEW(x->arena, Asked);
	const AdminPage *page;
	Str rest;
	Url url;

	x->user = asked;
	TRY(url_canonical(x->arena, x->request.target, &(UrlRules){ .encoded_slash = true }, &url));
	page = admin_find(x->arena, url.path, x->request.method, &rest, &asked->allow);
	if (!page && asked->allow.len)
		return &wrong_method;
	if (!page)
		return err_new(x->arena, ERR_NOT_FOUND, "admin.unknown",
		               "there is no such page: %.*s", STR_ARG(admin_paths(x->arena)));
	TRY(admin_guard(x, &admin->conf, page, &asked->who));
	return page->run(x, rest);
}

static Err *admin_fail(Exchange *x, Err *err)
{
	AUTO(buf_fini) Buf out = { 0 };
	Problem problem = problem_of(err, (Str){ 0 }, (Str){ 0 });
	const Asked *asked = x->user;
	Head head = { .status = (uint16_t)problem.status, .body = HTTP_BODY_LENGTH };

	problem_put_json(&out, &problem);
	head.content_length = (int64_t)buf_str(&out).len;
	headers_add(&head.headers, x->arena, S("Content-Type"), S(PROBLEM_JSON_TYPE));
	if (err == &wrong_method)
		headers_add(&head.headers, x->arena, S("Allow"), asked->allow);
	if (err_is(err, "admin.token"))
		headers_add(&head.headers, x->arena, S("WWW-Authenticate"), S("Bearer"));
	TRY(http_begin(x, &head));
	TRY(http_write(x, buf_str(&out)));
	return http_end(x, NULL);
}

static void keep_conf(Arena *a, const AdminConf *from, AdminConf *to)
{
	to->token = str_dup(a, from->token);
	to->has_openid = from->has_openid;
	to->tokens.count = from->tokens.count;
	to->tokens.at = ARENA_ARRAY(a, AdminTokenConf, from->tokens.count);
	for (size_t i = 0; i < from->tokens.count; i++)
		to->tokens.at[i] = (AdminTokenConf){ .name = str_dup(a, from->tokens.at[i].name),
			                             .token = str_dup(a, from->tokens.at[i].token),
			                             .role = from->tokens.at[i].role };
}

/* Its socket may have been there before us. */
static Err *admin_listen(Admin *admin, Str address, Sockets *sockets)
{
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = admin_handle,
		          .fail = admin_fail,
		          .uncounted = true };
	Addr addr;

	TRY(addr_parse(admin->arena, address, &addr));
	TRY(sockets_listen(admin->arena, sockets, admin->key, &addr, &admin->listener));
	if (!admin->listener)
		TRY(listener_open(admin->arena, &addr, &admin->listener));
	admin->server = http_server_new(&conf, NULL);
	return http_listen(admin->listener, admin->server, admin, &admin->http);
}

Err *admin_open(Arena *run, Gateway *gateway, const AdminConf *conf, Sockets *sockets, Admin **out)
{
	Arena *a;
	Admin *admin;
	Err *err;

	*out = NULL;
	if (!conf->on)
		return NULL;
	a = arena_new(0);
	admin = ARENA_NEW(a, Admin);
	*admin = (Admin){ .arena = a,
		          .gateway = gateway,

		          .key = str_fmt(a, "admin %.*s", STR_ARG(conf->address.text)) };
	keep_conf(a, conf, &admin->conf);
	admin_metrics_begin(gateway);
	admin_extend(own_pages, COUNT(own_pages));
	err = conf->has_openid ? admin_openid_begin(a, run, &conf->openid) : NULL;
	err = err ? err : admin_listen(admin, conf->address.text, sockets);
	if (err) { /* it lies in the arena that ends */
		err = err_new(run, err->kind, "admin.listen",
		              "the admin port could not be opened: %.*s",
		              STR_ARG(err_chain(run, err)));
		admin_close(admin);
		return err;
	}
	*out = admin;
	return NULL;
}

Str admin_key(const Admin *admin)
{
	return admin->key;
}

int admin_fd(const Admin *admin)
{
	return listener_fd(admin->listener);
}

bool admin_owns_file(const Admin *admin)
{
	return admin && listener_owns_file(admin->listener);
}

void admin_leave(Admin *admin)
{
	listener_leave(admin->listener);
}

void admin_close(Admin *admin)
{
	if (!admin)
		return;
	http_listen_close(admin->http);
	listener_close(admin->listener);
	http_server_unref(admin->server);
	admin_openid_end();
	arena_free(admin->arena);
}

const Addr *admin_addr(const Admin *admin)
{
	return admin ? listener_addr(admin->listener) : NULL;
}
