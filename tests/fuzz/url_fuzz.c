/* SPDX-License-Identifier: Apache-2.0
 *
 * Request targets and authorities. The first byte chooses the rules. Then
 *   - the canonical form of a canonical form is itself, and `same` tells the truth,
 *   - it holds no byte that a path may not hold, no dot segment and (by default) no "//",
 *   - path and canonical path decode to the same bytes when no dots or slashes were taken away, and
 *   - an authority's host and port, put together again, are the same authority. */
#include "base/arena.h"
#include "http/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static bool is_path_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("/-._~!$&'()*+,;=:@%", c));
}

static void must_be_canonical(Str path, const UrlRules *rules)
{
	Str rest = path;
	Str segment;

	must(path.at[0] == '/');
	for (size_t i = 0; i < path.len; i++)
		must(is_path_byte(path.at[i]));
	must(rules->keep_double || str_find(path, S("//")) < 0);
	while (str_split(&rest, '/', &segment)) {
		must(!str_eq(segment, S(".")) && !str_eq(segment, S("..")));
		must(rules->semicolons ||
		     (!str_starts(segment, S(".;")) && !str_starts(segment, S("..;"))));
	}
	must(str_find(path, S("%00")) < 0);
	must(rules->encoded_slash ||
	     (str_find(path, S("%2F")) < 0 && str_find(path, S("%5C")) < 0));
}

/* Without taking anything away, being canonical is spelling only. */
static void must_mean_the_same(Arena *a, Str raw, Str canonical)
{
	Str before, after;

	if (url_decode(a, raw, &before) || url_decode(a, canonical, &after))
		abort();
	if (str_find(before, S("//")) < 0 && str_find(before, S("/.")) < 0)
		must(str_eq(before, after));
}

static void check_target(Arena *a, Str target, const UrlRules *rules)
{
	Url url, again;
	Str path;

	if (url_canonical(a, target, rules, &url) || str_eq(url.path, S("*")))
		return;
	must_be_canonical(url.path, rules);
	must(!url_canonical(a, url.path, rules, &again));
	must(again.same && str_eq(again.path, url.path));
	path = str_sub(target, 0, target.len - (url.query.at ? url.query.len + 1 : 0));
	must(url.same == str_eq(path, url.path));
	must_mean_the_same(a, path, url.path);
}

static void check_authority(Arena *a, Str text)
{
	Str host, again;
	uint16_t port, number;
	bool good = !url_authority(a, text, &host, &port);

	must(good == url_is_authority(text, &number));
	if (!good)
		return;
	must(number == port && host.len > 0);
	must(!url_authority(a, str_fmt(a, "%.*s:%u", STR_ARG(host), port), &again, &number));
	must(str_eq(host, again) && number == port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	UrlRules rules;
	Str text;
	Arena *a;

	if (size < 1)
		return 0;
	rules = (UrlRules){ .encoded_slash = data[0] & 1,
		            .keep_double = data[0] & 2,
		            .semicolons = data[0] & 4 };
	text = (Str){ (const char *)data + 1, size - 1 };
	a = arena_new(0);
	check_target(a, text, &rules);
	check_authority(a, text);
	arena_free(a);
	return 0;
}
