/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections of a client, by loop and place.
 *
 * A place is scheme, host, port and the address to connect to instead of the host, if any. An HTTP/1 connection is in use or in
 * its place's list `idle`, the one used last in front; an HTTP/2 connection is in `shared` as long as it takes calls. Who finds
 * none, and no room for one more, waits in order. Where HTTP/2 may be spoken, one fiber dials and the others wait to see what came
 * of it: otherwise a hundred requests at once would make a hundred connections, of which one would have done.
 *
 * What may not be sent twice takes no connection that rested for long: the server may be closing it this moment. */
#include "base/arena.h"
#include "base/map.h"
#include "base/time.h"
#include "http/ask_int.h"
#include "http/trust.h"
#include "rt/dns.h"
#include "rt/tls.h"
#include "rt/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSAFE_IDLE_US (2 * US_PER_S)
enum { ADDRESS_TEXT = 128 };

typedef struct Place {
	AskLoop *loop;
	Str key; /* its own memory, behind it */
	List idle, shared;
	WaitQueue waiting;
	unsigned idle_count, open; /* open: those that dial, too */
	unsigned users;            /* fibers that look at it */
	bool dials;
	bool h1; /* HTTP/2 is out of the question, or was refused */
} Place;

struct AskLoop {
	AskClient *client;
	Map places;
};

struct AskLink {
	Node node;
	Place *place;
	HttpConn *conn;
	unsigned calls;
	bool h2, used;
	int64_t rest_us;
	Timer idle;
	char address[ADDRESS_TEXT];
};

static Err private_address =
	ERR_STATIC(DENIED, "ask.private", "the address is not one of the open internet");
static Err no_h2 = ERR_STATIC(UPSTREAM, "ask.protocol", "the server does not speak HTTP/2");

/* --- places ------------------------------------------------------------------------------------------------------------- */

static AskLoop *loop_here(AskClient *client)
{
	unsigned i = loop_index(loop_self());

	if (!client->loops[i]) {
		client->loops[i] = calloc(1, sizeof(AskLoop));
		if (!client->loops[i])
			abort();
		client->loops[i]->client = client;
	}
	return client->loops[i];
}

static Place *place_new(AskLoop *loop, Str key)
{
	Place *place = calloc(1, sizeof *place + key.len + 1);

	if (!place)
		abort();
	memcpy(place + 1, key.at, key.len);
	place->loop = loop;
	place->key = (Str){ (const char *)(place + 1), key.len };
	list_init(&place->idle);
	list_init(&place->shared);
	wait_queue_init(&place->waiting);
	map_put(&loop->places, place->key, place);
	return place;
}

static Place *place_get(AskClient *client, const AskWish *wish)
{
	AskLoop *loop = loop_here(client);
	Str key = str_fmt(wish->arena, "%c %.*s:%u %.*s", wish->url->tls ? 's' : 'p',
	                  STR_ARG(wish->url->host), wish->url->port, STR_ARG(wish->via));
	Place *place = map_get(&loop->places, key);

	if (!place)
		place = place_new(loop, key);
	if (client->conf.speak == ASK_HTTP1 || (client->conf.speak == ASK_ALPN && !wish->url->tls))
		place->h1 = true;
	place->users++;
	return place;
}

static void place_leave(Place *place)
{
	if (--place->users || place->open)
		return;
	map_remove(&place->loop->places, place->key);
	free(place);
}

static void place_leavep(Place **place)
{
	place_leave(*place);
}

/* --- connections -------------------------------------------------------------------------------------------------------- */

static void unlink_it(AskLink *link)
{
	if (node_linked(&link->node) && !link->h2)
		link->place->idle_count--;
	list_remove(&link->node);
}

static void link_free(AskLink *link)
{
	Place *place = link->place;

	unlink_it(link);
	timer_remove(&link->idle);
	http_conn_free(link->conn);
	free(link);
	place->users++;
	place->open--;
	wait_queue_wake_one(&place->waiting);
	place_leave(place);
}

static void on_idle(Timer *timer)
{
	AskLink *link = CONTAINER(timer, AskLink, idle);

	if (!link->calls)
		link_free(link);
}

static void on_close(HttpConn *conn, void *arg)
{
	AskLink *link = arg;

	(void)conn;
	unlink_it(link);
	if (!link->calls)
		link_free(link);
}

static bool is_good(AskLink *link, const AskWish *wish)
{
	return link->h2 || wish->safe || loop_now_us() - link->rest_us <= UNSAFE_IDLE_US;
}

static AskLink *use(AskLink *link)
{
	link->used = true;
	timer_clear(&link->idle);
	link->calls++;
	return link;
}

static AskLink *find_idle(Place *place, const AskWish *wish)
{
	LIST_EACH (&place->idle, AskLink, node, link) {
		if (!http_conn_usable(link->conn)) {
			link_free(link);
			continue;
		}
		if (!is_good(link, wish))
			continue;
		unlink_it(link);
		return use(link);
	}
	return NULL;
}

