/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies as clients send them: pairs parted by ";", in one Cookie line or several. What is no pair is passed over, as
 * servers do. */
#include "http/cookie.h"

#include "base/arena.h"

static Str unquoted(Str value)
{
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		return str_sub(value, 1, value.len - 1);
	return value;
}

/* The next pair of the lines; false after the last. */
static bool next_pair(const Headers *headers, CookieAt *at, Str *pair)
{
	while (!str_split(&at->rest, ';', pair)) {
		while (at->next < headers->count && headers->at[at->next].id != HTTP_COOKIE)
			at->next++;
		if (at->next == headers->count)
			return false;
		at->rest = headers->at[at->next++].value;
	}
	return true;
}

bool http_cookie_next(const Headers *headers, Str name, CookieAt *at, Str *value)
{
	Str pair;

	while (next_pair(headers, at, &pair)) {
		ptrdiff_t eq = str_find_char(pair, '=');

		if (eq < 0 || !str_eq(str_trim(str_sub(pair, 0, (size_t)eq)), name))
			continue;
		*value = unquoted(str_trim(str_sub(pair, (size_t)eq + 1, pair.len)));
		return true;
	}
	return false;
}

Str http_cookie(const Headers *headers, Str name)
{
	CookieAt at = { 0 };
	Str value = { 0 };

	return http_cookie_next(headers, name, &at, &value) ? value : (Str){ 0 };
}

static bool is_one_of(Str pair, const Str *names, size_t count)
{
	ptrdiff_t eq = str_find_char(pair, '=');
	Str name = str_trim(eq < 0 ? pair : str_sub(pair, 0, (size_t)eq));

	for (size_t i = 0; i < count; i++)
		if (names[i].len && str_eq(name, names[i]))
			return true;
	return false;
}

Str http_cookie_without(Arena *a, Str line, const Str *names, size_t count)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = line, pair;
	bool whole = true;

	while (str_split(&rest, ';', &pair)) {
		if (is_one_of(pair, names, count)) {
			whole = false;
			continue;
		}
		buf_put(&b, b.len ? S("; ") : S(""));
		buf_put(&b, str_trim(pair));
	}
	return whole ? line : str_dup(a, buf_str(&b));
}
