/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a Redis in the configuration:
 *
 *   redis:
 *     shared: { url: "rediss://cache.internal/0", password: "file:/run/secrets/redis" } */
#include "store/redis.h"

#include "base/arena.h"
#include "store/redis_url.h"

static Err *verify_url(Arena *a, Str text)
{
	RedisUrl url;

	return redis_url_read(a, text, &url);
}

static const ConfKey tls_keys[] = {
	{ "verify", CONF_BOOL, AT(RedisTlsConf, verify), .def = "true",
	  .help = "whether the certificate must be valid and of that name" },
	{ "ca", CONF_PATH, AT(RedisTlsConf, ca),
	  .help = "PEM file of the authorities that are trusted; none: the system's" },
	{ "server_name", CONF_STR, AT(RedisTlsConf, server_name),
	  .help = "the name asked for and expected; none: the host of the URL" },
	{ "certificate", CONF_PATH, AT(RedisTlsConf, certificate),
	  .help = "PEM file of the certificate to show, its chain after it" },
	{ "key", CONF_PATH, AT(RedisTlsConf, key), .help = "PEM file of its key" },
};

static const ConfTable tls_table = { "tls", CONF_ROWS(RedisTlsConf, tls_keys),
	                             .help = "how `rediss://` is spoken" };

static const ConfKey keys[] = {
	{ "name", CONF_NAME, AT(RedisConf, name), .help = "what caches and the bus call it" },
	{ "url", CONF_STR, AT(RedisConf, url), .required = true, .secret = true,
	  .verify = verify_url, .value = "URL", .help = "where it is",
	  .more = "`redis://[user[:password]@]host[:port][/db]`, `rediss://` for TLS, `redis+unix:/path`; "
	          "`redis+sentinel://host:26379,host:26379/master[/db]` asks Sentinels who the master is; "
	          "`redis+cluster://host,host` follows a cluster's redirections (both with `rediss+` too)." },
	{ "password", CONF_STR, AT(RedisConf, password), .secret = true,
	  .help = "instead of one in the URL" },
	{ "sentinel_password", CONF_STR, AT(RedisConf, sentinel_password), .secret = true,
	  .help = "of the Sentinels themselves" },
	{ "tls", CONF_OBJECT, AT(RedisConf, tls), .table = &tls_table,
	  .help = "trust and certificates, for `rediss://`" },
	{ "connections", CONF_UINT, AT(RedisConf, connections), .def = "1", .min = "1", .max = "64",
	  .help = "of each loop to each server",
	  .more = "Commands of all fibers share them: one is enough unless values are large." },
	{ "queue", CONF_UINT, AT(RedisConf, queue), .def = "4096", .min = "16", .max = "1000000",
	  .help = "commands that may be on their way over one connection; more are refused at once" },
	{ "reply_size", CONF_BYTES, AT(RedisConf, reply_bytes), .def = "64MiB", .min = "64KiB",
	  .max = "1GiB", .help = "of one reply; a larger one ends the connection" },
	{ "connect_timeout", CONF_DURATION, AT(RedisConf, connect_us), .def = "1s", .min = "1ms",
	  .max = "1m", .help = "for name, connection, TLS, password and the first PING" },
	{ "timeout", CONF_DURATION, AT(RedisConf, timeout_us), .def = "250ms", .min = "1ms",
	  .max = "1m", .help = "of one command" },
	{ "failures", CONF_UINT, AT(RedisConf, failures), .def = "5", .min = "1", .max = "1000",
	  .help = "commands in a row without an answer after which it is left alone" },
	{ "backoff", CONF_DURATION, AT(RedisConf, backoff_us), .def = "100ms", .min = "1ms",
	  .max = "1m", .help = "before it is tried again, doubled each time, with jitter" },
	{ "backoff_max", CONF_DURATION, AT(RedisConf, backoff_max_us), .def = "5s", .min = "1ms",
	  .max = "10m", .help = "the longest of these waits" },
};

static void check(Conf *conf, void *object)
{
	const RedisConf *redis = object;
	AUTO(arena_freep) Arena *a = arena_new(0);
	RedisUrl url;

	if (redis->tls.certificate.len && !redis->tls.key.len)
		conf_mistake(conf, &redis->tls.certificate,
		             "a certificate needs its key: set tls.key");
	if (redis->backoff_max_us < redis->backoff_us)
		conf_mistake(conf, &redis->backoff_max_us, "backoff_max is less than backoff");
	if (!redis->url.len || redis_url_read(a, redis->url, &url))
		return;
	if (redis->tls.ca.len && !url.tls)
		conf_mistake(conf, &redis->tls.ca, "the URL is without TLS: write rediss://");
	if (redis->sentinel_password.len && url.kind != REDIS_SENTINEL)
		conf_mistake(conf, &redis->sentinel_password,
		             "the URL names no Sentinel: write redis+sentinel://");
	if (redis->password.len && url.password.len)
		conf_mistake(conf, &redis->password, "the URL has a password already");
}

static const ConfTable table = { "redis", CONF_ROWS(RedisConf, keys), .shorthand = "url",
	                         .check = check,
	                         .help = "one Redis: a server, a Sentinel's master or a cluster" };

const ConfTable *redis_conf_table(void)
{
	return &table;
}

void redis_conf_defaults(RedisConf *conf, Str url)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	conf_defaults(a, &table, conf);
	conf->name = S("redis");
	conf->url = url;
}
