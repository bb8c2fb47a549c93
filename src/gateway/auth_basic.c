/* SPDX-License-Identifier: Apache-2.0
 *
 * Basic: a name and a password with every request.
 *
 * A password's hash takes a tenth of a second on purpose, and this one comes with each request: so who was verified is known
 * for a while, by a hash that is keyed with random bytes of this process and holds the file's generation. What is in memory
 * tells no password, and another file makes everybody prove it anew. The rest are hashed by a pool of few threads with a
 * bounded queue, as often as an address may try. A name that nobody has costs what one of the file costs. */
#include "gateway/auth_basic.h"

#include "auth/htpasswd.h"
#include "auth/password.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "auth/proved.h"
#include "gateway/auth_flight.h"
#include "gateway/auth_throttle.h"
#include "gateway/auth_watch.h"
#include "gateway/upstream.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 256, KEY_BYTES = 32 };

static const PasswordConf of_new = { .memory_bytes = 19 << 20, .passes = 2 };

static Err wrong = ERR_STATIC(UNAUTHENTICATED, "auth.login", "the name or the password is wrong");
static Err too_many = ERR_STATIC(LIMITED, "auth.tries",
                                 "there were too many wrong passwords: wait before the next try");

typedef struct UserFile {
	unsigned refs;
	Arena *arena;
	Htpasswd set;
	uint64_t generation;
} UserFile;

struct Basic {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const BasicConf *conf;
	FileWatch watch;
	pthread_mutex_t lock; /* of `users` */
	UserFile *users;
	PasswordPool *pool; /* since basic_start */
	AuthCache *cache;
	AuthFlights *flights;
	AuthThrottle *throttle;
	unsigned char key[KEY_BYTES]; /* of ids */
};

/* --- the file ----------------------------------------------------------------------------------------------------------- */

static void users_unref(void *arg)
{
	UserFile *users = arg;

	if (users && !__atomic_sub_fetch(&users->refs, 1, __ATOMIC_ACQ_REL))
		arena_free(users->arena);
}

static void users_drop(UserFile **users)
{
	users_unref(*users);
}

static UserFile *users_get(Basic *basic)
{
	UserFile *users;

	pthread_mutex_lock(&basic->lock);
	users = basic->users;
	__atomic_add_fetch(&users->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&basic->lock);
	return users;
}

static UserFile *users_begin(void)
{
	Arena *a = arena_new(0);
	UserFile *users = ARENA_NEW(a, UserFile);

	*users = (UserFile){ .refs = 1, .arena = a };
	return users;
}

/* What unknown names are made to cost. */
static void sample(PasswordPool *pool, const Htpasswd *set)
{
	Str some[SAMPLE];
	size_t count = MIN(set->count, (size_t)SAMPLE);

	for (size_t i = 0; i < count; i++)
		some[i] = set->at[set->count > SAMPLE ? rand_below(set->count) : i].stored;
	password_decoys(pool, some, count);
}

/* Under the watch's lock. */
static Err *read_users(void *owner, Arena *a)
{
	AUTO(users_drop) UserFile *users = users_begin();
	Basic *basic = owner;
	UserFile *before = basic->users;
	Str text;

	TRY(err_copy(a, file_read(users->arena, basic->conf->file, HTPASSWD_BYTES, &text)));
	TRY(err_copy(a, htpasswd_read(users->arena, text, basic->conf->most_memory_bytes,
	                              &users->set)));
	users->generation = before ? before->generation + 1 : 1;
	if (basic->pool)
		sample(basic->pool, &users->set);
	pthread_mutex_lock(&basic->lock);
	basic->users = TAKE(users);
	pthread_mutex_unlock(&basic->lock);
	users_unref(before);
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

Basic *basic_ref(Basic *basic)
{
	__atomic_add_fetch(&basic->refs, 1, __ATOMIC_RELAXED);
	return basic;
}

static void watch_ref(void *owner)
{
	basic_ref(owner);
}

static void watch_unref(void *owner)
{
	basic_unref(owner);
}

static const FileWatchFor watched = { read_users, watch_ref, watch_unref };

static void basic_drop(Basic **basic)
{
	basic_unref(*basic);
}

Err *basic_new(Arena *a, ConfHold *hold, const BasicConf *conf, Str policy, Basic **out)
{
	AUTO(basic_drop) Basic *basic = calloc(1, sizeof *basic);

	if (!basic)
		abort();
	*basic = (Basic){ .refs = 1,
		          .hold = conf_hold_ref(hold),
		          .conf = conf,
		          .cache = auth_cache_new(conf->entries, policy),
		          .flights = auth_flights_new(),
		          .throttle = auth_throttle_new(conf->tries, conf->forget_us) };
	pthread_mutex_init(&basic->lock, NULL);
	rand_bytes(basic->key, sizeof basic->key);
	file_watch_init(&basic->watch, conf->file, policy, &watched, basic);
	TRY(file_watch_look(&basic->watch, a));
	*out = TAKE(basic);
	return NULL;
}

void basic_unref(Basic *basic)
{
	if (!basic || __atomic_sub_fetch(&basic->refs, 1, __ATOMIC_ACQ_REL))
		return;
	password_pool_close(basic->pool);
	users_unref(basic->users);
	auth_cache_free(basic->cache);
	auth_flights_free(basic->flights);
	auth_throttle_free(basic->throttle);
	file_watch_fini(&basic->watch);
	pthread_mutex_destroy(&basic->lock);
	conf_hold_unref(basic->hold);
	OPENSSL_cleanse(basic->key, sizeof basic->key);
	free(basic);
}

const BasicConf *basic_conf(const Basic *basic)
{
	return basic->conf;
}

Err *basic_look(Basic *basic, Arena *a)
{
	return file_watch_look(&basic->watch, a);
}

static Err *open_pool(Basic *basic)
{
	static Err failed = ERR_STATIC(IO, "auth.password_threads", "no threads to hash passwords");
	AUTO(arena_freep) Arena *a = arena_new(0);
	PasswordConf conf = of_new;
	Err *err;

	conf.workers = basic->conf->workers;
	conf.queue = basic->conf->queue;
	conf.most_memory_bytes = basic->conf->most_memory_bytes;
	err = password_pool_open(a, &conf, &basic->pool);
	if (err) {
		log_error("policy %.*s: %.*s", STR_ARG(basic->watch.policy),
		          STR_ARG(err_chain(a, err)));
		return &failed;
	}
	sample(basic->pool, &basic->users->set);
	return NULL;
}

Err *basic_start(Basic *basic)
{
	if (!basic->pool)
		TRY(open_pool(basic));
	return file_watch_start(&basic->watch);
}

void basic_stop(Basic *basic)
{
	file_watch_stop(&basic->watch);
}

/* --- a login ------------------------------------------------------------------------------------------------------------ */

static AuthId id_of(const Basic *basic, uint64_t generation, Arena *a, Str text)
{
	Str bytes = str_fmt(a, "%" PRIu64 " %.*s", generation, STR_ARG(text));
	AuthId id;

	if (!HMAC(EVP_sha256(), basic->key, sizeof basic->key, (const unsigned char *)bytes.at,
	          bytes.len, id.at, NULL))
		abort();
	return id;
}

static const Json *claims_of(Arena *a, Str name)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *claims = NULL;

	json_begin_object(&w);
	json_put_str(&w, "sub", name);
	json_end(&w);
	return json_read(a, str_dup(a, buf_str(&b)), 0, &claims) ? NULL : claims;
}

