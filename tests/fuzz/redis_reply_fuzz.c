/* SPDX-License-Identifier: Apache-2.0
 *
 * What Redis says. However the bytes are cut, the same replies come out, then the same end: more is needed, or a mistake.
 * Where the one who waits leaves in the middle, nothing of his is touched and the replies after are the same. */
#include "base/arena.h"
#include "store/resp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLY_BYTES = 1 << 20, DEPTH = 16 };

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void put(Buf *b, const RedisReply *reply, int depth)
{
	must(depth < DEPTH);
	buf_fmt(b, "%d:%" PRId64 ":", reply->type, reply->integer);
	if (reply->type == REDIS_STRING || reply->type == REDIS_STATUS ||
	    reply->type == REDIS_ERROR)
		buf_put(b, reply->text);
	for (size_t i = 0; i < reply->count; i++)
		put(b, &reply->items[i], depth + 1);
	buf_putc(b, '\n');
}

/* Until there is no whole reply left; false: a mistake. */
static bool take(Resp *r, Buf *out, unsigned *number, unsigned leave_at)
{
	for (;;) {
		Arena *a = arena_new(0);
		RedisReply *reply = ARENA_NEW(a, RedisReply);
		bool got = false, leaves = *number == leave_at;
		Err *err = resp_next(r, a, reply, &got);

		if (err || !got) {
			/* the arena goes: the next call brings another, as it does when somebody has left */
			resp_forget(r);
			arena_free(a);
			return !err;
		}
		if (!leaves)
			put(out, reply, 0);
		++*number;
		arena_free(a);
	}
}

static bool read_whole(Str text, Buf *out)
{
	AUTO(resp_fini) Resp r = { 0 };
	unsigned number = 0;

	resp_init(&r, REPLY_BYTES);
	return !resp_feed(&r, text) && take(&r, out, &number, UINT32_MAX);
}

/* With one arena for each reply, kept until it is whole. */
static bool read_cut(Str text, size_t step, Buf *out)
{
	AUTO(resp_fini) Resp r = { 0 };
	AUTO(arena_freep) Arena *a = arena_new(0);
	RedisReply reply;
	bool got;

	resp_init(&r, REPLY_BYTES);
	for (size_t at = 0; at < text.len; at += step) {
		if (resp_feed(&r, str_sub(text, at, at + step)))
			return false;
		for (;;) {
			if (resp_next(&r, a, &reply, &got))
				return false;
			if (!got)
				break;
			put(out, &reply, 0);
		}
	}
	return true;
}

static void read_leaving(Str text, size_t cut)
{
	AUTO(resp_fini) Resp r = { 0 };
	AUTO(buf_fini) Buf out = { 0 };
	unsigned number = 0;

	resp_init(&r, REPLY_BYTES);
	if (resp_feed(&r, str_sub(text, 0, cut)) || !take(&r, &out, &number, 0))
		return;
	if (!resp_feed(&r, str_sub(text, cut, text.len)))
		take(&r, &out, &number, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_fini) Buf whole = { 0 };
	AUTO(buf_fini) Buf cut = { 0 };
	Str text;
	bool good;

	if (size < 1)
		return 0;
	text = (Str){ (const char *)data + 1, size - 1 };
	good = read_whole(text, &whole);
	must(read_cut(text, (size_t)data[0] % 16 + 1, &cut) == good);
	must(str_eq(buf_str(&whole), buf_str(&cut)));
	read_leaving(text, data[0] % (text.len + 1));
	return 0;
}