static AskLink *find_shared(const Place *place)
{
	unsigned most = place->loop->client->conf.streams_most;

	LIST_EACH (&place->shared, AskLink, node, link)
		if (link->calls < most && http_conn_usable(link->conn) &&
		    http_conn_streams(link->conn))
			return use(link);
	return NULL;
}

/* One that nobody uses, for room; false: there is none. */
static bool drop_one(const Place *place)
{
	if (!list_empty(&place->idle)) { /* the one that rested longest */
		link_free(CONTAINER(place->idle.head.prev, AskLink, node));
		return true;
	}
	LIST_EACH (&place->shared, AskLink, node, link)
		if (!link->calls) {
			link_free(link);
			return true;
		}
	return false;
}

void ask_link_givep(AskLink **given)
{
	AskLink *link = *given;
	Place *place;

	if (!link)
		return;
	place = link->place;
	link->calls--;
	link->rest_us = loop_now_us();
	if (!link->calls &&
	    (!http_conn_usable(link->conn) ||
	     (!link->h2 && place->idle_count >= place->loop->client->conf.idle_most))) {
		link_free(link);
		return;
	}
	if (!link->h2) {
		list_push(&place->idle, &link->node);
		place->idle_count++;
	}
	if (!link->calls)
		timer_set(&link->idle, link->rest_us + place->loop->client->conf.idle_us);
	wait_queue_wake_one(&place->waiting);
}

HttpConn *ask_link_conn(AskLink *link)
{
	return link->conn;
}

bool ask_link_reused(const AskLink *link)
{
	return link->used;
}

const char *ask_link_address(const AskLink *link)
{
	return link->address;
}

/* --- dialling ----------------------------------------------------------------------------------------------------------- */

static bool is_allowed(const AskConf *conf, const Addr *addr)
{
	Trust but = { conf->but, conf->but_count, false };
	Peer peer = peer_of(addr);
	Ip ip = { .at = { [10] = 0xff, [11] = 0xff } };

	if (!conf->public_only || ask_address_public(addr))
		return true;
	if (peer.family == AF_INET)
		memcpy(ip.at + 12, peer.ip, 4);
	else
		memcpy(ip.at, peer.ip, sizeof ip.at);
	return peer.family != AF_UNIX && trust_has(&but, &ip);
}

static Err *addresses(const AskWish *wish, Addr **addrs, size_t *count)
{
	*count = 1;
	if (!wish->via.len)
		return dns_resolve(wish->arena, wish->url->host, wish->url->port, addrs, count);
	*addrs = ARENA_NEW(wish->arena, Addr);
	return addr_parse(wish->arena, wish->via, *addrs);
}

/* To the very addresses that were looked at. */
static Err *connect_any(const AskClient *client, const AskWish *wish, Stream *stream, char *text)
{
	Err *err = &private_address;
	Addr *addrs;
	size_t count;

	TRY(addresses(wish, &addrs, &count));
	for (size_t i = 0; i < count; i++) {
		if (!is_allowed(&client->conf, &addrs[i]))
			continue;
		stream_close(stream);
		snprintf(text, ADDRESS_TEXT, "%.*s", STR_ARG(addr_text(wish->arena, &addrs[i])));
		err = stream_connect(stream, &addrs[i]);
		if (!err || err->kind == ERR_CANCELLED || err_is(err, "rt.deadline"))
			break;
	}
	return err;
}

typedef struct Making {
	Arena *arena;
	TlsClientConf conf;
	TlsContext *made;
	Err *err;
} Making;

static void make_tls(void *arg)
{
	Making *making = arg;

	making->err = tls_client_new(making->arena, &making->conf, &making->made);
}

/* Reading the system's certificates takes a while: when they are needed, on a worker. */
static Err *tls_of(AskClient *client, Arena *a, TlsContext **out)
{
	Making making = { .arena = a,
		          .conf = { .verify = true, .h2 = client->conf.speak != ASK_HTTP1 } };
	TlsContext *none = NULL;

	*out = __atomic_load_n(&client->tls, __ATOMIC_ACQUIRE);
	if (*out)
		return NULL;
	TRY(work_run(make_tls, &making));
	TRY(making.err);
	*out = making.made;
	if (__atomic_compare_exchange_n(&client->tls, &none, making.made, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE))
		return NULL;
	tls_unref(making.made); /* somebody else was first */
	*out = none;
	return NULL;
}

static Err *open_conn(AskClient *client, const AskWish *wish, char *address, HttpConn **out)
{
	const HttpConnConf conf = { .head = { .head_bytes = 64 << 10,
		                              .line_bytes = 16 << 10,
		                              .headers = 200,
		                              .underscores = true },
		                    .h2 = client->conf.speak == ASK_H2 };
	AUTO(deadline_end) Deadline limit = deadline_begin(client->conf.connect_us);
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	TlsContext *tls;

	TRY(connect_any(client, wish, &stream, address));
	metric_add(client->opened, 1);
	if (wish->url->tls) {
		TRY(tls_of(client, wish->arena, &tls));
		TRY(stream_tls_connect(&stream, tls, wish->url->host));
		if (conf.h2 && !str_eq(stream_alpn(&stream), S("h2")))
			return &no_h2;
	}
	return http_conn_new(&stream, &conf, out);
}

