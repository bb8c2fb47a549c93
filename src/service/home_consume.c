/* SPDX-License-Identifier: Apache-2.0
 *
 * A service hears of others: each consumer of its row in a fiber of its own, as long as the service lives. Events come by Redis
 * where both services have one; else they are read where they were written, in the other's outbox: in this process, or in its
 * database, which is at hand where processes share a folder or a database server. Nothing is lost while either is away: the outbox
 * keeps what somebody has not read. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "store/bus.h"
#include "store/schema.h"

#define LOOK_US (100 * US_PER_MS)
#define AGAIN_US US_PER_S

typedef struct Hearing {
	Home *home;
	const ServiceConsumer *row;
	Child child;
} Hearing;

static ConsumerConf conf_of(const Hearing *hearing)
{
	const ServiceConsumer *row = hearing->row;

	return (ConsumerConf){ .name = str_of(row->name),
		               .db = hearing->home->pub.db,
		               .types = row->types,
		               .type_count = row->type_count,
		               .fn = row->fn,
		               .many = row->many,
		               .arg = row->arg ? row->arg : &hearing->home->pub,
		               .attempts = row->attempts,
		               .batch = row->batch };
}

static Err *consume(const Hearing *hearing, Redis *redis, Db *db)
{
	Arena *a = hearing->home->arena;
	ConsumerConf conf = conf_of(hearing);
	BusSource source = { str_fmt(a, "/%s", hearing->row->source), db };

	return bus_consume(bus_new(a, &(BusConf){ .redis = redis }), &conf, &source);
}

static bool is_up(const Home *home)
{
	return __atomic_load_n(&home->up, __ATOMIC_ACQUIRE);
}

/* Services begin one after the other: the source may be among those that come. */
static Err *from_here(const Hearing *hearing)
{
	const Home *source;

	while (source = home_named(hearing->row->source), !source || !is_up(source))
		TRY(fiber_sleep(LOOK_US));
	return consume(hearing, NULL, source->pub.db);
}

/* Its outbox may not be there yet: whoever comes first makes it. */
static Err *open_there(const ServiceConf *conf, const char *name, Arena *errs, Db **db)
{
	DbConf there = db_conf_of(&conf->database, str_of(name));
	uint32_t applied;

	if (!*db)
		TRY(db_open(errs, &there, db));
	return schema_apply(*db, errs, store_own_schema(), &applied);
}

static Err *from_there(const Hearing *hearing, const ServiceConf *conf)
{
	AUTO(db_closep) Db *db = NULL;

	for (;;) {
		AUTO(arena_freep) Arena *errs = arena_new(0);
		Err *err = open_there(conf, hearing->row->source, errs, &db);

		if (!err)
			return consume(hearing, NULL, db);
		if (err->kind == ERR_CANCELLED)
			return err;
		log_err(err, "service %s waits for the events of %s",
		        hearing->home->pub.service->name, hearing->row->source);
		TRY(fiber_sleep(AGAIN_US));
	}
}

static Err *hear(void *arg)
{
	const Hearing *hearing = arg;
	const Home *home = hearing->home;
	const ServiceConf *conf = service_conf_named(hearing->row->source);

	if (home->pub.redis && (!conf || conf->has_redis))
		return consume(hearing, home->pub.redis, NULL);
	if (services_is_here(hearing->row->source))
		return from_here(hearing);
	if (conf && conf->has_database)
		return from_there(hearing, conf);
	log_info("service %s hears nothing of %s: it is not in services, and there is no redis",
	         home->pub.service->name, hearing->row->source);
	return NULL;
}

struct Hearings {
	size_t count;
	Hearing at[];
};

Err *home_hear(Home *home)
{
	size_t count = home->pub.service->consumer_count;

	home->hearings = arena_alloc(home->arena, sizeof *home->hearings + count * sizeof(Hearing));
	home->hearings->count = count;
	for (size_t i = 0; i < count; i++) {
		Hearing *hearing = &home->hearings->at[i];

		*hearing = (Hearing){ .home = home, .row = &home->pub.service->consumers[i] };
		TRY(child_start(&hearing->child, hear, hearing, "consumer"));
	}
	return NULL;
}

void home_deafen(Home *home)
{
	for (size_t i = 0; home->hearings && i < home->hearings->count; i++)
		child_end(&home->hearings->at[i].child);
	home->hearings = NULL;
}
