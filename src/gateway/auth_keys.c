/* SPDX-License-Identifier: Apache-2.0
 *
 * One fiber on loop 0 asks; all loops read what it found, under a lock that is held for a reference. A token whose key is
 * unknown may be of a key that is a second old, so it has the issuer asked at once; but anybody can make up a kid, so that
 * happens once in `refetch`, and all tokens of that time wait for the same answer or are refused. Whoever waits looks every
 * few milliseconds: it is rare, and the asker need not know of other loops. */
#include "gateway/auth_keys.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "gateway/auth_watch.h"
#include "gateway/fetch.h"
#include "gateway/upstream.h"
#include "rt/loop.h"

#include <pthread.h>
#include <stdlib.h>

#define LOOK_US (4 * US_PER_MS)
#define RETRY_US US_PER_S /* after the first failure; twice that after the next */

static Err stopped = ERR_STATIC(CANCELLED, "rt.cancelled", "it was stopped");

enum { M_FETCHES, M_KEYS };

static const MetricFamily families[] = {
	[M_FETCHES] = { "banyan_auth_key_fetches_total",
	                METRIC_COUNTER,
	                "fetches",
	                "Questions for an issuer's keys, by policy and outcome: same, new, failed",
	                { "policy", "outcome" } },
	[M_KEYS] = { "banyan_auth_keys",
	             METRIC_GAUGE,
	             "keys",
	             "Keys that tokens may be signed with, by policy",
	             { "policy" } },
};

const MetricFamily *auth_keys_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

enum { FETCH_SAME, FETCH_NEW, FETCH_FAILED, FETCH_OUTCOMES };

struct KeySource {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const JwtConf *conf;
	Str name;
	bool fixed, is_file;
	FileWatch watch; /* of a file */
	FetchPlace place;
	MetricCell fetches[FETCH_OUTCOMES], count;
	pthread_mutex_t lock; /* of `set` */
	KeySet *set;
	uint32_t generation; /* atomic */
	uint32_t asked;      /* atomic: answers and failures so far */
	int64_t again_us;    /* atomic: before that no token has it asked */
	bool asking;         /* atomic: one has */
	/* on loop 0 */
	Fiber *fiber;
	bool runs, stop, wanted;
	unsigned failures; /* in a row */
};

/* --- sets --------------------------------------------------------------------------------------------------------------- */

void key_set_unref(KeySet *set)
{
	if (set && !__atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		arena_free(set->arena);
}

static KeySet *set_begin(void)
{
	Arena *a = arena_new(0);
	KeySet *set = ARENA_NEW(a, KeySet);

	*set = (KeySet){ .refs = 1, .arena = a };
	return set;
}

static void set_drop(KeySet **set)
{
	key_set_unref(*set);
}

/* Takes the set over. False: they are the same as before. */
static bool replace(KeySource *source, KeySet *set)
{
	KeySet *before = source->set;

	if (before && str_eq(before->text, set->text)) {
		key_set_unref(set);
		return false;
	}
	set->generation = source->generation + 1;
	pthread_mutex_lock(&source->lock);
	source->set = set;
	pthread_mutex_unlock(&source->lock);
	__atomic_store_n(&source->generation, set->generation, __ATOMIC_RELEASE);
	metric_set(source->count, (int64_t)set->keys->count);
	key_set_unref(before);
	return true;
}

KeySet *key_source_get(KeySource *source)
{
	KeySet *set;

	pthread_mutex_lock(&source->lock);
	set = source->set;
	if (set)
		__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&source->lock);
	return set;
}

