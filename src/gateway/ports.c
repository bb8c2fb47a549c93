/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners by their address. A socket is bound before a configuration is taken, so that one that cannot be had changes
 * nothing; it may have been there before us. A port that a configuration no longer names retires: its address is free at
 * once, for the next configuration may want it back; what runs on it is finished in a fiber of its own. */
#include "gateway/ports.h"

#include "base/arena.h"
#include "base/log.h"
#include "gateway/proxy.h"
#include "rt/tls.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_US = 5 * 1000, CLOSE_US = 5 * 1000 * 1000 };

typedef struct Port {
	Node node;    /* ports->open */
	Arena *arena; /* its own: it may outlive the configuration it came with */
	Str key;
	Str text;
	Listener *listener;
	HttpListener *http;
	const ListenConf *conf; /* of the newest configuration */
	bool keep;              /* mark of a reload */
} Port;

struct Ports {
	Sockets *sockets;
	List open;
	List retiring; /* Retire */
};

Ports *ports_new(Arena *a, Sockets *sockets)
{
	Ports *ports = ARENA_NEW(a, Ports);

	ports->sockets = sockets;
	list_init(&ports->open);
	list_init(&ports->retiring);
	return ports;
}

/* --- serving -------------------------------------------------------------------------------------------------------- */

static void let_snapshot_go(void *arg)
{
	snapshot_unref(arg);
}

static bool is_trusted(const Peer *peer, void *arg)
{
	const Trust *trust = &((const Snapshot *)arg)->conf->trust;
	Ip ip = { .at = { [10] = 0xff, [11] = 0xff } };

	if (peer->family == AF_UNIX)
		return trust->unix_peers;
	if (peer->family == AF_INET)
		memcpy(ip.at + 12, peer->ip, 4);
	else
		memcpy(ip.at, peer->ip, sizeof ip.at);
	return trust_has(trust, &ip);
}

static HttpServer *server_for(Snapshot *snap, const ListenConf *listen, TlsContext *tls)
{
	HttpConf conf = {
		.limits = snap->limits,
		.handler = proxy_handle,
		.fail = proxy_fail,
		.done = proxy_done,
		.arg = snapshot_ref(snap),
		.gone = let_snapshot_go,
		.h2c = listen->h2c,
		.proxy_protocol = listen->proxy_protocol,
		.trusts = is_trusted,
	};

	return http_server_new(&conf, tls);
}

static Err *serve_port(Port *port, Snapshot *snap, size_t index, TlsContext *tls)
{
	HttpServer *server = server_for(snap, &snap->conf->listen.at[index], tls);
	Err *err = NULL;

	port->keep = true;
	port->conf = &snap->conf->listen.at[index];
	if (port->http)
		http_listen_swap(port->http, server);
	else
		err = http_listen(port->listener, server, NULL, &port->http);
	http_server_unref(server);
	return err;
}

/* --- opening and closing -------------------------------------------------------------------------------------------- */

static Err *port_bind(Ports *ports, Port *port, Arena *a)
{
	Addr addr;

	TRY(addr_parse(a, port->text, &addr));
	TRY(sockets_listen(a, ports->sockets, port->key, &addr, &port->listener));
	return port->listener ? NULL : listener_open(a, &addr, &port->listener);
}

/* Errors live in `errs`: the port's own arena goes with it. */
static Err *port_open(Ports *ports, Arena *errs, Str key, Str text)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Port *port = ARENA_NEW(a, Port);
	Err *err;

	port->key = str_dup(a, key);
	port->text = str_dup(a, text);
	err = port_bind(ports, port, a);
	if (err)
		return err_copy(errs, err);
	port->arena = TAKE(a);
	list_add(&ports->open, &port->node);
	return NULL;
}

static void port_close(Port *port)
{
	http_listen_close(port->http);
	listener_close(port->listener);
	list_remove(&port->node);
	arena_free(port->arena);
}

/* Its address as written. Those on "any free port" are different ones though they read the same. */
static Str port_key(Arena *a, const GatewayConf *conf, size_t index)
{
	const AddressConf *address = &conf->listen.at[index].address;
	unsigned before = 0;

	if (address->port || address->unix_path.len)
		return str_fmt(a, "listen %.*s", STR_ARG(address->text));
	for (size_t i = 0; i < index; i++)
		before += str_eq(conf->listen.at[i].address.text, address->text);
	return str_fmt(a, "listen %.*s #%u", STR_ARG(address->text), before);
}

static Port *port_find(Ports *ports, Str key)
{
	LIST_EACH (&ports->open, Port, node, port)
		if (str_eq(port->key, key))
			return port;
	return NULL;
}

void ports_close_unserved(Ports *ports)
{
	LIST_EACH (&ports->open, Port, node, port)
		if (!port->http)
			port_close(port);
}

