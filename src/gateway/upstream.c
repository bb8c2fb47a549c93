/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of upstreams. Three things with lives of their own:
 *
 *   Upstream  of one configuration, immutable: conf, TLS, which servers with which weights. Requests hold it through their
 *             configuration.
 *   Trunk     what upstreams of one name share over reloads: the limit of all connections, the queue, the retry budget.
 *   Server    one address of a trunk: its connections, limit, health, failures. A new upstream takes over those Servers
 *             that are spoken to in the same way; of others it copies what is known of their health.
 *
 * So a reload that changes a weight keeps every connection, and a limit holds for old and new requests together. A Server
 * that no upstream names any more closes what is idle on each loop, then goes. */
#include "gateway/upstream_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- configuration's life ------------------------------------------------------------------------------------------- */

struct ConfHold {
	unsigned refs;
	Arena *arena;
};

ConfHold *conf_hold_new(Arena *a)
{
	ConfHold *hold = ARENA_NEW(a, ConfHold);

	*hold = (ConfHold){ 1, a };
	return hold;
}

ConfHold *conf_hold_ref(ConfHold *hold)
{
	__atomic_add_fetch(&hold->refs, 1, __ATOMIC_RELAXED);
	return hold;
}

void conf_hold_unref(ConfHold *hold)
{
	if (hold && __atomic_sub_fetch(&hold->refs, 1, __ATOMIC_ACQ_REL) == 0)
		arena_free(hold->arena);
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);

	if (!memory)
		abort();
	return memory;
}

/* One a loop, none of them in a line of another. */
static void *for_each_loop(size_t bytes)
{
	void *memory = aligned_alloc(LINE_BYTES, rt_loops() * bytes);

	if (!memory)
		abort();
	return memset(memory, 0, rt_loops() * bytes);
}

static Str own_copy(Str text)
{
	char *copy = zeroed(text.len + 1, 1);

	memcpy(copy, text.at, text.len);
	return (Str){ copy, text.len };
}

static void own_copy_free(Str text)
{
	free((void *)(uintptr_t)text.at);
}

/* --- trunks and servers --------------------------------------------------------------------------------------------- */

static Trunk *trunk_new(Str name)
{
	Trunk *trunk = zeroed(1, sizeof *trunk);

	trunk->refs = 1;
	trunk->name = own_copy(name);
	trunk->loops = for_each_loop(sizeof *trunk->loops);
	pthread_mutex_init(&trunk->lock, NULL);
	list_init(&trunk->servers);
	list_init(&trunk->waiters);
	trunk_cells_take(trunk);
	return trunk;
}

static Trunk *trunk_ref(Trunk *trunk)
{
	__atomic_add_fetch(&trunk->refs, 1, __ATOMIC_RELAXED);
	return trunk;
}

static void trunk_unref(Trunk *trunk)
{
	if (__atomic_sub_fetch(&trunk->refs, 1, __ATOMIC_ACQ_REL))
		return;
	trunk_cells_free(trunk);
	pthread_mutex_destroy(&trunk->lock);
	free(trunk->loops);
	own_copy_free(trunk->name);
	free(trunk);
}

/* Those who wait may use it again, and nobody else tells them. */
static void unshun(Timer *timer)
{
	queue_serve(CONTAINER(timer, ServerLoop, unshun)->server->trunk);
}

static Server *server_new(Trunk *trunk, Str address)
{
	Server *server = zeroed(1, sizeof *server);

	server->refs = 1;
	server->trunk = trunk_ref(trunk);
	server->address = own_copy(address);
	server->loops = for_each_loop(sizeof *server->loops);
	for (unsigned i = 0; i < rt_loops(); i++) {
		server->loops[i].server = server;
		server->loops[i].unshun = (Timer)TIMER_INIT(unshun);
		list_init(&server->loops[i].ready);
		wait_queue_init(&server->loops[i].opened);
	}
	server_cells_take(server);
	pthread_mutex_lock(&trunk->lock);
	list_add(&trunk->servers, &server->node);
	pthread_mutex_unlock(&trunk->lock);
	return server;
}

