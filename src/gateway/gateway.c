/* SPDX-License-Identifier: Apache-2.0
 *
 * The process. One fiber of loop 0 does what it is told, one thing after another, by signals, by the admin port, or by a
 * process that takes over:
 *
 *   SIGHUP           the file is read and built anew on a worker; when all of it is in order, and every new address is
 *                    bound, listeners swap to it. A mistake changes nothing and is said.
 *   SIGUSR1          log files are opened anew.
 *   SIGUSR2          the program is started anew, to take over from this process.
 *   SIGTERM, SIGINT  listeners stop, what runs is finished within the times of `drain`; a second one ends it at once.
 *
 * A process that takes over says when it serves: then this one leaves the sockets to it and drains, and the service manager
 * is told whom to look at from now on. */
#include "gateway/gateway.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "gateway/admin.h"
#include "gateway/build.h"
#include "gateway/files_cache.h"
#include "gateway/hooks.h"
#include "gateway/notify.h"
#include "gateway/orders.h"
#include "gateway/ports.h"
#include "gateway/proxy.h"
#include "gateway/record.h"
#include "gateway/services.h"
#include "gateway/takeover.h"
#include "gateway/upgrade.h"
#include "gateway/waiting.h"
#include "gateway/watermark.h"
#include "rt/signals.h"
#include "rt/tls.h"
#include "rt/work.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

struct Gateway {
	const GatewayArgs *args;
	Arena *arena; /* the process's */
	pthread_mutex_t
		lock; /* of snap, for the admin port on other loops; held for a few instructions */
	Snapshot *snap;
	Sockets *sockets; /* that were there before us */
	Ports *ports;
	Recorders recorders;
	ConfHold *services; /* of the configuration that services began with */
	Admin *admin;       /* NULL: none */
	Takeover *from;     /* while we take over */
	TakeoverHost *host; /* NULL: nobody can take over from us */
	Orders orders;
	bool ready;         /* atomic */
	bool handed;        /* another process has taken over */
	Str taken;          /* keys of the sockets it goes on with */
	GatewayStats stats; /* atomic */
};

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
	Str keys[HOOKS_WAITING];
	size_t count;

	if (!conf_equal(gateway_admin_table(), &before->admin, &now->admin))
		log_warn("admin changed: that takes a restart");
	if (before->threads != now->threads)
		log_warn("threads changed: that takes a restart");
	if (!str_eq(before->takeover, now->takeover))
		log_warn("takeover changed: that takes a restart");
	if (!conf_equal(gateway_services()->table, &before->services, &now->services))
		log_warn("services changed: what runs here takes a restart");
	count = gateway_waiting(now, keys);
	for (size_t i = 0; i < count; i++)
		log_warn("%.*s changed: that takes a restart", STR_ARG(keys[i]));
}

static Err *put_in_force(Gateway *g, Build *b, Snapshot *before)
{
	Err *err;

	TRY(gateway_hooks()->begin(b->arena, b->snap));
	TRY(snapshot_begin(b->snap, before));
	gateway_hooks()->take(b->snap); /* before the first request that goes by it */
	err = ports_serve(g->ports, b->arena, b->snap, b->tls);
	if (err && before)
		gateway_hooks()->take(before);
	return err;
}

static Err *apply(Gateway *g, Build *b)
{
	Snapshot *before = g->snap;
	Err *err;

	TRY(ports_open(g->ports, b->arena, b->snap->conf));
	err = put_in_force(g, b, before);
	if (err) {
		snapshot_end(b->snap, before);
		ports_close_unserved(g->ports);
		return err;
	}
	swap_snapshot(g, b->snap);
	proxy_warm(b->snap);
	b->applied = true;
	build_let_tls_go(b);
	build_say_warnings(b);
	watermark_set(b->snap->conf->limits.memory);
	if (before) {
		say_what_waits(before->conf, b->snap->conf);
		snapshot_end(before, b->snap);
	}
	return NULL;
}

