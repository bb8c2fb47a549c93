/* SPDX-License-Identifier: Apache-2.0
 *
 * What Redis answers instead of a result, by its first word, as an Err. */
#include "store/redis.h"

#include "base/arena.h"

enum { TEXT_MAX = 200 };

static const struct {
	Str word;
	ErrKind kind;
	const char *slug;
} rows[] = {
	{ S("BUSYGROUP"), ERR_CONFLICT, "redis.busy_group" },
	{ S("NOGROUP"), ERR_NOT_FOUND, "redis.no_group" },
	{ S("NOSCRIPT"), ERR_NOT_FOUND, "redis.no_script" },
	{ S("NOAUTH"), ERR_DENIED, "redis.denied" },
	{ S("WRONGPASS"), ERR_DENIED, "redis.denied" },
	{ S("NOPERM"), ERR_DENIED, "redis.denied" },
	{ S("OOM"), ERR_BUSY, "redis.full" },
	{ S("MISCONF"), ERR_BUSY, "redis.unavailable" },
	{ S("LOADING"), ERR_BUSY, "redis.unavailable" },
	{ S("BUSY"), ERR_BUSY, "redis.unavailable" },
	{ S("MASTERDOWN"), ERR_BUSY, "redis.unavailable" },
	{ S("NOMASTERLINK"), ERR_BUSY, "redis.unavailable" },
	{ S("CLUSTERDOWN"), ERR_BUSY, "redis.unavailable" },
	{ S("READONLY"), ERR_BUSY, "redis.unavailable" },
	{ S("NOREPLICAS"), ERR_BUSY, "redis.unavailable" },
	{ S("TRYAGAIN"), ERR_BUSY, "redis.unavailable" },
	{ S("UNBLOCKED"), ERR_BUSY, "redis.unavailable" },
	{ S("WRONGTYPE"), ERR_INTERNAL, "redis.type" },
};

Err *redis_reply_err(Arena *a, const RedisReply *reply)
{
	Str text, word;
	Str rest = text = str_sub(reply->text, 0, TEXT_MAX);

	if (reply->type != REDIS_ERROR)
		return NULL;
	if (!str_split(&rest, ' ', &word))
		word = text;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_eq(word, rows[i].word))
			return err_new(a, rows[i].kind, rows[i].slug, "Redis said %.*s",
			               STR_ARG(text));
	return err_new(a, ERR_INTERNAL, "redis.error", "Redis said %.*s", STR_ARG(text));
}
