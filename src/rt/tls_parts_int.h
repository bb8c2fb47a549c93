/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tls*.c files know of each other: tls.c moves bytes, tls_server.c and tls_client.c choose certificates,
 * protocols and sessions, tls_files.c reads PEM. */
#pragma once
#include "rt/tls.h"

#include <openssl/ssl.h>

struct TlsContext {
	unsigned refs; /* atomic */
	SSL_CTX *ssl;  /* a server's: of the first certificate */
	void (*free)(TlsContext *context);
};

struct Tls {
	SSL *ssl;
	TlsContext *context;
	Watch *watch;      /* of the Stream that was used last: a Stream may move */
	Err *failed;       /* nothing more is read or written; what every try returns */
	char *session_key; /* client: whose sessions are kept */
	size_t session_key_len;
	int errnum; /* of the system call that failed */
	bool established;
	bool wants_write;
	bool starved; /* what OpenSSL holds is less than a record: only new bytes help */
	bool eof;     /* the connection ended, with close_notify or without */
};

/* An SSL_CTX with what is common to both sides; dies without memory. */
SSL_CTX *tls_ctx_new(const SSL_METHOD *method) RETURNS_NONNULL;

/* Puts an SSL of the context on the stream; the caller then says which side it is. Fails with IO "tls.memory". */
Err *tls_attach(Stream *s, TlsContext *context) MUST_USE;
/* Parks. After an error the Stream keeps its dead Tls, so that nothing goes out in the clear. */
Err *tls_handshake(Stream *s) MUST_USE;

/* Chain and key from PEM files; an empty key is left out. Errors as tls_server_new. */
Err *tls_load_files(Arena *a, SSL_CTX *ctx, Str certificate, Str key) MUST_USE;
/* What OpenSSL said last, for people. */
const char *tls_words(void);
