/* SPDX-License-Identifier: Apache-2.0
 *
 * What stream.c calls for a Stream whose `tls` is set, after the handshake. None but tls_end parks. Errors are static:
 * CLOSED "tls.protocol", "tls.truncated" (the connection ended without close_notify), "rt.reset", "rt.closed". */
#pragma once
#include "rt/stream.h"

/* *got > 0: that many bytes. *got == 0 and *more false: close_notify, the clean end. *got == 0 and *more true: nothing
 * yet; wait as tls_wants_write says, then try again. */
Err *tls_try_read(Stream *s, void *into, size_t cap, size_t *got, bool *more) MUST_USE;

/* All parts in a row, small ones in one record, so that head and body cost one system call; they are left as they are.
 * *sent may be short or 0; then wait (tls_wants_write) and offer the rest again, the same bytes first: a part of them
 * may be encrypted already. The place they lie in may change, and more may follow them. */
Err *tls_try_writev(Stream *s, const struct iovec *parts, int count, size_t *sent) MUST_USE;

bool tls_wants_write(
	const Stream
		*s); /* the last try gave up for want of a writable, not of a readable socket */
bool tls_pending(const Stream *s); /* bytes may be there without a wait */

Err *tls_end(Stream *s)
	MUST_USE;        /* sends close_notify; parks; nothing when the connection failed before */
void tls_free(Tls *tls); /* before the Stream's watch is closed; NULL is fine */