/* --- reload --------------------------------------------------------------------------------------------------------- */

typedef struct Reload {
	Build build;
	Order *order; /* NULL: nobody asks what came of it */
	Err *err;
} Reload;

static void reload_work(void *arg)
{
	Reload *reload = arg;

	reload->err = build_make(&reload->build);
	if (!reload->err && reload->order)
		build_put_changes(&reload->build, &reload->order->answer);
}

static void answer_reload(Reload *reload)
{
	Order *order = reload->order;

	if (!order)
		return;
	order->status = 200;
	if (reload->err) {
		buf_clear(&order->answer);
		order->status = build_status(reload->err);
		build_put_mistakes(&reload->build, reload->err, &order->answer);
	}
	order_done(order);
}

static void reload(Gateway *g, Order *order)
{
	Reload reload = { .order = order };
	Build *b = &reload.build;
	Snapshot *before = g->snap;
	Err *err;

	notify_reloading();
	build_begin(b, g->args, &g->recorders, before);
	err = work_run(reload_work, &reload);
	reload.err = err ? err : reload.err;
	if (!reload.err)
		reload.err = apply(g, b);
	err = reload.err;
	__atomic_add_fetch(err ? &g->stats.reloads_failed : &g->stats.reloads, 1, __ATOMIC_RELAXED);
	if (err) {
		build_say_mistakes(b);
		log_err(err, "the configuration stays as it was");
	} else {
		snapshot_unref(before);
		log_info("the configuration was reloaded from %.*s",
		         STR_ARG(g->args->file.len ? g->args->file : S("the command line")));
	}
	answer_reload(&reload);
	build_end(b);
	notify_ready();
}

static void reopen_work(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Recorders *recorders = arg;

	for (size_t i = 0; i < recorders->count; i++) {
		Err *err = recorder_reopen(a, recorders->at[i]);

		if (err)
			log_err(err, "an access log goes on in its old file");
	}
}

/* --- another process ------------------------------------------------------------------------------------------------ */

static void offer_port(void *arg, Str key, const Listener *listener, const ListenConf *conf)
{
	(void)conf;
	takeover_offer(arg, key, listener_fd(listener), listener_owns_file(listener));
}

static void offer_service(void *arg, Str key, const char *name, Listener *listener)
{
	(void)name;
	takeover_offer(arg, key, listener_fd(listener), listener_owns_file(listener));
}

static void offer_sockets(void *arg, TakeoverHost *host)
{
	Gateway *g = arg;

	ports_each(g->ports, offer_port, host);
	gateway_services()->each(offer_service, host);
	if (g->admin)
		takeover_offer(host, admin_key(g->admin), admin_fd(g->admin),
		               admin_owns_file(g->admin));
}

static void handed(void *arg, int pid, Str taken)
{
	Gateway *g = arg;

	g->handed = true;
	g->taken = str_dup(g->arena, taken);
	notify_main_pid(pid);
	orders_ask(&g->orders, ORDER_DRAIN);
}

/* The parts of one file that run by themselves are taken over by themselves. */
static Str part_of(const Gateway *g)
{
	Str part = { 0 };

	for (size_t i = 0; i < g->args->only.count; i++)
		part = str_fmt(g->arena, "%.*s %.*s", STR_ARG(part), STR_ARG(g->args->only.at[i]));
	return part;
}

/* Where nobody could take over from us, we serve all the same. */
static void host_takeover(Gateway *g)
{
	TakeoverHooks hooks = { offer_sockets, handed, g };
	Addr addr;
	Err *err;

	if (!takeover_address(g->snap->conf->takeover, g->args->file, part_of(g), &addr))
		return;
	err = takeover_open(g->arena, &addr, g->sockets, &hooks, &g->host);
	if (err)
		log_err(err, "no process can take over from this one");
}

