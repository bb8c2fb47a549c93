/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are kept. Where a service has a Redis it has a cache too (memory here, Redis for all processes): a read that says it may be
 * kept is answered from it, version and all, and goes to the database only when nobody has it. Who asks was looked at before, so
 * what is kept is the same for all who may see it.
 *
 * What changes a thing names its key while it changes it; once that is committed the key is forgotten, before the answer goes out: who
 * made the change reads it back. Other processes forget within the cache's `staleness`. A Redis that is away is not waited for: this process
 * forgets all the same, and the others give out nothing from memory that is older than that. Without Redis nothing is kept at
 * all, for `banyan user ...` beside it could not say that something changed. */
#include "base/arena.h"
#include "service/home_int.h"
#include "store/cache.h"

enum { KEYS_FIRST = 4 };

typedef struct Forgotten {
	Str *at;
	size_t count, cap;
} Forgotten;

typedef struct Made {
	ServiceCall *call;
	ServiceHandler *make;
	bool loaded; /* by this very call: the answer is there already */
} Made;

/* The version, a line break, the body. */
static Err *load(const void *arg, Arena *a, CacheFill *fill)
{
	Made *made = (Made *)(uintptr_t) * (const uintptr_t *)arg;
	ServiceCall *c = made->call;
	Str body;

	TRY(made->make(c));
	TRY(reply_body(c, &body));
	made->loaded = true;
	fill->found = true;
	fill->value = str_fmt(a, "%.*s\n%.*s", STR_ARG(c->reply->etag), STR_ARG(body));
	return NULL;
}

Err *service_cached(ServiceCall *c, Str key, ServiceHandler *make)
{
	Made made = { .call = c, .make = make };
	uintptr_t arg = (uintptr_t)&made;
	CacheSource source = { .load = load, .arg = &arg };
	CacheValue value;
	Str rest, etag;

	if (!home_of(c)->cache)
		return make(c);
	TRY(cache_get(home_of(c)->cache, c->arena, key, &source, &value));
	if (made.loaded)
		return NULL;
	rest = value.bytes;
	str_split(&rest, '\n', &etag);
	service_say(c, 0, S("application/json"), rest);
	c->reply->etag = etag;
	return NULL;
}

void service_forget(ServiceCall *c, Str key)
{
	Forgotten *f = c->reply->forgotten;

	if (!home_of(c)->cache)
		return;
	if (!f)
		f = c->reply->forgotten = ARENA_NEW(c->arena, Forgotten);
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->at[i], key))
			return;
	if (f->count == f->cap) {
		Str *more = ARENA_ARRAY(c->arena, Str, f->cap * 2 + KEYS_FIRST);

		for (size_t i = 0; i < f->count; i++)
			more[i] = f->at[i];
		f->cap = f->cap * 2 + KEYS_FIRST;
		f->at = more;
	}
	f->at[f->count++] = str_dup(c->arena, key);
}

Err *service_forget_at(const ServiceHome *home, Arena *a, Str key)
{
	const Home *whole = (const Home *)(const void *)home;

	return whole->cache ? cache_invalidate(whole->cache, a,
	                                       (CacheNames){ .keys = &key, .key_count = 1 })
	                    : NULL;
}

struct Forgotten *cached_copy(ServiceCall *c, const struct Forgotten *before)
{
	Forgotten *copy;

	if (!before || !before->count)
		return NULL;
	copy = ARENA_NEW(c->arena, Forgotten);
	*copy = (Forgotten){ ARENA_ARRAY(c->arena, Str, before->count), before->count,
		             before->count };
	for (size_t i = 0; i < copy->count; i++)
		copy->at[i] = before->at[i];
	return copy;
}

/* Too often does no harm: after every effect, and when the handler is done, however it ended. */
void cached_forget(ServiceCall *c)
{
	Forgotten *f = c->reply->forgotten;
	Err *err;

	if (!f || !f->count)
		return;
	err = cache_invalidate(home_of(c)->cache, c->arena,
	                       (CacheNames){ .keys = f->at, .key_count = f->count });
	(void)err; /* in force here; the others are told as soon as they can be */
	f->count = 0;
}
