/* SPDX-License-Identifier: Apache-2.0 */
#include "store/resp.c"

#include "unit.h"

static void put_reply(Buf *b, const RedisReply *reply)
{
	switch (reply->type) {
	case REDIS_NIL:
		buf_put(b, S("nil"));
		return;
	case REDIS_STRING:
	case REDIS_STATUS:
	case REDIS_ERROR:
		buf_fmt(b, "%c%.*s",
		        "'+-"[reply->type == REDIS_STATUS  ? 1
		              : reply->type == REDIS_ERROR ? 2
		                                           : 0],
		        STR_ARG(reply->text));
		return;
	case REDIS_INTEGER:
		buf_put_i64(b, reply->integer);
		return;
	case REDIS_ARRAY:
		buf_putc(b, '[');
		for (size_t i = 0; i < reply->count; i++) {
			if (i)
				buf_putc(b, ' ');
			put_reply(b, &reply->items[i]);
		}
		buf_putc(b, ']');
		return;
	}
}

TEST(resp_put_writes_an_array_of_bulk_strings)
{
	AUTO(buf_fini) Buf b = { 0 };

	resp_put(&b, REDIS_WORDS(S("SET"), S("k"), S("a\r\nb"), S("")));
	CHECK_STR(buf_str(&b), S("*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"));
}

static const struct {
	Str wire, want;
} good[] = {
	{ S("+OK\r\n"), S("+OK") },
	{ S("-ERR no\r\n"), S("-ERR no") },
	{ S(":-42\r\n"), S("-42") },
	{ S("$-1\r\n"), S("nil") },
	{ S("*-1\r\n"), S("nil") },
	{ S("$0\r\n\r\n"), S("'") },
	{ S("$5\r\na\r\nbc\r\n"), S("'a\r\nbc") },
	{ S("*0\r\n"), S("[]") },
	{ S("*3\r\n$1\r\na\r\n:7\r\n*2\r\n+x\r\n$-1\r\n"), S("['a 7 [+x nil]]") },
};

TEST(resp_next_reads_every_type_however_it_is_cut)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		for (size_t step = 1; step <= good[i].wire.len; step++) {
			AUTO(resp_fini) Resp r = { 0 };
			AUTO(buf_fini) Buf b = { 0 };
			RedisReply reply = { 0 };
			bool got = false;

			NOTE("row %zu in steps of %zu", i, step);
			resp_init(&r, 1024);
			for (size_t at = 0; at < good[i].wire.len; at += step) {
				CHECK(!got);
				CHECK_OK(resp_feed(&r, str_sub(good[i].wire, at, at + step)));
				CHECK_OK(resp_next(&r, a, &reply, &got));
			}
			CHECK(got);
			put_reply(&b, &reply);
			CHECK_STR(buf_str(&b), good[i].want);
		}
	}
}

TEST(resp_next_gives_replies_one_after_another)
{
	AUTO(resp_fini) Resp r = { 0 };
	RedisReply reply;
	bool got;

	resp_init(&r, 1024);
	CHECK_OK(resp_feed(&r, S(":1\r\n:2\r\n:3\r\n:4")));
	for (int i = 1; i <= 3; i++) {
		CHECK_OK(resp_next(&r, a, &reply, &got));
		CHECK(got);
		CHECK_INT(reply.integer, i);
	}
	CHECK_OK(resp_next(&r, a, &reply, &got));
	CHECK(!got);
}

TEST(resp_forget_drops_the_rest_without_its_arena)
{
	const Str wire = S("*3\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n$3\r\nend\r\n");

	for (size_t cut = 1; cut < wire.len; cut++) {
		AUTO(resp_fini) Resp r = { 0 };
		Arena *left = arena_new(0);
		RedisReply *into = ARENA_NEW(left, RedisReply), next = { 0 };
		bool got;

		NOTE("cut at %zu", cut);
		resp_init(&r, 1024);
		CHECK_OK(resp_feed(&r, str_sub(wire, 0, cut)));
		CHECK_OK(resp_next(&r, left, into, &got));
		CHECK(!got);
		resp_forget(&r);
		arena_free(left);
		CHECK_OK(resp_feed(&r, str_sub(wire, cut, wire.len)));
		CHECK_OK(resp_feed(&r, S("+next\r\n")));
		CHECK_OK(resp_next(&r, NULL, NULL, &got));
		CHECK(got);
		CHECK_OK(resp_next(&r, a, &next, &got));
		CHECK(got);
		CHECK_STR(next.text, S("next"));
	}
}

TEST(resp_refuses_what_is_no_reply_and_what_is_too_large)
{
	static const struct {
		Str wire;
		const char *slug;
	} cases[] = {
		{ S("HTTP/1.1 400 Bad Request\r\n\r\n"), "redis.protocol" },
		{ S("$-7\r\n"), "redis.protocol" },
		{ S("*2147483648\r\n"), "redis.protocol" },
		{ S("*2147483647\r\n"), "redis.reply_too_large" },
		{ S("*10\r\n*10\r\n"), "redis.reply_too_large" },
		{ S("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
		  "redis.protocol" },
		{ S("$100\r\n0123456789012345678901234567890123456789012345678901234567890123456789"),
		  "redis.reply_too_large" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(resp_fini) Resp r = { 0 };
		RedisReply reply;
		bool got;
		Err *err;

		NOTE("row %zu", i);
		resp_init(&r, 64);
		err = resp_feed(&r, cases[i].wire);
		if (!err)
			err = resp_next(&r, a, &reply, &got);
		CHECK_ERR(err, cases[i].slug);
	}
}
