/* SPDX-License-Identifier: Apache-2.0
 *
 * The process. One fiber of loop 0 reads signals and does what they say, one thing after another:
 *
 *   SIGHUP          the file is read and built anew on a worker; when all of it is in order, and every new address is
 *                   bound, listeners swap to it. A mistake changes nothing and is said.
 *   SIGUSR1         log files are opened anew.
 *   SIGTERM, SIGINT listeners stop, what runs is finished within drain.timeout; a second one ends it at once.
 *
 * Listeners are known by their address as written: one that stays keeps its socket and its connections. */
#include "gateway/gateway.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "gateway/admin.h"
#include "gateway/proxy.h"
#include "gateway/record.h"
#include "rt/signals.h"
#include "rt/tls.h"
#include "rt/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECORDERS_MAX = 16 };

static Err many_logs = ERR_STATIC(CONFLICT, "gateway.access_logs",
                                  "too many different access logs since the start: restart");

typedef struct Port {
	Node node;    /* gateway->ports */
	Arena *arena; /* its own: it may outlive the configuration it came with */
	Str key;
	Str text;
	Listener *listener;
	HttpListener *http;
	bool keep; /* mark of a reload */
} Port;

struct Gateway {
	Str file;
	pthread_mutex_t
		lock; /* of snap, for the admin port on other loops; held for a few instructions */
	Snapshot *snap;
	List ports;
	List retiring;
	Recorder *recorders[RECORDERS_MAX]; /* every access log there was a configuration for */
	size_t recorder_count;
	Admin *admin;       /* NULL: none */
	bool ready;         /* atomic */
	GatewayStats stats; /* atomic */
};

/* --- building on a worker ------------------------------------------------------------------------------------------- */

typedef struct Build {
	Str file;
	Gateway *gateway;
	const Snapshot *before;
	Arena *arena; /* the hold's */
	ConfHold *hold;
	Conf *conf;
	GatewayConf *loaded;
	Snapshot *snap;
	TlsContext **tls; /* one a listener; NULL: plain */
	bool applied;     /* the snapshot is the gateway's */
	Err *err;
} Build;

static Err *load_tls(Build *b, const ListenConf *listen, TlsContext **out)
{
	TlsServerConf *confs = ARENA_ARRAY(b->arena, TlsServerConf, listen->tls.count);

	*out = NULL;
	for (size_t i = 0; i < listen->tls.count; i++)
		confs[i] = (TlsServerConf){ listen->tls.at[i].certificate, listen->tls.at[i].key,
			                    listen->http2 };
	return listen->tls.count ? tls_server_new(b->arena, confs, listen->tls.count, out) : NULL;
}

/* The log this configuration asks for: one that is open, or a new one. */
static Err *find_recorder(Gateway *g, Arena *a, const AccessConf *conf, Recorder **out)
{
	*out = NULL;
	if (conf->to == ACCESS_OFF)
		return NULL;
	for (size_t i = 0; i < g->recorder_count; i++)
		if (recorder_is(g->recorders[i], conf)) {
			*out = g->recorders[i];
			return NULL;
		}
	if (g->recorder_count == RECORDERS_MAX)
		return &many_logs;
	TRY(recorder_open(a, conf, out));
	g->recorders[g->recorder_count++] = *out;
	return NULL;
}

static Err *build(Build *b)
{
	const GatewayConf *conf;
	Recorder *recorder;

	if (!b->loaded)
		TRY(gateway_conf_load(b->arena, b->conf, b->file, &b->loaded));
	conf = b->loaded;
	b->tls = ARENA_ARRAY(b->arena, TlsContext *, conf->listen.count);
	for (size_t i = 0; i < conf->listen.count; i++)
		TRY(load_tls(b, &conf->listen.at[i], &b->tls[i]));
	TRY(find_recorder(b->gateway, b->arena, &conf->access_log, &recorder));
	TRY(snapshot_new(b->arena, b->hold, conf, b->before, &b->snap));
	b->snap->recorder = recorder;
	return NULL;
}

static void build_work(void *arg)
{
	Build *b = arg;

	b->err = build(b);
}

static void build_begin(Build *b, Gateway *g)
{
	*b = (Build){ .gateway = g, .before = g->snap, .arena = arena_new(0) };
	b->hold = conf_hold_new(b->arena);
	b->file = str_dup(b->arena, g->file);
	b->conf = conf_new(b->arena);
}

/* The servers have references of their own. */
static void let_tls_go(Build *b)
{
	for (size_t i = 0; b->tls && i < b->loaded->listen.count; i++)
		tls_unref(b->tls[i]);
	b->tls = NULL;
}

