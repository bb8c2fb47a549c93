/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing bytes. Growth doubles, so appends are linear in all; a broken buffer keeps what it has and takes no more. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Err full = ERR_STATIC(TOO_LARGE, "base.buffer_full", "a buffer reached its limit");

void buf_fini(Buf *b)
{
	free(b->at);
	*b = (Buf){ .limit = b->limit };
}

void buf_clear(Buf *b)
{
	b->len = 0;
	b->broken = false;
}

static bool grow(Buf *b, size_t need)
{
	size_t cap = MAX(b->cap * 2, need);

	cap = MAX(cap, (size_t)64);
	if (b->limit)
		cap = MIN(cap, b->limit);
	if (cap < need)
		return false;
	b->at = realloc(b->at, cap);
	if (!b->at)
		abort();
	b->cap = cap;
	return true;
}

char *buf_room(Buf *b, size_t n)
{
	size_t need;

	if (__builtin_add_overflow(b->len, n, &need) || (need > b->cap && !grow(b, need)))
		b->broken = true;
	return b->broken ? NULL : b->at + b->len;
}

void buf_wrote(Buf *b, size_t n)
{
	if (!b->broken)
		b->len += MIN(n, b->cap - b->len);
}

void buf_put_slow(Buf *b, Str str)
{
	char *room = str.len ? buf_room(b, str.len) : NULL;

	if (room) {
		memcpy(room, str.at, str.len);
		b->len += str.len;
	}
}

static void free_text(char **text)
{
	free(*text);
}

void buf_putc(Buf *b, char c)
{
	buf_put(b, (Str){ &c, 1 });
}

void buf_put_u64(Buf *b, uint64_t n)
{
	char digits[20];
	char *at = digits + sizeof digits;

	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	buf_put(b, (Str){ at, (size_t)(digits + sizeof digits - at) });
}

void buf_put_i64(Buf *b, int64_t n)
{
	if (n < 0)
		buf_putc(b, '-');
	buf_put_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_put_hex(Buf *b, uint64_t n)
{
	char digits[16];
	char *at = digits + sizeof digits;

	do
		*--at = "0123456789abcdef"[n % 16];
	while (n /= 16);
	buf_put(b, (Str){ at, (size_t)(digits + sizeof digits - at) });
}

void buf_fmt(Buf *b, const char *fmt, ...)
{
	AUTO(free_text) char *text =
		NULL; /* when the last byte of room is not free for printf's NUL */
	va_list args;
	int len;
	char *room;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	room = len > 0 ? buf_room(b, (size_t)len) : NULL;
	if (!room)
		return;
	va_start(args, fmt);
	if (b->cap - b->len > (size_t)len)
		vsnprintf(room, (size_t)len + 1, fmt, args);
	else if (vasprintf(&text, fmt, args) == len)
		memcpy(room, text, (size_t)len);
	else
		abort();
	va_end(args);
	b->len += (size_t)len;
}

void buf_drop(Buf *b, size_t n)
{
	n = MIN(n, b->len);
	if (n && n < b->len)
		memmove(b->at, b->at + n, b->len - n);
	b->len -= n;
}

Err *buf_done(const Buf *b, Str *out)
{
	if (b->broken)
		return &full;
	*out = buf_str(b);
	return NULL;
}

Str buf_str(const Buf *b)
{
	return (Str){ b->at, b->len };
}
