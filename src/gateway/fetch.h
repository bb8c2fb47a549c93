/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching something for the gateway itself: one request, one answer with a small body, one deadline for all of it. To an
 * upstream of the configuration it goes over its pool, elsewhere over a connection of its own. */
#pragma once
#include "gateway/conf_shift.h"
#include "http/message.h"

typedef struct TlsContext TlsContext;
typedef struct Upstream Upstream;

/* Immutable, once made. */
typedef struct FetchPlace {
	WebhookUrl url;
	Str unix_at;     /* "unix:...": connect there; empty: to the URL's host */
	TlsContext *tls; /* NULL: plain */
	Upstream *up;    /* of that name; NULL: by its address */
} FetchPlace;

/* ca: a PEM file, or empty for the system's. Reads files: blocks. The text was looked at by webhook_url_read. */
Err *fetch_place(Arena *a, Str url, Str ca, FetchPlace *out) MUST_USE;
/* A page of a service: its address as services tell it. */
Err *fetch_place_service(Arena *a, Str at, bool tls, const char *target, FetchPlace *out) MUST_USE;
void fetch_place_fini(FetchPlace *place); /* any thread; fine twice */

typedef struct FetchAsk {
	Str method;    /* empty: GET */
	Str target;    /* empty: the place's own */
	Str authority; /* empty: the place's own */
	Str body;      /* empty: none */
	Headers headers;
	int64_t timeout_us;
	size_t body_max; /* more is an error */
} FetchAsk;

typedef struct FetchAnswer {
	uint16_t status;
	Headers headers; /* in the arena, as is the body */
	Str body;
} FetchAnswer;

/* Parks. Redirects are not followed. Fails as streams, dns, tls and calls do; TIMEOUT "fetch.timeout", UPSTREAM "fetch.too_large",
 * "fetch.answer". */
Err *fetch_ask(Arena *a, const FetchPlace *place, const FetchAsk *ask, FetchAnswer *out) MUST_USE;
