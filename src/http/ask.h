/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking another server something: one request, one whole answer, one deadline for all of it. For what a process asks of its own
 * accord (providers, webhooks, other services); the gateway's own traffic has upstreams instead.
 *
 *   TRY(ask_open(errs, &(AskConf){ .name = "stripe" }, &client));                 once, at the start
 *   AskAnswer answer;
 *   TRY(ask(client, a, &(Ask){ .method = S("POST"), .url = S("https://api.example/v1/x"), .body = body, .type = S("...") }, &answer));
 *   if (answer.status >= 400) ...                                                a status is no error
 *
 * Connections are kept, by loop and by place (scheme, host, port, how to connect). HTTP/2 where ALPN agrees on it: many requests
 * on one connection. Redirects are not followed; answers are not decoded (no Accept-Encoding is sent).
 *
 * What must not be done twice: nothing is sent again unless it is proved that no server began with it (it was not sent, or the
 * peer's kernel or HTTP/2's GOAWAY says so), or the caller says that it may be (`repeatable`: it carries an idempotency key, or
 * only reads) and an old connection turned out to be closed. After a failure *out says what is known: `sent` false means that
 * nothing can have happened. */
#pragma once
#include "http/message.h"

typedef struct AskClient AskClient; /* its settings and connections; shared by all loops */
typedef struct Cidr Cidr;

typedef enum AskSpeak {
	ASK_ALPN,  /* https: HTTP/2 if the server likes; http: HTTP/1.1 */
	ASK_HTTP1, /* HTTP/1.1 */
	ASK_H2,    /* HTTP/2, with prior knowledge where it is plain; https: ALPN has to agree */
} AskSpeak;

typedef struct AskConf {
	const char *name; /* in metrics: "stripe". A literal, or it lives as long as the client */
	AskSpeak speak;
	Str ca;          /* PEM file; empty: the system's */
	Str certificate; /* client certificate and its key: PEM files; empty: none */
	Str key;
	bool public_only; /* addresses of the open internet only: see ask_address_public. Names are resolved once, and the
	                   * connection goes to the very address that was looked at. Unix sockets are refused too */
	const Cidr *but; /* with public_only: networks that may be asked all the same */
	size_t but_count;
	unsigned connections_most; /* of a place and loop; then callers wait, in order. 0: 64 */
	unsigned idle_most;        /* kept unused, of those; 0: 16 */
	unsigned
		streams_most; /* requests at once on one HTTP/2 connection; 0: 100, or what the server takes */
	int64_t idle_us;    /* how long one is kept unused; 0: 50 s */
	int64_t connect_us; /* until connected, TLS done; 0: 5 s */
} AskConf;

/* Reads files: at the start, or on a worker. Texts of conf are copied, but for name and `but`. Fails as tls_client_new. */
Err *ask_open(Arena *errs, const AskConf *conf, AskClient **out) MUST_USE;
/* The same on a worker, for fibers. Parks; fails as work_run does too. */
Err *ask_open_away(Arena *errs, const AskConf *conf, AskClient **out) MUST_USE;
/* Nobody asks any more. Parks, shielded (every loop closes what is its own); NULL is fine. */
void ask_close(AskClient *client);

/* A piece of the answer's body, as it comes; an error ends the conversation and is what ask() fails with. May park. */
typedef Err *AskPiece(void *arg, Str piece);

typedef struct Ask {
	Str method; /* empty: GET, or POST where there is a body */
	Str url;    /* "https://host:port/path?query" (ask_url_read) */
	Str via; /* "unix:/path", "unix:@name", "127.0.0.1:80": connect there, whatever host the URL names; empty: to that host */
	Str body;        /* empty: none, but of POST and PUT (Content-Length: 0) */
	Str type;        /* of the body, where there is one; empty: application/json */
	Headers headers; /* more. Not Host, Content-Length and those of one connection */
	Str traceparent; /* of who asked us: goes on with a span of its own; empty or none: none is sent */
	int64_t timeout_us; /* for all of it; 0: 10 s. The fiber's own deadline counts too */
	size_t body_max;    /* of the answer; 0: 1 MiB */
	bool repeatable;    /* may be sent again where it is not proved that nobody began with it */
	AskPiece *piece;    /* takes the body instead of answer.body; body_max is not looked at */
	void *arg;
	void (*head)(void *arg, unsigned status,
	             const Headers *headers); /* before the first piece; NULL: none */
} Ask;

typedef struct AskAnswer {
	unsigned status; /* 0: none came */
	Headers headers; /* in the arena, as is the body */
	Str body;
	bool sent; /* a server may have begun with it. After an error: false proves that nothing happened */
	bool answered;   /* a byte of an answer came */
	bool reused;     /* on a connection that was kept */
	Str address;     /* where it went: "192.0.2.7:443"; empty: nowhere */
	Str traceparent; /* what was sent */
} AskAnswer;

/* Parks. *out is set after a failure too. Fails as streams, dns, tls and calls do; TIMEOUT "ask.timeout", UPSTREAM "ask.too_large"
 * (the answer's body), "ask.answer" (it switched protocols, or only ever informed), "ask.protocol" (no HTTP/2), INVALID "ask.url",
 * "ask.header", DENIED "ask.private" (public_only), and "rt.deadline" or "rt.cancelled" when it is the fiber's own. */
Err *ask(AskClient *client, Arena *a, const Ask *what, AskAnswer *out) MUST_USE;

Str ask_header(const AskAnswer *answer, const char *name); /* of the answer; empty: none */
/* Seconds or a date of Retry-After, from now, at most a day; 0: it says nothing. */
int64_t ask_retry_after_us(const AskAnswer *answer);

/* --- URLs and addresses -------------------------------------------------------------------------------------------------- */

typedef struct AskUrl {
	bool tls;
	Str host; /* lower case; IPv6 without brackets */
	uint16_t port;
	Str authority; /* as Host says it: without the scheme's own port */
	Str target;    /* path and query, at least "/" */
} AskUrl;
/* http or https; no user, no fragment, printable ASCII, at most 8000 bytes. NULL, or what is wrong. */
const char *ask_url_read(Arena *a, Str text, AskUrl *out);

/* An address of the open internet? Not loopback, private, link-local (so not the metadata service of clouds), shared (100.64/10),
 * benchmarking, documentation, multicast, reserved, unspecified, unique local, site-local; nor such an IPv4 address inside an IPv6 one
 * (mapped, compatible, NAT64, 6to4, Teredo, ISATAP). IANA's special-purpose registries (RFC 6890 and after). */

typedef struct Addr Addr;
bool ask_address_public(const Addr *addr);

/* --- metrics ------------------------------------------------------------------------------------------------------------- */

struct MetricFamily;
const struct MetricFamily *ask_metrics(size_t *count);
