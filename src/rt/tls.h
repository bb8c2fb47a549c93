/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS on a Stream (OpenSSL 3, TLS 1.2 and 1.3). Contexts are immutable, shared by all loops and counted; after the
 * handshake a Stream is read and written as a plain one. Errors: INVALID "tls.certificate", "tls.key" (with the file's
 * name), CLOSED "tls.handshake", "tls.protocol", UPSTREAM "tls.verify". */
#pragma once
#include "rt/stream.h"

typedef struct TlsServerConf {
	Str certificate; /* PEM file, the chain after the leaf */
	Str key;         /* PEM file */
	bool h2;         /* offer h2 before http/1.1 in ALPN */
	Str client_ca; /* PEM file of who may sign certificates of clients; empty: none is asked for */
	bool client_must; /* who has none is refused in the handshake; who has a wrong one always is */
} TlsServerConf;

/* Several certificates: chosen by SNI (exact name, then wildcard, else the first). Reads files: call on a worker or at
 * start. Ticket keys are made here, rotate every 12 hours and are shared by all loops; the previous two are accepted. */
Err *tls_server_new(Arena *a, const TlsServerConf *confs, size_t count, TlsContext **out) MUST_USE;

typedef struct TlsClientConf {
	Str ca;          /* PEM file; empty: the system's */
	Str certificate; /* client certificate and its key, or empty */
	Str key;
	bool verify; /* name and chain */
	bool h2;     /* offer h2 */
} TlsClientConf;
Err *tls_client_new(Arena *a, const TlsClientConf *conf, TlsContext **out) MUST_USE;

/* Can they be served? Errors as tls_server_new; *days_left until the chain's first certificate ends, negative when it has.
 * Reads files; an empty key is not looked at. */
Err *tls_check_files(Arena *a, Str certificate, Str key, int *days_left) MUST_USE;

TlsContext *tls_ref(TlsContext *context);
void tls_unref(TlsContext *context); /* NULL is fine; from any thread */

/* Handshakes; park. A session of the same context, address and name is resumed when there is one. */
Err *stream_tls_accept(Stream *s, TlsContext *context) MUST_USE;
Err *stream_tls_connect(Stream *s, TlsContext *context, Str name) MUST_USE;

Str stream_alpn(const Stream *s);     /* "h2", "http/1.1" or empty */
Str stream_sni(const Stream *s);      /* what the client asked for, or empty */
bool stream_resumed(const Stream *s); /* for the log */

/* The client's certificate, which was verified; after an accept with client_ca. */
typedef struct TlsCertificate {
	Str subject; /* "CN=billing,O=Shop" (RFC 2253) */
	Str common;  /* its CN; empty: none */
	const Str
		*names; /* "DNS:billing.internal", "URI:spiffe://shop/billing", "email:a@b.test" */
	size_t count;
	uint8_t sha256[32]; /* of the whole */
} TlsCertificate;
bool stream_certificate(const Stream *s, Arena *a,
                        TlsCertificate *out); /* false: it has shown none */
