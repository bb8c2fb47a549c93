/* SPDX-License-Identifier: Apache-2.0
 *
 * Dialling a real Redis: TLS, databases, users, Unix sockets, replies that are too large, a stranger that answers. */
#include "store/redis_wire.c"

#include "base/time.h"
#include "certs.h"
#include "redis_server.h"

#include <sys/un.h>

typedef struct Dial {
	Arena *a;
	RedisConf conf;
	const char *want; /* slug of the cause; NULL: it works */
} Dial;

static Err *dial_main(void *arg)
{
	const Dial *d = arg;
	AUTO(redis_closep) Redis *redis = NULL;
	RedisReply reply;
	Err *err;

	CHECK_OK(redis_open(d->a, &d->conf, &redis));
	err = redis_call(redis, d->a, REDIS_WORDS(S("SET"), S("k"), S("v")), &reply);
	if (!d->want) {
		CHECK_OK(err);
		return NULL;
	}
	CHECK_ERR(err, "redis.unavailable");
	CHECK_ERR(err->why, d->want);
	return NULL;
}

static void check_dial(Arena *a, const RedisConf *conf, const char *want)
{
	RtConf rt = { .loops = 1 };

	CHECK_OK(rt_run(&rt, dial_main, &(Dial){ a, *conf, want }));
}

TEST(redis_is_spoken_to_over_tls)
{
	Cert root = cert_make(a, "root", NULL, NULL, 30);
	Cert other = cert_make(a, "other", NULL, NULL, 30);
	Cert site = cert_make(a, "site", "DNS:cache.test,IP:127.0.0.1", &root, 30);
	uint16_t port = free_port();
	const char *text = str_z(a, str_fmt(a, "%u", port));
	RedisServerProcess *server =
		redis_start_at(a, port,
	                       (const char *[]){ "--port", "0", "--tls-port", text,
	                                         "--tls-cert-file", site.file.at, "--tls-key-file",
	                                         site.key.at, "--tls-ca-cert-file", root.file.at,
	                                         "--tls-auth-clients", "yes", NULL });
	RedisConf conf;

	redis_again(server);
	arena_defer(a, redis_end, server);
	redis_conf_defaults(&conf, str_fmt(a, "rediss://127.0.0.1:%u", port));
	conf.timeout_us = conf.connect_us = 20 * US_PER_S;
	conf.tls.ca = root.file;
	conf.tls.certificate = site.file;
	conf.tls.key = site.key;
	check_dial(a, &conf, NULL);
	conf.tls.server_name = S("cache.test");
	check_dial(a, &conf, NULL);
	conf.tls.server_name = S("elsewhere.test");
	check_dial(a, &conf, "tls.verify");
	conf.tls.verify = false;
	check_dial(a, &conf, NULL);
	conf.tls.verify = true;
	conf.tls.server_name = (Str){ 0 };
	conf.tls.ca = other.file;
	check_dial(a, &conf, "tls.verify");
}

TEST(redis_is_spoken_to_as_a_user_in_a_database_over_a_unix_socket)
{
	const char *path = str_z(a, str_fmt(a, "%s/redis.sock", unit_dir()));
	RedisServerProcess *server =
		redis_start(a, (const char *[]){ "--unixsocket", path, "--databases", "4", "--user",
	                                         "me", "on", ">secret", "~*", "+@all", NULL });
	RedisConf conf;

	redis_conf_defaults(&conf, str_fmt(a, "redis+unix:%s?db=3", path));
	check_dial(a, &conf, NULL);
	redis_conf_defaults(&conf, str_fmt(a, "redis+unix:%s?db=4", path));
	check_dial(a, &conf, "redis.error");
	redis_conf_defaults(&conf, str_fmt(a, "redis://me:secret@127.0.0.1:%u/1", server->port));
	check_dial(a, &conf, NULL);
	redis_conf_defaults(&conf, str_fmt(a, "redis://me:wrong@127.0.0.1:%u/1", server->port));
	check_dial(a, &conf, "redis.denied");
	redis_conf_defaults(&conf, S("redis://no-such-host.invalid"));
	conf.connect_us = US_PER_MS;
	conf.url = S("redis+unix:/nowhere/at/all");
	check_dial(a, &conf, "rt.refused");
}

