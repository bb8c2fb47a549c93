/* SPDX-License-Identifier: Apache-2.0
 *
 * The services of this process, from their start to their end. Each has two listeners: one that its configuration names, for
 * gateways in other processes, and one without a place in the file system, whose name only this process's gateway knows: so
 * `service:user` needs no port where both are one process. */
#include "base/arena.h"
#include "base/log.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "service/services.h"

#include <string.h>

enum { ARENA_BYTES = 4 << 20 };

static struct {
	Home *at[SERVICES_MOST];
} homes;

const Home *home_at(size_t i)
{
	return homes.at[i];
}

const Home *home_named(const char *name)
{
	for (size_t i = 0; i < services_count(); i++)
		if (homes.at[i] && strcmp(homes.at[i]->pub.service->name, name) == 0)
			return homes.at[i];
	return NULL;
}

/* --- the start --------------------------------------------------------------------------------------------------------- */

typedef struct Start {
	ServicesListen *listen;
	void *arg;
	Arena *arena;
} Start;

static Err *open_port(Home *home, const Start *start, Str address, bool internal)
{
	HomePort *port = &home->ports[home->port_count];
	Addr addr;

	TRY(addr_parse(start->arena, address, &addr));
	port->internal = internal;
	port->key =
		str_fmt(home->arena, "service %s %.*s", home->pub.service->name, STR_ARG(address));
	if (internal)
		TRY(listener_open(start->arena, &addr, &port->listener));
	else
		TRY(start->listen(start->arg, start->arena, port->key, &addr, &port->listener));
	home->port_count++;
	return http_listen(port->listener, home->server, NULL, &port->http);
}

static Err *open_ports(Home *home, const Start *start)
{
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = service_handle,
		          .fail = service_failed,
		          .done = service_done,
		          .arg = home,
		          .h2c = true };

	conf.limits.arena_bytes = ARENA_BYTES;
	home->server = http_server_new(&conf, NULL);
	TRY(open_port(home, start, service_inner_address(start->arena, home->pub.service), true));
	return home->conf->listen.len ? open_port(home, start, home->conf->listen, false) : NULL;
}

static Err *start_home(Home *home, const Start *start)
{
	Err *err;

	TRY(home_make(home, start->arena));
	err = home_open(home, start->arena);
	if (err && !home_may_wait(err))
		return err_because(start->arena, err, err->kind, err->slug,
		                   "service %s did not start", home->pub.service->name);
	if (err)
		log_err(err, "service %s waits for its database", home->pub.service->name);
	TRY(home_live(home));
	return open_ports(home, start);
}

Err *services_begin(Arena *a, const void *conf, ServicesListen *listen, void *arg)
{
	Start start = { listen, arg, a };

	TRY(services_wanted(a, conf));
	services_use(conf, false);
	if (services_any(conf))
		TRY(peer_begin(a));
	for (size_t i = 0; i < services_count(); i++) {
		if (!service_runs_here(conf, i))
			continue;
		homes.at[i] = home_new(services_at(i), service_conf_of(conf, i),
		                       service_own_conf(conf, i));
		TRY(start_home(homes.at[i], &start));
	}
	return NULL;
}

void services_each(ServicesEach *fn, void *arg)
{
	for (size_t i = 0; i < SERVICES_MOST; i++)
		for (size_t k = 0; homes.at[i] && k < homes.at[i]->port_count; k++) {
			HomePort *port = &homes.at[i]->ports[k];

			if (!port->internal)
				fn(arg, port->key, homes.at[i]->pub.service->name, port->listener);
		}
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

typedef struct Drain {
	HomePort *port;
	const HttpDrain *how;
	Child child;
} Drain;

typedef struct Drains {
	Drain at[SERVICES_MOST * HOME_PORTS];
	size_t count;
} Drains;

static Err *drain_one(void *arg)
{
	const Drain *drain = arg;
	unsigned lost = http_listen_drain(drain->port->http, drain->how);

	if (lost)
		log_warn("%u connections of %.*s were cut", lost, STR_ARG(drain->port->key));
	return NULL;
}

static void drains_end(Drains *drains)
{
	for (size_t i = 0; i < drains->count; i++)
		child_end(&drains->at[i].child);
}

Err *services_drain(const HttpDrain *how)
{
	AUTO(drains_end) Drains drains = { .count = 0 };

	for (size_t i = 0; i < SERVICES_MOST; i++)
		if (homes.at[i] && homes.at[i]->pub.service->drain)
			homes.at[i]->pub.service->drain(&homes.at[i]->pub);
	for (size_t i = 0; i < SERVICES_MOST; i++)
		for (size_t k = 0; homes.at[i] && k < homes.at[i]->port_count; k++) {
			Drain *drain = &drains.at[drains.count++];

			drain->port = &homes.at[i]->ports[k];
			drain->how = how;
			TRY(child_start(&drain->child, drain_one, drain, "drain"));
		}
	for (size_t i = 0; i < drains.count; i++)
		TRY(child_join(&drains.at[i].child));
	return NULL;
}

static void close_ports(Home *home)
{
	for (size_t k = 0; k < home->port_count; k++) {
		if (home->ports[k].http)
			http_listen_close(home->ports[k].http);
		listener_close(home->ports[k].listener);
	}
	http_server_unref(home->server);
}

void services_end(void)
{
	for (size_t i = 0; i < SERVICES_MOST; i++)
		if (homes.at[i])
			home_still(
				homes.at[i]); /* all of them first: they read each other's events */
	for (size_t i = 0; i < SERVICES_MOST; i++) {
		Home *home = TAKE(homes.at[i]);

		if (!home)
			continue;
		close_ports(home);
		home_close(home);
	}
	peer_end();
}
