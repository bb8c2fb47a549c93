/* SPDX-License-Identifier: Apache-2.0
 *
 * One request to an admin port, and its answer whole. */
#include "shift/ask.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/client.h"
#include "rt/loop.h"

#define ASK_US (30 * US_PER_S)

enum { ANSWER_MAX = 64 << 20 };

typedef struct Asking {
	Arena *arena;
	Stream stream;
	HttpConn *conn;
	Call call;
	Head answer;
	Buf body;
} Asking;

static void asking_end(Asking *k)
{
	if (k->call.ops)
		call_end(&k->call);
	http_conn_free(k->conn);
	stream_close(&k->stream);
	buf_fini(&k->body);
}

static Err *dial(Asking *k, Str address)
{
	Addr addr;

	TRY(addr_parse(k->arena, address, &addr));
	TRY(stream_connect(&k->stream, &addr));
	return http_conn_new(&k->stream,
	                     &(HttpConnConf){ .head = { .head_bytes = 64 << 10,
	                                                .line_bytes = 8 << 10,
	                                                .headers = 100 } },
	                     &k->conn);
}

static Err *talk(Asking *k, const AskPort *port, Str target, Str body)
{
	Head head = { .version = HTTP_11,
		      .method = body.len ? S("POST") : S("GET"),
		      .target = target,
		      .authority = S("localhost"),
		      .scheme = S("http"),
		      .content_length = -1 };
	Str piece;

	if (body.len) {
		head.body = HTTP_BODY_LENGTH;
		head.content_length = (int64_t)body.len;
		headers_add(&head.headers, k->arena, S("Content-Type"), S("application/json"));
	}
	headers_add(&head.headers, k->arena, S("Accept"), S("application/json"));
	if (port->token.len)
		headers_add(&head.headers, k->arena, S("Authorization"),
		            str_fmt(k->arena, "Bearer %.*s", STR_ARG(port->token)));
	call_begin(&k->call, k->conn, k->arena);
	TRY(call_send(&k->call, &head, body, true));
	do
		TRY(call_receive(&k->call, &k->answer));
	while (k->answer.status < 200);
	do {
		TRY(call_read(&k->call, &piece));
		if (k->body.len + piece.len > ANSWER_MAX)
			return err_new(k->arena, ERR_TOO_LARGE, "shift.admin",
			               "its answer is too large");
		buf_put(&k->body, piece);
	} while (piece.len);
	return NULL;
}

static ErrKind kind_of(unsigned status)
{
	static const struct {
		unsigned status;
		ErrKind kind;
	} rows[] = {
		{ 400, ERR_INVALID },      { 401, ERR_UNAUTHENTICATED },
		{ 403, ERR_DENIED },       { 404, ERR_NOT_FOUND },
		{ 405, ERR_METHOD },       { 409, ERR_CONFLICT },
		{ 412, ERR_PRECONDITION }, { 503, ERR_BUSY },
		{ 504, ERR_TIMEOUT },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].status == status)
			return rows[i].kind;
	return ERR_UPSTREAM;
}

/* A problem document says it in a sentence. */
static Err *refusal(const Asking *k)
{
	Str body = buf_str(&k->body), detail = { 0 };
	const Json *json;

	if (!json_read(k->arena, body, 0, &json) &&
	    (json_to_str(json_get(json, S("detail")), &detail) ||
	     json_to_str(json_get(json, S("title")), &detail)))
		return err_new(k->arena, kind_of(k->answer.status), "shift.admin", "%.*s",
		               STR_ARG(detail));
	return err_new(k->arena, kind_of(k->answer.status), "shift.admin",
	               "the admin port answered %u: %.*s", k->answer.status,
	               STR_ARG(str_trim(str_sub(body, 0, 300))));
}

Err *ask_admin(Arena *a, const AskPort *port, Str target, Str body, Str *out)
{
	AUTO(asking_end) Asking k = { .arena = a, .stream = STREAM_CLOSED };
	AUTO(deadline_end) Deadline limit = deadline_begin(ASK_US);
	Err *err = dial(&k, port->address);

	if (!err)
		err = talk(&k, port, target, body);
	if (err)
		return err_because(a, err, ERR_UPSTREAM, "shift.admin",
		                   "no gateway answers on its admin port %.*s; where it is, say "
		                   "-c FILE (its configuration), --admin or BANYAN_ADMIN",
		                   STR_ARG(port->address));
	if (k.answer.status >= 300)
		return refusal(&k);
	*out = str_dup(a, buf_str(&k.body));
	return NULL;
}
