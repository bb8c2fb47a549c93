/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS between OpenSSL and a Watch.
 *
 * OpenSSL reads and writes through a BIO that asks the Watch first: when the descriptor is known not to be ready it says
 * "retry" without a system call, so a record costs one recv (read-ahead is on) and one send. The BIO never parks (rule 2);
 * the handshake and tls_end wait between two calls of OpenSSL, whose error queue is cleared before and read right after
 * each (rule 1).
 *
 * A Tls that failed stays failed with the same static error. An end of the connection without close_notify is an error,
 * "tls.truncated": a response that ends with the connection might have been cut. Before an SSL in good order is freed it
 * is told that it was shut down, else OpenSSL would call its session unfit for resumption. */
#include "rt/tls_int.h"

#include "rt/rt_int.h"
#include "rt/stream_int.h"
#include "rt/tls_parts_int.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECORD_BYTES = 16 << 10 };

static Err no_memory = ERR_STATIC(IO, "tls.memory", "there was no memory for a TLS connection");
static Err no_handshake = ERR_STATIC(CLOSED, "tls.handshake", "the TLS handshake failed");
static Err ended_early =
	ERR_STATIC(CLOSED, "tls.handshake", "the connection ended in the TLS handshake");
static Err bad_protocol =
	ERR_STATIC(CLOSED, "tls.protocol", "the other side broke the TLS protocol");
static Err truncated =
	ERR_STATIC(CLOSED, "tls.truncated", "the connection ended without TLS saying so");
static Err reset = ERR_STATIC(CLOSED, "rt.reset", "the peer reset the connection");
static Err closed = ERR_STATIC(CLOSED, "rt.closed", "the peer closed the connection");
static Err unverified =
	ERR_STATIC(UPSTREAM, "tls.verify", "the server's certificate could not be verified");

typedef struct Reason {
	int code;
	Err err;
} Reason;

#define HANDSHAKE(code_, text_) \
	{ \
		code_, ERR_STATIC(CLOSED, "tls.handshake", text_) \
	}
