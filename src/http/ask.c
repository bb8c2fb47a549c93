/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking: a conversation on a connection of the pool, and whether it may be had again.
 *
 * A kept connection may be closed by its server at any moment, also the one in which a request goes out on it. Such a request is
 * sent again, on a new connection, when it is proved that no server has begun with it: no byte of it was written, the peer's kernel
 * has refused all of them, HTTP/2's GOAWAY or REFUSED_STREAM said so. Without a proof only what may be repeated is. On a new
 * connection nothing is tried twice: who asks has a schedule of his own for that. */
#include "base/arena.h"
#include "base/time.h"
#include "http/ask_int.h"
#include "http/conditional.h"
#include "http/trace.h"

#include <string.h>

enum { BODY_MOST = 1 << 20, ATTEMPTS = 3, DAY_S = 86400 };
#define TIMEOUT_US (10 * US_PER_S)

static Err late = ERR_STATIC(TIMEOUT, "ask.timeout", "the answer did not come in time");
static Err too_large = ERR_STATIC(UPSTREAM, "ask.too_large", "the answer is too large");
static Err odd = ERR_STATIC(UPSTREAM, "ask.answer", "the server switched protocols");
static Err bad_header = ERR_STATIC(INVALID, "ask.header", "a header's name or value is none");

/* --- what is counted ---------------------------------------------------------------------------------------------------- */

enum { M_REQUESTS, M_SECONDS, M_OPENED, M_AGAIN };
static const MetricFamily families[] = {
	[M_REQUESTS] = { "banyan_ask_requests_total",
	                 METRIC_COUNTER,
	                 "requests",
	                 "Requests that were sent to other servers, by what came of them: the class of the status, timeout, "
	                 "unsent (nothing can have happened) or broken",
	                 { "client", "result" } },
	[M_SECONDS] = { "banyan_ask_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time of a request to another server, whole",
	                { "client" } },
	[M_OPENED] = { "banyan_ask_connections_total",
	               METRIC_COUNTER,
	               "connections",
	               "Connections that were made for that",
	               { "client" } },
	[M_AGAIN] = { "banyan_ask_again_total",
	              METRIC_COUNTER,
	              "requests",
	              "Requests that were sent again, as the connection was closed before anybody began with them",
	              { "client" } },
};

enum { R_TIMEOUT = 5, R_UNSENT, R_BROKEN };
static const char *const results[ASK_RESULTS] = { "1xx", "2xx",     "3xx",    "4xx",
	                                          "5xx", "timeout", "unsent", "broken" };

const MetricFamily *ask_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void ask_cells_take(AskClient *client)
{
	Str labels[2] = { str_of(client->conf.name) };

	metrics_add(families, COUNT(families));
	for (size_t i = 0; i < ASK_RESULTS; i++) {
		labels[1] = str_of(results[i]);
		client->results[i] = metric_cell(&families[M_REQUESTS], labels, 2);
	}
	client->seconds = metric_cell(&families[M_SECONDS], labels, 1);
	client->opened = metric_cell(&families[M_OPENED], labels, 1);
	client->again = metric_cell(&families[M_AGAIN], labels, 1);
}

void ask_cells_free(AskClient *client)
{
	for (size_t i = 0; i < ASK_RESULTS; i++)
		metric_cell_free(client->results[i]);
	metric_cell_free(client->seconds);
	metric_cell_free(client->opened);
	metric_cell_free(client->again);
}

static void count(const AskClient *client, const Err *err, const AskAnswer *out, int64_t start_us)
{
	size_t i = MIN(MAX(out->status / 100, 1U), 5U) - 1;

	if (err)
		i = !out->sent ? R_UNSENT : err->kind == ERR_TIMEOUT ? R_TIMEOUT : R_BROKEN;
	metric_add(client->results[i], 1);
	metric_observe_us(client->seconds, time_mono_us() - start_us);
}

/* --- what is sent ------------------------------------------------------------------------------------------------------- */

