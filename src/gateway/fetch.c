/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching. A connection of an upstream's pool that was closed while it was idle is nobody's failure, so the question is put
 * once more on a new one; there are no other retries, as whoever asks has a time of its own for that. */
#include "gateway/fetch.h"

#include "base/arena.h"
#include "gateway/upstream.h"
#include "http/client.h"
#include "rt/dns.h"
#include "rt/tls.h"

enum { INFORMS_MAX = 32 };

static Err late = ERR_STATIC(TIMEOUT, "fetch.timeout", "the answer did not come in time");
static Err too_large = ERR_STATIC(UPSTREAM, "fetch.too_large", "the answer is too large");
static Err odd = ERR_STATIC(UPSTREAM, "fetch.answer",
                            "the server switched protocols, or only ever informed");
static Err address = ERR_STATIC(INVALID, "fetch.address", "that is no address of HTTP");

Err *fetch_place(Arena *a, Str url, Str ca, FetchPlace *out)
{
	FetchPlace place = { 0 };

	if (webhook_url_read(a, url, &place.url))
		return &address;
	if (place.url.tls)
		TRY(tls_client_new(a, &(TlsClientConf){ .ca = ca, .verify = true }, &place.tls));
	*out = place;
	return NULL;
}

Err *fetch_place_service(Arena *a, Str at, bool tls, const char *target, FetchPlace *out)
{
	bool is_unix = str_starts(at, S("unix:"));

	TRY(fetch_place(a,
	                str_fmt(a, "%s://%.*s%s", tls ? "https" : "http",
	                        STR_ARG(is_unix ? S("service") : at), target),
	                S(""), out));
	if (is_unix)
		out->unix_at = at;
	return NULL;
}

void fetch_place_fini(FetchPlace *place)
{
	tls_unref(TAKE(place->tls));
	upstream_unref(TAKE(place->up));
}

/* --- one conversation --------------------------------------------------------------------------------------------------- */

typedef struct Talk {
	Arena *arena;
	const FetchPlace *place;
	const FetchAsk *ask;
	FetchAnswer *out;
} Talk;

static void copy_headers(Arena *a, const Headers *from, Headers *to)
{
	for (uint32_t i = 0; i < from->count; i++)
		headers_add(to, a, str_dup(a, from->at[i].name), str_dup(a, from->at[i].value));
}

static Err *read_body(const Talk *talk, Call *call)
{
	AUTO(buf_fini) Buf body = { 0 };
	Str piece;

	do {
		TRY(call_read(call, &piece));
		if (body.len + piece.len > talk->ask->body_max)
			return &too_large;
		buf_put(&body, piece);
	} while (piece.len);
	talk->out->body = str_dup(talk->arena, buf_str(&body));
	return NULL;
}

static Err *converse(const Talk *talk, Call *call, Str authority)
{
	const WebhookUrl *url = &talk->place->url;
	Head head = { .version = HTTP_11,
		      .method = talk->ask->method.len ? talk->ask->method : S("GET"),
		      .target = talk->ask->target.len ? talk->ask->target : url->target,
		      .authority = talk->ask->authority.len ? talk->ask->authority : authority,
		      .scheme = url->tls ? S("https") : S("http"),
		      .headers = talk->ask->headers,
		      .content_length = -1 };

	if (talk->ask->body.len) {
		head.body = HTTP_BODY_LENGTH;
		head.content_length = (int64_t)talk->ask->body.len;
	}
	TRY(call_send(call, &head, talk->ask->body, true));
	for (unsigned count = 0;; count++) {
		TRY(call_receive(call, &head));
		if (head.status >= 200)
			break;
		if (head.status == 101 || count == INFORMS_MAX)
			return &odd;
	}
	*talk->out = (FetchAnswer){ .status = head.status };
	copy_headers(talk->arena, &head.headers, &talk->out->headers);
	return read_body(talk, call);
}

/* --- to an address ------------------------------------------------------------------------------------------------------ */

static void conn_freep(HttpConn **conn)
{
	http_conn_free(*conn);
}

static Err *dial(const Talk *talk, Stream *stream)
{
	const WebhookUrl *url = &talk->place->url;
	Err *err = NULL;
	Addr unix_addr, *addrs = &unix_addr;
	size_t count = 1;

	if (talk->place->unix_at.len)
		TRY(addr_parse(talk->arena, talk->place->unix_at, &unix_addr));
	else
		TRY(dns_resolve(talk->arena, url->host, url->port, &addrs, &count));
	for (size_t i = 0; i < count; i++) {
		stream_close(stream);
		err = stream_connect(stream, &addrs[i]);
		if (!err || err->kind == ERR_CANCELLED || err_is(err, "rt.deadline"))
			break;
	}
	TRY(err);
	return talk->place->tls ? stream_tls_connect(stream, talk->place->tls, url->host) : NULL;
}

static Err *ask_address(const Talk *talk)
{
	const HttpConnConf conf = { .head = { .head_bytes = 32 << 10,
		                              .line_bytes = 8 << 10,
		                              .headers = 100,
		                              .underscores = true } };
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	AUTO(conn_freep) HttpConn *conn = NULL;
	AUTO(call_end) Call call = { 0 };

	TRY(dial(talk, &stream));
	TRY(http_conn_new(&stream, &conf, &conn));
	call_begin(&call, conn, talk->arena);
	return converse(talk, &call, talk->place->url.authority);
}

/* --- to an upstream ----------------------------------------------------------------------------------------------------- */

static Err *ask_upstream(const Talk *talk, bool fresh, bool *stale)
{
	Upstream *up = talk->place->up;
	LeaseAsk wish = { .arena = talk->arena,
		          .connect_us = upstream_conf(up)->timeouts.connect_us,
		          .fresh = fresh };
	AUTO(lease_end) Lease lease = { 0 };
	AUTO(call_end) Call call = { 0 };
	Err *err;

	TRY(lease_take(up, &wish, &lease));
	call_begin(&call, lease.conn, talk->arena);
	err = converse(talk, &call, lease_authority(&lease));
	*stale = err && err->kind == ERR_CLOSED && lease.reused && !call.answered && !fresh;
	if (*stale)
		lease_stale(&lease);
	return err;
}

Err *fetch_ask(Arena *a, const FetchPlace *place, const FetchAsk *ask, FetchAnswer *out)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ask->timeout_us);
	const Talk talk = { a, place, ask, out };
	bool stale = false;
	Err *err;

	if (!place->up)
		err = ask_address(&talk);
	else
		err = ask_upstream(&talk, false, &stale);
	if (stale)
		err = ask_upstream(&talk, true, &stale);
	return err_is(err, "rt.deadline") ? &late : err;
}
