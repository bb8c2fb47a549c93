/* SPDX-License-Identifier: Apache-2.0
 *
 * A service at work in this process: its database, what it does in the background, and its end.
 *
 * A database that is away keeps nobody from starting: the listeners open, requests are told 503 with the time to come again, and
 * a fiber tries until it is there. What is wrong for good (a schema of a newer release, keys that cannot be read) ends the start. */
#include "base/arena.h"
#include "base/log.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "service/route_int.h"
#include "service/trust_int.h"
#include "service_schema.h"
#include "store/schema.h"

const Schema *frame_schema(void)
{
	return &service_schema;
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static Err *open_store(Home *home, Arena *errs)
{
	DbConf conf = db_conf_of(&home->conf->database, str_of(home->pub.service->name));

	if (!home->pub.db)
		TRY(db_open(errs, &conf, &home->pub.db));
	if (home->conf->has_redis && !home->pub.redis) {
		RedisConf redis = home->conf->redis;

		redis.name = str_of(home->pub.service->name);
		TRY(redis_open(errs, &redis, &home->pub.redis));
	}
	if (home->pub.redis && !home->cache) {
		CacheConf cache = home->conf->cache;

		cache.name = str_of(home->pub.service->name);
		TRY(cache_open(errs, &cache, home->pub.redis, &home->cache));
	}
	return NULL;
}

static Err *set_up(Home *home, Arena *errs)
{
	const Schema *(*const schemas[])(void) = { store_own_schema, frame_schema,
		                                   home->pub.service->schema };

	for (size_t i = 0; i < COUNT(schemas); i++) {
		uint32_t applied;

		if (!schemas[i])
			continue;
		TRY(schema_apply(home->pub.db, errs, schemas[i](), &applied));
		if (applied)
			log_info("service %s: %u steps of the schema %s were applied",
			         home->pub.service->name, applied, schemas[i]()->name);
	}
	return NULL;
}

static Err *begin(Home *home)
{
	const Service *service = home->pub.service;
	Err *err = NULL;

	if (service->begin)
		err = service->begin(&home->pub);
	if (err && service->end)
		service->end(&home->pub);
	home->begun = !err;
	return err;
}

Err *home_prepare(Home *home, Arena *errs)
{
	TRY(open_store(home, errs));
	return set_up(home, errs);
}

Err *home_open(Home *home, Arena *errs)
{
	TRY(home_prepare(home, errs));
	TRY(begin(home));
	__atomic_store_n(&home->up, true, __ATOMIC_RELEASE);
	return NULL;
}

bool home_may_wait(const Err *err)
{
	switch ((unsigned)err->kind) {
	case ERR_BUSY:
	case ERR_TIMEOUT:
	case ERR_UPSTREAM:
	case ERR_CLOSED:
		return true;
	default:
		return false;
	}
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

static Err *make_routes(Home *home)
{
	const Service *service = home->pub.service;
	ServiceRoutes *tables = ARENA_ARRAY(home->arena, ServiceRoutes, service->routes_count + 1);

	for (size_t i = 0; i < service->routes_count; i++)
		tables[i] = service->routes[i];
	tables[service->routes_count] = *frame_routes();
	return routes_build(home->arena, tables, service->routes_count + 1, &home->routes);
}

static const TrustNet *trust_of(Home *home)
{
	size_t count = home->conf->trusted_proxies.count;
	TrustNet *nets = ARENA_ARRAY(home->arena, TrustNet, count + 1);

	for (size_t i = 0; i < count; i++)
		trust_read(home->conf->trusted_proxies.at[i], &nets[i]);
	return nets;
}

Home *home_new(const Service *service, const ServiceConf *conf, const void *own)
{
	Arena *a = arena_new(0);
	Home *home = ARENA_NEW(a, Home);

	*home = (Home){ .arena = a,
		        .conf = conf,
		        .pub = { .service = service,
		                 .conf = own,
		                 .arena = a,
		                 .public_url = conf->public_url,
		                 .development = conf->development } };
	home->trust = trust_of(home);
	home->issuers = peer_issuers_new(a, conf->issuers.at, conf->issuers.count);
	return home;
}

Err *home_make(Home *home, Arena *errs)
{
	size_t count;
	const MetricFamily *rows;
	Err *err = make_routes(home);

	if (err)
		return err_copy(errs, err);
	home_cells_take(home);
	rows = home->pub.service->metrics ? home->pub.service->metrics(&count) : NULL;
	if (rows)
		metrics_add(rows, count);
	pages_make(home);
	return NULL;
}

PeerIssuers *issuers_of(const ServiceCall *c)
{
	return home_of(c)->issuers;
}

void home_still(Home *home)
{
	child_end(&home->life);
}

void home_close(Home *home)
{
	if (!home)
		return;
	home_still(home);
	if (home->begun && home->pub.service->end)
		home->pub.service->end(&home->pub);
	db_close(home->pub.db);
	if (home->cache)
		cache_close(home->cache);
	redis_close(home->pub.redis);
	home_cells_free(home);
	peer_issuers_end(home->issuers);
	arena_free(home->arena);
}
