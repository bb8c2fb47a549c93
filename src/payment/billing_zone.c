/* SPDX-License-Identifier: Apache-2.0
 *
 * Zones that bills are made in, read once each: a file is read by a worker, and a transaction finds it here. There are some six hundred
 * of them, so none is ever forgotten. */
#include "base/arena.h"
#include "base/map.h"
#include "base/zone.h"
#include "payment/billing_int.h"
#include "rt/work.h"

#include <pthread.h>

static struct {
	pthread_mutex_t lock;
	Arena *arena;
	Map by_name;
} zones = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct Load {
	Str name;
	Arena *a; /* for the error */
	const Zone *zone;
	Err *err;
} Load;

static const Zone *kept(Str name)
{
	const Zone *zone;

	pthread_mutex_lock(&zones.lock);
	zone = map_get(&zones.by_name, name);
	pthread_mutex_unlock(&zones.lock);
	return zone;
}

/* On a worker. Two that load the same one keep both: the second stays in nobody's map. */
static void load(void *arg)
{
	Load *l = arg;

	pthread_mutex_lock(&zones.lock);
	if (!zones.arena)
		zones.arena = arena_new(0);
	l->zone = map_get(&zones.by_name, l->name);
	if (!l->zone)
		l->err = zone_load(zones.arena, l->name, &l->zone);
	if (l->err)
		l->err = err_copy(l->a, l->err);
	else
		map_put(&zones.by_name, zone_name(l->zone), (void *)(uintptr_t)l->zone);
	pthread_mutex_unlock(&zones.lock);
}

Err *bill_zone(Arena *a, Str name, const Zone **out)
{
	Load l = { .name = name, .a = a };

	if (!name.len || str_eq(name, S("UTC"))) {
		*out = zone_utc();
		return NULL;
	}
	*out = kept(name);
	if (*out)
		return NULL;
	TRY(work_run(load, &l));
	*out = l.zone;
	return l.err;
}
