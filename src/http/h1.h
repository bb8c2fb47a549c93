/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1 codec (RFC 9112), strict on the way in, own framing on the way out. No I/O: it is given bytes.
 *
 * A parser keeps its state between calls: every byte is looked at once however the bytes arrive, and what is wrong is
 * refused as soon as its line is complete. It keeps offsets, so the buffer may move between calls, but not shift. */
#pragma once
#include "http/message.h"

typedef struct H1Limits {
	uint32_t head_bytes; /* start line and headers, blank line included; 32 KiB */
	uint32_t line_bytes; /* start line; 8 KiB */
	uint32_t headers;    /* lines; 100 */
	bool underscores; /* let names with '_' pass when no '-' twin is there too; else they are refused */
} H1Limits;

typedef struct H1Span {
	uint32_t at, len;
} H1Span;

typedef struct H1Line {
	H1Span name, value;
} H1Line;

enum { H1_INLINE_LINES = 32 };

/* In place in the connection while a head is incomplete; more lines than fit inline are kept on the heap. Not to be
 * copied or moved: it points into itself. */
typedef struct H1Parser {
	uint32_t scanned;    /* bytes looked at so far */
	uint32_t line_start; /* of the line that is not complete yet */
	uint32_t count;
	uint32_t cap;
	bool response;
	bool have_start;
	HttpVersion version;
	uint16_t status;
	H1Span first, second; /* method and target, or reason */
	H1Line *lines;        /* == inlined, or the heap */
	H1Line inlined[H1_INLINE_LINES];
} H1Parser;

void h1_init(H1Parser *p, bool response);
void h1_fini(H1Parser *p); /* may be called at any time, more than once */

/* Looks at bytes from where it stopped. *used == 0: the head is not complete, call again with more (same start). Else
 * *head is filled (views into bytes; its header array in the arena) and *used is the head's length. Empty lines before
 * a request are skipped (at most 2). Refuses with INVALID "http.*", URI_TOO_LONG "http.line_too_long", HEAD_TOO_LARGE
 * "http.head_too_large" and "http.too_many_headers", UNSUPPORTED "http.transfer_coding", VERSION "http.version",
 * EXPECTATION "http.expect"; the whole list is H1_FAULTS in h1_int.h, and these errors are static: they cost no memory.
 * Responses are refused with UPSTREAM "http.response", which has one of those as its cause.
 *
 * A request without Host (HTTP/1.0) has no authority; absolute-form's and CONNECT's stands in for Host. A body of length
 * 0 is NONE. `upgrade` leaves h2c out. An answer to HEAD or CONNECT has that in head->method, which the writer needs;
 * content_length is kept for answers to HEAD and for 304. After 101 and CONNECT's 2xx, keep_alive is false. The arena is
 * used for the finished head only.
 * `method` is the request's that a response answers (HEAD and CONNECT change its framing); ignored for requests. */
Err *h1_parse_request(H1Parser *p, Arena *a, const H1Limits *limits, Str bytes, Head *head,
                      size_t *used) MUST_USE;
Err *h1_parse_response(H1Parser *p, Arena *a, const H1Limits *limits, Str method, Str bytes,
                       Head *head, size_t *used) MUST_USE;

/* The body decoder, for all kinds. */
typedef struct H1Body {
	HttpBody kind;
	uint8_t state;      /* of the chunk machine */
	bool done;          /* the last byte of the message was taken */
	uint8_t digits;     /* of this chunk's size so far */
	uint32_t extension; /* bytes of chunk extensions so far: limited */
	uint64_t left;      /* of the body or of this chunk */
	Buf trailer;        /* the raw trailer section while it arrives */
} H1Body;

void h1_body_init(H1Body *body, HttpBody kind, int64_t content_length);
void h1_body_fini(H1Body *body);
/* Takes bytes from the front: *used of them, of which *piece (maybe empty) is payload, a view into bytes. Call again
 * while bytes are left and !body->done. Fails with INVALID "http.chunk" or HEAD_TOO_LARGE "http.trailer". */
Err *h1_body_next(H1Body *body, Str bytes, size_t *used, Str *piece) MUST_USE;
/* The stream ended: an error (INVALID "http.truncated") unless the kind is CLOSE or it is done already. */
Err *h1_body_eof(H1Body *body) MUST_USE;
/* After done: the trailer fields that a trailer may have (RFC 9110 6.5.1: no framing, routing or authentication). */
Err *h1_trailers(const H1Body *body, Arena *a, Headers *out) MUST_USE;

/* Writing. What is given is trusted to be well-formed (it came through a parser or from our own code); head->headers are
 * written as they are, in order, and framing is the writer's: Content-Length, Transfer-Encoding and Connection in them
 * are skipped; body and content_length say what is written instead, `close` adds "Connection: close". A non-empty
 * head->upgrade writes "Connection: upgrade" and "Upgrade: ...", and no other Upgrade is written. Host is written from
 * head->authority, first, in requests. A TE header is named in Connection.
 *
 * The version written is 1.1 (RFC 9110 2.5). head->version HTTP_10 means a peer of 1.0, who must hear
 * "Connection: keep-alive" unless `close`; he must not be sent CHUNKED: the caller decides, and takes CLOSE. CLOSE writes
 * "Connection: close" by itself and is not for requests.
 * Requests: Content-Length goes with LENGTH, and "Content-Length: 0" with POST, PUT and PATCH without a body.
 * Responses without a body: no length for 1xx, 204 and CONNECT's 2xx; 304 when it is above 0; else content_length, and 0
 * when it is -1, but for an answer to HEAD (head->method), where it is left out then. A reason with control bytes is
 * replaced by the status's own. A buffer without room for all of a head takes nothing and is broken. */
void h1_put_request(Buf *out, const Head *head, bool close);
void h1_put_response(Buf *out, const Head *head, bool close);
void h1_put_chunk_start(Buf *out, size_t len); /* "1a2b\r\n"; after the data comes "\r\n" */
void h1_put_last_chunk(Buf *out, const Headers *trailers); /* NULL: none */
