/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: a connection for it, what is sent, what came back, how long that was, and whether it was right.
 *
 * Connections are a user's own, or, with one target, whichever is free on the loop. One that the server closed while it
 * was idle is not the server's failure: a request that may be repeated goes out once more on a new one, as browsers do,
 * and its time goes on counting. */
#include "load/user_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"

#include <stdlib.h>

enum { REDIRECTS_MAX = 10 };

/* --- connections ---------------------------------------------------------------------------------------------------- */

static void conn_drop(User *u, HttpConn *conn)
{
	http_conn_free(conn);
	u->l->stats.connections--;
}

static void idle_gone(HttpConn *conn, void *arg)
{
	IdleConn *idle = arg;
	RunLoop *l = idle->l;

	list_remove(&idle->node);
	http_conn_free(conn);
	free(idle);
	l->stats.connections--;
}

void idle_close(RunLoop *l)
{
	LIST_EACH (&l->idle, IdleConn, node, idle)
		idle_gone(idle->conn, idle);
}

static HttpConn *idle_take(RunLoop *l)
{
	IdleConn *idle = LIST_TAKE(&l->idle, IdleConn, node);
	HttpConn *conn = idle ? idle->conn : NULL;

	if (conn)
		http_conn_on_close(conn, NULL, NULL);
	free(idle);
	return conn;
}

static void idle_give(RunLoop *l, HttpConn *conn)
{
	IdleConn *idle = calloc(1, sizeof *idle);

	if (!idle)
		abort();
	idle->conn = conn;
	idle->l = l;
	list_push(&l->idle, &idle->node);
	http_conn_on_close(conn, idle_gone, idle);
}

static Err *conn_take(User *u, HttpConn **out)
{
	HttpConn *conn = u->run->conf->shared ? idle_take(u->l) : TAKE(u->conn);

	if (conn && http_conn_usable(conn)) {
		*out = conn;
		return NULL;
	}
	if (conn)
		conn_drop(u, conn);
	TRY(target_connect(u->run->target, u->turn, out));
	u->l->stats.opened++;
	u->l->stats.connections++;
	return NULL;
}

static void conn_give(User *u, HttpConn *conn)
{
	if (!u->run->conf->connections.keep || !http_conn_usable(conn))
		conn_drop(u, conn);
	else if (u->run->conf->shared)
		idle_give(u->l, conn);
	else
		u->conn = conn;
}

/* --- one request ---------------------------------------------------------------------------------------------------- */

