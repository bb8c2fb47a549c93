/* SPDX-License-Identifier: Apache-2.0
 *
 * Views of bytes. Everything here takes and gives Str by value and never writes through it; what needs memory takes
 * an arena. ASCII rules only: HTTP, configuration keys and SQL names are ASCII, and locale must not change a parser. */
#include "base/str.h"

#include "base/arena.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

Str str_of(const char *nul_ended)
{
	return nul_ended ? (Str){ nul_ended, strlen(nul_ended) } : (Str){ 0 };
}

bool str_eq(Str x, Str y)
{
	return x.len == y.len && (x.len == 0 || memcmp(x.at, y.at, x.len) == 0);
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool str_eq_nocase(Str x, Str y)
{
	if (x.len != y.len)
		return false;
	for (size_t i = 0; i < x.len; i++)
		if (x.at[i] != y.at[i] && lower(x.at[i]) != lower(y.at[i]))
			return false;
	return true;
}

int str_cmp(Str x, Str y)
{
	size_t common = MIN(x.len, y.len);
	int order = common ? memcmp(x.at, y.at, common) : 0;

	return order ? order : (x.len > y.len) - (x.len < y.len);
}

bool str_starts(Str str, Str prefix)
{
	return str.len >= prefix.len && str_eq((Str){ str.at, prefix.len }, prefix);
}

bool str_ends(Str str, Str suffix)
{
	return str.len >= suffix.len &&
	       str_eq((Str){ str.at + str.len - suffix.len, suffix.len }, suffix);
}

ptrdiff_t str_find(Str str, Str what)
{
	const char *hit;

	if (what.len == 0)
		return 0;
	if (str.len < what.len)
		return -1;
	hit = memmem(str.at, str.len, what.at, what.len);
	return hit ? hit - str.at : -1;
}

ptrdiff_t str_find_char(Str str, char c)
{
	const char *hit = str.len ? memchr(str.at, c, str.len) : NULL;

	return hit ? hit - str.at : -1;
}

ptrdiff_t str_rfind_char(Str str, char c)
{
	const char *hit = str.len ? memrchr(str.at, c, str.len) : NULL;

	return hit ? hit - str.at : -1;
}

Str str_sub(Str str, size_t from, size_t to)
{
	to = MIN(to, str.len);
	from = MIN(from, to);
	return str.at ? (Str){ str.at + from, to - from } : str;
}

Str str_trim(Str str)
{
	while (str.len && (str.at[0] == ' ' || str.at[0] == '\t'))
		str.at++, str.len--;
	while (str.len && (str.at[str.len - 1] == ' ' || str.at[str.len - 1] == '\t'))
		str.len--;
	return str;
}

bool str_split(Str *rest, char sep, Str *head)
{
	ptrdiff_t at;

	if (!rest->at)
		return false;
	at = str_find_char(*rest, sep);
	*head = at < 0 ? *rest : str_sub(*rest, 0, (size_t)at);
	*rest = at < 0 ? (Str){ 0 } : str_sub(*rest, (size_t)at + 1, rest->len);
	return true;
}

bool str_to_u64(Str str, uint64_t *out)
{
	uint64_t n = 0;

	if (str.len == 0)
		return false;
	for (size_t i = 0; i < str.len; i++) {
		unsigned digit = (unsigned)(unsigned char)str.at[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*out = n;
	return true;
}

bool str_to_i64(Str str, int64_t *out)
{
	bool minus = str.len && str.at[0] == '-';
	uint64_t n;

	if (!str_to_u64(minus ? str_sub(str, 1, str.len) : str, &n) ||
	    n > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

/* Eight digits at once: each nibble into a byte of its own, then 6 more than 9 say which are letters. */
static uint64_t hex_digits(uint32_t n)
{
	uint64_t x = n;

	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	x += UINT64_C(0x3030303030303030) +
	     ((x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101)) *
	             ('a' - '0' - 10);
	return htobe64(x);
}

char *str_put_hex(char *at, uint64_t n, size_t digits)
{
	uint64_t all[2] = { hex_digits((uint32_t)(n >> 32)), hex_digits((uint32_t)n) };

	memcpy(at, (const char *)all + sizeof all - digits, digits);
	return at + digits;
}

const char *str_z(Arena *a, Str str)
{
	char *copy = arena_alloc_raw(a, str.len + 1);

	if (str.len)
		memcpy(copy, str.at, str.len);
	copy[str.len] = '\0';
	return copy;
}

Str str_dup(Arena *a, Str str)
{
	return (Str){ str_z(a, str), str.len };
}

Str str_lower(Arena *a, Str str)
{
	char *copy = arena_alloc_raw(a, str.len + 1);

	for (size_t i = 0; i < str.len; i++)
		copy[i] = (char)lower(str.at[i]);
	copy[str.len] = '\0';
	return (Str){ copy, str.len };
}

Str str_fmt(Arena *a, const char *fmt, ...)
{
	va_list args;
	va_list again;
	int len;
	char *text;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	len = MAX(len, 0);
	text = arena_alloc_raw(a, (size_t)len + 1);
	text[0] = '\0';
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return (Str){ text, (size_t)len };
}

size_t str_utf8(Str str, uint32_t *code)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} rows[] = { { 0x80, 0x00, 0 },
		     { 0xe0, 0xc0, 0x80 },
		     { 0xf0, 0xe0, 0x800 },
		     { 0xf8, 0xf0, 0x10000 } };
	unsigned char first = str.len ? (unsigned char)str.at[0] : 0xff;
	size_t len = 0;
	uint32_t c;

	while (len < COUNT(rows) && (first & rows[len].mask) != rows[len].lead)
		len++;
	if (len == COUNT(rows) || len + 1 > str.len)
		return 0;
	c = first & (uint8_t)~rows[len].mask;
	for (size_t i = 1; i <= len; i++) {
		if (((unsigned char)str.at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)str.at[i] & 0x3f);
	}
	if (c < rows[len].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*code = c;
	return len + 1;
}

static bool is_printable(uint32_t code)
{
	return code >= 0xa0 ? (code < 0x2028 || code > 0x202e) && code != 0xfeff &&
	                              (code & 0xfffe) != 0xfffe
	                    : code >= 0x20 && code < 0x7f;
}

Str str_quote(Arena *a, Str str)
{
	enum { SHOWN = 60 };
	char *at = arena_alloc_raw(a, SHOWN * 4 + 16);
	char *end = at;
	size_t from = 0;

	*end++ = '"';
	while (from < MIN(str.len, (size_t)SHOWN)) {
		uint32_t code = 0;
		size_t len = str_utf8(str_sub(str, from, str.len), &code);
		char c = str.at[from];

		if (c == '"' || c == '\\')
			end += sprintf(end, "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			end += sprintf(end, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (len && is_printable(code))
			end = mempcpy(end, str.at + from, len);
		else if (len > 1)
			end += sprintf(end, "\\u%04x", code);
		else
			end += sprintf(end, "\\x%02x", (unsigned char)c);
		from += MAX(len, (size_t)1);
	}
	end += sprintf(end, from < str.len ? "...\"" : "\"");
	return (Str){ at, (size_t)(end - at) };
}

enum { DISTANCE_MAX = 64 };

unsigned str_distance(Str x, Str y)
{
	unsigned row[3][DISTANCE_MAX + 1];

	if (x.len > DISTANCE_MAX || y.len > DISTANCE_MAX)
		return (unsigned)MAX(x.len, y.len);
	for (unsigned j = 0; j <= y.len; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= x.len; i++) {
		unsigned *now = row[i % 3];
		const unsigned *up = row[(i - 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= y.len; j++) {
			unsigned same = lower(x.at[i - 1]) == lower(y.at[j - 1]);

			now[j] = MIN(up[j], now[j - 1]) + 1;
			now[j] = MIN(now[j], up[j - 1] + !same);
			if (i > 1 && j > 1 && x.at[i - 1] == y.at[j - 2] &&
			    x.at[i - 2] == y.at[j - 1])
				now[j] = MIN(now[j], row[(i - 2) % 3][j - 2] + 1);
		}
	}
	return row[x.len % 3][y.len];
}

Str str_nearest(Str word, const Str *candidates, size_t count)
{
	unsigned best =
		1 + (unsigned)MIN(word.len, 12u) / 4; /* one slip in four letters, and one more */
	Str nearest = { 0 };

	for (size_t i = 0; i < count; i++) {
		unsigned far = str_distance(word, candidates[i]);

		if (far <= best && far < candidates[i].len) {
			nearest = candidates[i];
			best = far ? far - 1 : 0;
		}
	}
	return nearest;
}
