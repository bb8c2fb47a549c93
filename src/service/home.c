/* SPDX-License-Identifier: Apache-2.0
 *
 * A service at work in this process: its database, what it does in the background, and its end.
 *
 * A database that is away keeps nobody from starting: the listeners open, requests are told 503 with the time to come again, and
 * a fiber tries until it is there. What is wrong for good (a schema of a newer release, keys that cannot be read) ends the start. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "service/home_int.h"
#include "service/idempotency_int.h"
#include "service/route_int.h"
#include "service/trust_int.h"
#include "service_schema.h"
#include "store/bus.h"
#include "store/job.h"
#include "store/schema.h"

#define AGAIN_US US_PER_S
#define PURGE_US (10 * 60 * US_PER_S)
#define KEEP_US (24 * 3600 * US_PER_S)

static const Schema *own_schema(void)
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
	return NULL;
}

static Err *set_up(Home *home, Arena *errs)
{
	const Schema *(*const schemas[])(void) = { store_own_schema, own_schema,
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

/* --- in the background ------------------------------------------------------------------------------------------------- */

static Err *open_at_last(Home *home)
{
	while (!__atomic_load_n(&home->up, __ATOMIC_RELAXED)) {
		AUTO(arena_freep) Arena *errs = arena_new(0);
		Err *err = home_open(home, errs);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		if (err && !home_may_wait(err))
			log_err(err, "service %s does not start", home->pub.service->name);
		else if (!err)
			log_info("service %s: its database is there", home->pub.service->name);
		if (err)
			TRY(fiber_sleep(AGAIN_US));
	}
	return NULL;
}

static Err *purge(void *arg)
{
	Home *home = arg;

	for (;;) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		Err *err = idempotency_purge(home->pub.db, a, KEEP_US);

		if (err && err->kind == ERR_CANCELLED)
			return err;
		TRY(fiber_sleep(PURGE_US)); /* what is left of it now goes then */
	}
}

static Err *keep(void *arg)
{
	return bus_keep(((Home *)arg)->pub.db, &(KeepConf){ 0 });
}

static Err *relay(void *arg)
{
	Home *home = arg;
	Bus *bus = bus_new(home->arena, &(BusConf){ .redis = home->pub.redis });

	return bus_relay(bus, &(BusSource){ str_fmt(home->arena, "/%s", home->pub.service->name),
	                                    home->pub.db });
}

static Err *work(Home *home)
{
	const Service *service = home->pub.service;
	JobKind *kinds = ARENA_ARRAY(home->arena, JobKind, service->job_count + 1);
	JobsConf conf = { .kinds = kinds,
		          .kind_count = service->job_count,
		          .schedules = service->schedules,
		          .schedule_count = service->schedule_count };

	for (size_t i = 0; i < service->job_count; i++) {
		kinds[i] = service->jobs[i];
		kinds[i].arg = kinds[i].arg ? kinds[i].arg : &home->pub;
	}
	if (service->job_count)
		return jobs_run(home->pub.db, home->arena, &conf);
	return fiber_sleep(INT64_MAX / 4);
}

static Err *live(void *arg)
{
	Home *home = arg;
	AUTO(child_end) Child purger = { 0 };
	AUTO(child_end) Child keeper = { 0 };
	AUTO(child_end) Child relayer = { 0 };
	Err *err;

	TRY(open_at_last(home));
	TRY(child_start(&purger, purge, home, "purge"));
	TRY(child_start(&keeper, keep, home, "keep"));
	if (home->pub.redis)
		TRY(child_start(&relayer, relay, home, "relay"));
	err = work(home);
	if (err && err->kind != ERR_CANCELLED)
		log_err(err, "service %s: nothing is done in the background any more",
		        home->pub.service->name);
	return err;
}

Err *home_live(Home *home)
{
	return child_start(&home->life, live, home, "service");
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

enum { M_REQUESTS, M_SECONDS, M_UP };

static void read_up(MetricOut *out);
static const MetricFamily families[] = {
	[M_REQUESTS] = { "banyan_service_requests_total",
	                 METRIC_COUNTER,
	                 "requests",
	                 "Requests that a service answered, by route and class of status; none: the client left first",
	                 { "service", "route", "class" } },
	[M_SECONDS] = { "banyan_service_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a request's head to the end of its answer, by route",
	                { "service", "route" } },
	[M_UP] = { "banyan_service_up",
	           METRIC_GAUGE,
	           "services",
	           "1: the service takes requests; 0: it waits for its database",
	           { "service" },
	           .read = read_up },
};

const MetricFamily *service_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void read_up(MetricOut *out)
{
	for (size_t i = 0; i < services_count(); i++) {
		const Home *home = home_at(i);
		Str name = str_of(services_at(i)->name);

		if (home)
			metric_emit(out, &name, __atomic_load_n(&home->up, __ATOMIC_RELAXED));
	}
}

static void cells_take(Home *home)
{
	static const Str classes[6] = {
		S("none"), S("1xx"), S("2xx"), S("3xx"), S("4xx"), S("5xx")
	};
	size_t count = home->routes->count + 1;
	Str service = str_of(home->pub.service->name);

	home->cells = ARENA_ARRAY(home->arena, RouteCells, count);
	for (size_t i = 0; i < count; i++) {
		const ServiceRoute *route = i + 1 < count ? home->routes->at[i].route : NULL;
		Str name =
			route ? str_fmt(home->arena, "%s %s", route->method, route->path) : S("");

		for (size_t k = 0; k < COUNT(classes); k++)
			home->cells[i].answers[k] =
				metric_cell(&families[M_REQUESTS],
			                    (Str[]){ service, name, classes[k] }, 3);
		home->cells[i].seconds =
			metric_cell(&families[M_SECONDS], (Str[]){ service, name }, 2);
	}
}

static void cells_free(Home *home)
{
	for (size_t i = 0; home->cells && i <= home->routes->count; i++) {
		for (size_t k = 0; k < COUNT(home->cells[i].answers); k++)
			metric_cell_free(home->cells[i].answers[k]);
		metric_cell_free(home->cells[i].seconds);
	}
}

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
	return home;
}

Err *home_make(Home *home, Arena *errs)
{
	size_t count;
	const MetricFamily *rows;
	Err *err = make_routes(home);

	if (err)
		return err_copy(errs, err);
	cells_take(home);
	metrics_add(families, COUNT(families));
	rows = home->pub.service->metrics ? home->pub.service->metrics(&count) : NULL;
	if (rows)
		metrics_add(rows, count);
	pages_make(home);
	return NULL;
}

void home_close(Home *home)
{
	if (!home)
		return;
	child_end(&home->life);
	if (home->begun && home->pub.service->end)
		home->pub.service->end(&home->pub);
	db_close(home->pub.db);
	redis_close(home->pub.redis);
	cells_free(home);
	arena_free(home->arena);
}