/* The snapshot and its upstreams hold the arena as long as they need it; errors that live in it are gone. Fine twice. */
static void build_end(Build *b)
{
	let_tls_go(b);
	if (!b->applied)
		snapshot_unref(b->snap);
	b->snap = NULL;
	conf_hold_unref(TAKE(b->hold));
}

static void say_mistakes(const Build *b)
{
	size_t count;
	const ConfMistake *mistakes = conf_mistakes(b->conf, &count);

	for (size_t i = 0; i < count; i++)
		log_error("%.*s:%u:%u: %.*s", STR_ARG(b->file), mistakes[i].line,
		          mistakes[i].column, STR_ARG(mistakes[i].text));
}

static void say_warnings(const GatewayConf *conf)
{
	for (size_t i = 0; i < conf->warnings.count; i++)
		log_warn("%.*s", STR_ARG(conf->warnings.at[i]));
}

/* --- ports ---------------------------------------------------------------------------------------------------------- */

static void let_snapshot_go(void *arg)
{
	snapshot_unref(arg);
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
	};

	return http_server_new(&conf, tls);
}

static Err *port_bind(Port *port, Arena *a)
{
	Addr addr;

	TRY(addr_parse(a, port->text, &addr));
	return listener_open(a, &addr, &port->listener);
}

/* Errors live in `errs`: the port's own arena goes with it. */
static Err *port_open(Gateway *g, Arena *errs, Str key, Str text)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Port *port = ARENA_NEW(a, Port);
	Err *err;

	port->key = str_dup(a, key);
	port->text = str_dup(a, text);
	err = port_bind(port, a);
	if (err)
		return err_copy(errs, err);
	port->arena = TAKE(a);
	list_add(&g->ports, &port->node);
	return NULL;
}

static void port_close(Port *port)
{
	http_listen_close(port->http);
	listener_close(port->listener);
	list_remove(&port->node);
	arena_free(port->arena);
}

/* What a listener is known by from one configuration to the next: its address as written. Those on "any free port" are
 * different ones though they read the same. */
static Str port_key(Arena *a, const GatewayConf *conf, size_t index)
{
	const AddressConf *address = &conf->listen.at[index].address;
	unsigned before = 0;

	if (address->port || address->unix_path.len)
		return address->text;
	for (size_t i = 0; i < index; i++)
		before += str_eq(conf->listen.at[i].address.text, address->text);
	return str_fmt(a, "%.*s #%u", STR_ARG(address->text), before);
}

static Port *port_find(Gateway *g, Str key)
{
	LIST_EACH (&g->ports, Port, node, port)
		if (str_eq(port->key, key))
			return port;
	return NULL;
}

static void close_unserved(Gateway *g)
{
	LIST_EACH (&g->ports, Port, node, port)
		if (!port->http)
			port_close(port);
}

/* Every address of the configuration has a bound port, or none that was not there before is left. */
static Err *open_ports(Gateway *g, Arena *errs, const GatewayConf *conf)
{
	for (size_t i = 0; i < conf->listen.count; i++) {
		Str key = port_key(errs, conf, i);
		Err *err = port_find(g, key)
		                   ? NULL
		                   : port_open(g, errs, key, conf->listen.at[i].address.text);

		if (err) {
			close_unserved(g);
			return err;
		}
	}
	return NULL;
}

static Err *serve_port(Port *port, Snapshot *snap, size_t index, TlsContext *tls)
{
	HttpServer *server = server_for(snap, &snap->conf->listen.at[index], tls);
	Err *err = NULL;

	port->keep = true;
	if (port->http)
		http_listen_swap(port->http, server);
	else
		err = http_listen(port->listener, server, NULL, &port->http);
	http_server_unref(server);
	return err;
}

typedef struct Retire {
	Node node; /* gateway->retiring */
	Port *port;
	int64_t us;
	Fiber *fiber;
} Retire;

static void retire_port(void *arg)
{
	Retire *retire = arg;

	retire->fiber = fiber_self();
	http_listen_drain(retire->port->http, retire->us);
	port_close(retire->port);
	list_remove(&retire->node);
	free(retire);
}

/* A listener that is not in the configuration any more: what runs on it is finished. */
static void retire_others(Gateway *g, int64_t us)
{
	LIST_EACH (&g->ports, Port, node, port) {
		Retire *retire = port->keep ? NULL : calloc(1, sizeof *retire);

		port->keep = false;
		if (!retire)
			continue;
		retire->port = port;
		retire->us = us;
		list_remove(&port->node);
		list_add(&g->retiring, &retire->node);
		if (fiber_start(retire_port, retire, "retire"))
			retire_port(retire);
	}
}

enum { RETIRE_LOOK_US = 5 * 1000 };

