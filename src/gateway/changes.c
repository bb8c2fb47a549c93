/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences by name. A listener or a route is the same when its part of the configuration says the same; an upstream is
 * when it is the very same one, whose connections and health go on. */
#include "gateway/changes.h"

#include "base/arena.h"
#include "base/map.h"
#include "gateway/snapshot.h"

/* A list of named things on both sides. */
typedef struct Things {
	size_t before_count, now_count;
	Str (*name)(const Snapshot *snap, size_t i);
	bool (*same)(const Snapshot *before, size_t i, const Snapshot *now, size_t k);
} Things;

static Str listener_name(const Snapshot *snap, size_t i)
{
	return snap->conf->listen.at[i].address.text;
}

static bool listener_same(const Snapshot *before, size_t i, const Snapshot *now, size_t k)
{
	return conf_equal(gateway_listen_table(), &before->conf->listen.at[i],
	                  &now->conf->listen.at[k]);
}

static Str upstream_name(const Snapshot *snap, size_t i)
{
	return snap->conf->upstreams.at[i].name;
}

static bool upstream_same(const Snapshot *before, size_t i, const Snapshot *now, size_t k)
{
	return before->targets[i].up == now->targets[k].up;
}

static Str route_name(const Snapshot *snap, size_t i)
{
	return snap->conf->routes.at[i].name;
}

static bool route_same(const Snapshot *before, size_t i, const Snapshot *now, size_t k)
{
	return conf_equal(gateway_route_table(), &before->conf->routes.at[i],
	                  &now->conf->routes.at[k]);
}

typedef enum Kind { ADDED, REMOVED, CHANGED, KINDS } Kind;

typedef struct Found {
	Str names[KINDS][CHANGES_SHOWN];
	size_t counts[KINDS];
	size_t same;
} Found;

static void note(Found *found, Kind kind, Str name)
{
	if (found->counts[kind] < CHANGES_SHOWN)
		found->names[kind][found->counts[kind]] = name;
	found->counts[kind]++;
}

/* Values of the maps are places, from 1: NULL means none. */
static void index_names(Map *map, const Things *things, const Snapshot *snap, size_t count)
{
	for (size_t i = 0; i < count; i++)
		map_put(map, things->name(snap, i), (void *)(uintptr_t)(i + 1));
}

static void compare(const Things *things, const Snapshot *before, const Snapshot *now, Found *found)
{
	AUTO(map_fini) Map old = { 0 };
	AUTO(map_fini) Map new = { 0 };

	index_names(&old, things, before, things->before_count);
	index_names(&new, things, now, things->now_count);
	for (size_t k = 0; k < things->now_count; k++) {
		Str name = things->name(now, k);
		uintptr_t i = (uintptr_t)map_get(&old, name);

		if (!i)
			note(found, ADDED, name);
		else if (things->same(before, i - 1, now, k))
			found->same++;
		else
			note(found, CHANGED, name);
	}
	for (size_t i = 0; i < things->before_count; i++)
		if (!map_get(&new, things->name(before, i)))
			note(found, REMOVED, things->name(before, i));
}

static void put_things(JsonWriter *w, Str key, const Things *things, const Snapshot *before,
                       const Snapshot *now)
{
	static const Str words[KINDS] = { S("added"), S("removed"), S("changed") };
	AUTO(arena_freep) Arena *a = arena_new(0);
	Found *found = ARENA_NEW(a, Found);
	size_t more = 0;

	compare(things, before, now, found);
	json_key(w, key);
	json_begin_object(w);
	json_put_u64(w, "same", found->same);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		size_t shown = MIN(found->counts[kind], (size_t)CHANGES_SHOWN);

		json_key(w, words[kind]);
		json_begin_array(w);
		for (size_t i = 0; i < shown; i++)
			json_add_str(w, found->names[kind][i]);
		json_end(w);
		more += found->counts[kind] - shown;
	}
	if (more)
		json_put_u64(w, "more", more);
	json_end(w);
}

static void put_restart(JsonWriter *w, const GatewayConf *before, const GatewayConf *now,
                        const Str *waiting, size_t count)
{
	json_key(w, S("restart"));
	json_begin_array(w);
	if (!conf_equal(gateway_admin_table(), &before->admin, &now->admin))
		json_add_str(w, S("admin"));
	if (before->threads != now->threads)
		json_add_str(w, S("threads"));
	if (!str_eq(before->takeover, now->takeover))
		json_add_str(w, S("takeover"));
	for (size_t i = 0; i < count; i++)
		json_add_str(w, waiting[i]);
	json_end(w);
}

void changes_put(JsonWriter *w, const Snapshot *before, const Snapshot *now, const Str *waiting,
                 size_t count)
{
	const GatewayConf *old = before->conf, *new = now->conf;
	Things listeners = { old->listen.count, new->listen.count, listener_name, listener_same };
	Things upstreams = { old->upstreams.count, new->upstreams.count, upstream_name,
		             upstream_same };
	Things routes = { old->routes.count, new->routes.count, route_name, route_same };

	put_things(w, S("listeners"), &listeners, before, now);
	put_things(w, S("upstreams"), &upstreams, before, now);
	put_things(w, S("routes"), &routes, before, now);
	put_restart(w, old, new, waiting, count);
}
