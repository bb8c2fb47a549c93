/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates. The first byte is the kind; then lines: the route's path, the template, a request's target, a host. What is no
 * pattern, no template or no target is left out. Then
 *   - a header's value has no control bytes,
 *   - a path is canonical, and
 *   - of an address all that stands before its first value is where it was, the host's name is one, and a path never
 *     begins with two slashes. */
#include "base/arena.h"
#include "gateway/route.h"
#include "gateway/route_regex.h"
#include "gateway/template.h"
#include "http/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_bytes(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		must((unsigned char)text.at[i] >= ' ' && text.at[i] != 0x7f);
}

static void check_path(Arena *a, Str path, const UrlRules *rules)
{
	Url url;

	must(!url_canonical(a, path, rules, &url));
	must(url.same && !url.query.at && str_eq(url.path, path));
}

static void check_url(Str url, Str text)
{
	ptrdiff_t first = str_find_char(text, '{'), slashes = str_find(url, S("//"));
	Str before = first < 0 ? text : str_sub(text, 0, (size_t)first);
	Str host = str_sub(url, (size_t)slashes + 2, url.len);
	size_t end = 0;

	for (size_t i = 0; i < url.len; i++)
		must(url.at[i] > ' ' && url.at[i] <= '~');
	if (str_find_char(before, '}') < 0 && !str_starts(before, S("/")))
		must(str_starts(url, before));
	if (url.at[0] == '/') {
		must(!str_starts(url, S("//")) || str_starts(text, S("//")));
		return;
	}
	must(slashes == 5 || slashes == 6); /* of http: or https: */
	while (end < host.len && host.at[end] != '/' && host.at[end] != '?' && host.at[end] != '#')
		end++;
	must(end > 0);
	if (str_find_char(text, '@') < 0)
		must(str_find_char(str_sub(host, 0, end), '@') < 0);
}

static void fill_in(Arena *a, TemplateKind kind, Str text, const RouteConf *conf, const Url *url,
                    Str host)
{
	const UrlRules rules = { 0 };
	const Route *route = route_table_at(route_table_new(a, conf, 1), 0);
	const RouteAsk ask = { .host = host, .path = url->path, .method = S("GET") };
	TemplateValues values = { .route = route,
		                  .paths = &rules,
		                  .path = url->path,
		                  .query = url->query,
		                  .host = host,
		                  .scheme = S("https"),
		                  .client_ip = S("::1"),
		                  .request_id = S("a/b") };
	RouteFit fit;
	Str out;

	if (!route_fits(route, &ask, &fit) ||
	    template_expand(template_new(a, kind, text, &conf->match), a, &values, &out))
		return;
	must(out.len <= TEMPLATE_BYTES_MAX || !str_find_char(text, '{'));
	if (kind == TEMPLATE_FIELD)
		check_bytes(out);
	else if (kind == TEMPLATE_PATH)
		check_path(a, out, &rules);
	else
		check_url(out, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const UrlRules rules = { 0 };
	RouteConf conf = { .match.host = S("*") };
	Str rest = { (const char *)data + 1, size - 1 }, text = { 0 }, target = { 0 }, host = { 0 };
	const RouteRegex *regex;
	TemplateKind kind;
	uint16_t port;
	Url url;

	if (size < 2 || size > 4096)
		return 0;
	kind = (TemplateKind)(data[0] % 3);
	str_split(&rest, '\n', &conf.match.path);
	str_split(&rest, '\n', &text);
	str_split(&rest, '\n', &target);
	str_split(&rest, '\n', &host);
	if (route_path_mistake(conf.match.path) ||
	    (str_starts(conf.match.path, S("~")) &&
	     route_regex_new(a, str_trim(str_sub(conf.match.path, 1, conf.match.path.len)),
	                     &regex)) ||
	    template_mistake(a, kind, text, &conf.match).len ||
	    url_canonical(a, target, &rules, &url) || url_authority(a, host, &host, &port))
		return 0;
	fill_in(a, kind, text, &conf, &url, host);
	return 0;
}
