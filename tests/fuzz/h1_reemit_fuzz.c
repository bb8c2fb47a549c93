/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole messages on one connection, as a gateway sees them: parsed, written anew, parsed again. The first byte says whether
 * they are requests or answers to which method, and whether a chunked body that is whole gets a length; the second how long
 * our own chunks are. Then, for every message up to the first fault,
 *   - what is written holds no CR or LF but in pairs, is framed once, and has one Host if it is a request, and
 *   - what is read of all that was written are the same messages: as many, with the same lines, bodies and trailers. */
#include "base/arena.h"
#include "fuzz/h1_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGES_MAX = 16 };

typedef struct Plan {
	H1Limits limits;
	bool response;
	bool whole; /* a body gets a length */
	Str method;
	size_t step;
} Plan;

typedef struct Message {
	Head head;
	Str body;
	Headers trailers;
} Message;

typedef struct Conversation {
	Message at[MESSAGES_MAX];
	size_t count;
	size_t used;
} Conversation;

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "h1_reemit_fuzz: %s\n", what);
	abort();
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static bool read_head(Arena *a, const Plan *plan, Str bytes, Head *head, size_t *used)
{
	AUTO(h1_fini) H1Parser p;
	Err *err;

	h1_init(&p, plan->response);
	err = plan->response
	              ? h1_parse_response(&p, a, &plan->limits, plan->method, bytes, head, used)
	              : h1_parse_request(&p, a, &plan->limits, bytes, head, used);
	return !err && *used;
}

static bool read_body(Arena *a, Message *m, Str bytes, size_t *used)
{
	AUTO(buf_fini) Buf all = { 0 };
	AUTO(h1_body_fini) H1Body body;
	Err *err = NULL;

	h1_body_init(&body, m->head.body, m->head.content_length);
	for (*used = 0; !err && !body.done && *used < bytes.len;) {
		size_t taken;
		Str piece;

		err = h1_body_next(&body, str_sub(bytes, *used, bytes.len), &taken, &piece);
		buf_put(&all, piece);
		*used += taken;
	}
	if (!err && !body.done)
		err = h1_body_eof(&body);
	if (!err)
		err = h1_trailers(&body, a, &m->trailers);
	m->body = str_dup(a, buf_str(&all));
	return !err;
}

static void converse(Arena *a, const Plan *plan, Str bytes, Conversation *c)
{
	*c = (Conversation){ 0 };
	while (c->count < MESSAGES_MAX && c->used < bytes.len) {
		Message *m = &c->at[c->count];
		Str rest = str_sub(bytes, c->used, bytes.len);
		size_t head;
		size_t body;

		if (!read_head(a, plan, rest, &m->head, &head) ||
		    !read_body(a, m, str_sub(rest, head, rest.len), &body))
			return;
		c->count++;
		c->used += head + body;
		if (m->head.upgrade.len || str_eq(m->head.method, S("CONNECT")))
			return; /* what follows may be a tunnel's */
	}
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static void put_body(Buf *out, const Plan *plan, const Message *m)
{
	if (m->head.body != HTTP_BODY_CHUNKED) {
		buf_put(out, m->body);
		return;
	}
	for (size_t at = 0; at < m->body.len; at += plan->step) {
		Str piece = str_sub(m->body, at, at + plan->step);

		h1_put_chunk_start(out, piece.len);
		buf_put(out, piece);
		buf_put(out, S("\r\n"));
	}
	h1_put_last_chunk(out, &m->trailers);
}

static bool is_named(Str line, Str name)
{
	return str_eq_nocase(str_sub(line, 0, name.len), name) && line.len > name.len &&
	       line.at[name.len] == ':';
}

static void must_be_framed_once(const Plan *plan, Str head)
{
	unsigned framings = 0;
	unsigned hosts = 0;
	Str line;

	for (size_t i = 0; i < head.len; i++) {
		bool after_cr = i && head.at[i - 1] == '\r';

		must((head.at[i] == '\n') == after_cr, "CR or LF alone");
	}
	while (str_split(&head, '\n', &line)) {
		framings += is_named(line, S("Content-Length")) ||
		            is_named(line, S("Transfer-Encoding"));
		hosts += is_named(line, S("Host"));
	}
	must(framings <= 1, "framed twice");
	must(plan->response || hosts == 1, "not one Host");
}

static void put_message(Buf *out, const Plan *plan, Message *m)
{
	size_t before = out->len;

	if (plan->whole && m->head.body == HTTP_BODY_CHUNKED && !m->trailers.count) {
		m->head.body = HTTP_BODY_LENGTH;
		m->head.content_length = (int64_t)m->body.len;
	}
	if (!plan->response && !m->head.authority.len)
		m->head.authority = S("none");
	if (plan->response)
		h1_put_response(out, &m->head, !m->head.keep_alive);
	else
		h1_put_request(out, &m->head, !m->head.keep_alive);
	must_be_framed_once(plan, str_sub(buf_str(out), before, out->len));
	put_body(out, plan, m);
}

/* --- the same? ------------------------------------------------------------------------------------------------------ */

static void must_be_the_same_fields(const Headers *x, const Headers *y)
{
	uint32_t i = 0;
	uint32_t j = 0;

	for (;;) {
		const Header *one = next(x, &i);
		const Header *two = next(y, &j);

		must(!one == !two, "a field more or less");
		if (!one)
			return;
		must(str_eq(one->name, two->name) && str_eq(one->value, two->value),
		     "another field");
	}
}

static void must_be_the_same(const Message *x, const Message *y)
{
	must(str_eq(x->head.method, y->head.method), "another method");
	must(str_eq(x->head.target, y->head.target), "another target");
	must(str_eq(x->head.authority, y->head.authority), "another host");
	must(x->head.status == y->head.status, "another status");
	must(str_eq(x->body, y->body), "another body");
	must_be_the_same_fields(&x->head.headers, &y->head.headers);
	must_be_the_same_fields(&x->trailers, &y->trailers);
}

static void check(Arena *a, Plan *plan, Str bytes)
{
	AUTO(buf_fini) Buf out = { 0 };
	Conversation sent;
	Conversation back;

	converse(a, plan, bytes, &sent);
	for (size_t i = 0; i < sent.count; i++)
		put_message(&out, plan, &sent.at[i]);
	plan->limits.head_bytes = plan->limits.line_bytes = 1 << 20;
	plan->limits.headers = 1000;
	converse(a, plan, buf_str(&out), &back);
	must(back.count == sent.count && back.used == out.len, "more or fewer messages");
	for (size_t i = 0; i < sent.count; i++)
		must_be_the_same(&sent.at[i], &back.at[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Plan plan;
	Arena *a;

	if (size < 3)
		return 0;
	plan = (Plan){
		.limits = usual_limits(data[0]),
		.response = data[0] & 1,
		.method = method_of(data[0]),
		.whole = data[0] & 16,
		.step = 1 + (size_t)data[1],
	};
	a = arena_new(0);
	check(a, &plan, (Str){ (const char *)data + 2, size - 2 });
	arena_free(a);
	return 0;
}
