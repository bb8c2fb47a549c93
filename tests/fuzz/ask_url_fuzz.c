/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs that strangers gave, for webhooks. What was read has a host, a port and a target that go into a request as they are, and reads the same
 * when it is written anew. */
#include "base/arena.h"
#include "http/ask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool what)
{
	if (!what)
		abort();
}

static void plain(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		need(text.at[i] > ' ' && text.at[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AskUrl url, again;

	if (ask_url_read(a, (Str){ (const char *)data, size }, &url))
		return 0;
	need(url.host.len && url.port && url.authority.len && url.target.len &&
	     url.target.at[0] == '/');
	plain(url.host);
	plain(url.authority);
	plain(url.target);
	need(str_find_char(url.authority, '@') < 0 && str_find_char(url.target, '#') < 0);
	need(!ask_url_read(a,
	                   str_fmt(a, "%s://%.*s%.*s", url.tls ? "https" : "http",
	                           STR_ARG(url.authority), STR_ARG(url.target)),
	                   &again));
	need(again.tls == url.tls && again.port == url.port && str_eq(again.host, url.host) &&
	     str_eq(again.target, url.target));
	return 0;
}
