/* SPDX-License-Identifier: Apache-2.0
 *
 * The one form of a message head, for HTTP/1 and HTTP/2, requests and responses. Names keep the case they came with
 * (HTTP/2: lower); order is kept. Views point into the connection's buffer or the request's arena. */
#pragma once
#include "base/buf.h"

/* Headers the code asks for by id; the codecs set the id once, so that nobody compares names again. */
#define HTTP_HEADERS(X) \
	X(ACCEPT, "accept") \
	X(ACCEPT_ENCODING, "accept-encoding") \
	X(AUTHORIZATION, "authorization") \
	X(CACHE_CONTROL, "cache-control") \
	X(CONNECTION, "connection") \
	X(CONTENT_ENCODING, "content-encoding") \
	X(CONTENT_LENGTH, "content-length") \
	X(CONTENT_TYPE, "content-type") \
	X(COOKIE, "cookie") \
	X(DATE, "date") \
	X(EXPECT, "expect") \
	X(FORWARDED, "forwarded") \
	X(HOST, "host") \
	X(KEEP_ALIVE, "keep-alive") \
	X(LOCATION, "location") \
	X(PROXY_AUTHENTICATE, "proxy-authenticate") \
	X(PROXY_AUTHORIZATION, "proxy-authorization") \
	X(PROXY_CONNECTION, "proxy-connection") \
	X(REFERER, "referer") \
	X(RETRY_AFTER, "retry-after") \
	X(SERVER, "server") \
	X(SET_COOKIE, "set-cookie") \
	X(TE, "te") \
	X(TRACEPARENT, "traceparent") \
	X(TRACESTATE, "tracestate") \
	X(TRAILER, "trailer") \
	X(TRANSFER_ENCODING, "transfer-encoding") \
	X(UPGRADE, "upgrade") \
	X(USER_AGENT, "user-agent") \
	X(VIA, "via") \
	X(X_FORWARDED_FOR, "x-forwarded-for") \
	X(X_FORWARDED_HOST, "x-forwarded-host") \
	X(X_FORWARDED_PORT, "x-forwarded-port") \
	X(X_FORWARDED_PROTO, "x-forwarded-proto") \
	X(X_REAL_IP, "x-real-ip") \
	X(X_REQUEST_ID, "x-request-id")

typedef enum HeaderId {
	HTTP_OTHER,
#define X(id, name) HTTP_##id,
	HTTP_HEADERS(X)
#undef X
		HTTP_HEADER_IDS
} HeaderId;

typedef struct Header {
	Str name;
	Str value; /* without blanks around it */
	HeaderId id;
} Header;

typedef struct Headers {
	Header *at;
	uint32_t count;
	uint32_t cap;
} Headers;

typedef enum HttpVersion { HTTP_10 = 10, HTTP_11 = 11, HTTP_2 = 20 } HttpVersion;

/* How the body that follows is delimited, as the codec found it (RFC 9112 6.3). */
typedef enum HttpBody {
	HTTP_BODY_NONE,    /* none, whatever the headers say */
	HTTP_BODY_LENGTH,  /* content_length bytes */
	HTTP_BODY_CHUNKED, /* HTTP/1 chunks, or HTTP/2 without a content-length */
	HTTP_BODY_CLOSE,   /* HTTP/1 response that the end of the connection ends */
} HttpBody;

typedef struct Head {
	HttpVersion version;
	/* request */
	Str method;
	Str target; /* as it came: origin-form (absolute-form is split into the fields below), "*", or authority (CONNECT) */
	Str authority; /* Host or :authority, checked; empty for HTTP/1.0 without Host */
	Str scheme;    /* from absolute-form or :scheme; empty: the connection's */
	/* response */
	uint16_t status;
	Str reason;
	/* both */
	Headers headers; /* hop-by-hop ones and Host included, as they came; HTTP/2's pseudo ones are not */
	HttpBody body;
	int64_t content_length; /* -1: not said */
	bool keep_alive;        /* HTTP/1: the connection may be used again after this message */
	bool expect_continue;
	Str upgrade; /* HTTP/1 with Connection: upgrade: the protocols asked for (request) or taken (101) */
} Head;

HeaderId header_id(Str name); /* any case; HTTP_OTHER when the table above does not have it */
Str header_id_name(HeaderId id);

void headers_add(Headers *headers, Arena *a, Str name, Str value); /* the strings are borrowed */
void headers_add_id(Headers *headers, Arena *a, HeaderId id, Str value);
const Header *headers_find(const Headers *headers, HeaderId id); /* the first, or NULL */
Str headers_get(const Headers *headers, HeaderId id);            /* its value, or the empty view */
Str headers_get_name(const Headers *headers, Str name);          /* by name, any case */
void headers_remove(Headers *headers, HeaderId id);              /* all of them; order kept */
/* Does a comma-separated header of that id (all its lines) hold the token, any case? */
bool headers_has_token(const Headers *headers, HeaderId id, Str token);

Str http_reason(unsigned status);    /* "Not Found"; "Status" for one without a name */
bool http_is_idempotent(Str method); /* GET HEAD OPTIONS TRACE PUT DELETE (RFC 9110 9.2.2) */
bool http_is_token(Str text);
