/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the head parser and the body decoder: what can be wrong, and one header line. */
#pragma once
#include "http/h1.h"

/* Everything that is refused: kind, slug, sentence. Several faults may share a slug. */
#define H1_FAULTS(X) \
	X(BARE_CR, INVALID, "http.bare_cr", "a CR came without its LF") \
	X(BARE_LF, INVALID, "http.bare_lf", "a line ended in LF alone") \
	X(CONTROL, INVALID, "http.control", "the head held a control byte") \
	X(METHOD, INVALID, "http.method", "the request did not begin with a method") \
	X(METHOD_SMALL, INVALID, "http.method", \
	  "the method held a small letter, which some servers take for its capital") \
	X(METHOD_LONG, UNSUPPORTED, "http.method_too_long", "the method was longer than 32 bytes") \
	X(START_LINE, INVALID, "http.start_line", \
	  "the request line was not method, target and version") \
	X(TARGET, INVALID, "http.target", \
	  "the request target was of no form that the method allows") \
	X(LINE_LONG, URI_TOO_LONG, "http.line_too_long", "the request line was too long") \
	X(HEAD_LARGE, HEAD_TOO_LARGE, "http.head_too_large", "the head was too large") \
	X(HEADERS_MANY, HEAD_TOO_LARGE, "http.too_many_headers", \
	  "the head had too many header lines") \
	X(VERSION, VERSION, "http.version", "the version was not HTTP/1") \
	X(STATUS_LINE, UPSTREAM, "http.status_line", \
	  "the status line was not version, status and reason") \
	X(OBS_FOLD, INVALID, "http.obs_fold", "a header was folded over two lines") \
	X(SPACE_FIRST, INVALID, "http.space_before_header", \
	  "blanks stood between the start line and the first header") \
	X(HEADER_NAME, INVALID, "http.header_name", \
	  "a header line did not begin with a name and a colon") \
	X(SPACE_COLON, INVALID, "http.space_before_colon", \
	  "blanks stood between a header's name and its colon") \
	X(UNDERSCORE, INVALID, "http.underscore", "a header's name held an underscore") \
	X(HOST_MISSING, INVALID, "http.host_missing", "a request of HTTP/1.1 came without Host") \
	X(HOST_TWICE, INVALID, "http.host_twice", "Host came twice") \
	X(HOST, INVALID, "http.host", "Host was not a host and a port") \
	X(LENGTH, INVALID, "http.content_length", "Content-Length was not one number") \
	X(LENGTH_CODING, INVALID, "http.length_and_coding", \
	  "Content-Length and Transfer-Encoding came together") \
	X(CODING, UNSUPPORTED, "http.transfer_coding", \
	  "Transfer-Encoding was not one \"chunked\"") \
	X(CODING_10, INVALID, "http.transfer_coding_10", "Transfer-Encoding came with HTTP/1.0") \
	X(EXPECT, EXPECTATION, "http.expect", "Expect was not 100-continue") \
	X(SWITCHING, UPSTREAM, "http.switching", "a status of 101 did not say to which protocol") \
	X(CHUNK, INVALID, "http.chunk", "the chunked body was malformed") \
	X(CHUNK_LARGE, INVALID, "http.chunk", "a chunk's size had too many digits") \
	X(CHUNK_EXTENSION, INVALID, "http.chunk", "the chunk extensions were too long") \
	X(TRAILER_LINE, INVALID, "http.chunk", "the trailer section was malformed") \
	X(TRAILER_LARGE, HEAD_TOO_LARGE, "http.trailer", "the trailer section was too large") \
	X(TRUNCATED, INVALID, "http.truncated", "the stream ended inside a body")

typedef enum H1Fault {
	H1_FINE,
#define X(fault, kind, slug, text) H1_##fault,
	H1_FAULTS(X)
#undef X
} H1Fault;

Err *h1_fault(H1Fault fault); /* static, never to be changed; NULL for H1_FINE */

/* A header line as it is in its message (RFC 9112 5). The value comes without the blanks around it. */
typedef struct H1Field {
	Str name;
	Str value;
	bool underscore; /* the name holds one */
} H1Field;

/* Takes a line without its end apart, in which scan_line found no byte to refuse. `lenient`: blanks before the colon are
 * dropped, as a response's are. */
H1Fault h1_line(Str line, bool lenient, H1Field *out);

/* "get" is no GET (RFC 9110 9.1), but gunicorn takes it for one. */
bool h1_has_small(Str method);
/* Does a name with '_' stand beside one that differs in '-' only? */
bool h1_has_twins(const Headers *headers);
/* Has a trailer of this name to be dropped (RFC 9110 6.5.1)? */
bool h1_not_in_trailer(Str name);