static Err *check_password(Basic *basic, Arena *a, const UserFile *users, Str name, Str password)
{
	const HtpasswdUser *user = htpasswd_find(&users->set, name);
	PasswordOutcome outcome = { 0 };

	if (user)
		TRY(password_verify(basic->pool, a, user->stored, password, &outcome));
	else
		TRY(password_verify_nobody(basic->pool, a, name, password));
	return outcome.match ? NULL : &wrong;
}

/* A try that ends in anything but a wrong password, or a client that left, was none. */
static Err *try_password(Basic *basic, BasicTry *try, const UserFile *users, Str name, Str password)
{
	int64_t wait_us = auth_throttle_take(basic->throttle, try->ip, time_mono_us());
	Err *err;

	if (wait_us) {
		try->retry_after_s = (uint32_t)((wait_us + US_PER_S - 1) / US_PER_S);
		return &too_many;
	}
	err = check_password(basic, try->arena, users, name, password);
	if (!err || err->kind == ERR_BUSY)
		auth_throttle_give(basic->throttle, try->ip);
	return err;
}

static Err *verify(Basic *basic, BasicTry *try, const UserFile *users)
{
	Str name, password;

	if (!basic_credentials_read(try->arena, try->text, &name, &password) ||
	    password.len > PASSWORD_MAX_BYTES)
		return &wrong;
	TRY(try_password(basic, try, users, name, password));
	try->claims = claims_of(try->arena, name);
	if (basic->conf->cache_us && try->claims)
		auth_cache_add(basic->cache, try->id, 0, try->claims,
		               time_utc_us() + basic->conf->cache_us);
	return NULL;
}

/* A browser's first requests come together: one of them is hashed. */
static Err *verify_together(Basic *basic, BasicTry *try, const UserFile *users)
{
	AUTO(auth_flight_end) AuthFlight flight = { .flights = basic->flights, .id = try->id };
	FlightAnswer answer = { 0 };
	Err *err;

	TRY(auth_flight_join(&flight, try->arena, &answer));
	try->claims = answer.claims;
	if (answer.outcome == FLIGHT_YES || answer.outcome == FLIGHT_NO)
		return answer.outcome == FLIGHT_YES ? NULL : &wrong;
	err = verify(basic, try, users);
	if (err && err->kind == ERR_CANCELLED)
		return err;
	answer.outcome = !err ? FLIGHT_YES : err == &wrong ? FLIGHT_NO : FLIGHT_OWN;
	answer.claims = try->claims;
	if (flight.leads)
		auth_flight_tell(&flight, &answer);
	return err;
}

Err *basic_check(Basic *basic, BasicTry *try)
{
	UserFile *users = users_get(basic);

	arena_defer(try->arena, users_unref, users);
	try->id = id_of(basic, users->generation, try->arena, try->text);
	try->known = auth_recall(basic->cache, try->arena, try->id, time_utc_us(), &try->claims);
	return try->known ? NULL : verify_together(basic, try, users);
}
