/* SPDX-License-Identifier: Apache-2.0
 *
 * Between Head and HTTP/2's header blocks (RFC 9113 8.2, 8.3): every rule about them, and no I/O. What breaks a rule is
 * malformed and never goes further. */
#pragma once
#include "http/h1.h"

#include <nghttp2/nghttp2.h>

/* What makes a message malformed: slug, sentence. All are INVALID. */
#define H2_FAULTS(X) \
	X(NAME, "h2.header_name", "a header's name was not of lower-case token characters") \
	X(VALUE, "h2.header_value", "a header's value held a control byte, or blanks at an end") \
	X(CONNECTION, "h2.connection_header", "a header of HTTP/1's connections came") \
	X(TE, "h2.te", "TE was not \"trailers\"") \
	X(PSEUDO, "h2.pseudo", "a pseudo-header was unknown, or of the other kind of message") \
	X(PSEUDO_TWICE, "h2.pseudo_twice", "a pseudo-header came twice") \
	X(PSEUDO_LATE, "h2.pseudo_late", "a pseudo-header came after a header") \
	X(PSEUDO_TRAILER, "h2.pseudo_trailer", "a pseudo-header came in a trailer section") \
	X(MISSING, "h2.pseudo_missing", "a pseudo-header was missing") \
	X(METHOD, "h2.method", "the method was not a token") \
	X(SCHEME, "h2.scheme", "the scheme was neither http nor https") \
	X(PATH, "h2.path", "the path was not of a form that the method allows") \
	X(AUTHORITY, "h2.authority", "the authority was missing, or not a host and a port") \
	X(HOST, "h2.host", "Host came twice or differed from the authority") \
	X(CONNECT, "h2.connect", "CONNECT came with a scheme or a path") \
	X(STATUS, "h2.status", "the status was not a number of three digits, or 101") \
	X(LENGTH, "h2.content_length", \
	  "Content-Length was not one number, or not the body's length") \
	X(INFORM_END, "h2.inform_end", "an informational answer ended the stream") \
	X(TRAILER_OPEN, "h2.trailer_open", "a trailer section did not end the stream")

typedef enum H2Fault {
	H2_FINE,
#define X(fault, slug, text) H2_##fault,
	H2_FAULTS(X)
#undef X
} H2Fault;

Err *h2_fault(H2Fault fault); /* static; NULL for H2_FINE */

typedef enum H2BlockKind { H2_REQUEST, H2_RESPONSE, H2_TRAILERS } H2BlockKind;

/* One header block on its way in. */
typedef struct H2Block {
	H2BlockKind kind;
	Arena *arena;
	const H1Limits *limits;
	Str method;     /* of the request that a response answers */
	Head head;      /* trailers: head.headers */
	bool malformed; /* reset the stream; else an error is to be answered */
	Err *err;       /* the first */
	bool have[4];   /* pseudo-headers seen */
	bool regular;   /* a header was seen */
	bool underscore;
	unsigned hosts, lengths, cookies;
	uint32_t count;
	size_t bytes; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 6.5.2), what was refused included */
} H2Block;

void h2_block_begin(H2Block *b, H2BlockKind kind, Arena *a, const H1Limits *limits, Str method);
/* Takes a copy. Errors are kept in the block; bytes are counted on after one. */
void h2_block_field(H2Block *b, Str name, Str value);
/* The block is complete; end: so is the stream. After NULL, head is whole. Else INVALID "h2.*" (malformed), or what an
 * HTTP/1 head is refused with: "http.head_too_large", "http.too_many_headers", "http.line_too_long", "http.underscore",
 * "http.method", "http.method_too_long", "http.expect". */
Err *h2_block_end(H2Block *b, bool end) MUST_USE;

/* The other way. Names are made lower-case; HTTP/1's connection headers are left out, content-length is said anew from
 * head->body; everything else is trusted as it is. In the arena, strings borrowed. */
typedef struct H2Fields {
	nghttp2_nv *at;
	size_t count;
} H2Fields;

H2Fields h2_request_fields(Arena *a, const Head *head, bool secure);
H2Fields h2_response_fields(Arena *a, const Head *head, Str method);
H2Fields h2_trailer_fields(Arena *a, const Headers *trailers);
