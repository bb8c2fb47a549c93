/* SPDX-License-Identifier: Apache-2.0
 *
 * Buf: owned bytes that grow, with a limit and a *sticky* failure: after ten appends one check (buf_done) is enough.
 * `Buf b = { .limit = n }` is a valid empty buffer (limit 0: none); AUTO(buf_fini) gives its memory back. */
#pragma once
#include "base/err.h"

typedef struct Buf {
	char *at;
	size_t len;
	size_t cap;
	size_t limit;
	bool broken; /* the limit was hit: nothing more is taken */
} Buf;

void buf_fini(Buf *b);  /* the buffer is empty and usable after it */
void buf_clear(Buf *b); /* keeps the memory, forgets a failure */

/* Room for n more bytes at the end, or NULL when broken; write there, then buf_wrote. */
char *buf_room(Buf *b, size_t n);
void buf_wrote(Buf *b, size_t n);

void buf_put_slow(Buf *b, Str str);
void buf_putc(Buf *b, char c);
void buf_put_u64(Buf *b, uint64_t n);
void buf_put_i64(Buf *b, int64_t n);
void buf_put_hex(Buf *b, uint64_t n); /* lower case, no zeros before it */
void buf_fmt(Buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_drop(Buf *b, size_t n); /* from the front, at most all */

/* The only check. The view is good until the buffer changes. Fails with "base.buffer_full". */
Err *buf_done(const Buf *b, Str *out) MUST_USE;
Str buf_str(const Buf *b); /* what is in it, broken or not */

static inline void buf_put(Buf *b, Str str)
{
	if (LIKELY(str.len <= b->cap - b->len && !b->broken)) {
		if (str.len)
			__builtin_memcpy(b->at + b->len, str.at, str.len);
		b->len += str.len;
		return;
	}
	buf_put_slow(b, str);
}