static Reason reasons[] = {
	HANDSHAKE(SSL_R_HTTP_REQUEST, "plain HTTP was spoken to a TLS port"),
	HANDSHAKE(SSL_R_WRONG_VERSION_NUMBER, "the other side did not speak TLS"),
	HANDSHAKE(SSL_R_UNSUPPORTED_PROTOCOL, "there was no TLS version that both sides speak"),
	HANDSHAKE(SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
	          "there was no TLS version that both sides speak"),
	HANDSHAKE(SSL_R_NO_SHARED_CIPHER, "there was no cipher that both sides know"),
	HANDSHAKE(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the other side refused the TLS handshake"),
	HANDSHAKE(SSL_R_NO_APPLICATION_PROTOCOL,
	          "the client offered no application protocol that is spoken here"),
	HANDSHAKE(SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL,
	          "the server speaks none of the application protocols offered"),
	HANDSHAKE(SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	          "the other side did not trust the issuer of our certificate"),
	HANDSHAKE(SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the other side refused our certificate"),
	HANDSHAKE(SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the other side refused our certificate"),
	HANDSHAKE(SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	          "the other side said that our certificate has expired"),
	HANDSHAKE(SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
	          "the server asked for a client certificate"),
	HANDSHAKE(SSL_R_TLSV1_UNRECOGNIZED_NAME,
	          "the server did not know the name it was asked for"),
};
#undef HANDSHAKE

#define VERIFY(code_, text_) \
	{ \
		code_, ERR_STATIC(UPSTREAM, "tls.verify", text_) \
	}
static Reason verdicts[] = {
	VERIFY(X509_V_ERR_CERT_HAS_EXPIRED,
	       "the server's certificate, or one above it, has expired"),
	VERIFY(X509_V_ERR_CERT_NOT_YET_VALID, "the server's certificate is not valid yet"),
	VERIFY(X509_V_ERR_HOSTNAME_MISMATCH,
	       "the server's certificate is for other names (alternative names count)"),
	VERIFY(X509_V_ERR_IP_ADDRESS_MISMATCH,
	       "the server's certificate does not name its address"),
	VERIFY(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	       "the server's certificate is signed by itself and not trusted"),
	VERIFY(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	       "the server's certificate leads to a root that is not trusted"),
	VERIFY(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	       "the issuer of the server's certificate is not known"),
	VERIFY(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	       "the issuer of the server's certificate is not known"),
	VERIFY(X509_V_ERR_INVALID_PURPOSE, "the server's certificate is not made for servers"),
	VERIFY(X509_V_ERR_CERT_REVOKED, "the server's certificate was revoked"),
};
#undef VERIFY

static Err *find_reason(Reason *rows, size_t count, int code, Err *other)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return &rows[i].err;
	return other;
}

/* --- the BIO -------------------------------------------------------------------------------------------------------- */

static Stream *stream_of(Watch *watch)
{
	return CONTAINER(watch, Stream, watch);
}

static int bio_read(BIO *bio, char *into, int cap)
{
	Tls *tls = BIO_get_data(bio);
	Watch *w = tls->watch;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (!w->readable) {
		BIO_set_retry_read(bio);
		return -1;
	}
	do
		n = recv(w->fd, into, (size_t)cap, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		if (n < cap && !w->ended && !w->broken)
			w->readable = false;
	} else if (n == 0) {
		w->ended = tls->eof = true;
		stream_met(stream_of(w), 0);
	} else if (errno == EAGAIN) {
		w->readable = false;
		BIO_set_retry_read(bio);
	} else {
		tls->errnum = errno;
		stream_met(stream_of(w), errno);
	}
	return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len)
{
	Tls *tls = BIO_get_data(bio);
	Watch *w = tls->watch;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (!w->writable) {
		BIO_set_retry_write(bio);
		return -1;
	}
	do
		n = send(w->fd, from, (size_t)len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN) {
		tls->errnum =
			errno; /* stays writable: no edge would end a wait, and OpenSSL forgives some */
		stream_met(stream_of(w), errno);
		return -1;
	}
	stream_of(w)->written += (uint64_t)MAX(n, (ssize_t)0);
	if (n < len)
		w->writable = false;
	if (n < 0)
		BIO_set_retry_write(bio);
	return (int)n;
}

static long bio_ctrl(BIO *bio, int what, long number, void *pointer)
{
	const Tls *tls = BIO_get_data(bio);

	(void)number, (void)pointer;
	if (what == BIO_CTRL_EOF)
		return tls->eof;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;

static void bio_init(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "watch");
	if (!bio_method || !BIO_meth_set_read(bio_method, bio_read) ||
	    !BIO_meth_set_write(bio_method, bio_write) || !BIO_meth_set_ctrl(bio_method, bio_ctrl))
		abort();
}

/* --- contexts ------------------------------------------------------------------------------------------------------- */

void tls_begin(void)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

SSL_CTX *tls_ctx_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") ||
	    !SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384")) {
		fprintf(stderr, "banyan: OpenSSL cannot be used: %s\n", tls_words());
		abort();
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                              SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

const char *tls_words(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());

	return words ? words : "no reason given";
}

TlsContext *tls_ref(TlsContext *context)
{
	__atomic_add_fetch(&context->refs, 1, __ATOMIC_RELAXED);
	return context;
}

void tls_unref(TlsContext *context)
{
	if (context && __atomic_sub_fetch(&context->refs, 1, __ATOMIC_ACQ_REL) == 0)
		context->free(context);
}

/* --- connections ---------------------------------------------------------------------------------------------------- */

Err *tls_attach(Stream *s, TlsContext *context)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	Tls *tls = calloc(1, sizeof *tls);
	BIO *bio;

	pthread_once(&once, bio_init);
	if (!tls)
		return &no_memory;
	tls->context = tls_ref(context);
	tls->watch = &s->watch;
	tls->ssl = SSL_new(context->ssl);
	bio = tls->ssl ? BIO_new(bio_method) : NULL;
	if (!bio) {
		tls_free(tls);
		return &no_memory;
	}
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_app_data(tls->ssl, tls);
	s->tls = tls;
	return NULL;
}

void tls_free(Tls *tls)
{
	if (!tls)
		return;
	if (tls->established && !tls->failed)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	tls_unref(tls->context);
	free(tls->session_key);
	free(tls);
}

/* A reason of OpenSSL's counts before the system's: the alert that follows a failure may fail too. */
static Err *classify(const Tls *tls)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return find_reason(verdicts, COUNT(verdicts), (int)SSL_get_verify_result(tls->ssl),
		                   &unverified);
	if (tls->eof && (reason ? reason == SSL_R_UNEXPECTED_EOF_WHILE_READING : !tls->errnum))
		return tls->established ? &truncated : &ended_early;
	if (!reason && tls->errnum)
		return tls->errnum == EPIPE ? &closed : &reset;
	if (tls->established && reason < SSL_AD_REASON_OFFSET) /* alerts may come late: TLS 1.3 */
		return &bad_protocol;
	return find_reason(reasons, COUNT(reasons), reason,
	                   tls->established ? &bad_protocol : &no_handshake);
}

/* What an SSL call that gave `result` asks for. NULL: a wait, as wants_write says, or the end (eof). */
static Err *take_note(Tls *tls, int result)
{
	int why = SSL_get_error(tls->ssl, result);

	tls->wants_write = why == SSL_ERROR_WANT_WRITE;
	tls->starved = why == SSL_ERROR_WANT_READ;
	if (tls->wants_write || tls->starved)
		return NULL;
	if (why == SSL_ERROR_ZERO_RETURN) {
		tls->eof = true;
		return NULL;
	}
	tls->failed = classify(tls);
	return tls->failed;
}

