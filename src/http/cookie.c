/* SPDX-License-Identifier: Apache-2.0
 *
 * Cookies as clients send them: pairs parted by ";", in one Cookie line or several. What is no pair is passed over, as
 * servers do. */
#include "http/cookie.h"

static Str unquoted(Str value)
{
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		return str_sub(value, 1, value.len - 1);
	return value;
}

Str http_cookie(const Headers *headers, Str name)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Str rest = headers->at[i].value;
		Str pair;

		if (headers->at[i].id != HTTP_COOKIE)
			continue;
		while (str_split(&rest, ';', &pair)) {
			ptrdiff_t eq = str_find_char(pair, '=');

			if (eq >= 0 && str_eq(str_trim(str_sub(pair, 0, (size_t)eq)), name))
				return unquoted(str_trim(str_sub(pair, (size_t)eq + 1, pair.len)));
		}
	}
	return (Str){ 0 };
}
