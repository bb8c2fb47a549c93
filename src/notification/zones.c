/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones of recipients. Each is read from its file once, on a worker, and stays: there are some six hundred. */
#include "notification/notification_int.h"

#include "base/arena.h"
#include "base/map.h"
#include "rt/work.h"

#include <openssl/evp.h>
#include <pthread.h>

struct Zones {
	pthread_mutex_t lock; /* never held across a park */
	Arena *arena;
	Map map; /* of Zone */
};

typedef struct Loading {
	Zones *zones;
	Arena *a;
	Str name;
	const Zone *zone;
	Err *err;
} Loading;

static void free_map(void *arg)
{
	Zones *zones = arg;

	map_fini(&zones->map);
	arena_free(zones->arena);
	pthread_mutex_destroy(&zones->lock);
}

Zones *zones_new(Arena *a)
{
	Zones *zones = ARENA_NEW(a, Zones);

	zones->arena = arena_new(0);
	pthread_mutex_init(&zones->lock, NULL);
	arena_defer(a, free_map, zones);
	return zones;
}

static const Zone *known(Zones *zones, Str name)
{
	const Zone *zone;

	pthread_mutex_lock(&zones->lock);
	zone = map_get(&zones->map, name);
	pthread_mutex_unlock(&zones->lock);
	return zone;
}

static void load(void *arg)
{
	Loading *loading = arg;
	Zones *zones = loading->zones;
	const Zone *zone;

	pthread_mutex_lock(&zones->lock);
	zone = map_get(&zones->map, loading->name);
	loading->err = zone ? NULL : zone_load(zones->arena, loading->name, &zone);
	if (loading->err)
		loading->err = err_copy(loading->a, loading->err);
	else if (!map_get(&zones->map, loading->name))
		map_put(&zones->map, str_dup(zones->arena, loading->name), (void *)(uintptr_t)zone);
	loading->zone = zone;
	pthread_mutex_unlock(&zones->lock);
}

Err *zones_get(Zones *zones, Arena *a, Str name, const Zone **out)
{
	Loading loading = { zones, a, name, NULL, NULL };
	const Zone *zone = str_eq(name, S("UTC")) ? zone_utc() : known(zones, name);

	if (!zone) {
		TRY(work_run(load, &loading));
		TRY(loading.err);
		zone = loading.zone;
	}
	*out = zone;
	return NULL;
}

Str address_hash(Arena *a, Channel channel, Str address)
{
	unsigned char *hash = arena_alloc_raw(a, EVP_MAX_MD_SIZE);
	Str text = str_fmt(a, "%s:%.*s", channel_name(channel), STR_ARG(address));
	unsigned int len = 0;

	EVP_Digest(text.at, text.len, hash, &len, EVP_sha256(), NULL);
	return (Str){ (const char *)hash, len };
}