/* Those on their way out are hurried, and gone when it returns: their requests write to logs and upstreams. */
static void await_retiring(Gateway *g)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!list_empty(&g->retiring)) {
		LIST_EACH (&g->retiring, Retire, node, retire)
			if (retire->fiber)
				fiber_cancel(retire->fiber);
		if (fiber_sleep(RETIRE_LOOK_US))
			return; /* cannot be: shielded */
	}
}

static Err *serve_ports(Gateway *g, const Build *b)
{
	const GatewayConf *conf = b->snap->conf;

	for (size_t i = 0; i < conf->listen.count; i++)
		TRY(serve_port(port_find(g, port_key(b->arena, conf, i)), b->snap, i, b->tls[i]));
	retire_others(g, conf->drain.timeout_us);
	return NULL;
}

/* --- configuration in force ----------------------------------------------------------------------------------------- */

Snapshot *gateway_snapshot(Gateway *g)
{
	Snapshot *snap;

	pthread_mutex_lock(&g->lock);
	snap = snapshot_ref(g->snap);
	pthread_mutex_unlock(&g->lock);
	return snap;
}

static Snapshot *swap_snapshot(Gateway *g, Snapshot *snap)
{
	Snapshot *before;

	pthread_mutex_lock(&g->lock);
	before = g->snap;
	g->snap = snap;
	pthread_mutex_unlock(&g->lock);
	return before;
}

/* Changes that only a restart makes. */
static void say_what_waits(const GatewayConf *before, const GatewayConf *now)
{
	if (!str_eq(before->admin.address.text, now->admin.address.text) ||
	    !str_eq(before->admin.token, now->admin.token))
		log_warn("admin changed: that takes a restart");
	if (before->threads != now->threads)
		log_warn("threads changed: that takes a restart");
}

static Err *apply(Gateway *g, Build *b)
{
	Snapshot *before = g->snap;

	Err *err;

	TRY(open_ports(g, b->arena, b->snap->conf));
	err = snapshot_begin(b->snap, before);
	err = err ? err : serve_ports(g, b);
	if (err) {
		snapshot_end(b->snap, before);
		close_unserved(g);
		return err;
	}
	swap_snapshot(g, b->snap);
	b->applied = true;
	let_tls_go(b);
	say_warnings(b->snap->conf);
	if (before) {
		say_what_waits(before->conf, b->snap->conf);
		snapshot_end(before, b->snap);
		snapshot_unref(before);
	}
	return NULL;
}

