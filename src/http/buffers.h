/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of one size for bytes on their way in and out, kept per thread: a connection has one while something moves on
 * it, and none while it is idle. */
#pragma once
#include "base/util.h"

/* A little more than a power of two: neighbours then do not begin in the same sets of the caches. */
enum { HTTP_BUFFER_BYTES = (64 << 10) + 816 };

char *http_buffer_take(void) RETURNS_NONNULL;
void http_buffer_give(char *buffer); /* on the thread that took it; NULL is fine */
void http_buffers_trim(void); /* those that this thread keeps for the next go back to malloc */
