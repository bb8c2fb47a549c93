/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the frame share: a service in this process, and a request's answer while it is made. */
#pragma once
#include "http/server.h"
#include "obs/metric.h"
#include "service/service.h"
#include "store/db_conf.h"
#include "store/cache.h"

typedef struct IssuerConf IssuerConf; /* conf_int.h */
typedef struct PeerIssuers PeerIssuers;

typedef struct ServiceConf {
	Str listen;
	Str url;
	Str public_url;
	bool development;
	bool has_database;
	DbSettings database;
	bool has_redis;
	RedisConf redis;
	CacheConf cache;
	CONF_LIST_OF(Str) trusted_proxies;
	CONF_LIST_OF(IssuerConf) issuers;
} ServiceConf;

/* conf.c: services by their place in the list, in a configuration */
size_t services_count(void);
const Service *services_at(size_t i);
bool service_runs_here(const void *conf, size_t i);
Err *services_wanted(Arena *a, const void *conf)
	MUST_USE; /* has all that runs here what it needs? */
Str service_inner_address(Arena *a, const Service *service); /* of this process's gateway alone */
const ServiceConf *service_conf_of(const void *conf,
                                   size_t i); /* by place in the list of services */
const void *service_own_conf(const void *conf, size_t i);

const ServiceConf *service_conf_named(
	const char *name); /* of what is at work; NULL: it is not in the file */

enum { HOME_PORTS = 2 };

typedef struct HomePort {
	Str key;
	bool internal;
	Listener *listener;
	HttpListener *http;
} HomePort;

/* What is known of one route at work. */
typedef struct RouteCells {
	MetricCell answers[6]; /* by class of status; [0]: none was sent */
	MetricCell seconds;
} RouteCells;

typedef struct RouteSet RouteSet; /* route_int.h */
typedef struct TrustNet TrustNet; /* trust_int.h */

typedef struct Home {
	ServiceHome pub;
	const ServiceConf *conf;
	Arena *arena;
	const TrustNet *trust; /* of conf->trusted_proxies */
	RouteSet *routes;
	RouteCells *cells; /* by the route's number; the last: none */
	HttpServer *server;
	HomePort ports[HOME_PORTS];
	size_t port_count;
	Cache *cache; /* NULL: nothing is kept */
	bool begun;   /* the service's begin ran */
	bool up;      /* atomic: requests may come */
	Child life;
	PeerIssuers *issuers;      /* whose tokens are believed */
	struct Hearings *hearings; /* consumers at work */
	Str openapi;               /* made once */
} Home;

/* How the answer is made: a buffer that becomes the body. */
typedef struct ServiceReply {
	ServiceCall *call;
	Buf body;
	JsonWriter json;
	bool is_json;
	Str type; /* of a body that is not JSON */
	Str etag;
	int64_t retry_us;
	bool asked_who;
	bool replayed; /* it is one that was kept */
	struct Idempotency *idempotency;
	int64_t start_us;
	size_t number;               /* of the route, for metrics */
	Str allow;                   /* of a 405 */
	struct Forgotten *forgotten; /* keys of what this request changes */
} ServiceReply;

static inline Home *home_of(const ServiceCall *c)
{
	return (Home *)(uintptr_t)c->home; /* pub is its first member */
}

/* call.c */
HttpHandler service_handle;
HttpFail service_failed;
HttpDone service_done;

/* reply.c */
void reply_init(ServiceCall *c);
Err *reply_send(ServiceCall *c) MUST_USE;
Err *reply_body(const ServiceCall *c, Str *body) MUST_USE; /* what was filled in so far */
Err *reply_problem(ServiceCall *c, const Err *err)
	MUST_USE; /* fills the answer; c->route may be NULL */

/* cached.c: what was changed is committed, or not */
void cached_forget(ServiceCall *c);
/* The same keys, in memory of the call's arena as it stands now; NULL: there are none. */
struct Forgotten *cached_copy(ServiceCall *c, const struct Forgotten *before);

/* body.c */
Err *body_take(ServiceCall *c) MUST_USE; /* reads and decodes body and query, by the route */

/* pages.c: what every service has beside its own routes */
const ServiceRoutes *frame_routes(void) RETURNS_NONNULL;
bool route_is_frame(const ServiceRoute *route);
void pages_make(Home *home); /* what is written once: the API's description */

/* home_metrics.c */
MetricList service_metrics;
void home_cells_take(Home *home);
void home_cells_free(Home *home);

/* home.c */
const Schema *frame_schema(void);
/* conf and own live as long as it. */
Home *home_new(const Service *service, const ServiceConf *conf, const void *own) RETURNS_NONNULL;
Err *home_make(Home *home, Arena *errs) MUST_USE; /* routes, metrics: what needs no database */
Err *home_prepare(Home *home, Arena *errs)
	MUST_USE; /* database and schemas; again after an error. Parks */
Err *home_open(Home *home, Arena *errs) MUST_USE; /* that, and the service's begin */
bool home_may_wait(const Err *err); /* is it one that time may heal: a database that is away? */
/* A fiber that opens it, if that was not done, and does what is to be done in the background. On loop 0. */
Err *home_live(Home *home) MUST_USE;
void home_still(Home *home); /* the end of that; parks, shielded */
void home_close(Home *home); /* parks, shielded; NULL is fine */

/* home_consume.c: fibers that hear of other services; of the fiber of home_live */
Err *home_hear(Home *home) MUST_USE;
void home_deafen(Home *home);

/* run.c */
const Home *home_named(const char *name); /* NULL: it does not run here */
const Home *home_at(size_t i); /* by place in the list of services; NULL: it does not run here */