static Err *reload(Gateway *g)
{
	Build b;
	Err *err;

	build_begin(&b, g);
	err = work_run(build_work, &b);
	err = err ? err : b.err;
	if (!err)
		err = apply(g, &b);
	__atomic_add_fetch(err ? &g->stats.reloads_failed : &g->stats.reloads, 1, __ATOMIC_RELAXED);
	if (err) {
		say_mistakes(&b);
		log_err(err, "the configuration stays as it was");
	} else
		log_info("the configuration was reloaded from %.*s", STR_ARG(g->file));
	build_end(&b);
	return NULL;
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

typedef struct Drain {
	Port *port;
	int64_t us;
	Child child;
} Drain;

static Err *drain_port(void *arg)
{
	Drain *drain = arg;
	unsigned left = http_listen_drain(drain->port->http, drain->us);

	if (left)
		log_warn("%u connections of %.*s were cut", left, STR_ARG(drain->port->text));
	return NULL;
}

typedef struct Impatience {
	Drain *drains;
	size_t count;
} Impatience;

static Err *second_signal(void *arg)
{
	Impatience *impatience = arg;
	int signo = 0;

	while (signo != SIGTERM && signo != SIGINT)
		TRY(signal_wait(&signo));
	log_warn("a second signal: what runs is cut");
	for (size_t i = 0; i < impatience->count; i++)
		if (impatience->drains[i].child.fiber && !impatience->drains[i].child.done)
			fiber_cancel(impatience->drains[i].child.fiber);
	return NULL;
}

static void drains_end(Impatience *impatience)
{
	for (size_t i = 0; i < impatience->count; i++)
		child_end(&impatience->drains[i].child);
}

static size_t port_count(Gateway *g)
{
	size_t count = 0;

	LIST_EACH (&g->ports, Port, node, port)
		count += port != NULL;
	return count;
}

static Err *drain_all(Gateway *g, Arena *a)
{
	AUTO(drains_end) Impatience impatience = { ARENA_ARRAY(a, Drain, port_count(g)), 0 };
	AUTO(child_end) Child watcher = { 0 };

	LIST_EACH (&g->ports, Port, node, port) {
		Drain *drain = &impatience.drains[impatience.count++];

		*drain = (Drain){ .port = port, .us = g->snap->conf->drain.timeout_us };
		TRY(child_start(&drain->child, drain_port, drain, "drain"));
	}
	TRY(child_start(&watcher, second_signal, &impatience, "impatience"));
	for (size_t i = 0; i < impatience.count; i++)
		TRY(child_join(&impatience.drains[i].child));
	return NULL;
}

static void close_all(Gateway *g)
{
	Snapshot *snap;

	admin_close(TAKE(g->admin)); /* it reads the snapshot */
	LIST_EACH (&g->ports, Port, node, port)
		port_close(port);
	await_retiring(g);
	snap = swap_snapshot(g, NULL);
	if (snap) {
		snapshot_end(snap, NULL);
		snapshot_unref(snap);
	}
	for (size_t i = 0; i < g->recorder_count; i++)
		recorder_close(g->recorders[i]);
}

/* --- the life ------------------------------------------------------------------------------------------------------- */

bool gateway_is_ready(const Gateway *g)
{
	return __atomic_load_n(&g->ready, __ATOMIC_RELAXED);
}

GatewayStats gateway_stats(const Gateway *g)
{
	return (GatewayStats){ __atomic_load_n(&g->stats.reloads, __ATOMIC_RELAXED),
		               __atomic_load_n(&g->stats.reloads_failed, __ATOMIC_RELAXED) };
}

static void announce(Gateway *g, Arena *a)
{
	const GatewayConf *conf = g->snap->conf;

	for (size_t i = 0; i < conf->listen.count; i++) {
		const ListenConf *listen = &conf->listen.at[i];
		const Addr *addr = listener_addr(port_find(g, port_key(a, conf, i))->listener);
		const char *scheme = addr->sa.sa_family == AF_UNIX ? ""
		                     : listen->tls.count           ? "https://"
		                                                   : "http://";

		printf("listening %s%.*s\n", scheme, STR_ARG(addr_text(a, addr)));
	}
	if (admin_addr(g->admin))
		printf("admin http://%.*s\n", STR_ARG(addr_text(a, admin_addr(g->admin))));
	puts("ready");
	fflush(stdout);
}

static void reopen_work(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Gateway *g = arg;

	for (size_t i = 0; i < g->recorder_count; i++) {
		Err *err = recorder_reopen(a, g->recorders[i]);

		if (err)
			log_err(err, "an access log goes on in its old file");
	}
}

static Err *reopen_logs(Gateway *g)
{
	return work_run(reopen_work, g);
}

static Err *run_until_told(Gateway *g)
{
	for (;;) {
		int signo = 0;

		TRY(signal_wait(&signo));
		if (signo == SIGHUP)
			TRY(reload(g));
		else if (signo == SIGUSR1)
			TRY(reopen_logs(g));
		else if (signo == SIGTERM || signo == SIGINT)
			return NULL;
	}
}

typedef struct Life {
	Gateway gateway;
	Build first;
	Arena *arena; /* outlives the runtime: what ended it is told there */
} Life;

static Err *start(Gateway *g, Build *first)
{
	build_work(first);
	TRY(first->err);
	TRY(apply(g, first));
	return admin_open(g, &first->snap->conf->admin, &g->admin);
}

static Err *live(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Life *life = arg;
	Gateway *g = &life->gateway;
	Err *err = start(g, &life->first);

	if (!err) {
		build_end(&life->first);
		announce(g, a);
		__atomic_store_n(&g->ready, true, __ATOMIC_RELAXED);
		err = run_until_told(g);
		__atomic_store_n(&g->ready, false, __ATOMIC_RELAXED);
		err = err ? err : drain_all(g, a);
	}
	close_all(g);
	err = err_copy(life->arena, err); /* it may lie in what ends here, while loops still turn */
	build_end(&life->first);
	return err;
}

Err *gateway_run(Arena *a, const GatewayArgs *args)
{
	Life *life = ARENA_NEW(a, Life);
	Build *first = &life->first;
	RtConf conf = { 0 };
	Err *err;

	life->arena = a;
	life->gateway.file = args->file;
	pthread_mutex_init(&life->gateway.lock, NULL);
	list_init(&life->gateway.ports);
	list_init(&life->gateway.retiring);
	build_begin(first, &life->gateway);
	err = gateway_conf_load(first->arena, first->conf, first->file, &first->loaded);
	if (err) {
		say_mistakes(first);
		err = err_copy(a, err);
		build_end(first);
	} else {
		conf.loops = first->loaded->threads;
		err = rt_run(&conf, live, life);
	}
	pthread_mutex_destroy(&life->gateway.lock);
	return err;
}