static Err *begin_takeover(Gateway *g, const GatewayConf *conf)
{
	Addr addr;

	if (!takeover_address(conf->takeover, g->args->file, part_of(g), &addr))
		return err_new(g->arena, ERR_INVALID, "gateway.takeover",
		               "--takeover: the configuration says \"takeover: off\"");
	g->sockets = sockets_new(g->arena, FROM_PROCESS);
	return takeover_ask(g->arena, &addr, g->sockets, &g->from);
}

/* From now on we are it. */
static void finish_takeover(Gateway *g)
{
	Err *err;

	if (!g->from)
		return;
	err = takeover_done(g->from, g->sockets);
	if (err)
		log_err(err, "the process before did not answer any more");
	takeover_end(TAKE(g->from));
	sockets_free(g->sockets); /* the other one closes what is left of them too */
}

static void upgrade_fiber(void *arg)
{
	int pid = (int)(intptr_t)arg, status;

	if (!upgrade_wait(pid, &status))
		log_warn("process %d, started to take over, has ended", pid);
}

static void upgrade(Gateway *g)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	int pid = 0;
	Err *err = g->host ? upgrade_start(a, &pid)
	                   : err_new(a, ERR_CONFLICT, "gateway.upgrade",
	                             "no process can take over from this one");

	if (!err) {
		log_info("process %d was started to take over", pid);
		err = fiber_start(upgrade_fiber, (void *)(intptr_t)pid, "upgrade");
	}
	if (err)
		log_err(err, "no upgrade");
}

/* --- orders --------------------------------------------------------------------------------------------------------- */

/* Signals stay pending while there is no descriptor to read them from. Who gave up here could not be told to stop. */
static Err *next_signal(int *signo)
{
	enum { PAUSE_US = 100 * 1000 };
	Err *err = signal_wait(signo);

	while (err && err->kind != ERR_CANCELLED) {
		TRY(fiber_sleep(PAUSE_US));
		err = signal_wait(signo);
	}
	return err;
}

static Err *listen_to_signals(void *arg)
{
	static const struct {
		int signo;
		OrderKind kind;
	} rows[] = {
		{ SIGTERM, ORDER_DRAIN },  { SIGINT, ORDER_DRAIN },    { SIGHUP, ORDER_RELOAD },
		{ SIGUSR1, ORDER_REOPEN }, { SIGUSR2, ORDER_UPGRADE },
	};
	Gateway *g = arg;

	for (;;) {
		int signo = 0;

		TRY(next_signal(&signo));
		for (size_t i = 0; i < COUNT(rows); i++)
			if (rows[i].signo == signo)
				orders_ask(&g->orders, rows[i].kind);
	}
}

void gateway_order(Gateway *g, Order *order)
{
	orders_send(&g->orders, order);
}

static void answer(Order *order, unsigned status)
{
	if (!order)
		return;
	order->status = status;
	order_done(order);
}

/* Every worker may be at work on a slow disk: that is no reason to end. Only a cancel leaves. */
static Err *reopen(Gateway *g, Order *order)
{
	enum { TRIES = 20, PAUSE_US = 250000 };
	Err *err = work_run(reopen_work, &g->recorders);

	for (int i = 0; err && i < TRIES && !fiber_cancelled(); i++) {
		TRY(fiber_sleep(PAUSE_US));
		err = work_run(reopen_work, &g->recorders);
	}
	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err)
		log_err(err, "the log files were not opened anew");
	answer(order, err ? 503 : 204);
	return NULL;
}

