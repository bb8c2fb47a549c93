/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of caches and Redis: sound in themselves, and mistakes told where they stand. */
#include "store/cache_conf.c"

#include "obs/metric.h"
#include "unit.h"

typedef struct File {
	CONF_LIST_OF(RedisConf) redis;
	CONF_LIST_OF(CacheConf) caches;
} File;

static const char *told(Arena *a, Str text, File *file)
{
	ConfKey rows[] = {
		{ "redis", CONF_OBJECT, AT_MAP(File, redis), .table = redis_conf_table(),
		  .help = "Redis" },
		{ "caches", CONF_OBJECT, AT_MAP(File, caches), .table = cache_conf_table(),
		  .help = "caches" },
	};
	ConfTable top = { "file", CONF_ROWS(File, rows), .help = "a file" };
	Conf *conf = conf_new(a);
	Buf b = { 0 };
	const char *all;

	if (!conf_read(conf, S("f.yaml"), text, &(ConfPart){ &top, file }, 1))
		return "";
	conf_put_mistakes(conf, &b);
	all = str_z(a, buf_str(&b));
	buf_fini(&b);
	return all;
}

TEST(cache_and_redis_tables_are_sound)
{
	CHECK_OK(conf_check_table(a, cache_conf_table()));
	CHECK_OK(conf_check_table(a, redis_conf_table()));
}

TEST(cache_and_redis_are_read_with_their_defaults)
{
	File file;

	CHECK_STR(
		str_of(told(
			a,
			S("redis: { shared: redis://cache/2 }\ncaches: { p: { redis: shared, ttl: 1m } }\n"),
			&file)),
		S(""));
	CHECK_INT(file.redis.at[0].timeout_us, 250000);
	CHECK(file.redis.at[0].tls.verify);
	CHECK_STR(file.caches.at[0].name, S("p"));
	CHECK_INT(file.caches.at[0].ttl_us, 60000000);
	CHECK_INT(file.caches.at[0].staleness_us, 1000000);
	CHECK_INT(file.caches.at[0].jitter_ppm, 100000);
}

TEST(cache_and_redis_mistakes_are_told_where_they_stand)
{
	static const struct {
		Str text, where, what;
	} cases[] = {
		{ S("redis:\n  a: { url: http://x }\n"), S("f.yaml:2:"), S("url") },
		{ S("redis:\n  a: { timeout: 1s }\n"), S("f.yaml:2:"), S("url") },
		{ S("redis:\n  a: { url: redis://x, tls: { ca: /ca.pem } }\n"), S("f.yaml:2:"),
		  S("rediss://") },
		{ S("redis:\n  a: { url: 'redis://:p@x', password: q }\n"), S("f.yaml:2:"),
		  S("already") },
		{ S("redis:\n  a: { url: redis://x, sentinel_password: q }\n"), S("f.yaml:2:"),
		  S("redis+sentinel") },
		{ S("redis:\n  a: { url: redis://x, backoff: 1m, backoff_max: 1s }\n"),
		  S("f.yaml:2:"), S("less than") },
		{ S("caches:\n  p: { memory: 1KiB }\n"), S("f.yaml:2:"), S("64KiB") },
		{ S("caches:\n  p: { memory: 0 }\n"), S("f.yaml:2:"), S("needs a redis") },
		{ S("caches:\n  p: { ttl: 1s, negative_ttl: 1m }\n"), S("f.yaml:2:"),
		  S("more than ttl") },
		{ S("caches:\n  p: { staleness: 1ms }\n"), S("f.yaml:2:"), S("100ms") },
		{ S("caches:\n  p{q}: { ttl: 1s, negative_ttl: 0 }\n"), S("f.yaml:2:"),
		  S("letters") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		File file;
		Str got = str_of(told(a, cases[i].text, &file));

		NOTE("row %zu: %.*s", i, STR_ARG(got));
		CHECK(str_find(got, cases[i].where) == 0);
		CHECK(str_find(got, cases[i].what) > 0);
		CHECK(str_find(got, S("hunter")) < 0);
	}
}

TEST(cache_and_redis_metrics_are_named_as_prometheus_likes_it)
{
	MetricList *lists[] = { cache_metrics, redis_metrics };

	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t count;
		const MetricFamily *rows = lists[i](&count);

		for (size_t k = 0; k < count; k++)
			CHECK_STR(metric_family_mistake(a, &rows[k]), S(""));
	}
}
