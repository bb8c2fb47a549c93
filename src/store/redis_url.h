/* SPDX-License-Identifier: Apache-2.0
 *
 * Where Redis is, as it is written. Pure.
 *
 *   redis://[user[:password]@]host[:port][/db]               rediss:// with TLS, redis+unix:/path[?db=n] by a Unix socket
 *   redis+sentinel://host[:port],host[:port]/master[/db]     rediss+sentinel://
 *   redis+cluster://host[:port],host[:port]                  rediss+cluster://  */
#pragma once
#include "base/err.h"

typedef enum RedisKind { REDIS_SINGLE, REDIS_SENTINEL, REDIS_CLUSTER } RedisKind;

typedef struct RedisHost {
	Str host;      /* without brackets; of a Unix socket its path */
	uint16_t port; /* 0: a Unix socket */
} RedisHost;

typedef struct RedisUrl {
	RedisKind kind;
	bool tls;
	Str user, password; /* decoded; empty: none */
	RedisHost *hosts;
	size_t count;
	Str master; /* SENTINEL only */
	uint32_t db;
} RedisUrl;

/* Copies into the arena. Fails with INVALID "redis.url"; the sentence never shows the password. */
Err *redis_url_read(Arena *a, Str text, RedisUrl *out) MUST_USE;
