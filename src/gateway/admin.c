/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin port. One row a page.
 *
 * It listens on loopback unless told otherwise. A browser on the same machine is kept out by looking at Host (a name that
 * is not an address or localhost is refused: DNS rebinding) before anything is answered. What changes something wants more:
 * no page of another site behind it (Origin), and always a token, for on a shared machine anybody reaches loopback. */
#include "gateway/admin.h"

#include "base/arena.h"
#include "base/log.h"
#include "gateway/orders.h"
#include "gateway/snapshot.h"

struct Admin {
	Arena *arena;
	Gateway *gateway;
	Str token;
	Str key; /* of its socket, for a process that takes over */
	Listener *listener;
	HttpListener *http;
	HttpServer *server;
};

static Err not_found = ERR_STATIC(
	NOT_FOUND, "admin.unknown",
	"there is no such page: /healthz, /readyz, /metrics, /config, /upstreams, /config/reload, /drain");
static Err wrong_method =
	ERR_STATIC(METHOD, "admin.method", "this page of the admin port takes another method");
static Err wrong_host =
	ERR_STATIC(MISDIRECTED, "admin.host", "the admin port is asked by address or as localhost");
static Err wrong_origin =
	ERR_STATIC(DENIED, "admin.origin", "a page of another site may not change anything here");
static Err no_token = ERR_STATIC(UNAUTHENTICATED, "admin.token",
                                 "the admin port wants \"Authorization: Bearer TOKEN\"");
static Err token_needed = ERR_STATIC(
	DENIED, "admin.token_needed",
	"what changes something wants a token, here too: set admin.token, or send a signal");
static Err not_ready = ERR_STATIC(BUSY, "admin.not_ready", "the gateway starts or drains");

/* --- pages ---------------------------------------------------------------------------------------------------------- */

#define TEXT S("text/plain; charset=utf-8")
#define JSON S("application/json")

static Err *page_health(Exchange *x, Gateway *g)
{
	(void)g;
	return http_reply(x, 200, TEXT, S("ok\n"));
}

static Err *page_ready(Exchange *x, Gateway *g)
{
	return gateway_is_ready(g) ? http_reply(x, 200, TEXT, S("ready\n")) : &not_ready;
}

static Err *page_metrics(Exchange *x, Gateway *g)
{
	AUTO(buf_fini) Buf out = { 0 };

	(void)g;
	metrics_put(&out);
	return http_reply(x, 200, S(METRICS_CONTENT_TYPE), buf_str(&out));
}

static void snapshot_unrefp(Snapshot **snap)
{
	snapshot_unref(*snap);
}

static Err *page_config(Exchange *x, Gateway *g)
{
	AUTO(snapshot_unrefp) Snapshot *snap = gateway_snapshot(g);

	return http_reply(x, 200, S("application/yaml; charset=utf-8"), snap->text);
}

static Err *page_upstreams(Exchange *x, Gateway *g)
{
	AUTO(snapshot_unrefp) Snapshot *snap = gateway_snapshot(g);
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);

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

static Err *page_reload(Exchange *x, Gateway *g)
{
	AUTO(order_fini) Order order = { .kind = ORDER_RELOAD };

	gateway_order(g, &order);
	if (order.status == 503)
		return &not_ready;
	return http_reply(x, order.status,
	                  order.status == 200 ? JSON : S("application/problem+json"),
	                  buf_str(&order.answer));
}

static Err *page_drain(Exchange *x, Gateway *g)
{
	AUTO(order_fini) Order order = { .kind = ORDER_DRAIN };

	gateway_order(g, &order);
	return http_reply(x, 202, JSON, S("{\"draining\":true}\n"));
}

typedef Err *AdminPage(Exchange *x, Gateway *g);

static const struct {
	Str path;
	Str method; /* GET means HEAD too; what is not GET changes something */
	AdminPage *page;
	bool open; /* no token is asked for */
} pages[] = {
	{ S("/healthz"), S("GET"), page_health, true },
	{ S("/readyz"), S("GET"), page_ready, true },
	{ S("/metrics"), S("GET"), page_metrics, false },
	{ S("/config"), S("GET"), page_config, false },
	{ S("/upstreams"), S("GET"), page_upstreams, false },
	{ S("/config/reload"), S("POST"), page_reload, false },
	{ S("/drain"), S("POST"), page_drain, false },
};

/* --- the port ------------------------------------------------------------------------------------------------------- */

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

static bool same_secret(Str x, Str y)
{
	unsigned char diff = x.len != y.len;

	for (size_t i = 0; i < MIN(x.len, y.len); i++)
		diff |= (unsigned char)(x.at[i] ^ y.at[i]);
	return !diff;
}

static bool may_see(const Admin *admin, const Exchange *x)
{
	Str given = headers_get(&x->request.headers, HTTP_AUTHORIZATION);
	Str scheme = S("Bearer ");

	if (!admin->token.len)
		return true;
	return str_eq_nocase(str_sub(given, 0, scheme.len), scheme) &&
	       same_secret(str_trim(str_sub(given, scheme.len, given.len)), admin->token);
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

static Err *check(const Admin *admin, const Exchange *x, bool changes)
{
	if (!host_is_ours(x->arena, x->request.authority))
		return &wrong_host;
	if (changes && !is_same_origin(x))
		return &wrong_origin;
	if (changes && !admin->token.len)
		return &token_needed;
	return may_see(admin, x) ? NULL : &no_token;
}

static Err *admin_handle(Exchange *x)
{
	Admin *admin = x->listener_arg;
	bool head = str_eq(x->request.method, S("HEAD"));
	Url url;

	TRY(url_canonical(x->arena, x->request.target, &(UrlRules){ 0 }, &url));
	for (size_t i = 0; i < COUNT(pages); i++) {
		Str method = pages[i].method;

		if (!str_eq(url.path, pages[i].path))
			continue;
		x->user = (void *)(uintptr_t)&pages[i].method;
		if (!str_eq(head ? S("GET") : x->request.method, method))
			return &wrong_method;
		if (!pages[i].open)
			TRY(check(admin, x, !str_eq(method, S("GET"))));
		return pages[i].page(x, admin->gateway);
	}
	return &not_found;
}

static Err *admin_fail(Exchange *x, Err *err)
{
	Str text = str_fmt(x->arena, "%.*s\n", STR_ARG(err->text));
	Head head = { .status = (uint16_t)err_status(err),
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)text.len };

	headers_add(&head.headers, x->arena, S("Content-Type"), TEXT);
	if (err == &wrong_method)
		headers_add(&head.headers, x->arena, S("Allow"), *(const Str *)x->user);
	if (err == &no_token)
		headers_add(&head.headers, x->arena, S("WWW-Authenticate"), S("Bearer"));
	TRY(http_begin(x, &head));
	TRY(http_write(x, text));
	return http_end(x, NULL);
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
		          .token = str_dup(a, conf->token),
		          .key = str_fmt(a, "admin %.*s", STR_ARG(conf->address.text)) };
	admin_metrics_begin(gateway);
	err = admin_listen(admin, conf->address.text, sockets);
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
	arena_free(admin->arena);
}

const Addr *admin_addr(const Admin *admin)
{
	return admin ? listener_addr(admin->listener) : NULL;
}
