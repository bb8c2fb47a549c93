/* SPDX-License-Identifier: Apache-2.0
 *
 * KeySource: an issuer's public keys, from an address that is asked again and again. What was fetched last counts until
 * something better comes: an issuer that is down, hangs, or answers nonsense changes nothing. */
#pragma once
#include "auth/jwks.h"
#include "gateway/conf_auth.h"
#include "obs/metric.h"

typedef struct KeySource KeySource;

/* Keys of one moment; counted. */
typedef struct KeySet {
	unsigned refs;
	Arena *arena;
	const Jwks *keys;
	Str text;
	uint32_t generation; /* rises when they are others than before */
} KeySet;
void key_set_unref(KeySet *set); /* NULL is fine; any thread */

typedef struct ConfHold ConfHold; /* upstream.h */

/* Of a secret: read once. Of a file: read now, and since key_source_start whenever it is another. Of an address: nothing is asked before key_source_start. conf lies in what hold keeps;
 * name is the policy's. Blocks. Fails as jwks_read, file_read and tls_client_new do. */
Err *key_source_new(Arena *a, ConfHold *hold, const JwtConf *conf, Str name, KeySource **out)
	MUST_USE;
/* What `before` knows counts here too until something is fetched, if both ask the same address. source was not started. Any
 * thread. */
void key_source_inherit(KeySource *source, KeySource *before);
KeySource *key_source_ref(KeySource *source);
void key_source_unref(KeySource *source); /* NULL is fine; on any loop */

/* The fiber that asks, or looks at the file, which has a reference of its own; nothing when it runs, or when there is nobody to ask. On loop 0. */
Err *key_source_start(KeySource *source) MUST_USE;
void key_source_stop(KeySource *source); /* on loop 0; does not wait for it */
bool key_source_is_fixed(const KeySource *source);

/* A reference to what there is; NULL: nothing was ever fetched. Any thread. */
KeySet *key_source_get(KeySource *source);
uint32_t key_source_generation(const KeySource *source); /* any thread */
/* Are there other keys than those of that generation? If not, waits for the answer to a question that is asked at once, as
 * often as `refetch` allows. Parks for up to the time of one fetch. Any loop. */
bool key_source_learn(KeySource *source, uint32_t generation);

MetricList auth_keys_metrics;