uint32_t key_source_generation(const KeySource *source)
{
	return __atomic_load_n(&source->generation, __ATOMIC_ACQUIRE);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

/* Of an address: what is asked. */
static Str where(const JwtConf *conf)
{
	return conf->jwks.len ? conf->jwks : conf->issuer;
}

static uint32_t secret_algs(const JwtConf *conf)
{
	uint32_t algs = 0;

	for (size_t i = 0; i < conf->algorithms.count; i++)
		algs |= JWS_BIT(conf->algorithms.at[i]);
	return algs ? algs : JWS_BIT(JWS_HS256);
}

static Err *read_fixed(void *owner, Arena *a)
{
	KeySource *source = owner;
	const JwtConf *conf = source->conf;
	AUTO(set_drop) KeySet *set = set_begin();
	const Jwk *key;
	Str text;

	if (conf->secret.len) {
		TRY(err_copy(a, jwk_of_secret(set->arena, conf->secret, S(""), secret_algs(conf),
		                              &key)));
		set->keys = jwks_of(set->arena, key);
	} else {
		TRY(file_read(a, conf->jwks, JWKS_BYTES, &text));
		set->text = str_dup(set->arena, text);
		TRY(err_copy(a, jwks_read(set->arena, set->text, JWK_TAKE_PUBLIC, &set->keys)));
	}
	replace(source, TAKE(set));
	return NULL;
}

static void cells_take(KeySource *source)
{
	static const Str outcomes[] = { S("same"), S("new"), S("failed") };

	for (size_t i = 0; i < FETCH_OUTCOMES; i++)
		source->fetches[i] =
			metric_cell(&families[M_FETCHES], (Str[]){ source->name, outcomes[i] }, 2);
	source->count = metric_cell(&families[M_KEYS], &source->name, 1);
}

static void cells_free(const KeySource *source)
{
	for (size_t i = 0; i < FETCH_OUTCOMES; i++)
		metric_cell_free(source->fetches[i]);
	metric_cell_free(source->count);
}

KeySource *key_source_ref(KeySource *source)
{
	__atomic_add_fetch(&source->refs, 1, __ATOMIC_RELAXED);
	return source;
}

void key_source_unref(KeySource *source)
{
	if (!source || __atomic_sub_fetch(&source->refs, 1, __ATOMIC_ACQ_REL))
		return;
	cells_free(source);
	key_set_unref(source->set);
	if (source->is_file)
		file_watch_fini(&source->watch);
	fetch_place_fini(&source->place);
	pthread_mutex_destroy(&source->lock);
	conf_hold_unref(source->hold);
	free(source);
}

static void watch_ref(void *owner)
{
	key_source_ref(owner);
}

static void watch_unref(void *owner)
{
	key_source_unref(owner);
}

static const FileWatchFor watched = { read_fixed, watch_ref, watch_unref };

static void source_drop(KeySource **source)
{
	key_source_unref(*source);
}

Err *key_source_new(Arena *a, ConfHold *hold, const JwtConf *conf, Str name, KeySource **out)
{
	AUTO(source_drop) KeySource *source = calloc(1, sizeof *source);

	if (!source)
		abort();
	*source = (KeySource){ .refs = 1, .hold = conf_hold_ref(hold), .conf = conf, .name = name };
	pthread_mutex_init(&source->lock, NULL);
	cells_take(source);
	source->fixed = conf->secret.len || (conf->jwks.len && !conf->keys_at.len &&
	                                     str_find(conf->jwks, S("://")) < 0);
	source->is_file = source->fixed && !conf->secret.len;
	if (source->is_file)
		file_watch_init(&source->watch, conf->jwks, name, &watched, source);
	if (source->is_file)
		TRY(file_watch_look(&source->watch, a));
	else if (source->fixed)
		TRY(read_fixed(source, a));
	else if (conf->keys_at.len)
		TRY(fetch_place_service(a, conf->keys_at, conf->keys_tls, "/oauth2/jwks",
		                        &source->place));
	else
		TRY(fetch_place(a, where(conf), conf->ca, &source->place));
	*out = TAKE(source);
	return NULL;
}

void key_source_inherit(KeySource *source, KeySource *before)
{
	AUTO(set_drop) KeySet *set = NULL;

	if (source->fixed || before->fixed || !str_eq(source->conf->jwks, before->conf->jwks) ||
	    !str_eq(source->conf->ca, before->conf->ca))
		return;
	set = key_source_get(before);
	if (!set)
		return;
	source->generation = set->generation;
	metric_set(source->count, (int64_t)set->keys->count);
	source->set = TAKE(set);
}

bool key_source_is_fixed(const KeySource *source)
{
	return source->fixed;
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

/* target: empty for the place's own. */
static Err *ask_place(const KeySource *source, Arena *a, const FetchPlace *place, Str target,
                      Str *body)
{
	FetchAsk question = { .target = target,
		              .timeout_us = source->conf->timeout_us,
		              .body_max = JWKS_BYTES };
	FetchAnswer answer;

	headers_add(&question.headers, a, S("Accept"),
	            S("application/jwk-set+json, application/json"));
	headers_add(&question.headers, a, S("User-Agent"), S("Banyan"));
	TRY(fetch_ask(a, place, &question, &answer));
	if (answer.status != 200)
		return err_new(a, ERR_UPSTREAM, "auth.keys", "the answer was %u", answer.status);
	*body = answer.body;
	return NULL;
}

/* OpenID Connect Discovery 1.0, sections 4.1 and 4.3. keys has the issuer's TLS and is not the caller's to free. */
static Err *discover(const KeySource *source, Arena *a, FetchPlace *keys)
{
	Str issuer = source->conf->issuer, path = source->place.url.target, body, name = { 0 },
	    uri = { 0 };
	const Json *document;

	while (path.len && path.at[path.len - 1] == '/')
		path.len--;
	TRY(ask_place(source, a, &source->place,
	              str_fmt(a, "%.*s/.well-known/openid-configuration", STR_ARG(path)), &body));
	TRY(json_read(a, body, JWKS_BYTES, &document));
	json_to_str(json_get(document, S("issuer")), &name);
	json_to_str(json_get(document, S("jwks_uri")), &uri);
	if (!str_eq(name, issuer))
		return err_new(a, ERR_UPSTREAM, "auth.keys",
		               "what was found there is of another issuer");
	*keys = (FetchPlace){ .tls = source->place.tls };
	if (!uri.len || webhook_url_read(a, uri, &keys->url) || keys->url.tls != !!keys->tls)
		return err_new(a, ERR_UPSTREAM, "auth.keys",
		               "what was found there has no jwks_uri, or one of another kind");
	return NULL;
}

static Err *ask(const KeySource *source, Arena *a, KeySet *set)
{
	FetchPlace keys = source->place;
	Str body;

	if (!source->conf->jwks.len)
		TRY(discover(source, a, &keys));
	TRY(ask_place(source, a, &keys, (Str){ 0 }, &body));
	set->text = str_dup(set->arena, body);
	return jwks_read(set->arena, set->text, JWK_TAKE_PUBLIC, &set->keys);
}

static void say_failed(KeySource *source, Arena *a, const Err *err)
{
	metric_add(source->fetches[FETCH_FAILED], 1);
	if (!source->failures++)
		log_warn("policy %.*s: keys of %.*s could not be had: %.*s", STR_ARG(source->name),
		         STR_ARG(where(source->conf)), STR_ARG(err_chain(a, err)));
}

static Err *ask_once(KeySource *source)
{
	AUTO(set_drop) KeySet *set = set_begin();
	AUTO(arena_freep) Arena *a = arena_new(0);
	Err *err = ask(source, a, set);

	if (err && err->kind == ERR_CANCELLED)
		return &stopped;
	if (err) {
		say_failed(source, a, err);
		return NULL;
	}
	if (source->failures)
		log_info("policy %.*s: keys of %.*s are there again", STR_ARG(source->name),
		         STR_ARG(where(source->conf)));
	source->failures = 0;
	metric_add(source->fetches[replace(source, TAKE(set)) ? FETCH_NEW : FETCH_SAME], 1);
	return NULL;
}

/* A tenth more or less, so that gateways of one start do not ask in step. */
static int64_t pause_us(const KeySource *source)
{
	int64_t us = source->conf->refresh_us;

	unsigned doublings = source->failures ? MIN(source->failures - 1, 10u) : 0;

	if (source->failures)
		us = MIN(us, RETRY_US << doublings);
	return us - us / 10 + (int64_t)rand_below((uint64_t)(us / 5 + 1));
}

static Err *wait(KeySource *source)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(pause_us(source));

	while (!source->wanted) {
		Err *err = fiber_park();

		if (err_is(err, "rt.deadline"))
			return NULL;
		TRY(err);
	}
	return NULL;
}

static Err *ask_for_ever(KeySource *source)
{
	while (!source->stop) {
		source->wanted = false;
		TRY(ask_once(source));
		__atomic_store_n(&source->asking, false, __ATOMIC_RELEASE);
		__atomic_add_fetch(&source->asked, 1, __ATOMIC_RELEASE);
		TRY(wait(source));
	}
	return NULL;
}

static void source_main(void *arg)
{
	KeySource *source = arg;
	Err *end = NULL;

	source->fiber = fiber_self();
	if (!source->stop)
		end = ask_for_ever(source);
	(void)end;
	source->fiber = NULL;
	source->runs = false;
	key_source_unref(source);
}

Err *key_source_start(KeySource *source)
{
	Err *err;

	if (source->is_file)
		return file_watch_start(&source->watch);
	source->stop = false;
	if (source->fixed || source->runs)
		return NULL;
	err = fiber_start(source_main, key_source_ref(source), "keys");
	if (err)
		key_source_unref(source);
	source->runs = !err;
	return err;
}

void key_source_stop(KeySource *source)
{
	if (source->is_file)
		file_watch_stop(&source->watch);
	source->stop = true;
	if (source->fiber)
		fiber_cancel(source->fiber);
}

/* --- for tokens --------------------------------------------------------------------------------------------------------- */

static void want(void *arg)
{
	KeySource *source = arg;

	source->wanted = true;
	if (source->fiber)
		fiber_wake(source->fiber);
	key_source_unref(source);
}

/* Is somebody asking now, or may we have it done? */
static bool is_asking(KeySource *source, uint32_t asked)
{
	int64_t again_us = __atomic_load_n(&source->again_us, __ATOMIC_RELAXED);
	int64_t now_us = loop_now_us();

	if (!asked || __atomic_load_n(&source->asking, __ATOMIC_ACQUIRE))
		return true;
	if (now_us < again_us ||
	    !__atomic_compare_exchange_n(&source->again_us, &again_us,
	                                 now_us + source->conf->refetch_us, false, __ATOMIC_RELAXED,
	                                 __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&source->asking, true, __ATOMIC_RELEASE);
	loop_post(rt_loop(0), want, key_source_ref(source));
	return true;
}

bool key_source_learn(KeySource *source, uint32_t generation)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	uint32_t asked = __atomic_load_n(&source->asked, __ATOMIC_ACQUIRE);

	if (source->fixed)
		return false;
	if (key_source_generation(source) != generation)
		return true;
	if (!is_asking(source, asked))
		return false;
	limit = deadline_begin(source->conf->timeout_us + 2 * LOOK_US);
	while (__atomic_load_n(&source->asked, __ATOMIC_ACQUIRE) == asked)
		if (fiber_sleep(LOOK_US))
			return false;
	return key_source_generation(source) != generation;
}