typedef struct Talk {
	AskClient *client;
	Arena *arena;
	const Ask *what;
	AskUrl url;
	Head head;
	bool repeatable;
	AskAnswer *out;
} Talk;

static bool is_value(Str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.at[i] < ' ' && value.at[i] != '\t') ||
		    value.at[i] == 0x7f)
			return false;
	return true;
}

static bool is_ours(HeaderId id)
{
	return id == HTTP_HOST || id == HTTP_CONTENT_LENGTH || id == HTTP_CONNECTION ||
	       id == HTTP_KEEP_ALIVE || id == HTTP_TRANSFER_ENCODING || id == HTTP_UPGRADE ||
	       id == HTTP_TE || id == HTTP_TRAILER || id == HTTP_EXPECT;
}

static Err *put_headers(Talk *talk)
{
	const Headers *more = &talk->what->headers;
	Headers *into = &talk->head.headers;

	for (uint32_t i = 0; i < more->count; i++) {
		HeaderId id = header_id(more->at[i].name);

		if (!http_is_token(more->at[i].name) || !is_value(more->at[i].value) || is_ours(id))
			return &bad_header;
		headers_add(into, talk->arena, more->at[i].name, more->at[i].value);
	}
	if (talk->what->body.len && !headers_find(into, HTTP_CONTENT_TYPE))
		headers_add_id(into, talk->arena, HTTP_CONTENT_TYPE,
		               talk->what->type.len ? talk->what->type : S("application/json"));
	if (!headers_find(into, HTTP_USER_AGENT))
		headers_add_id(into, talk->arena, HTTP_USER_AGENT, S("Banyan"));
	if (!headers_find(into, HTTP_ACCEPT))
		headers_add_id(into, talk->arena, HTTP_ACCEPT, S("*/*"));
	return NULL;
}

static void put_trace(Talk *talk)
{
	char text[TRACE_TEXT];
	Trace before, own;

	if (!trace_read(talk->what->traceparent, &before))
		return;
	trace_write(text, &before, 0, &own);
	talk->out->traceparent = str_dup(talk->arena, (Str){ text, sizeof text });
	headers_add_id(&talk->head.headers, talk->arena, HTTP_TRACEPARENT, talk->out->traceparent);
}

static Err *make_head(Talk *talk)
{
	const Ask *what = talk->what;
	Str method = what->method.len ? what->method : what->body.len ? S("POST") : S("GET");
	bool reads = str_eq(method, S("GET")) || str_eq(method, S("HEAD"));
	const char *mistake = ask_url_read(talk->arena, what->url, &talk->url);

	if (mistake)
		return err_new(talk->arena, ERR_INVALID, "ask.url", "%s", mistake);
	if (!http_is_token(method))
		return &bad_header;
	talk->repeatable = what->repeatable || reads;
	talk->head = (Head){ .version = HTTP_11,
		             .method = method,
		             .target = talk->url.target,
		             .authority = talk->url.authority,
		             .scheme = talk->url.tls ? S("https") : S("http"),
		             .content_length = -1 };
	if (what->body.len ||
	    (!reads && !str_eq(method, S("DELETE")) && !str_eq(method, S("OPTIONS")))) {
		talk->head.body = HTTP_BODY_LENGTH;
		talk->head.content_length = (int64_t)what->body.len;
	}
	TRY(put_headers(talk));
	put_trace(talk);
	return NULL;
}

/* --- what comes --------------------------------------------------------------------------------------------------------- */

static void copy_headers(Arena *a, const Headers *from, Headers *to)
{
	for (uint32_t i = 0; i < from->count; i++)
		headers_add(to, a, str_dup(a, from->at[i].name), str_dup(a, from->at[i].value));
}

static Err *pass_body(const Talk *talk, Call *call)
{
	Str piece;

	for (;;) {
		TRY(call_read(call, &piece));
		if (!piece.len)
			return NULL;
		TRY(talk->what->piece(talk->what->arg, piece));
	}
}

