/* SPDX-License-Identifier: Apache-2.0
 *
 * What is the same for HTTP/1 and HTTP/2: limits on the request's body, the order of an answer's parts, bytes counted,
 * and what becomes of a handler's error. */
#include "http/exchange.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/server_int.h"

static Err body_too_large =
	ERR_STATIC(TOO_LARGE, "http.body_too_large", "the body is larger than this route takes");
static Err body_too_slow = ERR_STATIC(SLOW_CLIENT, "http.slow_body", "the body came too slowly");
static Err no_upgrade = ERR_STATIC(UNSUPPORTED, "http.no_upgrade", "HTTP/2 has no upgrade");

enum { RATE_GRACE_US = 5 * 1000 * 1000 };

void exchange_init(Exchange *x, ServerConn *sc, const ExchangeOps *ops, Arena *arena)
{
	x->ops = ops;
	x->arena = arena;
	x->server = sc->rules->server;
	x->listener_arg = sc->home->listener->arg;
	x->peer = sc->peer;
	x->secure = sc->secure;
	x->stream = &sc->stream;
	x->body_limit = server_conn_conf(sc)->limits.body_bytes;
	x->body_us = server_conn_conf(sc)->limits.body_us;
	x->write_us = server_conn_conf(sc)->limits.write_us;
	x->body_rate = server_conn_conf(sc)->limits.body_rate;
	x->start_us = loop_now_us();
}

static Err *finish(Exchange *x, Err *err)
{
	const HttpConf *conf = http_server_conf(x->server);

	if (err && !x->begun && err->kind != ERR_CANCELLED) {
		AUTO(shield_end) Shield shield = shield_begin(conf->limits.write_us);

		x->close_after = x->close_after || !x->read_all;
		return conf->fail(x, err);
	}
	return !err && x->begun && !x->ended ? http_end(x, NULL) : NULL;
}

Err *exchange_serve(Exchange *x, Err *refused)
{
	const HttpConf *conf = http_server_conf(x->server);
	Err *err = refused;
	Err *unsent;

	if (!err)
		err = conf->handler(x);
	unsent = finish(x, err);
	if (err_is(err ? err : unsent, "http.slow_reader"))
		HTTP_STAT(unread, 1u);
	if (conf->done)
		conf->done(x, err ? err : unsent);
	return err ? err : unsent;
}

/* --- the request ---------------------------------------------------------------------------------------------------- */

static Err *check_body(Exchange *x)
{
	int64_t spent_us = x->body_waited_us;

	if (x->body_limit && x->bytes_in > x->body_limit)
		return &body_too_large;
	if (!x->body_rate || x->read_all)
		return NULL;
	if (spent_us > RATE_GRACE_US && x->bytes_in * US_PER_S < x->body_rate * (uint64_t)spent_us)
		return &body_too_slow;
	return NULL;
}

Err *http_read(Exchange *x, Str *piece)
{
	int64_t begun_us;

	*piece = (Str){ 0 };
	if (x->read_all)
		return NULL;
	if (x->body_limit && x->request.content_length > 0 &&
	    (uint64_t)x->request.content_length > x->body_limit)
		return &body_too_large;
	begun_us = loop_now_us();
	TRY(x->ops->read(x, piece));
	x->body_waited_us +=
		loop_now_us() - begun_us; /* what the server takes is not the client's */
	x->bytes_in += piece->len;
	return check_body(x);
}

const Headers *http_trailers(Exchange *x)
{
	return x->ops->trailers(x);
}

bool http_more(Exchange *x)
{
	return !x->read_all && x->ops->more(x);
}

Err *http_limit_body(Exchange *x, uint64_t bytes)
{
	x->body_limit = bytes;
	return bytes && x->request.content_length > 0 && (uint64_t)x->request.content_length > bytes
	               ? &body_too_large
	               : NULL;
}

void http_limit_pace(Exchange *x, int64_t body_us, int64_t write_us, uint64_t body_rate)
{
	x->body_us = body_us;
	x->write_us = write_us;
	x->body_rate = body_rate;
}

void http_close_after(Exchange *x)
{
	x->close_after = true;
}

void http_keep_on(Exchange *x)
{
	x->keep_on = true;
	if (x->ops->keep_on)
		x->ops->keep_on(x);
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

Err *http_inform(Exchange *x, const Head *head)
{
	return x->ops->inform(x, head);
}

Err *http_begin(Exchange *x, const Head *head)
{
	x->begun = true;
	x->status = head->status;
	x->first_us = loop_now_us();
	x->ended = head->body == HTTP_BODY_NONE || str_eq(x->request.method, S("HEAD"));
	return x->ops->begin(x, head);
}

Err *http_write(Exchange *x, Str piece)
{
	if (!piece.len || x->ended)
		return NULL;
	x->bytes_out += piece.len;
	return x->ops->write(x, piece);
}

Err *http_flush(Exchange *x)
{
	return x->ops->flush(x);
}

Err *http_offer(Exchange *x, Str *piece, int64_t us, bool *waits)
{
	size_t before = piece->len;

	*waits = false;
	if (x->ended) {
		*piece = (Str){ 0 };
		return NULL;
	}
	TRY(x->ops->offer(x, piece, us, waits));
	x->bytes_out += before - piece->len;
	return NULL;
}

Err *http_end(Exchange *x, const Headers *trailers)
{
	if (x->ended)
		return NULL;
	x->ended = true;
	return x->ops->end(x, trailers);
}

Err *http_upgrade(Exchange *x, const Head *head, Stream **stream, Str *early)
{
	if (!x->ops->upgrade)
		return &no_upgrade;
	x->begun = x->ended = x->read_all = true;
	x->status = head->status;
	x->first_us = loop_now_us();
	return x->ops->upgrade(x, head, stream, early);
}

void http_tunnel_begin(Exchange *x, HttpTunnel *tunnel)
{
	x->ops->tunnel(x, tunnel);
}

void http_tunnel_end(HttpTunnel *tunnel)
{
	list_remove(&tunnel->node);
}

Err *http_reply(Exchange *x, unsigned status, Str content_type, Str body)
{
	Head head = { .status = (uint16_t)status,
		      .body = HTTP_BODY_LENGTH,
		      .content_length = (int64_t)body.len };

	if (body.len)
		headers_add(&head.headers, x->arena, S("Content-Type"), content_type);
	else
		head.body = HTTP_BODY_NONE;
	TRY(http_begin(x, &head));
	TRY(http_write(x, body));
	return http_end(x, NULL);
}
