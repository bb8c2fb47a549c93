/* SPDX-License-Identifier: Apache-2.0
 *
 * One try to tell a webhook: a connection of its own, as there are few and far between, a POST, and the status of the answer.
 * Its body is read no further than it takes to be polite. What went wrong is told in words that have neither the URL nor what
 * the receiver said: one may hold a password, the other anything. */
#include "shift/webhook_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/client.h"
#include "http/url.h"
#include "rt/dns.h"
#include "rt/work.h"

#include <openssl/evp.h>

#include <inttypes.h>

#define TRY_US (15 * US_PER_S)
#define CONNECT_US (5 * US_PER_S) /* to one address of several */

enum { ANSWER_MAX = 64 << 10 };

typedef struct Sending {
	Webhook *h;
	Arena *arena;
	Stream stream;
	HttpConn *conn;
	Call call;
	Head answer;
} Sending;

static void sending_end(Sending *k)
{
	if (k->call.ops)
		call_end(&k->call);
	http_conn_free(k->conn);
	stream_close(&k->stream);
}

/* --- a connection --------------------------------------------------------------------------------------------------------- */

typedef struct TrustWork {
	Arena *arena;
	const Webhook *h;
	TlsContext *tls;
	Err *err;
} TrustWork;

static void trust_work(void *arg)
{
	TrustWork *work = arg;
	TlsClientConf conf = { .ca = work->h->conf.ca, .verify = true };

	work->err = tls_client_new(work->arena, &conf, &work->tls);
}

/* By a worker: authorities are files. */
static Err *need_trust(Sending *k)
{
	TrustWork work = { .arena = k->arena, .h = k->h };

	if (!k->h->url.tls || k->h->tls)
		return NULL;
	TRY(work_run(trust_work, &work));
	TRY(work.err);
	k->h->tls = work.tls;
	return NULL;
}

static Err *connect_one(Sending *k, const Addr *addr)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(CONNECT_US);

	stream_close(&k->stream);
	return stream_connect(&k->stream, addr);
}

static Err *dial(Sending *k)
{
	Err *err = NULL;
	Addr *addrs;
	size_t count;

	TRY(need_trust(k));
	TRY(dns_resolve(k->arena, k->h->url.host, k->h->url.port, &addrs, &count));
	for (size_t i = 0; i < count; i++) {
		err = connect_one(k, &addrs[i]);
		if (!err || err->kind == ERR_CANCELLED)
			break;
	}
	TRY(err);
	if (k->h->url.tls)
		TRY(stream_tls_connect(&k->stream, k->h->tls, k->h->url.host));
	return http_conn_new(&k->stream,
	                     &(HttpConnConf){ .head = { .head_bytes = 32 << 10,
	                                                .line_bytes = 8 << 10,
	                                                .headers = 100 } },
	                     &k->conn);
}

/* --- the request ---------------------------------------------------------------------------------------------------------- */

/* "user:password" as basic authentication has it. */
static Err *add_login(Sending *k, Headers *headers)
{
	Str login = k->h->url.login, decoded;
	unsigned char *text;
	int len;

	if (!login.len)
		return NULL;
	TRY(url_decode(k->arena, login, &decoded));
	if (str_find_char(login, ':') < 0)
		decoded = str_fmt(k->arena, "%.*s:", STR_ARG(decoded));
	text = ARENA_ARRAY(k->arena, unsigned char, decoded.len / 3 * 4 + 8);
	len = EVP_EncodeBlock(text, (const unsigned char *)decoded.at, (int)decoded.len);
	headers_add(headers, k->arena, S("Authorization"),
	            str_fmt(k->arena, "Basic %.*s", len, (const char *)text));
	return NULL;
}

static void add_signature(Sending *k, Headers *headers, Str id, Str body)
{
	int64_t seconds = time_utc_us() / US_PER_S;

	headers_add(headers, k->arena, S("webhook-id"), id);
	headers_add(headers, k->arena, S("webhook-timestamp"),
	            str_fmt(k->arena, "%" PRId64, seconds));
	if (k->h->key_bytes)
		headers_add(headers, k->arena, S("webhook-signature"),
		            webhook_sign(k->arena, k->h->key, k->h->key_bytes, id, seconds, body));
}

static Err *post(Sending *k, Str id, Str body)
{
	Head head = { .version = HTTP_11,
		      .method = S("POST"),
		      .target = k->h->url.target,
		      .authority = k->h->url.authority,
		      .scheme = k->h->url.tls ? S("https") : S("http"),
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)body.len };
	size_t got = 0;
	Str piece;

	headers_add(&head.headers, k->arena, S("Content-Type"), S("application/json"));
	headers_add(&head.headers, k->arena, S("User-Agent"), S("Banyan"));
	add_signature(k, &head.headers, id, body);
	TRY(add_login(k, &head.headers));
	call_begin(&k->call, k->conn, k->arena);
	TRY(call_send(&k->call, &head, body, true));
	do
		TRY(call_receive(&k->call, &k->answer));
	while (k->answer.status < 200);
	do {
		if (call_read(&k->call, &piece)) /* it has said what counts */
			return NULL;
		got += piece.len;
	} while (piece.len && got < ANSWER_MAX);
	return NULL;
}

static Err *attempt(Sending *k, Str subject, const BookEntry *entry)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(TRY_US);
	Str body;

	TRY(webhook_body(k->arena, (WebhookFormat)k->h->conf.format, subject, entry, k->h->gateway,
	                 &body));
	TRY(dial(k));
	return post(k, webhook_id(k->arena, subject, entry), body);
}

/* --- what came of it ------------------------------------------------------------------------------------------------------ */

static WebhookResult result_of(unsigned status)
{
	return status < 300 ? WEBHOOK_DELIVERED : status == 410 ? WEBHOOK_GONE : WEBHOOK_REFUSED;
}

Err *webhook_send(Webhook *h, Arena *a, Str subject, const BookEntry *entry, WebhookResult *result,
                  Str *why)
{
	AUTO(sending_end) Sending k = { .h = h, .arena = a, .stream = STREAM_CLOSED };
	Err *err = attempt(&k, subject, entry);

	*why = (Str){ 0 };
	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err) {
		*result = err_is(err, "tls.verify") ? WEBHOOK_UNVERIFIED : WEBHOOK_FAILED;
		*why = err_chain(a, err);
		return NULL;
	}
	*result = result_of(k.answer.status);
	if (*result != WEBHOOK_DELIVERED)
		*why = str_fmt(a, "it answered %u", k.answer.status);
	return NULL;
}