static Server *server_ref(Server *server)
{
	__atomic_add_fetch(&server->refs, 1, __ATOMIC_RELAXED);
	return server;
}

static void server_free(Server *server)
{
	Trunk *trunk = server->trunk;

	pthread_mutex_lock(&trunk->lock);
	list_remove(&server->node);
	pthread_mutex_unlock(&trunk->lock);
	server_cells_free(server);
	free(server->loops);
	own_copy_free(server->address);
	free(server);
	trunk_unref(trunk);
}

static void let_go(void *arg)
{
	Server *server = arg;

	pool_empty(server);
	timer_remove(&server_loop(server)->unshun);
	if (__atomic_sub_fetch(&server->closing, 1, __ATOMIC_ACQ_REL) == 0)
		server_free(server);
}

static void server_unref(Server *server)
{
	if (__atomic_sub_fetch(&server->refs, 1, __ATOMIC_ACQ_REL))
		return;
	server->closing = rt_loops();
	for (unsigned i = 0; i < rt_loops(); i++)
		loop_post(rt_loop(i), let_go, server);
}

ServerLoop *server_loop(const Server *server)
{
	return &server->loops[loop_index(loop_self())];
}

BalanceState server_state(const Server *server)
{
	BalanceState state = __atomic_load_n(&server->health, __ATOMIC_RELAXED);
	bool out = __atomic_load_n(&server->outlier.until_us, __ATOMIC_RELAXED) ||
	           loop_now_us() < __atomic_load_n(&server->shunned_us, __ATOMIC_RELAXED);

	return state == BALANCE_UP && out ? BALANCE_SLOW : state;
}

bool server_is_left(const Server *server)
{
	return !__atomic_load_n(&server->weight, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&server->out, __ATOMIC_RELAXED);
}

bool server_takes(const UpServer *s)
{
	return s->conf->weight && !__atomic_load_n(&s->server->out, __ATOMIC_RELAXED);
}

uint32_t server_share(const Upstream *up, size_t i)
{
	int64_t back_us = __atomic_load_n(&up->servers[i].server->back_us, __ATOMIC_RELAXED);
	int64_t since_us = back_us ? loop_now_us() - back_us : INT64_MAX;

	if (!server_takes(&up->servers[i]))
		return 0;
	return balance_share(up->servers[i].conf->weight, since_us, up->conf->slow_start_us);
}

void server_shun(Server *server, int64_t us)
{
	int64_t until_us = loop_now_us() + us;

	if (until_us <= __atomic_load_n(&server->shunned_us, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&server->shunned_us, until_us, __ATOMIC_RELAXED);
	timer_set(&server_loop(server)->unshun, until_us);
}

void server_back(Upstream *up, size_t i)
{
	__atomic_store_n(&up->servers[i].server->back_us, loop_now_us(), __ATOMIC_RELAXED);
	queue_look_again(up->trunk);
}

/* --- TLS ------------------------------------------------------------------------------------------------------------ */

static void stamps_take(const UpstreamConf *conf, FileStamp stamps[TLS_FILES])
{
	const Str paths[TLS_FILES] = { conf->tls.ca, conf->tls.certificate, conf->tls.key };

	for (size_t i = 0; i < TLS_FILES; i++) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		struct stat st;

		memset(&stamps[i], 0, sizeof stamps[i]);
		if (!conf->has_tls || !paths[i].len || stat(str_z(a, paths[i]), &st) != 0)
			continue;
		stamps[i].dev = st.st_dev;
		stamps[i].ino = st.st_ino;
		stamps[i].size = st.st_size;
		stamps[i].written = st.st_mtim;
	}
}

static bool stamps_are(const Upstream *up, const FileStamp stamps[TLS_FILES])
{
	return !memcmp(up->stamps, stamps, sizeof up->stamps);
}

bool upstream_is_stale(const Upstream *up)
{
	FileStamp now[TLS_FILES];

	stamps_take(up->conf, now);
	return !stamps_are(up, now);
}

