/* SPDX-License-Identifier: Apache-2.0
 *
 * Ejection: a server that fails so many requests in a row, over all loops, is left alone for a while; the longer, the more
 * often that happened lately. The numbers and their meaning are Envoy's.
 *
 * Health checks see whether a server lives, requests see whether it works. Ejected is as slow in balance.h: the server gets
 * requests only when no other is up, so that a wrong verdict costs capacity and never an outage. At most a share of the
 * servers is out at a time, one always may be, but never the only one and never the last that is left.
 *
 * Every interval a timer of loop 0 looks who may come back, and forgives one ejection to those who are in. */
#include "gateway/upstream_int.h"

#include "base/log.h"
#include "base/time.h"

/* May one more be ejected, of so many that have a weight? others: of them, those that are neither down nor ejected, itself
 * left out. */
static bool may_eject(size_t servers, size_t ejected, size_t others, uint32_t share_ppm)
{
	uint64_t most = (uint64_t)servers * share_ppm / 1000000;

	return others && ejected < MAX(most, UINT64_C(1));
}

static int64_t time_of(const OutlierConf *conf, uint32_t times)
{
	if (times > conf->ejection_max_us / conf->ejection_us)
		return conf->ejection_max_us;
	return conf->ejection_us * times;
}

static bool is_ejected(const Server *server)
{
	return __atomic_load_n(&server->outlier.until_us, __ATOMIC_RELAXED);
}

static void set_until(Server *server, int64_t until_us)
{
	__atomic_store_n(&server->outlier.until_us, until_us, __ATOMIC_RELAXED);
	metric_set(server->cells.ejected, until_us != 0);
}

/* Under the lock. For how long, or 0: it stays. */
static int64_t eject(Upstream *up, Server *server)
{
	const OutlierConf *conf = &up->conf->outlier;
	size_t servers = 0, ejected = 0, others = 0;
	int64_t us;

	if (up->trunk->enforced != up)
		return 0; /* a request of another configuration: this one may look for nobody's return */
	for (size_t i = 0; i < up->count; i++) {
		const Server *s = up->servers[i].server;

		if (!server_takes(&up->servers[i]))
			continue;
		servers++;
		if (is_ejected(s))
			ejected++;
		else if (s != server &&
		         __atomic_load_n(&s->health, __ATOMIC_RELAXED) != BALANCE_DOWN)
			others++;
	}
	if (is_ejected(server) || !may_eject(servers, ejected, others, conf->max_ejected_ppm))
		return 0;
	us = time_of(conf, ++server->outlier.times);
	set_until(server, loop_now_us() + us);
	__atomic_store_n(&server->outlier.failures, 0, __ATOMIC_RELAXED);
	return us;
}

void outlier_good(Server *server)
{
	uint32_t *failures = &server->outlier.failures;

	if (__atomic_load_n(failures, __ATOMIC_RELAXED)) /* or all loops would fight for its line */
		__atomic_store_n(failures, 0, __ATOMIC_RELAXED);
}

void outlier_bad(Upstream *up, size_t i, Str why)
{
	Server *server = up->servers[i].server;
	uint32_t failures = __atomic_add_fetch(&server->outlier.failures, 1, __ATOMIC_RELAXED);
	int64_t us;

	if (!up->conf->outlier.failures || failures < up->conf->outlier.failures)
		return;
	pthread_mutex_lock(&up->trunk->lock);
	us = eject(up, server);
	pthread_mutex_unlock(&up->trunk->lock);
	if (!us)
		return;
	metric_add(server->cells.ejections, 1);
	log_warn_with(LOG_FIELDS(log_str("upstream", up->conf->name),
	                         log_str("server", server->address)),
	              "server is ejected for %.1f s: %u failures in a row, the last: %.*s",
	              (double)us / US_PER_S, failures, STR_ARG(why));
	queue_look_again(up->trunk);
}

/* Under the lock: is it back? */
static bool look_at(Server *server)
{
	int64_t until_us = __atomic_load_n(&server->outlier.until_us, __ATOMIC_RELAXED);

	if (!until_us) {
		server->outlier.times -= server->outlier.times > 0;
		return false;
	}
	if (loop_now_us() < until_us)
		return false;
	set_until(server, 0);
	__atomic_store_n(&server->outlier.failures, 0, __ATOMIC_RELAXED);
	return true;
}

static void look_at_all(Upstream *up)
{
	for (size_t i = 0; i < up->count; i++) {
		Server *server = up->servers[i].server;
		bool back;

		pthread_mutex_lock(&up->trunk->lock);
		back = look_at(server);
		pthread_mutex_unlock(&up->trunk->lock);
		if (!back)
			continue;
		log_info_with(LOG_FIELDS(log_str("upstream", up->conf->name),
		                         log_str("server", server->address)),
		              "server is back after its ejection");
		server_back(up, i);
	}
}

static void sweep(Timer *timer)
{
	Upstream *up = CONTAINER(timer, Upstream, sweep);

	look_at_all(up);
	timer_set(timer, loop_now_us() + up->conf->outlier.interval_us);
}

void outlier_start(Upstream *up)
{
	if (up->sweeping)
		return;
	if (!up->conf->outlier
	             .failures) { /* what was ejected under another configuration comes back */
		for (size_t i = 0; i < up->count; i++)
			set_until(up->servers[i].server, 0);
		return;
	}
	up->sweeping = true;
	up->sweep = (Timer)TIMER_INIT(sweep);
	timer_set(&up->sweep, loop_now_us() + up->conf->outlier.interval_us);
	upstream_ref(up);
}

void outlier_stop(Upstream *up)
{
	if (!up->sweeping)
		return;
	up->sweeping = false;
	timer_remove(&up->sweep);
	upstream_unref(up);
}