LoadFailure talk_failure_of(const Err *err, bool sent)
{
	static const struct {
		const char *slug;
		LoadFailure failure;
	} rows[] = {
		{ "rt.refused", LOAD_REFUSED },      { "rt.no_ports", LOAD_PORTS },
		{ "rt.too_many_files", LOAD_PORTS }, { "rt.deadline", LOAD_TIMEOUT },
		{ "rt.cancelled", LOAD_UNFINISHED }, { "rt.reset", LOAD_RESET },
		{ "rt.closed", LOAD_RESET },         { "http.no_answer", LOAD_RESET },
		{ "http.truncated", LOAD_RESET },    { "h2.reset", LOAD_RESET },
		{ "h2.refused", LOAD_RESET },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (err_is(err, rows[i].slug))
			return rows[i].failure;
	if (str_starts(str_of(err->slug), S("tls.")))
		return LOAD_TLS;
	return sent ? LOAD_PROTOCOL : LOAD_CONNECT;
}

static void free_buf(void *arg)
{
	buf_fini(arg);
}

static Buf *arena_buf(Arena *a)
{
	Buf *b = ARENA_NEW(a, Buf);

	arena_defer(a, free_buf, b);
	return b;
}

static void put_uuid(Buf *out)
{
	uint64_t high = rand_u64(), low = rand_u64();

	buf_fmt(out, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(high >> 32),
	        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
	        (unsigned)(low >> 48 & 0x3fff) | 0x8000u, low & UINT64_C(0xffffffffffff));
}

/* What a step took out of an answer goes before the scenario's own; "people.email" is a column of data,
 * "cookie.sid" what the server set. */
static bool put_named(const User *u, Str name, Buf *out)
{
	const ScenarioConf *conf = u->run->conf;
	ptrdiff_t dot = str_find_char(name, '.');
	Str value = { 0 };

	if (variables_get(&u->variables, name, &value) ||
	    (str_starts(name, S("cookie.")) &&
	     jar_get(&u->jar, str_sub(name, 7, name.len), &value))) {
		buf_put(out, value);
		return true;
	}
	for (size_t i = 0; dot > 0 && i < conf->data.count; i++)
		if (str_eq(conf->data.at[i].name, str_sub(name, 0, (size_t)dot)) &&
		    data_get(&u->run->data[i], u->rows[i], str_sub(name, (size_t)dot + 1, name.len),
		             &value)) {
			buf_put(out, value);
			return true;
		}
	for (size_t i = 0; i < conf->variables.count; i++)
		if (str_eq(conf->variables.at[i].name, name)) {
			buf_put(out, conf->variables.at[i].text);
			return true;
		}
	return false;
}

bool user_look_up(void *arg, Str name, Buf *out)
{
	User *u = arg;

	if (str_eq(name, S("user")))
		buf_put_u64(out, u->number);
	else if (str_eq(name, S("round")))
		buf_put_u64(out, u->round);
	else if (str_eq(name, S("random")))
		buf_put_u64(out, rand_u64() >> 12);
	else if (str_eq(name, S("uuid")))
		put_uuid(out);
	else if (u->run->conf->replay && str_eq(name, S("replay")))
		buf_put(out, u->run->conf->replay->at[u->entry].target);
	else
		return put_named(u, name, out);
	return true;
}

Str user_fill(User *u, Arena *a, const Text *text)
{
	Buf *out = arena_buf(a);

	text_put(out, text, user_look_up, u);
	return buf_str(out);
}

static Str fill_form(User *u, Arena *a, const Step *step)
{
	Buf *out = arena_buf(a);

	for (size_t i = 0; i < step->form_count; i++) {
		buf_put(out, i ? S("&") : S(""));
		text_put_form(out, step->form[i].name, user_look_up, u);
		buf_putc(out, '=');
		text_put_form(out, step->form[i].value, user_look_up, u);
	}
	return buf_str(out);
}

typedef struct Talk {
	User *u;
	const Step *step;
	Arena *arena;
	Sample sample;
	Head request, answer;
	Str body;           /* of the request */
	Buf *content;       /* of the answer, when somebody looks at it */
	Str location;       /* to be followed; empty: none */
	LoadFailure judged; /* of an answer that came */
} Talk;

static void lay_out(Talk *t)
{
	User *u = t->u;
	const Step *step = t->step;
	Head *head = &t->request;

	*head = (Head){ .version = HTTP_11,
		        .method = step->conf->method,
		        .authority = target_authority(u->run->target),
		        .scheme = target_scheme(u->run->target),
		        .content_length = -1 };
	head->target = user_fill(u, t->arena, step->path);
	if (step->body || step->form_count) {
		t->body = step->body ? user_fill(u, t->arena, step->body)
		                     : fill_form(u, t->arena, step);
		head->body = HTTP_BODY_LENGTH;
		head->content_length = (int64_t)t->body.len;
	}
	for (size_t i = 0; i < step->header_count; i++)
		headers_add(&head->headers, t->arena, step->headers[i].name,
		            user_fill(u, t->arena, step->headers[i].text));
	jar_put(&u->jar, t->arena, head);
}

static Err *read_body(Talk *t, Call *call)
{
	Str piece;

	do {
		TRY(call_read(call, &piece));
		t->sample.bytes_in += piece.len;
		if (t->content)
			buf_put(t->content, piece);
	} while (piece.len);
	return NULL;
}

/* Where a redirect leads on this target; empty: nowhere that is followed. */
static Str next_location(const Talk *t)
{
	Str location = headers_get(&t->answer.headers, HTTP_LOCATION);
	Str own = target_authority(t->u->run->target);
	ptrdiff_t authority = str_find(location, S("://"));

	if (!t->step->conf->redirects || t->sample.status / 100 != 3)
		return S("");
	if (authority > 0) {
		location = str_sub(location, (size_t)authority + 3, location.len);
		if (!str_starts(location, own))
			return S("");
		location = str_sub(location, own.len, location.len);
	}
	return location.len && location.at[0] == '/' ? str_dup(t->arena, location) : S("");
}

static LoadFailure judge(Talk *t)
{
	User *u = t->u;
	const CheckConf *check = &t->step->conf->check;
	Answer answer = { .status = t->sample.status, .headers = &t->answer.headers };

	if (t->content)
		answer.body = buf_str(t->content);
	if (t->step->wanted)
		answer.wanted = user_fill(u, t->arena, t->step->wanted);
	if (t->sample.status < check->status_min || t->sample.status > check->status_max)
		return LOAD_STATUS;
	if (check->within_us && t->sample.done_us - t->sample.due_us > check->within_us)
		return LOAD_CHECK;
	if (!seeker_check(t->step->seeker, &answer))
		return LOAD_CHECK;
	return seeker_extract(t->step->seeker, &answer, loop_index(loop_self()), &u->variables)
	               ? LOAD_OK
	               : LOAD_EXTRACT;
}

static Err *speak(Talk *t, HttpConn *conn)
{
	AUTO(call_end) Call call = { 0 };

	call_begin(&call, conn, t->arena);
	t->sample.sent_us = time_mono_us();
	t->sample.bytes_out = t->body.len;
	TRY(call_send(&call, &t->request, t->body, true));
	do
		TRY(call_receive(&call, &t->answer));
	while (t->answer.status < 200);
	t->sample.status = t->answer.status;
	TRY(read_body(t, &call));
	t->sample.done_us = time_mono_us();
	jar_take(&t->u->jar, &t->answer.headers, t->request.target);
	t->location = next_location(t); /* the head's views end with the call */
	t->judged = t->location.len ? LOAD_OK : judge(t);
	return NULL;
}

static Err *try_once(Talk *t, bool *stale)
{
	HttpConn *conn;
	bool reused;
	Err *err;

	TRY(conn_take(t->u, &conn));
	reused = http_conn_calls(conn) > 0;
	err = speak(t, conn);
	*stale = reused && !t->sample.status && http_is_idempotent(t->request.method) &&
	         (err_is(err, "http.no_answer") || err_is(err, "rt.reset") ||
	          err_is(err, "rt.closed"));
	if (err)
		conn_drop(t->u, conn);
	else
		conn_give(t->u, conn);
	return err;
}

static Err *converse(Talk *t)
{
	int64_t own_us = t->step->conf->timeout_us;
	AUTO(deadline_end) Deadline limit =
		deadline_begin(own_us ? own_us : t->u->run->conf->timeout_us);
	bool stale = false;
	Err *err = try_once(t, &stale);

	return stale ? try_once(t, &stale) : err;
}

static void record(Talk *t, const Err *err)
{
	RunLoop *l = t->u->l;
	bool warm = t->sample.due_us <= t->u->run->warm_us;

	if (err || !t->sample.done_us)
		t->sample.done_us = time_mono_us();
	if (err)
		t->sample.failure = talk_failure_of(err, t->sample.sent_us > 0);
	else
		t->sample.failure = t->judged;
	load_stats_record(&l->stats, t->step->conf->index, &t->sample, warm);
}

/* RFC 9110 15.4: what was not GET or HEAD becomes GET, but for 307 and 308. */
static void lay_out_next(Talk *t, Arena *a)
{
	Head *head = &t->request;

	head->target = t->location;
	if (t->sample.status < 307 && !str_eq(head->method, S("HEAD"))) {
		head->method = S("GET");
		head->body = HTTP_BODY_NONE;
		head->content_length = -1;
		t->body = S("");
		headers_remove(&head->headers, HTTP_CONTENT_TYPE);
	}
	headers_remove(&head->headers, HTTP_COOKIE);
	jar_put(&t->u->jar, a, head);
	t->sample = (Sample){ .due_us = t->sample.done_us };
	t->judged = LOAD_OK;
	t->location = S("");
	if (t->content)
		buf_clear(t->content);
}

static Err *exchange(Talk *t)
{
	RunLoop *l = t->u->l;
	Err *err;

	l->stats.in_flight++;
	err = converse(t);
	l->stats.in_flight--;
	record(t, err);
	return err;
}

Err *talk_request(User *u, const Step *step)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Talk talk = { .u = u, .step = step, .arena = a, .sample = { .due_us = u->due_us } };
	unsigned hops = 0;
	Err *err;

	if (seeker_wants_body(step->seeker))
		talk.content = arena_buf(a);
	lay_out(&talk);
	err = exchange(&talk);
	while (talk.location.len && hops++ < REDIRECTS_MAX && !err) {
		lay_out_next(&talk, a);
		err = exchange(&talk);
	}
	return err && err->kind == ERR_CANCELLED && fiber_cancelled() ? err : NULL;
}

void talk_end(User *u)
{
	if (u->conn)
		conn_drop(u, u->conn);
	u->conn = NULL;
}
