/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims as text. Lists are joined by commas; an item that has one itself, or a byte that may not stand in a header, or begins
 * or ends with a space, is left out rather than told as something else. */
#include "gateway/identity.h"

#include "base/arena.h"

enum { CLAIM_BYTES_MAX = 4096 };

const Json *identity_find(const Json *claims, Str name)
{
	const Json *value = json_get(claims, name);
	Str rest = name, part;

	if (value || str_find_char(name, '.') < 0)
		return value;
	value = claims;
	while (value && str_split(&rest, '.', &part))
		value = json_get(value, part);
	return value;
}

/* Servers trim what they read. */
static bool is_trimmed(Str text)
{
	return str_trim(text).len == text.len;
}

static bool is_plain(Str text, bool in_list)
{
	if (!is_trimmed(text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f ||
		    (in_list && text.at[i] == ','))
			return false;
	return true;
}

static Str scalar(Arena *a, const Json *value, bool in_list)
{
	int64_t number;
	bool yes;
	Str text;

	if (json_to_str(value, &text))
		return is_plain(text, in_list) ? text : (Str){ 0 };
	if (json_to_i64(value, &number))
		return str_fmt(a, "%" PRId64, number);
	if (json_to_bool(value, &yes))
		return yes ? S("true") : S("false");
	return (Str){ 0 };
}

Str identity_claim(const Identity *identity, Arena *a, Str name)
{
	const Json *value = identity ? identity_find(identity->claims, name) : NULL;
	AUTO(buf_fini) Buf b = { .limit = CLAIM_BYTES_MAX };

	if (json_kind(value) != JSON_KIND_ARRAY)
		return scalar(a, value, false);
	for (size_t i = 0; i < json_count(value); i++) {
		Str item = scalar(a, json_at(value, i), true);

		if (item.len && b.len)
			buf_putc(&b, ',');
		buf_put(&b, item);
	}
	return b.broken ? (Str){ 0 } : str_dup(a, buf_str(&b));
}
