/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies of one user towards one host: few, so a list; each is one piece of memory. Path and deletion are honoured,
 * domains are not looked at, since there is one target. */
#include "load/jar.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

typedef struct Cookie {
	struct Cookie *next;
	Str name, value, path; /* in bytes */
	char bytes[];
} Cookie;

void jar_fini(Jar *jar)
{
	while (jar->first) {
		Cookie *cookie = jar->first;

		jar->first = cookie->next;
		free(cookie);
	}
}

typedef struct SetCookie {
	Str name, value, path;
	bool expired;
} SetCookie;

static void take_attribute(SetCookie *set, Str attribute)
{
	Str rest = attribute, name;
	int64_t seconds;

	str_split(&rest, '=', &name);
	name = str_trim(name);
	rest = str_trim(rest);
	if (str_eq_nocase(name, S("path")) && rest.len && rest.at[0] == '/')
		set->path = rest;
	else if (str_eq_nocase(name, S("max-age")) && str_to_i64(rest, &seconds))
		set->expired = seconds <= 0;
	else if (str_eq_nocase(name, S("expires")) && str_find(rest, S(" 1970 ")) >= 0)
		set->expired = true; /* how every framework deletes one */
}

/* RFC 6265 5.1.4: what stands before the last slash. */
static Str default_path(Str target)
{
	ptrdiff_t query = str_find_char(target, '?');
	Str path = query < 0 ? target : str_sub(target, 0, (size_t)query);
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash > 0 ? str_sub(path, 0, (size_t)slash) : S("/");
}

static void put_in(Jar *jar, const SetCookie *set)
{
	Cookie **at = &jar->first;
	Cookie *old, *cookie;
	char *into;

	while (*at && !(str_eq((*at)->name, set->name) && str_eq((*at)->path, set->path)))
		at = &(*at)->next;
	old = *at;
	if (old) {
		*at = old->next;
		free(old);
	}
	if (set->expired)
		return;
	cookie = malloc(sizeof *cookie + set->name.len + set->value.len + set->path.len);
	if (!cookie)
		abort();
	into = cookie->bytes;
	memcpy(into, set->name.at, set->name.len);
	cookie->name = (Str){ into, set->name.len };
	into += set->name.len;
	if (set->value.len)
		memcpy(into, set->value.at, set->value.len);
	cookie->value = (Str){ into, set->value.len };
	into += set->value.len;
	memcpy(into, set->path.at, set->path.len);
	cookie->path = (Str){ into, set->path.len };
	cookie->next = *at;
	*at = cookie;
}

void jar_take(Jar *jar, const Headers *answer, Str target)
{
	for (uint32_t i = 0; i < answer->count; i++) {
		SetCookie set = { .path = default_path(target) };
		Str rest = answer->at[i].value, part;

		if (answer->at[i].id != HTTP_SET_COOKIE)
			continue;
		str_split(&rest, ';', &part);
		if (!str_split(&part, '=', &set.name) || !part.at)
			continue;
		set.name = str_trim(set.name);
		set.value = str_trim(part);
		while (str_split(&rest, ';', &part))
			take_attribute(&set, part);
		if (set.name.len)
			put_in(jar, &set);
	}
}

/* RFC 6265 5.1.4: the cookie's path, or something below it. */
static bool path_matches(Str path, Str target)
{
	if (!str_starts(target, path))
		return false;
	return target.len == path.len || path.at[path.len - 1] == '/' ||
	       target.at[path.len] == '/' || target.at[path.len] == '?';
}

void jar_put(const Jar *jar, Arena *a, Head *request)
{
	AUTO(buf_fini) Buf line = { 0 };

	for (const Cookie *cookie = jar->first; cookie; cookie = cookie->next)
		if (path_matches(cookie->path, request->target))
			buf_fmt(&line, "%s%.*s=%.*s", line.len ? "; " : "", STR_ARG(cookie->name),
			        STR_ARG(cookie->value));
	if (line.len)
		headers_add_id(&request->headers, a, HTTP_COOKIE, str_dup(a, buf_str(&line)));
}

bool jar_get(const Jar *jar, Str name, Str *value)
{
	for (const Cookie *cookie = jar->first; cookie; cookie = cookie->next)
		if (str_eq(cookie->name, name)) {
			*value = cookie->value;
			return true;
		}
	return false;
}
