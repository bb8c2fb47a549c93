/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a request of the intake. It has memory of its own, beside the request's arena, which is small: a body of four megabytes is
 * some twenty as values. All bodies together may hold so much; beyond that a request is told to come again. */
#include "analytics/batch.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/decode.h"
#include "http/exchange.h"
#include "http/server.h"
#include "rt/work.h"

enum {
	BODIES_MOST = 64 << 20, /* bytes of all requests at work */
	ARENA_MOST = 160 << 20, /* of one, which is only a fuse: a body has its limit */
	HERE_BYTES = 64 << 10   /* a larger body is read on a worker */
};

static size_t bodies; /* atomic: bytes held by all */

/* --- the body ---------------------------------------------------------------------------------------------------------- */

static Err *hold(Batch *b, size_t bytes)
{
	size_t before = __atomic_fetch_add(&bodies, bytes, __ATOMIC_RELAXED);

	b->held += bytes;
	if (before + bytes > BODIES_MOST)
		return err_new(b->call->arena, ERR_BUSY, "analytics.busy",
		               "too many bytes of events are at work");
	return NULL;
}

static void free_buf(void *arg)
{
	buf_fini(arg);
}

static Err *read_raw(Batch *b, Str *out)
{
	ServiceCall *c = b->call;
	uint64_t most = b->service->conf->body_most;
	Buf *buf = ARENA_NEW(b->arena, Buf);
	Str piece;

	arena_defer(b->arena, free_buf, buf);
	TRY(http_limit_body(c->x, most));
	do {
		TRY(http_read(c->x, &piece));
		TRY(hold(b, piece.len));
		buf_put(buf, piece);
	} while (piece.len);
	*out = buf_str(buf);
	return NULL;
}

typedef struct Opening {
	Str coding, raw;
	uint64_t most;
	Buf *out;
	HttpDecoded how;
} Opening;

static void open_body(void *arg)
{
	Opening *o = arg;

	o->how = http_decode(o->coding, o->raw, o->most, o->out);
}

/* gzip may come without its name: pages send it so, for a header would ask the server first. */
static Str coding_of(const Batch *b, Str raw)
{
	Str coding = service_header(b->call, "Content-Encoding");

	if (!coding.len && raw.len > 2 && (uint8_t)raw.at[0] == 0x1f && (uint8_t)raw.at[1] == 0x8b)
		return S("gzip");
	return coding;
}

static Err *open_coding(Batch *b, Str raw)
{
	Opening o = { .coding = coding_of(b, raw),
		      .raw = raw,
		      .most = b->service->conf->body_most,
		      .out = ARENA_NEW(b->arena, Buf) };
	Arena *a = b->call->arena;

	if (!o.coding.len) {
		b->body = raw;
		return NULL;
	}
	arena_defer(b->arena, free_buf, o.out);
	TRY(work_run(open_body, &o));
	TRY(hold(b, o.out->len));
	if (o.how == HTTP_DECODED_CUT)
		return err_new(a, ERR_TOO_LARGE, "http.body_too_large",
		               "the body is larger than %" PRIu64 " bytes", o.most);
	if (o.how != HTTP_DECODED)
		return err_new(a, ERR_INVALID, "request.coding", "the body does not open as %.*s",
		               STR_ARG(str_quote(a, o.coding)));
	b->body = buf_str(o.out);
	return NULL;
}

Err *batch_begin(ServiceCall *c, const char *source, Batch *out)
{
	Analytics *s = analytics_of(c->home);
	Str raw;

	*out = (Batch){ .call = c, .service = s, .source = source, .arena = arena_new(ARENA_MOST) };
	out->limits = (HitLimits){ .now_ms = time_utc_us() / 1000,
		                   .past_ms = s->conf->past_us / 1000,
		                   .future_ms = s->conf->future_us / 1000 };
	out->hidden = str_eq(service_header(c, "Sec-GPC"), S("1")) ||
	              str_eq(service_header(c, "DNT"), S("1"));
	TRY(read_raw(out, &raw));
	return open_coding(out, raw);
}

void batch_end(Batch *b)
{
	__atomic_sub_fetch(&bodies, b->held, __ATOMIC_RELAXED);
	b->held = 0;
	arena_free(b->arena);
	b->arena = NULL;
}

typedef struct Reading {
	Batch *batch;
	BatchRead *fn;
	Err *err;
} Reading;

static void read_there(void *arg)
{
	Reading *r = arg;

	r->err = r->fn(r->batch);
}

Err *batch_read(Batch *b, BatchRead *fn)
{
	Reading r = { b, fn, NULL };

	if (b->body.len <= HERE_BYTES)
		read_there(&r);
	else
		TRY(work_run(read_there, &r));
	if (!r.err && arena_spent(b->arena))
		return err_new(b->call->arena, ERR_TOO_LARGE, "http.body_too_large",
		               "the body takes more memory than it may");
	return r.err ? err_copy(b->call->arena, r.err) : NULL;
}
