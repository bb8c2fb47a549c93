/* SPDX-License-Identifier: Apache-2.0
 *
 * RESP2, Redis' protocol: commands to bytes, bytes to replies. No I/O; hiredis' reader does the parsing. */
#pragma once
#include "base/buf.h"
#include "store/redis.h"

void resp_put(Buf *b, RedisCommand command); /* an array of bulk strings */

typedef struct Resp {
	struct redisReader *reader;
	Arena *arena;     /* of the reply that is being read */
	RedisReply *root; /* NULL: it is read and dropped */
	size_t items;
	uint64_t reply_bytes;
	bool begun; /* a part of a reply has been read */
} Resp;

void resp_init(Resp *r, uint64_t reply_bytes); /* of one reply, at most */
void resp_fini(Resp *r);                       /* fine when all zero */

/* Both fail with UPSTREAM "redis.protocol" or "redis.reply_too_large", static; nothing more can be read then. */
Err *resp_feed(Resp *r, Str bytes) MUST_USE;
/* The next reply, when all of it is there; until then call it again, after more was fed, with the same arena and place.
 * into NULL: the reply is dropped. */
Err *resp_next(Resp *r, Arena *a, RedisReply *into, bool *got) MUST_USE;
/* The one who waits for the present reply has left: arena and place are not touched any more. */
void resp_forget(Resp *r);
/* Nothing was fed that no reply has been made of. */
bool resp_is_empty(const Resp *r);
