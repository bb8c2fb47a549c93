/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs of Redis: what is taken has hosts, ports, a master where one is needed, and nothing that was not there; the sentence
 * about what is refused repeats nothing of it. */
#include "base/arena.h"
#include "store/redis_url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size };
	RedisUrl url;
	Err *err = redis_url_read(a, text, &url);

	if (err) {
		must(err_is(err, "redis.url") && err->text.len > 0 && err->text.len < 120);
		return 0;
	}
	must(url.count > 0 && (url.kind != REDIS_SINGLE || url.count == 1));
	must((url.kind == REDIS_SENTINEL) == (url.master.len > 0));
	must(url.kind != REDIS_CLUSTER || url.db == 0);
	must(!url.user.len || url.password.len);
	for (size_t i = 0; i < url.count; i++) {
		must(url.hosts[i].host.len > 0);
		must(url.hosts[i].port || url.hosts[i].host.at[0] == '/');
		must(str_find(text, url.hosts[i].host) >= 0);
	}
	return 0;
}