static bool same_tls(const UpstreamConf *x, const UpstreamConf *y)
{
	return x->has_tls == y->has_tls && x->tls.verify == y->tls.verify &&
	       str_eq(x->tls.ca, y->tls.ca) && str_eq(x->tls.server_name, y->tls.server_name) &&
	       str_eq(x->tls.certificate, y->tls.certificate) && str_eq(x->tls.key, y->tls.key);
}

/* Is a connection of the one as good as one of the other? */
static bool speaks_alike(const Upstream *up, const Upstream *before)
{
	const UpstreamConf *x = up->conf;
	const UpstreamConf *y = before->conf;

	return x->protocol == y->protocol && x->proxy_protocol == y->proxy_protocol &&
	       same_tls(x, y) && stamps_are(before, up->stamps);
}

static Err *tls_take(Arena *a, Upstream *up, const Upstream *before)
{
	const UpstreamConf *conf = up->conf;
	TlsClientConf tls = { .ca = conf->tls.ca,
		              .certificate = conf->tls.certificate,
		              .key = conf->tls.key,
		              .verify = conf->tls.verify,
		              .h2 = conf->protocol == UPSTREAM_H2 };

	if (!conf->has_tls)
		return NULL;
	if (before && speaks_alike(up, before)) {
		up->tls = tls_ref(before->tls);
		return NULL;
	}
	return tls_client_new(a, &tls, &up->tls);
}

/* --- upstreams ------------------------------------------------------------------------------------------------------ */

static const UpServer *find_server(const Upstream *up, Str address)
{
	for (size_t i = 0; up && i < up->count; i++)
		if (str_eq(up->servers[i].server->address, address))
			return &up->servers[i];
	return NULL;
}

/* What is known of a server's health stays true when it is spoken to in another way. */
static void copy_health(Server *to, const Server *from)
{
	to->health = __atomic_load_n(&from->health, __ATOMIC_RELAXED);
	to->out = __atomic_load_n(&from->out, __ATOMIC_RELAXED);
	to->shunned_us = __atomic_load_n(&from->shunned_us, __ATOMIC_RELAXED);
	to->back_us = __atomic_load_n(&from->back_us, __ATOMIC_RELAXED);
	pthread_mutex_lock(&from->trunk->lock);
	to->outlier.times = from->outlier.times;
	pthread_mutex_unlock(&from->trunk->lock);
	to->outlier.until_us = __atomic_load_n(&from->outlier.until_us, __ATOMIC_RELAXED);
	to->outlier.failures = __atomic_load_n(&from->outlier.failures, __ATOMIC_RELAXED);
}

static void servers_take(Upstream *up, const Upstream *before)
{
	bool shared = before && speaks_alike(up, before);

	up->servers = zeroed(up->count, sizeof *up->servers);
	for (size_t i = 0; i < up->count; i++) {
		UpServer *s = &up->servers[i];
		const UpServer *known;

		s->conf = &up->conf->servers.at[i];
		known = find_server(before, s->conf->address.text);
		s->arrives = before && s->conf->weight && (!known || !known->conf->weight);
		if (known && shared) {
			s->server = server_ref(known->server);
			continue;
		}
		s->server = server_new(up->trunk, s->conf->address.text);
		if (known)
			copy_health(s->server, known->server);
	}
}

static void balance_take(Upstream *up)
{
	up->balance = zeroed(rt_loops(), sizeof *up->balance);
	for (unsigned i = 0; i < rt_loops(); i++) {
		BalanceServer *row = zeroed(up->count, sizeof *row);

		for (size_t k = 0; k < up->count; k++) {
			row[k].hash = balance_hash(up->servers[k].conf->address.text);
			row[k].weight = balance_share(up->servers[k].conf->weight, 0, 0);
		}
		balance_start(row, up->count);
		up->balance[i] = row;
	}
}

Err *upstream_new(Arena *a, ConfHold *hold, const UpstreamConf *conf, const Upstream *before,
                  Upstream **out)
{
	Upstream *up = zeroed(1, sizeof *up);
	Err *err;

	up->refs = 1;
	up->conf = conf;
	stamps_take(conf, up->stamps);
	err = tls_take(a, up, before);
	if (err) {
		free(up);
		return err;
	}
	up->hold = conf_hold_ref(hold);
	up->count = conf->servers.count;
	up->trunk = before ? trunk_ref(before->trunk) : trunk_new(conf->name);
	servers_take(up, before);
	balance_take(up);
	*out = up;
	return NULL;
}