static Err *run_until_told(Gateway *g)
{
	for (;;) {
		OrderKind kind;
		Order *order;

		TRY(orders_next(&g->orders, &kind, &order));
		switch (kind) {
		case ORDER_RELOAD:
			reload(g, order);
			break;
		case ORDER_REOPEN:
			TRY(reopen(g, order));
			break;
		case ORDER_UPGRADE:
			upgrade(g);
			answer(order, 202);
			break;
		case ORDER_DRAIN:
		case ORDER_KINDS:
			answer(order, 202);
			return NULL;
		}
	}
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

typedef struct Drain {
	Gateway *gateway;
	Child child;
} Drain;

static Err *drain_child(void *arg)
{
	Gateway *g = ((Drain *)arg)->gateway;
	HttpDrain how = drain_of(&g->snap->conf->drain, g->handed);
	Err *err = ports_drain(g->ports, &how);

	err = err ? err : gateway_services()->drain(&how);     /* after those who ask them */
	return err && err->kind == ERR_CANCELLED ? NULL : err; /* what runs was cut, as told */
}

/* A second signal ends it; somebody who only asks to drain is told that it does. */
static Err *second_signal(void *arg)
{
	Drain *drain = arg;

	for (;;) {
		OrderKind kind;
		Order *order;

		TRY(orders_next(&drain->gateway->orders, &kind, &order));
		answer(order, kind == ORDER_DRAIN ? 202 : 503);
		if (order || kind != ORDER_DRAIN)
			continue;
		log_warn("a second signal: what runs is cut");
		if (drain->child.fiber && !drain->child.done)
			fiber_cancel(drain->child.fiber);
	}
}

static void drain_end(Drain *drain)
{
	child_end(&drain->child);
}

static void leave_service(void *arg, Str key, const char *name, Listener *listener)
{
	(void)name;
	if (sockets_listed(((Gateway *)arg)->taken, key))
		listener_leave(listener);
}

/* From here on the other process accepts alone. */
static void leave_sockets(Gateway *g)
{
	ports_leave(g->ports, g->taken);
	gateway_services()->each(leave_service, g);
	if (g->admin && sockets_listed(g->taken, admin_key(g->admin)))
		admin_leave(g->admin);
	takeover_left(g->host);
}

static Err *drain_all(Gateway *g)
{
	AUTO(drain_end) Drain drain = { .gateway = g };
	AUTO(child_end) Child impatience = { 0 };

	if (g->handed)
		leave_sockets(g);
	else
		notify_stopping();
	takeover_close(TAKE(g->host));
	TRY(child_start(&drain.child, drain_child, &drain, "drain"));
	TRY(child_start(&impatience, second_signal, &drain, "impatience"));
	return child_join(&drain.child);
}

static void close_all(Gateway *g)
{
	Snapshot *snap;

	orders_close(&g->orders);
	takeover_close(TAKE(g->host));
	admin_close(TAKE(g->admin)); /* it reads the snapshot */
	ports_close(g->ports);
	gateway_services()->end();
	conf_hold_unref(TAKE(g->services));
	gateway_hooks()->end();
	snap = swap_snapshot(g, NULL);
	if (snap) {
		snapshot_end(snap, NULL);
		snapshot_unref(snap);
	}
	files_forget();
	for (size_t i = 0; i < g->recorders.count; i++)
		recorder_close(g->recorders.at[i]);
	takeover_end(TAKE(g->from));
	sockets_free(g->sockets);
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

static void announce_port(void *arg, Str key, const Listener *listener, const ListenConf *conf)
{
	const Addr *addr = listener_addr(listener);
	const char *scheme = addr->sa.sa_family == AF_UNIX ? ""
	                     : conf->tls.count             ? "https://"
	                                                   : "http://";

	(void)key;
	printf("listening %s%.*s\n", scheme, STR_ARG(addr_text(arg, addr)));
}

/* A pipe that nobody empties must not stop a loop that serves already. */
static void flush_unless_stalled(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT))
		fflush(stdout);
	else
		__fpurge(stdout);
}

static void announce_service(void *arg, Str key, const char *name, Listener *listener)
{
	const Addr *addr = listener_addr(listener);
	const char *scheme = addr->sa.sa_family == AF_UNIX ? "" : "http://";

	(void)key;
	printf("service %s %s%.*s\n", name, scheme, STR_ARG(addr_text(arg, addr)));
}

