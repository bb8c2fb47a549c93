/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_url.c"

#include "unit.h"

TEST(redis_url_read_knows_every_form)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("redis://cache"), S("0 plain '' '' [cache 6379] '' 0") },
		{ S("redis://cache:1/3"), S("0 plain '' '' [cache 1] '' 3") },
		{ S("redis://cache/"), S("0 plain '' '' [cache 6379] '' 0") },
		{ S("rediss://:p%40ss%3a@10.0.0.1:6380"),
		  S("0 tls '' 'p@ss:' [10.0.0.1 6380] '' 0") },
		{ S("redis://me:a:b@[::1]:7/0"), S("0 plain 'me' 'a:b' [::1 7] '' 0") },
		{ S("redis://[fe80::1]"), S("0 plain '' '' [fe80::1 6379] '' 0") },
		{ S("redis+unix:/run/redis.sock"), S("0 plain '' '' [/run/redis.sock 0] '' 0") },
		{ S("redis+unix:///run/r?db=2"), S("0 plain '' '' [/run/r 0] '' 2") },
		{ S("redis+sentinel://a,b:1,[::2]/main/4"),
		  S("1 plain '' '' [a 26379][b 1][::2 26379] 'main' 4") },
		{ S("rediss+sentinel://u:p@a/main"), S("1 tls 'u' 'p' [a 26379] 'main' 0") },
		{ S("redis+cluster://a,b:1"), S("2 plain '' '' [a 6379][b 1] '' 0") },
		{ S("redis://:p/a?s#s@cache"), S("0 plain '' 'p/a?s#s' [cache 6379] '' 0") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		RedisUrl url;

		NOTE("row %zu", i);
		CHECK_OK(redis_url_read(a, cases[i].text, &url));
		buf_fmt(&b, "%d %s '%.*s' '%.*s' ", url.kind, url.tls ? "tls" : "plain",
		        STR_ARG(url.user), STR_ARG(url.password));
		for (size_t k = 0; k < url.count; k++)
			buf_fmt(&b, "[%.*s %u]", STR_ARG(url.hosts[k].host), url.hosts[k].port);
		buf_fmt(&b, " '%.*s' %u", STR_ARG(url.master), url.db);
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}

TEST(redis_url_read_refuses_what_it_would_have_to_guess)
{
	static const Str cases[] = {
		S(""),
		S("cache:6379"),
		S("http://cache"),
		S("redis://"),
		S("redis:///0"),
		S("redis://a,b"),
		S("redis://a:0"),
		S("redis://a:65536"),
		S("redis://a:x"),
		S("redis://a:"),
		S("redis://a/x"),
		S("redis://a/0/1"),
		S("redis://a/0?ssl=true"),
		S("redis://a/0#x"),
		S("redis://me@a"),
		S("redis://:%4@a"),
		S("redis://:%zz@a"),
		S("redis://a b"),
		S("redis://::1"),
		S("redis://[::1"),
		S("redis://[::1]x"),
		S("redis+sentinel://a"),
		S("redis+sentinel://a/"),
		S("redis+cluster://a/0"),
		S("redis+unix:run"),
		S("redis+unix:/x?db=y"),
		S("redis+cluster://a,,b"),
		S("REDIS://a"),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		RedisUrl url;

		NOTE("row %zu: %.*s", i, STR_ARG(cases[i]));
		CHECK_ERR(redis_url_read(a, cases[i], &url), "redis.url");
	}
}

TEST(redis_url_read_keeps_the_password_out_of_its_sentence)
{
	RedisUrl url;
	Err *err = redis_url_read(a, S("redis://:hunter2@cache/x"), &url);

	CHECK_ERR(err, "redis.url");
	CHECK(str_find(err->text, S("hunter2")) < 0);
}