Upstream *upstream_ref(Upstream *up)
{
	__atomic_add_fetch(&up->refs, 1, __ATOMIC_RELAXED);
	return up;
}

void upstream_unref(Upstream *up)
{
	if (!up || __atomic_sub_fetch(&up->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (unsigned i = 0; i < rt_loops(); i++)
		free(up->balance[i]);
	free(up->balance);
	for (size_t i = 0; i < up->count; i++)
		server_unref(up->servers[i].server);
	free(up->servers);
	free(up->checkers);
	tls_unref(up->tls);
	trunk_unref(up->trunk);
	conf_hold_unref(up->hold);
	free(up);
}

const UpstreamConf *upstream_conf(const Upstream *up)
{
	return up->conf;
}

/* --- which one is in force ------------------------------------------------------------------------------------------ */

static void empty_here(void *arg)
{
	Server *server = arg;

	if (server_is_left(server))
		pool_empty(server);
	server_unref(server);
}

static void set_weight(Server *server, uint32_t weight)
{
	__atomic_store_n(&server->weight, weight, __ATOMIC_RELAXED);
}

/* False: its last upstream has gone, and it is on its way out. */
static bool server_try_ref(Server *server)
{
	unsigned refs = __atomic_load_n(&server->refs, __ATOMIC_RELAXED);

	while (refs && !__atomic_compare_exchange_n(&server->refs, &refs, refs + 1, true,
	                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return refs;
}

/* What is idle at it is closed, on each loop. */
static void empty(Server *server)
{
	for (unsigned i = 0; i < rt_loops() && server_try_ref(server); i++)
		loop_post(rt_loop(i), empty_here, server);
}

/* Under the lock. */
static void empty_the_drained(Trunk *trunk)
{
	LIST_EACH (&trunk->servers, Server, node, server)
		if (!server->weight)
			empty(server);
}

static void weights_set(Trunk *trunk, const Upstream *up)
{
	pthread_mutex_lock(&trunk->lock);
	trunk->enforced = up;
	LIST_EACH (&trunk->servers, Server, node, server)
		set_weight(server, 0);
	for (size_t i = 0; up && i < up->count; i++)
		set_weight(up->servers[i].server, up->servers[i].conf->weight);
	empty_the_drained(trunk);
	pthread_mutex_unlock(&trunk->lock);
}

bool upstream_is_enforced(const Upstream *up)
{
	bool is;

	pthread_mutex_lock(&up->trunk->lock);
	is = up->trunk->enforced == up;
	pthread_mutex_unlock(&up->trunk->lock);
	return is;
}

void upstream_enforce(Upstream *up)
{
	if (upstream_is_enforced(up))
		return;
	weights_set(up->trunk, up);
	for (size_t i = 0; i < up->count; i++) {
		Server *server = up->servers[i].server;

		if (up->servers[i].arrives)
			__atomic_store_n(&server->back_us, loop_now_us(), __ATOMIC_RELAXED);
		up->servers[i].arrives = false;
		if (!up->conf->has_health)
			__atomic_store_n(&server->health, BALANCE_UP, __ATOMIC_RELAXED);
	}
	queue_look_again(up->trunk);
}

void upstream_take_out(Upstream *up, size_t i, bool out)
{
	Server *server = up->servers[i].server;

	if (__atomic_exchange_n(&server->out, out, __ATOMIC_RELAXED) == out)
		return;
	if (out)
		empty(server);
	else
		__atomic_store_n(&server->back_us, loop_now_us(), __ATOMIC_RELAXED);
	queue_look_again(up->trunk);
}

Err *upstream_start(Upstream *up)
{
	outlier_start(up);
	return up->conf->has_health && !up->checkers ? health_start(up) : NULL;
}

void upstream_stop(Upstream *up)
{
	outlier_stop(up);
	health_stop(up);
	if (upstream_is_enforced(up))
		weights_set(up->trunk, NULL);
}
