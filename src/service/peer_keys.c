/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of an issuer: a file, an address, or a service of ours. They are fetched by the request that needs them first, and again by
 * one that comes when they are old or names a key that is not there; meanwhile others go on with what was there, or wait when there
 * was nothing. An unknown kid may be anybody's invention, so it has them asked for once in a few seconds. An issuer that is away
 * changes nothing about keys that were known. */
#include "auth/jwks.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/work.h"
#include "service/peer_int.h"

#include <pthread.h>
#include <stdlib.h>

#define OLD_US (5 * 60 * US_PER_S)
#define AGAIN_US (5 * US_PER_S)
#define LOOK_US (5 * US_PER_MS)

struct IssuerKeys {
	Str where;
	pthread_mutex_t lock; /* of `set` */
	KeySet *set;
	int64_t old_us, again_us; /* atomic, monotonic */
	bool asking;              /* atomic */
};

/* --- sets --------------------------------------------------------------------------------------------------------------- */

static void set_unref(KeySet *set)
{
	if (set && !__atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		arena_free(set->arena);
}

void key_set_unrefp(KeySet **set)
{
	set_unref(*set);
}

static KeySet *take(IssuerKeys *keys)
{
	KeySet *set;

	pthread_mutex_lock(&keys->lock);
	set = keys->set;
	if (set)
		__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&keys->lock);
	return set;
}

static void put(IssuerKeys *keys, KeySet *set)
{
	KeySet *before;

	pthread_mutex_lock(&keys->lock);
	before = keys->set;
	set->generation = !before                           ? 1
	                  : str_eq(before->text, set->text) ? before->generation
	                                                    : before->generation + 1;
	keys->set = set;
	pthread_mutex_unlock(&keys->lock);
	set_unref(before);
}

IssuerKeys *issuer_keys_new(Str where)
{
	IssuerKeys *keys = calloc(1, sizeof *keys);

	if (!keys)
		abort();
	keys->where = where;
	pthread_mutex_init(&keys->lock, NULL);
	return keys;
}

void issuer_keys_free(IssuerKeys *keys)
{
	if (!keys)
		return;
	set_unref(keys->set);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* --- fetching ----------------------------------------------------------------------------------------------------------- */

typedef struct Reading {
	Arena *a;
	Str path, text;
	Err *err;
} Reading;

static void read_it(void *arg)
{
	Reading *reading = arg;

	reading->err = file_read(reading->a, reading->path, JWKS_BYTES, &reading->text);
}

static Err *from_file(Arena *a, Str path, KeySet *set)
{
	Reading reading = { .a = a, .path = path };
	const Jwk *key;

	TRY(work_run(read_it, &reading));
	TRY(reading.err);
	set->text = str_dup(set->arena, reading.text);
	if (!str_starts(str_trim(set->text), S("-----BEGIN")))
		return jwks_read(set->arena, set->text, JWK_TAKE_SECRET, &set->keys);
	TRY(jwk_read_pem(set->arena, set->text, S(""), 0, &key));
	set->keys = jwks_of(set->arena, key);
	return NULL;
}

static Err *from_address(Arena *a, Str where, KeySet *set)
{
	Ask what = { .url = where, .body_max = JWKS_BYTES, .timeout_us = 5 * US_PER_S };
	Str base = { 0 };
	AskAnswer answer;

	if (str_starts(where, S("service:"))) {
		const char *service = str_z(a, str_sub(where, 8, where.len));

		TRY(peer_place(a, service, &base, &what.via));
		what.url = str_fmt(a, "%.*s/oauth2/jwks", STR_ARG(base));
	}
	TRY(ask(service_ask_client(), a, &what, &answer));
	if (answer.status != 200)
		return err_new(a, ERR_UPSTREAM, "auth.keys", "%.*s answered with %u",
		               STR_ARG(where), answer.status);
	set->text = str_dup(set->arena, answer.body);
	return jwks_read(set->arena, set->text, JWK_TAKE_PUBLIC, &set->keys);
}

static bool is_address(Str where)
{
	return str_starts(where, S("service:")) || str_starts(where, S("http://")) ||
	       str_starts(where, S("https://"));
}

static Err *fetch(const IssuerKeys *keys, Arena *a, KeySet **out)
{
	Arena *own = arena_new(0);
	KeySet *set = ARENA_NEW(own, KeySet);
	Err *err;

	*set = (KeySet){ .refs = 1, .arena = own };
	err = is_address(keys->where) ? from_address(a, keys->where, set)
	                              : from_file(a, keys->where, set);
	if (!err) {
		*out = set;
		return NULL;
	}
	err = err_copy(a, err);
	arena_free(own);
	return err;
}

/* --- when ----------------------------------------------------------------------------------------------------------------- */

static void asked(IssuerKeys **keys)
{
	if (*keys)
		__atomic_store_n(&(*keys)->asking, false, __ATOMIC_RELEASE);
}

/* False: somebody else does just now. */
static bool may_ask(IssuerKeys *keys)
{
	return !__atomic_exchange_n(&keys->asking, true, __ATOMIC_ACQ_REL);
}

static Err *renew(IssuerKeys *keys, Arena *a)
{
	AUTO(asked) IssuerKeys *held = keys;
	KeySet *set = NULL;
	int64_t now_us = time_mono_us();
	Err *err;

	__atomic_store_n(&held->again_us, now_us + AGAIN_US, __ATOMIC_RELAXED);
	err = fetch(keys, a, &set);
	__atomic_store_n(&keys->old_us, time_mono_us() + (err ? AGAIN_US : OLD_US),
	                 __ATOMIC_RELAXED);
	if (err)
		return err;
	put(keys, set);
	return NULL;
}

/* There are none: whoever is first asks, the others wait for what comes of it. */
static Err *first(IssuerKeys *keys, Arena *a, KeySet **out)
{
	for (;;) {
		Err *err = NULL;

		*out = take(keys);
		if (*out)
			return NULL;
		if (may_ask(keys))
			err = renew(keys, a);
		else
			err = fiber_sleep(LOOK_US);
		if (err && (err->kind == ERR_CANCELLED || err_is(err, "rt.deadline")))
			return err;
		if (err)
			return err_because(
				a, err, ERR_BUSY, "auth.keys",
				"the keys that tokens are signed with are not to be had");
	}
}

Err *issuer_keys_get(IssuerKeys *keys, Arena *a, bool anew, KeySet **out)
{
	int64_t now_us = time_mono_us();
	KeySet *set = take(keys);
	bool due;

	if (!set)
		return first(keys, a, out);
	*out = set;
	due = now_us >= __atomic_load_n(&keys->old_us, __ATOMIC_RELAXED) ||
	      (anew && now_us >= __atomic_load_n(&keys->again_us, __ATOMIC_RELAXED));
	if (due && may_ask(keys)) {
		Err *err = renew(keys, a);

		if (err && err->kind == ERR_CANCELLED) {
			set_unref(TAKE(*out));
			return err;
		}
		if (err)
			log_err(err, "the keys of %.*s were not renewed", STR_ARG(keys->where));
		set_unref(set);
		*out = take(keys);
	}
	return NULL;
}

uint32_t issuer_keys_generation(IssuerKeys *keys)
{
	uint32_t generation;

	if (time_mono_us() >= __atomic_load_n(&keys->old_us, __ATOMIC_RELAXED))
		return 0;
	pthread_mutex_lock(&keys->lock);
	generation = keys->set ? keys->set->generation : 0;
	pthread_mutex_unlock(&keys->lock);
	return generation;
}
