/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service does without being asked, in fibers of loop 0: waiting for a database that is away, its jobs, telling its events
 * to Redis, forgetting what is old. All of it comes back by itself after an outage, and ends with the service. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "service/home_int.h"
#include "service/idempotency_int.h"
#include "store/bus.h"
#include "store/job.h"

#define AGAIN_US US_PER_S
#define PURGE_US (10 * 60 * US_PER_S)
#define KEEP_US (24 * 3600 * US_PER_S)

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

static void deafen(Home **home)
{
	home_deafen(*home);
}

static Err *live(void *arg)
{
	Home *home = arg;
	AUTO(deafen) Home *hearing = home;
	AUTO(child_end) Child purger = { 0 };
	AUTO(child_end) Child keeper = { 0 };
	AUTO(child_end) Child relayer = { 0 };
	Err *err;

	TRY(open_at_last(home));
	TRY(child_start(&purger, purge, home, "purge"));
	TRY(child_start(&keeper, keep, home, "keep"));
	if (home->pub.redis)
		TRY(child_start(&relayer, relay, home, "relay"));
	TRY(home_hear(hearing));
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