/* Before every call of OpenSSL. */
static Tls *tls_of(Stream *s)
{
	s->tls->watch = &s->watch;
	s->tls->errnum = 0;
	ERR_clear_error();
	return s->tls;
}

static Err *wait_as_told(Stream *s)
{
	return s->tls->wants_write ? watch_wait_writable(&s->watch)
	                           : watch_wait_readable(&s->watch);
}

Err *tls_handshake(Stream *s)
{
	while (!s->tls->failed && !s->tls->established) {
		Tls *tls = tls_of(s);
		int result = SSL_do_handshake(tls->ssl);

		if (result == 1) {
			tls->established = true;
			tls->starved = tls->wants_write = false;
		} else if (!take_note(tls, result)) {
			tls->failed = tls->eof ? &ended_early : wait_as_told(s);
		}
	}
	return s->tls->failed;
}

Err *tls_try_read(Stream *s, void *into, size_t cap, size_t *got, bool *more)
{
	Tls *tls = tls_of(s);

	*got = 0;
	*more = true;
	if (UNLIKELY(tls->failed != NULL))
		return tls->failed;
	if (SSL_read_ex(tls->ssl, into, cap, got) == 1) {
		tls->starved = tls->wants_write = false;
		return NULL;
	}
	TRY(take_note(tls, 0));
	*more = !tls->eof;
	return NULL;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

/* Where the next bytes to write are: a whole record's worth. The parts themselves are borrowed. */
typedef struct Cursor {
	const struct iovec *part;
	const struct iovec *end;
	size_t at; /* in the part */
} Cursor;

static void cursor_skip(Cursor *c, size_t n)
{
	while (c->part < c->end && n >= c->part->iov_len - c->at) {
		n -= c->part->iov_len - c->at;
		c->part++;
		c->at = 0;
	}
	c->at += n;
}

/* The bytes of one record: as they lie, or small parts put together in `joined`. Empty at the end. */
static Str cursor_record(const Cursor *from, char joined[RECORD_BYTES])
{
	Cursor c = *from;
	size_t len = 0;
	Str here;

	if (c.part == c.end)
		return (Str){ 0 };
	here = (Str){ (const char *)c.part->iov_base + c.at, c.part->iov_len - c.at };
	if (here.len >= RECORD_BYTES || c.part + 1 == c.end)
		return str_sub(here, 0, RECORD_BYTES);
	while (c.part < c.end && len < RECORD_BYTES) {
		size_t n = MIN(c.part->iov_len - c.at, RECORD_BYTES - len);

		memcpy(joined + len, (const char *)c.part->iov_base + c.at, n);
		len += n;
		cursor_skip(&c, n);
	}
	return (Str){ joined, len };
}

/* An SSL_write that was told to try again has encrypted its bytes already; offered again, they lie in the same record,
 * because the cursor starts at the same byte. */
Err *tls_try_writev(Stream *s, const struct iovec *parts, int count, size_t *sent)
{
	static __thread char joined[RECORD_BYTES]; /* never held across a park */
	Cursor cursor = { parts, parts + count, 0 };
	Tls *tls = s->tls;

	*sent = 0;
	if (UNLIKELY(tls->failed != NULL))
		return tls->failed;
	cursor_skip(&cursor, 0); /* over empty parts */
	while (cursor.part < cursor.end) {
		Str record = cursor_record(&cursor, joined);
		size_t n = 0;

		tls_of(s);
		if (SSL_write_ex(tls->ssl, record.at, record.len, &n) != 1)
			return take_note(tls, 0);
		cursor_skip(&cursor, n);
		*sent += n;
	}
	tls->wants_write = false;
	return NULL;
}

bool tls_wants_write(const Stream *s)
{
	return s->tls->wants_write;
}

bool tls_pending(const Stream *s)
{
	const Tls *tls = s->tls;

	return s->watch.readable || tls->failed || tls->eof ||
	       (!tls->starved && SSL_has_pending(tls->ssl));
}

Err *tls_end(Stream *s)
{
	while (s->tls->established && !s->tls->failed &&
	       !(SSL_get_shutdown(s->tls->ssl) & SSL_SENT_SHUTDOWN)) {
		Tls *tls = tls_of(s);
		int result = SSL_shutdown(tls->ssl);

		if (result >= 0)
			break;
		TRY(take_note(tls, result));
		TRY(wait_as_told(s));
	}
	return NULL;
}

/* --- what was agreed ------------------------------------------------------------------------------------------------ */

Str stream_alpn(const Stream *s)
{
	const unsigned char *at = NULL;
	unsigned len = 0;

	if (s->tls)
		SSL_get0_alpn_selected(s->tls->ssl, &at, &len);
	return (Str){ (const char *)at, len };
}

Str stream_sni(const Stream *s)
{
	return s->tls ? str_of(SSL_get_servername(s->tls->ssl, TLSEXT_NAMETYPE_host_name))
	              : (Str){ 0 };
}

bool stream_resumed(const Stream *s)
{
	return s->tls && SSL_session_reused(s->tls->ssl);
}