Err *ports_open(Ports *ports, Arena *errs, const GatewayConf *conf)
{
	for (size_t i = 0; i < conf->listen.count; i++) {
		Str key = port_key(errs, conf, i);
		Err *err = port_find(ports, key)
		                   ? NULL
		                   : port_open(ports, errs, key, conf->listen.at[i].address.text);

		if (err) {
			ports_close_unserved(ports);
			return err;
		}
	}
	return NULL;
}

/* --- retiring ------------------------------------------------------------------------------------------------------- */

typedef struct Retire {
	Node node; /* ports->retiring */
	Port *port;
	HttpDrain how;
	Fiber *fiber;
} Retire;

static void drain_port(Port *port, const HttpDrain *how)
{
	unsigned lost = http_listen_drain(port->http, how);

	if (lost)
		log_warn("%u connections of %.*s were cut", lost, STR_ARG(port->text));
}

static void retire_port(void *arg)
{
	Retire *retire = arg;

	retire->fiber = fiber_self();
	drain_port(retire->port, &retire->how);
	port_close(retire->port);
	list_remove(&retire->node);
	free(retire);
}

static void retire_others(Ports *ports, const HttpDrain *how)
{
	LIST_EACH (&ports->open, Port, node, port) {
		Retire *retire = port->keep ? NULL : calloc(1, sizeof *retire);

		if (!retire)
			continue;
		retire->port = port;
		retire->how = *how;
		list_remove(&port->node);
		list_add(&ports->retiring, &retire->node);
		listener_shut(port->listener);
		if (fiber_start(retire_port, retire, "retire"))
			retire_port(retire);
	}
}

/* Those on their way out are hurried, and gone when it returns: their requests write to logs and upstreams. */
static void await_retiring(Ports *ports)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!list_empty(&ports->retiring)) {
		LIST_EACH (&ports->retiring, Retire, node, retire)
			if (retire->fiber)
				fiber_cancel(retire->fiber);
		if (fiber_sleep(LOOK_US))
			return; /* cannot be: shielded */
	}
}

Err *ports_serve(Ports *ports, Arena *a, Snapshot *snap, TlsContext **tls)
{
	const GatewayConf *conf = snap->conf;
	HttpDrain how = drain_of(&conf->drain, false);

	LIST_EACH (&ports->open, Port, node, port)
		port->keep = false;
	for (size_t i = 0; i < conf->listen.count; i++)
		TRY(serve_port(port_find(ports, port_key(a, conf, i)), snap, i, tls[i]));
	retire_others(ports, &how);
	return NULL;
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

HttpDrain drain_of(const DrainConf *conf, bool upgrade)
{
	return (HttpDrain){
		.requests_us = conf->timeout_us,
		.idle_us = conf->idle_us,
		.tunnels_us = upgrade ? conf->upgrade_us : conf->tunnels_us,
		.close_us = CLOSE_US,
	};
}

typedef struct Drain {
	Port *port;
	HttpDrain how;
	Child child;
} Drain;

typedef struct Drains {
	Drain *at;
	size_t count;
} Drains;

static Err *drain_child(void *arg)
{
	const Drain *drain = arg;

	drain_port(drain->port, &drain->how);
	return NULL;
}

static void drains_end(Drains *drains)
{
	for (size_t i = 0; i < drains->count; i++)
		child_end(&drains->at[i].child);
}

static size_t port_count(const Ports *ports)
{
	size_t count = 0;

	LIST_EACH (&ports->open, Port, node, port)
		count += port != NULL;
	return count;
}

void ports_leave(Ports *ports, Str keys)
{
	LIST_EACH (&ports->open, Port, node, port)
		if (sockets_listed(keys, port->key))
			listener_leave(port->listener);
}

Err *ports_drain(Ports *ports, const HttpDrain *how)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(drains_end) Drains drains = { ARENA_ARRAY(a, Drain, port_count(ports)), 0 };

	LIST_EACH (&ports->open, Port, node, port) {
		Drain *drain = &drains.at[drains.count++];

		*drain = (Drain){ .port = port, .how = *how };
		drain->how.handed = sockets_are_kept(ports->sockets, port->key);
		TRY(child_start(&drain->child, drain_child, drain, "drain"));
	}
	for (size_t i = 0; i < drains.count; i++)
		TRY(child_join(&drains.at[i].child));
	while (!list_empty(&ports->retiring))
		TRY(fiber_sleep(LOOK_US));
	return NULL;
}

void ports_close(Ports *ports)
{
	LIST_EACH (&ports->open, Port, node, port)
		port_close(port);
	await_retiring(ports);
}

void ports_each(Ports *ports, PortFn *fn, void *arg)
{
	LIST_EACH (&ports->open, Port, node, port)
		if (port->http)
			fn(arg, port->key, port->listener, port->conf);
}
