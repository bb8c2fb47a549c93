/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64. Written by hand because the strictness is the point: two texts for the same bytes are two tokens for the same
 * signature, and whoever keeps a list of tokens (a cache, a list of revoked ones) would meet the second as a stranger. */
#include "auth/b64.h"

#include "base/arena.h"

#include <string.h>

static const char url_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Without padding. Gives how many characters. */
static size_t encode(const char *set, Str bytes, char *out)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	char *to = out;
	size_t i = 0;

	for (; i + 2 < bytes.len; i += 3) {
		unsigned bits = (unsigned)at[i] << 16 | (unsigned)at[i + 1] << 8 | at[i + 2];

		*to++ = set[bits >> 18];
		*to++ = set[bits >> 12 & 63];
		*to++ = set[bits >> 6 & 63];
		*to++ = set[bits & 63];
	}
	if (i < bytes.len) {
		bool two = i + 1 < bytes.len;
		unsigned bits = (unsigned)at[i] << 16 | (two ? (unsigned)at[i + 1] << 8 : 0);

		*to++ = set[bits >> 18];
		*to++ = set[bits >> 12 & 63];
		if (two)
			*to++ = set[bits >> 6 & 63];
	}
	return (size_t)(to - out);
}

static int value_of(const char *set, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == set[62] ? 62 : c == set[63] ? 63 : -1;
}

/* Without padding. */
static bool decode(const char *set, Str text, char *out, size_t *len)
{
	unsigned bits = 0, have = 0;
	size_t n = 0;

	if (text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(set, text.at[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (unsigned)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have & 0xff);
		}
	}
	*len = n;
	return !(bits & ((1u << have) - 1));
}

void b64url_put(Buf *b, Str bytes)
{
	char *room = buf_room(b, (bytes.len + 2) / 3 * 4);

	if (room)
		buf_wrote(b, encode(url_letters, bytes, room));
}

Str b64url(Arena *a, Str bytes)
{
	char *out = arena_alloc_raw(a, (bytes.len + 2) / 3 * 4);

	return (Str){ out, encode(url_letters, bytes, out) };
}

static bool read_with(Arena *a, const char *set, Str text, Str *out)
{
	char *bytes = arena_alloc_raw(a, text.len / 4 * 3 + 3);
	size_t len;

	if (!decode(set, text, bytes, &len))
		return false;
	*out = (Str){ bytes, len };
	return true;
}

bool b64url_read(Arena *a, Str text, Str *out)
{
	return read_with(a, url_letters, text, out);
}

Str b64(Arena *a, Str bytes)
{
	size_t whole = (bytes.len + 2) / 3 * 4;
	char *out = arena_alloc_raw(a, whole);
	size_t len = encode(letters, bytes, out);

	memset(out + len, '=', whole - len);
	return (Str){ out, whole };
}

bool b64_read(Arena *a, Str text, Str *out)
{
	size_t len = text.len;

	if (len % 4)
		return false;
	for (unsigned i = 0; i < 2 && len && text.at[len - 1] == '='; i++)
		len--;
	return read_with(a, letters, str_sub(text, 0, len), out);
}
