/* SPDX-License-Identifier: Apache-2.0
 *
 * The generic cell rate algorithm: of each address one number, the time at which all its tries are forgotten. A try puts it off
 * by `forget`; it may not be further away than `tries` of those. So a try that is refused changes nothing, and nobody is locked
 * out for good. */
#include "gateway/auth_throttle.h"

#include "base/list.h"
#include "base/map.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES = 10000, KEY_BYTES = 17 };

typedef struct Tries {
	char key[KEY_BYTES];
	int64_t clear_us; /* when none of them counts any more */
	Node used;        /* the oldest first */
} Tries;

struct AuthThrottle {
	uint32_t tries;
	int64_t forget_us;
	pthread_mutex_t lock; /* of all below */
	Map by_key;
	List used;
};

AuthThrottle *auth_throttle_new(uint32_t tries, int64_t forget_us)
{
	AuthThrottle *throttle = calloc(1, sizeof *throttle);

	if (!throttle)
		abort();
	throttle->tries = tries;
	throttle->forget_us = forget_us;
	pthread_mutex_init(&throttle->lock, NULL);
	list_init(&throttle->used);
	return throttle;
}

static Str key_str(const char *key)
{
	return (Str){ key, KEY_BYTES };
}

static void drop(AuthThrottle *throttle, Tries *tries)
{
	map_remove(&throttle->by_key, key_str(tries->key));
	list_remove(&tries->used);
	free(tries);
}

void auth_throttle_free(AuthThrottle *throttle)
{
	if (!throttle)
		return;
	while (!list_empty(&throttle->used))
		drop(throttle, LIST_FIRST(&throttle->used, Tries, used));
	map_fini(&throttle->by_key);
	pthread_mutex_destroy(&throttle->lock);
	free(throttle);
}

/* One of one kind; what is no address ("unix") is one address. */
static void key_of(Str ip, char key[KEY_BYTES])
{
	char text[INET6_ADDRSTRLEN] = { 0 };
	char bytes[16] = { 0 };

	memset(key, 0, KEY_BYTES);
	memcpy(text, ip.at, MIN(ip.len, sizeof text - 1));
	if (inet_pton(AF_INET, text, bytes) == 1) {
		key[0] = 4;
		memcpy(key + 1, bytes, 4);
	} else if (inet_pton(AF_INET6, text, bytes) == 1) {
		key[0] = 6;
		memcpy(key + 1, bytes, 8);
	}
}

static Tries *tries_new(AuthThrottle *throttle, const char *key)
{
	Tries *tries = calloc(1, sizeof *tries);

	if (!tries)
		abort();
	memcpy(tries->key, key, KEY_BYTES);
	if (throttle->by_key.count >= ADDRESSES)
		drop(throttle, LIST_FIRST(&throttle->used, Tries, used));
	map_put(&throttle->by_key, key_str(tries->key), tries);
	list_add(&throttle->used, &tries->used);
	return tries;
}

/* Under the lock. */
static int64_t take(AuthThrottle *throttle, const char *key, int64_t now_us)
{
	Tries *tries = map_get(&throttle->by_key, key_str(key));
	int64_t most_us = (int64_t)(throttle->tries - 1) * throttle->forget_us;

	if (!tries)
		tries = tries_new(throttle, key);
	list_remove(&tries->used);
	list_add(&throttle->used, &tries->used);
	tries->clear_us = MAX(tries->clear_us, now_us);
	if (tries->clear_us - now_us > most_us)
		return tries->clear_us - now_us - most_us;
	tries->clear_us += throttle->forget_us;
	return 0;
}

int64_t auth_throttle_take(AuthThrottle *throttle, Str ip, int64_t now_us)
{
	char key[KEY_BYTES];
	int64_t wait_us;

	if (!throttle->tries)
		return 0;
	key_of(ip, key);
	pthread_mutex_lock(&throttle->lock);
	wait_us = take(throttle, key, now_us);
	pthread_mutex_unlock(&throttle->lock);
	return wait_us;
}

void auth_throttle_give(AuthThrottle *throttle, Str ip)
{
	char key[KEY_BYTES];
	Tries *tries;

	key_of(ip, key);
	pthread_mutex_lock(&throttle->lock);
	tries = map_get(&throttle->by_key, key_str(key));
	if (tries)
		tries->clear_us -= throttle->forget_us;
	pthread_mutex_unlock(&throttle->lock);
}