static Err *take_body(const Talk *talk, Call *call)
{
	size_t most = talk->what->body_max ? talk->what->body_max : BODY_MOST;
	AUTO(buf_fini) Buf body = { 0 };
	Str piece;

	do {
		TRY(call_read(call, &piece));
		if (body.len + piece.len > most)
			return &too_large;
		buf_put(&body, piece);
	} while (piece.len);
	talk->out->body = str_dup(talk->arena, buf_str(&body));
	return NULL;
}

static Err *receive(const Talk *talk, Call *call)
{
	AskAnswer *out = talk->out;
	Head head;

	do {
		TRY(call_receive(call, &head));
		if (head.status == 101)
			return &odd;
	} while (head.status < 200);
	out->status = head.status;
	copy_headers(talk->arena, &head.headers, &out->headers);
	if (talk->what->head)
		talk->what->head(talk->what->arg, out->status, &out->headers);
	return talk->what->piece ? pass_body(talk, call) : take_body(talk, call);
}

/* --- a conversation ----------------------------------------------------------------------------------------------------- */

static Err *converse(const Talk *talk, Call *call, bool reused, bool *again)
{
	AskAnswer *out = talk->out;
	Err *err = call_send(call, &talk->head, talk->what->body, true);

	/* A server may answer and close before it has read everything. */
	if (!err || (err->kind == ERR_CLOSED && call->sent))
		err = receive(talk, call);
	out->sent = call->sent;
	out->answered = call->answered;
	if (!err || err->kind != ERR_CLOSED || call->answered)
		return err;
	out->sent = call->sent && !(reused && call_untouched(call, false));
	*again = reused && (!out->sent || talk->repeatable);
	return err;
}

static Err *attempt(const Talk *talk, bool fresh, bool *again)
{
	AskWish wish = { .arena = talk->arena,
		         .url = &talk->url,
		         .via = talk->what->via,
		         .fresh = fresh,
		         .safe = talk->repeatable };
	AUTO(ask_link_givep) AskLink *link = NULL;
	AUTO(call_end) Call call = { 0 };

	*again = false;
	TRY(ask_link_take(talk->client, &wish, &link));
	talk->out->reused = ask_link_reused(link);
	talk->out->address = str_dup(talk->arena, str_of(ask_link_address(link)));
	call_begin(&call, ask_link_conn(link), talk->arena);
	return converse(talk, &call, talk->out->reused, again);
}

static Err *try_all(const Talk *talk)
{
	bool again = false;
	Err *err = NULL;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		err = attempt(talk, i > 0, &again);
		if (!again)
			return err;
		metric_add(talk->client->again, 1);
	}
	return err;
}

Err *ask(AskClient *client, Arena *a, const Ask *what, AskAnswer *out)
{
	Talk talk = { .client = client, .arena = a, .what = what, .out = out };
	int64_t start_us = time_mono_us(), outer_us = deadline_at();
	AUTO(deadline_end)
	Deadline limit = deadline_begin(what->timeout_us ? what->timeout_us : TIMEOUT_US);
	bool own = deadline_at() < outer_us;
	Err *err;

	*out = (AskAnswer){ 0 };
	TRY(make_head(&talk));
	err = try_all(&talk);
	if (own && err_is(err, "rt.deadline"))
		err = &late;
	count(client, err, out, start_us);
	return err;
}

/* --- reading it --------------------------------------------------------------------------------------------------------- */

Str ask_header(const AskAnswer *answer, const char *name)
{
	return headers_get_name(&answer->headers, str_of(name));
}

int64_t ask_retry_after_us(const AskAnswer *answer)
{
	Str text = ask_header(answer, "Retry-After");
	int64_t at_s, left_s = 0;
	uint64_t seconds;

	if (str_to_u64(text, &seconds))
		left_s = (int64_t)MIN(seconds, (uint64_t)DAY_S);
	else if (http_date_read(text, &at_s))
		left_s = MIN(MAX(at_s - time_utc_us() / US_PER_S, (int64_t)0), (int64_t)DAY_S);
	return left_s * US_PER_S;
}