static void announce(Gateway *g)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	ports_each(g->ports, announce_port, a);
	gateway_services()->each(announce_service, a);
	if (admin_addr(g->admin))
		printf("admin http://%.*s\n", STR_ARG(addr_text(a, admin_addr(g->admin))));
	puts("ready");
	flush_unless_stalled();
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Every loop must turn for a word to go out. */
static Err *watchdog(void *arg)
{
	int64_t every_us;

	while ((every_us = notify_watchdog_us())) {
		loop_each(nothing, arg);
		notify_alive();
		TRY(fiber_sleep(every_us));
	}
	return NULL;
}

typedef struct Making {
	Build *build;
	Err *err;
} Making;

static void make_work(void *arg)
{
	Making *making = arg;

	making->err = build_make(making->build);
}

/* By a worker, as a reload has it: certificates, pages and logs are files. */
static Err *make(Build *b)
{
	Making making = { .build = b };

	TRY(work_run(make_work, &making));
	return making.err;
}

static Err *service_socket(void *arg, Arena *a, Str key, const Addr *addr, Listener **out)
{
	const Gateway *g = arg;

	TRY(sockets_listen(a, g->sockets, key, addr, out));
	return *out ? NULL : listener_open(a, addr, out);
}

static Err *start(Gateway *g, Build *first)
{
	const GatewayConf *conf = first->loaded;
	Str left;

	if (g->args->takeover)
		TRY(begin_takeover(g, conf));
	else
		sockets_add_passed(g->sockets = sockets_new(g->arena, FROM_SYSTEMD));
	g->ports = ports_new(g->arena, g->sockets);
	TRY(make(first));
	g->services = conf_hold_ref(first->hold);
	TRY(gateway_services()->begin(g->arena, conf->services.at, service_socket, g));
	TRY(apply(g, first));
	TRY(admin_open(g->arena, g, &conf->admin, g->sockets, &g->admin));
	host_takeover(g);
	finish_takeover(g);
	left = g->args->takeover ? S("") : sockets_left(g->arena, g->sockets);
	if (left.len)
		log_warn("no listener is configured for what systemd listens on: %.*s",
		         STR_ARG(left));
	return NULL;
}

static Err *serve(Gateway *g)
{
	AUTO(child_end) Child signals = { 0 };
	AUTO(child_end) Child memory = { 0 };
	AUTO(child_end) Child dog = { 0 };
	Err *err;

	TRY(child_start(&signals, listen_to_signals, g, "signals"));
	TRY(child_start(&memory, watermark_watch, NULL, "memory"));
	TRY(child_start(&dog, watchdog, NULL, "watchdog"));
	announce(g);
	__atomic_store_n(&g->ready, true, __ATOMIC_RELAXED);
	notify_ready();
	err = run_until_told(g);
	__atomic_store_n(&g->ready, false, __ATOMIC_RELAXED);
	return err ? err : drain_all(g);
}

typedef struct Life {
	Gateway gateway;
	Build first;
	Arena *arena; /* outlives the runtime: what ended it is told there */
} Life;

static Err *live(void *arg)
{
	Life *life = arg;
	Gateway *g = &life->gateway;
	Err *err = start(g, &life->first);

	if (!err) {
		build_end(&life->first);
		err = serve(g);
	}
	close_all(g);
	err = err_copy(life->arena, err); /* it may lie in what ends here, while loops still turn */
	build_end(&life->first);
	return err;
}

Err *gateway_run(Arena *a, const GatewayArgs *args)
{
	Life *life = ARENA_NEW(a, Life);
	Gateway *g = &life->gateway;
	Build *first = &life->first;
	RtConf conf = { 0 };
	Err *err;

	notify_begin();
	life->arena = g->arena = a;
	g->args = args;
	g->ports = ports_new(a, NULL);
	pthread_mutex_init(&g->lock, NULL);
	orders_init(&g->orders);
	build_begin(first, args, &g->recorders, NULL);
	err = build_load(first);
	if (err) {
		build_say_mistakes(first);
		err = err_copy(a, err);
		build_end(first);
	} else {
		conf.loops = first->loaded->threads;
		err = rt_run(&conf, live, life);
	}
	pthread_mutex_destroy(&g->lock);
	return err;
}
