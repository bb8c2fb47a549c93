/* SPDX-License-Identifier: Apache-2.0
 *
 * A body without its content coding (RFC 9110 8.4.1): gzip (RFC 1952), deflate (RFC 1950, and the bare RFC 1951 that some send for
 * it), br (RFC 7932), zstd (RFC 8878, with windows of 8 MiB at most, as RFC 9659 has it). */
#pragma once
#include "base/buf.h"

typedef enum HttpDecoded {
	HTTP_DECODED,        /* all of it is in *out */
	HTTP_DECODED_CUT,    /* there is more than `limit` bytes: so many are in *out */
	HTTP_DECODE_DAMAGED, /* it is not what it says, or ends in the middle */
	HTTP_DECODE_UNKNOWN, /* this coding, or a list of codings, is not read here */
} HttpDecoded;

/* coding: the value of Content-Encoding; empty and "identity" are known, and copied. *out holds what was read of a damaged body.
 * Takes time in the order of its result, at most `limit`, and a few MiB of memory at most: for a worker when that is much. Any
 * thread. */
HttpDecoded http_decode(Str coding, Str body, uint64_t limit, Buf *out);
bool http_decode_knows(Str coding);