/* --- strangers ------------------------------------------------------------------------------------------------------ */

typedef struct Stranger {
	int listening;
	Str says;
	uint16_t port;
} Stranger;

static void *answer(void *arg)
{
	const Stranger *s = arg;
	char heard[1024];
	int fd;

	while ((fd = accept(s->listening, NULL, NULL)) >= 0) {
		if (read(fd, heard, sizeof heard) > 0 && write(fd, s->says.at, s->says.len) > 0)
			while (read(fd, heard, sizeof heard) > 0)
				;
		close(fd);
	}
	return NULL;
}

TEST(redis_that_is_none_is_not_believed)
{
	static const struct {
		Str says;
		const char *want;
	} cases[] = {
		{ S("HTTP/1.1 400 Bad Request\r\n\r\n"), "redis.protocol" },
		{ S("-DENIED Redis is running in protected mode\r\n"), "redis.error" },
		{ S("-ERR max number of clients reached\r\n"), "redis.error" },
		{ S("-LOADING Redis is loading the dataset in memory\r\n"), "redis.unavailable" },
		{ S("$70000\r\n"), NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Stranger s = { .says = cases[i].says };
		struct sockaddr_in addr = { .sin_family = AF_INET,
			                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof addr;
		pthread_t thread;
		RedisConf conf;

		NOTE("row %zu", i);
		s.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK_INT(bind(s.listening, (struct sockaddr *)&addr, len), 0);
		CHECK_INT(listen(s.listening, 4), 0);
		CHECK_INT(getsockname(s.listening, (struct sockaddr *)&addr, &len), 0);
		CHECK_INT(pthread_create(&thread, NULL, answer, &s), 0);
		redis_conf_defaults(&conf,
		                    str_fmt(a, "redis://127.0.0.1:%u", ntohs(addr.sin_port)));
		conf.connect_us = cases[i].want ? 20 * US_PER_S : 50 * US_PER_MS;
		conf.timeout_us = 20 * US_PER_S;
		conf.reply_bytes = 64 << 10;
		check_dial(a, &conf, cases[i].want ? cases[i].want : "redis.timeout");
		shutdown(s.listening, SHUT_RDWR);
		pthread_join(thread, NULL);
		close(s.listening);
	}
}

static Err *large_main(void *arg)
{
	const Dial *d = arg;
	AUTO(redis_closep) Redis *redis = NULL;
	AUTO(redis_closep) Redis *roomy = NULL;
	RedisConf conf = d->conf;
	char *bytes = arena_alloc(d->a, 100000);
	RedisReply reply;

	CHECK_OK(redis_open(d->a, &conf, &redis));
	conf.reply_bytes = 1 << 20;
	CHECK_OK(redis_open(d->a, &conf, &roomy));
	CHECK_OK(redis_call(roomy, d->a, REDIS_WORDS(S("SET"), S("k"), (Str){ bytes, 100000 }),
	                    &reply));
	CHECK_OK(redis_call(roomy, d->a, REDIS_WORDS(S("GET"), S("k")), &reply));
	CHECK_INT(reply.text.len, 100000);
	CHECK_ERR(redis_call(redis, d->a, REDIS_WORDS(S("GET"), S("k")), &reply), "redis.closed");
	return NULL;
}

TEST(redis_reply_that_is_too_large_ends_the_connection)
{
	RedisServerProcess *server = redis_start(a, NULL);
	RtConf rt = { .loops = 1 };
	Dial dial = { .a = a };

	redis_conf_defaults(&dial.conf, server->url);
	dial.conf.timeout_us = dial.conf.connect_us = 20 * US_PER_S;
	dial.conf.reply_bytes = 64 << 10;
	CHECK_OK(rt_run(&rt, large_main, &dial));
}