static void keep_link(Place *place, HttpConn *conn, const char *address, AskLink **out)
{
	AskLink *link = calloc(1, sizeof *link);

	if (!link)
		abort();
	*link = (AskLink){ .place = place,
		           .conn = conn,
		           .calls = 1,
		           .h2 = http_conn_is_h2(conn),
		           .rest_us = loop_now_us(),
		           .idle = TIMER_INIT(on_idle) };
	memcpy(link->address, address, ADDRESS_TEXT);
	http_conn_on_close(conn, on_close, link);
	if (link->h2)
		list_push(&place->shared, &link->node);
	else
		place->h1 = true;
	*out = link;
}

static Err *dial(AskClient *client, Place *place, const AskWish *wish, AskLink **out)
{
	char address[ADDRESS_TEXT] = "";
	HttpConn *conn;
	Err *err;

	place->open++;
	place->dials = true;
	err = open_conn(client, wish, address, &conn);
	place->dials = false;
	if (err)
		place->open--;
	else
		keep_link(place, conn, address, out);
	wait_queue_wake_all(&place->waiting);
	return err;
}

static bool may_dial(const Place *place, const AskConf *conf)
{
	if (!place->h1 && place->dials)
		return false;
	return place->open < conf->connections_most || drop_one(place);
}

Err *ask_link_take(AskClient *client, const AskWish *wish, AskLink **out)
{
	AUTO(place_leavep) Place *place = place_get(client, wish);

	for (;;) {
		AskLink *link = wish->fresh ? NULL : find_shared(place);
		Err *err;

		if (!link && !wish->fresh)
			link = find_idle(place, wish);
		if (link) {
			*out = link;
			return NULL;
		}
		if (may_dial(place, &client->conf))
			return dial(client, place, wish, out);
		err = wait_queue_park(&place->waiting);
		if (err) {
			wait_queue_wake_one(&place->waiting); /* it may have been our turn */
			return err;
		}
	}
}

/* --- the client --------------------------------------------------------------------------------------------------------- */

static AskConf with_defaults(Arena *a, const AskConf *conf)
{
	AskConf c = *conf;

	c.ca = str_dup(a, c.ca);
	c.certificate = str_dup(a, c.certificate);
	c.key = str_dup(a, c.key);
	c.connections_most = c.connections_most ? c.connections_most : 64;
	c.idle_most = c.idle_most ? c.idle_most : 16;
	c.streams_most = c.streams_most ? c.streams_most : 100;
	c.idle_us = c.idle_us ? c.idle_us : 50 * US_PER_S;
	c.connect_us = c.connect_us ? c.connect_us : 5 * US_PER_S;
	return c;
}

Err *ask_open(Arena *errs, const AskConf *conf, AskClient **out)
{
	Arena *a = arena_new(0);
	AskClient *client = ARENA_NEW(a, AskClient);
	Err *err = NULL;

	client->arena = a;
	client->conf = with_defaults(a, conf);
	client->loop_count = rt_loops();
	client->loops = ARENA_ARRAY(a, AskLoop *, client->loop_count);
	if (conf->ca.len || conf->certificate.len)
		err = tls_client_new(errs,
		                     &(TlsClientConf){ .ca = conf->ca,
		                                       .certificate = conf->certificate,
		                                       .key = conf->key,
		                                       .verify = true,
		                                       .h2 = conf->speak != ASK_HTTP1 },
		                     &client->tls);
	if (err) {
		arena_free(a);
		return err;
	}
	ask_cells_take(client);
	*out = client;
	return NULL;
}

typedef struct Opening {
	Arena *errs;
	const AskConf *conf;
	AskClient **out;
	Err *err;
} Opening;

static void open_it(void *arg)
{
	Opening *o = arg;

	o->err = ask_open(o->errs, o->conf, o->out);
}

Err *ask_open_away(Arena *errs, const AskConf *conf, AskClient **out)
{
	Opening o = { .errs = errs, .conf = conf, .out = out };

	TRY(work_run(open_it, &o));
	return o.err;
}

static void close_links(const Place *place)
{
	while (list_first(&place->idle))
		link_free(CONTAINER(list_first(&place->idle), AskLink, node));
	while (list_first(&place->shared))
		link_free(CONTAINER(list_first(&place->shared), AskLink, node));
}

static void close_here(void *arg)
{
	AskClient *client = arg;
	AskLoop *loop = client->loops[loop_index(loop_self())];
	size_t at = 0;
	void *value;
	Str key;

	if (!loop)
		return;
	while (at = 0, map_next(&loop->places, &at, &key, &value)) {
		Place *place = value;

		place->users++;
		close_links(place);
		place->open = 0;
		place_leave(place);
	}
	map_fini(&loop->places);
	free(loop);
}

void ask_close(AskClient *client)
{
	if (!client)
		return;
	loop_each(close_here, client);
	tls_unref(client->tls);
	ask_cells_free(client);
	arena_free(client->arena);
}
