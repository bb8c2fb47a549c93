/* SPDX-License-Identifier: Apache-2.0
 *
 * What every service answers beside its own routes, on its own listeners: whether it and what it stands on are well, its metrics,
 * and its API's description. No gateway's route should lead to the first two. */
#include "base/arena.h"
#include "base/time.h"
#include "service/home_int.h"
#include "service/idempotency_int.h"
#include "service/openapi_int.h"

#define LOOK_US (2 * US_PER_S)

static void put_dependency(JsonWriter *w, const char *name, const Err *err, bool *well)
{
	json_key(w, str_of(name));
	json_begin_object(w);
	json_put_str(w, "status", err ? S("down") : S("ok"));
	if (err)
		json_put_str(w, "code", str_of(err->slug));
	json_end(w);
	*well = *well && !err;
}

static Err *look_at_database(const ServiceCall *c)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(LOOK_US);

	return database_ping(c->home->db, c->arena);
}

static Err *look_at_redis(const ServiceCall *c)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(LOOK_US);
	RedisReply reply;

	return redis_call(c->home->redis, c->arena, REDIS_WORDS(S("PING")), &reply);
}

/* A Redis that is away makes a service slower, not unwell. */
static Err *page_health(ServiceCall *c)
{
	bool up = __atomic_load_n(&home_of(c)->up, __ATOMIC_ACQUIRE), well = up, quick = true;
	JsonWriter *w = service_json(c);

	json_begin_object(w);
	json_put_str(w, "service", str_of(c->home->service->name));
	json_key(w, S("dependencies"));
	json_begin_object(w);
	if (up)
		put_dependency(w, "database", look_at_database(c), &well);
	else
		put_dependency(w, "database", &(Err){ .slug = "service.starting" }, &well);
	if (up && c->home->redis)
		put_dependency(w, "redis", look_at_redis(c), &quick);
	json_end(w);
	json_put_str(w, "status", !well ? S("down") : quick ? S("ok") : S("degraded"));
	json_end(w);
	c->status = well ? 200 : 503;
	return NULL;
}

static Err *page_metrics(ServiceCall *c)
{
	AUTO(buf_fini) Buf out = { 0 };

	metrics_put(&out);
	service_say(c, 200, S(METRICS_CONTENT_TYPE), buf_str(&out));
	return NULL;
}

static Err *page_openapi(ServiceCall *c)
{
	service_say(c, 200, S("application/json"), home_of(c)->openapi);
	service_say_header(c, "Cache-Control", S("public, max-age=60"));
	return NULL;
}

static const ServiceRoute rows[] = {
	{ "GET", "/healthz", page_health, .hidden = true, .help = "how it is" },
	{ "GET", "/metrics", page_metrics, .hidden = true, .help = "metrics for Prometheus" },
	{ "GET", "/openapi.json", page_openapi, .hidden = true, .help = "this API" },
};

const ServiceRoutes *frame_routes(void)
{
	static const ServiceRoutes routes = SERVICE_ROUTES(rows);

	return &routes;
}

bool route_is_frame(const ServiceRoute *route)
{
	return route >= rows && route < rows + COUNT(rows);
}

void pages_make(Home *home)
{
	AUTO(buf_fini) Buf b = { 0 };

	openapi_put(&b, home);
	home->openapi = str_dup(home->arena, buf_str(&b));
}
