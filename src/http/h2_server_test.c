/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_server.c"

#include "unit.h"

#include "base/time.h"
#include "rt/loop.h"

#include <string.h>
#include <unistd.h>

/* The server against a client that says whatever frames a test writes. */
typedef struct Raw {
	Arena *a;
	Stream stream;
	int client;
	H2Server *h2;
	HttpServer *conf;
	Child serving;
	Err *served;
	nghttp2_hd_deflater *deflater;
	Buf out;
	unsigned opened, closed, begun, handled, ended, cancelled, peak, at_work;
	bool hold; /* handlers wait until they are cancelled, or for ever */
	bool deaf; /* and do not mind being cancelled, until let go */
} Raw;

typedef Err *RawTest(Raw *r);
static RawTest *raw_test;
static HttpLimits limits;

static Err *hold(Raw *r)
{
	while (!r->deaf)
		TRY(fiber_park());
	while (r->deaf) {
		AUTO(shield_end) Shield shield = shield_begin(US_PER_S);

		TRY(fiber_yield());
	}
	return NULL;
}

static Err *answer(Exchange *x, Raw *r)
{
	Str piece;

	if (r->hold)
		TRY(hold(r));
	do
		TRY(http_read(x, &piece));
	while (piece.len);
	return http_reply(x, 200, (Str){ 0 }, (Str){ 0 });
}

static Err *no_handler(Exchange *x)
{
	(void)x;
	return NULL;
}

static Err *fail(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain"), str_of(err->slug));
}

static void open_exchange(Exchange *x, void *arg)
{
	Raw *r = arg;

	r->opened++;
	x->arena = arena_new(256 << 10);
	x->server = r->conf;
	x->body_us = limits.body_us;
	x->write_us = limits.write_us;
}

static void close_exchange(Exchange *x, void *arg)
{
	Raw *r = arg;

	(void)x;
	r->closed++;
}

static void serve(Exchange *x, Err *refused, void *arg)
{
	Raw *r = arg;
	Err *err;

	r->begun++;
	r->at_work++;
	r->peak = MAX(r->peak, r->at_work);
	r->handled += !refused;
	err = refused ? refused : answer(x, r);
	r->cancelled += err_is(err, "rt.cancelled");
	if (err && !x->begun && err->kind != ERR_CANCELLED)
		err = fail(x, err);
	r->at_work--;
	r->ended++;
}

static Err *serve_connection(void *arg)
{
	Raw *r = arg;
	bool idle = true;
	Err *err = NULL;

	while (idle && !err) {
		err = h2_serve(r->h2, (Str){ 0 }, &idle);
		if (idle && !err)
			err = stream_wait_readable(&r->stream);
	}
	h2_server_free(TAKE(r->h2));
	r->served = err;
	CHECK_OK(stream_end(&r->stream));
	return NULL;
}

static void raw_open(Raw *r)
{
	const HttpConf conf = { .limits = limits, .handler = no_handler, .fail = fail };
	H2Host host = { &r->stream, &limits, r, open_exchange, close_exchange, serve };
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	CHECK_OK(stream_open(&r->stream, pair[0]));
	r->client = pair[1];
	r->conf = http_server_new(&conf, NULL);
	CHECK_OK(h2_server_new(&host, &r->h2));
	CHECK_INT(nghttp2_hd_deflate_new(&r->deflater, 4096), 0);
	CHECK_OK(child_start(&r->serving, serve_connection, r, "server"));
	r->opened = r->closed = r->begun = r->handled = r->ended = r->cancelled = r->peak = 0;
	r->served = NULL;
}

static void raw_close(Raw *r)
{
	close(r->client);
	CHECK_OK(child_join(&r->serving));
	stream_close(&r->stream);
	nghttp2_hd_deflate_del(r->deflater);
	http_server_unref(r->conf);
	buf_fini(&r->out);
	CHECK_INT(r->at_work, 0);
	CHECK_INT(r->begun, r->ended);
	CHECK_INT(r->opened, r->closed);
}

static Err *raw_main(void *arg)
{
	Raw r = { .a = arg };
	Err *err;

	raw_open(&r);
	err = raw_test(&r);
	raw_close(&r);
	return err;
}

static void with_raw(Arena *a, RawTest *test)
{
	raw_test = test;
	if (!limits.streams)
		limits = http_limits_default();
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, raw_main, a));
}

/* --- frames --------------------------------------------------------------------------------------------------------- */

static void frame(Raw *r, uint8_t type, uint8_t flags, uint32_t id, Str payload)
{
	size_t len = payload.len;
	const char head[9] = { (char)(len >> 16), (char)(len >> 8), (char)len,
		               (char)type,        (char)flags,      (char)(id >> 24),
		               (char)(id >> 16),  (char)(id >> 8),  (char)id };

	buf_put(&r->out, (Str){ head, sizeof head });
	buf_put(&r->out, payload);
}

static void preface(Raw *r)
{
	buf_put(&r->out, S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	frame(r, NGHTTP2_SETTINGS, 0, 0, (Str){ 0 });
}

/* A header block of "name=value~name=value". */
static Str block(Raw *r, Str fields)
{
	uint8_t *into = arena_alloc(r->a, 64 << 10);
	nghttp2_nv nv[64];
	size_t count = 0;
	Str field;
	ssize_t n;

	while (fields.len && str_split(&fields, '~', &field)) {
		ptrdiff_t eq = str_find_char(field, '=');
		Str value = str_sub(field, (size_t)eq + 1, field.len);

		nv[count++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)field.at,
			                    (uint8_t *)(uintptr_t)value.at, (size_t)eq, value.len,
			                    NGHTTP2_NV_FLAG_NONE };
	}
	n = nghttp2_hd_deflate_hd(r->deflater, into, 64 << 10, nv, count);
	CHECK(n >= 0);
	return (Str){ (char *)into, (size_t)n };
}

#define GET ":method=GET~:scheme=https~:authority=a.example~:path=/x?y"
#define POST ":method=POST~:scheme=https~:authority=a.example~:path=/x?y"

enum { END_STREAM = NGHTTP2_FLAG_END_STREAM, END_HEADERS = NGHTTP2_FLAG_END_HEADERS };

static void request(Raw *r, uint32_t id, Str fields, bool end)
{
	frame(r, NGHTTP2_HEADERS, END_HEADERS | (end ? END_STREAM : 0), id, block(r, fields));
}

static void cancel(Raw *r, uint32_t id)
{
	frame(r, NGHTTP2_RST_STREAM, 0, id, S("\0\0\0\x08"));
}

/* Writes what was gathered, as far as the server takes it. */
static Err *say(Raw *r)
{
	while (r->out.len && !r->serving.done) {
		ssize_t n = write(r->client, r->out.at, r->out.len);

		buf_drop(&r->out, n > 0 ? (size_t)n : 0);
		TRY(fiber_yield());
	}
	buf_clear(&r->out);
	return NULL;
}

typedef struct Heard {
	bool ended;
	unsigned
		status; /* of the stream asked for: by its HPACK index, 0 when it was not indexed */
	bool reset;
	uint32_t code; /* of the reset or the GOAWAY */
	bool goaway;
	unsigned refused; /* streams */
} Heard;

static uint32_t number(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void hear_frame(Heard *heard, uint32_t id, const char *head, Str payload)
{
	uint32_t of = number(head + 5);

	switch (head[3]) {
	case NGHTTP2_GOAWAY:
		heard->goaway = true;
		heard->code = number(payload.at + 4);
		break;
	case NGHTTP2_RST_STREAM:
		heard->refused += number(payload.at) == NGHTTP2_REFUSED_STREAM;
		if (of == id) {
			heard->reset = true;
			heard->code = number(payload.at);
		}
		break;
	case NGHTTP2_HEADERS:
		if (of == id)
			heard->status = (unsigned char)payload.at[0];
		break;
	default:
		break;
	}
}

/* Reads until the stream was answered or reset, or the connection ended. */
static Err *hear(Raw *r, uint32_t id, Heard *heard)
{
	AUTO(buf_fini) Buf in = { 0 };

	*heard = (Heard){ 0 };
	while (!heard->ended && !heard->reset && !heard->status && !heard->goaway) {
		char *room = buf_room(&in, 4096);
		ssize_t n = read(r->client, room, 4096);

		heard->ended = n == 0;
		buf_wrote(&in, n > 0 ? (size_t)n : 0);
		while (in.len >= 9 && in.len >= 9 + (number(in.at) >> 8)) {
			size_t len = number(in.at) >> 8;

			hear_frame(heard, id, in.at, (Str){ in.at + 9, len });
			buf_drop(&in, 9 + len);
		}
		TRY(fiber_yield());
	}
	return NULL;
}

enum { STATUS_200 = 0x88 }; /* indexed */

/* --- requests ------------------------------------------------------------------------------------------------------- */

static Err *test_malformed(Raw *r)
{
	static const struct {
		const char *rule;
		Str fields;
		Str data; /* and the end */
		Str trailers;
		bool taken;
	} cases[] = {
		{ "good", S(GET), .taken = true },
		{ "good with a body", S(POST "~content-length=3"), S("abc"), .taken = true },
		{ "good with trailers", S(POST), S("abc"), S("x=y"), .taken = true },
		{ "upper case", S(GET "~X=y") },
		{ "transfer-encoding", S(POST "~transfer-encoding=chunked"), S("0\r\n\r\n") },
		{ "connection", S(GET "~connection=close") },
		{ "CRLF in a value", S(GET "~x=a\r\nb: c") },
		{ "path with a blank",
		  S(":method=GET~:scheme=https~:authority=a~:path=/ HTTP/1.1") },
		{ "host differs", S(GET "~host=b") },
		{ "no path", S(":method=GET~:scheme=https~:authority=a") },
		{ "body longer than said", S(POST "~content-length=2"), S("abc") },
		{ "body shorter than said", S(POST "~content-length=4"), S("abc") },
		{ "pseudo-header in a trailer", S(POST), S("abc"), S(":path=/") },
		{ "upper case in a trailer", S(POST), S("abc"), S("X=y") },
	};

	preface(r);
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t id = (uint32_t)i * 2 + 1;
		Heard heard;

		NOTE("%s", cases[i].rule);
		request(r, id, cases[i].fields, !cases[i].data.len);
		if (cases[i].data.len)
			frame(r, NGHTTP2_DATA, cases[i].trailers.len ? 0 : END_STREAM, id,
			      cases[i].data);
		if (cases[i].trailers.len)
			request(r, id, cases[i].trailers, true);
		TRY(say(r));
		TRY(hear(r, id, &heard));
		CHECK(!heard.goaway && !heard.ended);
		CHECK_INT(heard.status, cases[i].taken ? STATUS_200 : 0);
		CHECK_INT(heard.reset ? heard.code : 0,
		          cases[i].taken ? 0 : NGHTTP2_PROTOCOL_ERROR);
	}
	return NULL;
}

TEST(malformed_requests_get_a_stream_error)
{
	with_raw(a, test_malformed);
}

/* --- abuse ---------------------------------------------------------------------------------------------------------- */

typedef void Deed(Raw *r, uint32_t n);

static void rapid_reset(Raw *r, uint32_t n)
{
	request(r, 2 * n + 1, S(GET), true);
	cancel(r, 2 * n + 1);
}

static void made_you_reset(Raw *r, uint32_t n)
{
	request(r, 2 * n + 1, S(GET), true);
	frame(r, NGHTTP2_WINDOW_UPDATE, 0, 2 * n + 1, S("\x7f\xff\xff\xff")); /* overflows */
}

static void malformed_requests(Raw *r, uint32_t n)
{
	request(r, 2 * n + 1, S(GET "~te=x"), true);
}

static void settings(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, NGHTTP2_SETTINGS, 0, 0, (Str){ 0 });
}

static void ping(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, NGHTTP2_PING, 0, 0, S("12345678"));
}

static void empty_data(Raw *r, uint32_t n)
{
	if (n == 0)
		request(r, 1, S(POST), false);
	frame(r, NGHTTP2_DATA, 0, 1, (Str){ 0 });
}

static void padding_alone(Raw *r, uint32_t n)
{
	if (n == 0)
		request(r, 1, S(POST), false);
	frame(r, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, S("\x02\0\0"));
}

static void answer_to_no_ping(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, S("12345678"));
}

static void unknown_type(Raw *r, uint32_t n)
{
	frame(r, (uint8_t)(0x20 + n % 0xd0), 0xff, n, S("?"));
}

static void priority_update(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, 0x10, 0, 0, S("\0\0\0\1u=1"));
}

static void stray_headers(Raw *r, uint32_t n)
{
	if (n == 0) {
		request(r, 1, S(POST), false);
		cancel(r, 1);
	}
	request(r, 1, S("x=y"), true);
}

static void window_update(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, NGHTTP2_WINDOW_UPDATE, 0, 0, S("\0\0\0\x01"));
}

static void priority(Raw *r, uint32_t n)
{
	frame(r, NGHTTP2_PRIORITY, 0, 2 * n + 1, S("\0\0\0\0\x10"));
}

static void goaway(Raw *r, uint32_t n)
{
	(void)n;
	frame(r, NGHTTP2_GOAWAY, 0, 0, S("\0\0\0\0\0\0\0\0"));
}

static void continuation(Raw *r, uint32_t n)
{
	if (n == 0)
		frame(r, NGHTTP2_HEADERS, END_STREAM, 1, block(r, S(GET)));
	frame(r, NGHTTP2_CONTINUATION, 0, 1, (Str){ 0 });
}

/* One large entry in the table, then a byte for each further copy of it. */
static void hpack_bomb(Raw *r, uint32_t n)
{
	char bytes[2000];

	if (n == 0)
		request(r, 1, str_fmt(r->a, GET "~x-bomb=%02900d", 7), true);
	memset(bytes, 0xbe, sizeof bytes); /* index 62: the newest */
	frame(r, NGHTTP2_HEADERS, END_HEADERS | END_STREAM, 2 * n + 3,
	      (Str){ bytes, sizeof bytes });
}

static Err *test_abuse(Raw *r)
{
	static const struct {
		const char *name;
		Deed *deed;
		unsigned allowed, refused; /* a burst that is put up with, one that is not */
	} cases[] = {
		{ "Rapid Reset", rapid_reset, 400, 700 },
		{ "MadeYouReset", made_you_reset, 80, 200 },
		{ "malformed requests", malformed_requests, 80, 200 },
		{ "SETTINGS", settings, 40, 100 },
		{ "PING", ping, 400, 900 },
		{ "empty DATA", empty_data, 90, 300 },
		{ "DATA of padding", padding_alone, 90, 300 },
		{ "PING's answers", answer_to_no_ping, 400, 900 },
		{ "unknown types", unknown_type, 90, 300 },
		{ "PRIORITY_UPDATE", priority_update, 900, 2000 },
		{ "HEADERS on a stream that is gone", stray_headers, 90, 300 },
		{ "WINDOW_UPDATE", window_update, 1500, 4000 },
		{ "PRIORITY", priority, 900, 2000 },
		{ "GOAWAY", goaway, 0, 300 },
		{ "CONTINUATION", continuation, 0, 200 },
		{ "HPACK bomb", hpack_bomb, 0, 1 },
	};

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		bool refused = i % 2;
		unsigned count = refused ? cases[i / 2].refused : cases[i / 2].allowed;
		Heard heard;

		NOTE("%s, %u", cases[i / 2].name, count);
		raw_close(r);
		raw_open(r);
		preface(r);
		for (uint32_t n = 0; n < count; n++)
			cases[i / 2].deed(r, n);
		TRY(say(r));
		for (unsigned turns = 0; !refused && turns < 20; turns++)
			TRY(fiber_yield());
		if (!refused)
			request(r, 99999, S(GET), true);
		TRY(say(r));
		TRY(hear(r, 99999, &heard));
		if (!refused) {
			CHECK_INT(heard.status, STATUS_200);
			continue;
		}
		CHECK(heard.goaway);
		CHECK_INT(r->peak <= limits.streams, true);
		TRY(child_join(&r->serving));
		CHECK_INT(heard.code, NGHTTP2_ENHANCE_YOUR_CALM);
		CHECK_ERR(r->served, "h2.flood");
	}
	return NULL;
}

TEST(abuse_ends_the_connection)
{
	with_raw(a, test_abuse);
}

static Err *test_good_trailers(Raw *r)
{
	preface(r);
	for (uint32_t id = 1; id < 800; id += 2) {
		Heard heard;

		request(r, id, S(POST), false);
		request(r, id, S("x=y"), true);
		TRY(say(r));
		TRY(hear(r, id, &heard));
		CHECK_INT(heard.status, STATUS_200);
	}
	return NULL;
}

TEST(good_trailers_are_never_too_many)
{
	with_raw(a, test_good_trailers);
}

/* Cancelled handlers that are still at work count: a client cannot get more by resetting. */
static Err *test_live(Raw *r)
{
	Heard heard;

	r->hold = r->deaf = true;
	preface(r);
	for (uint32_t n = 0; n < 40; n++) {
		request(r, 2 * n + 1, S(GET), true);
		TRY(say(r));
		for (unsigned i = 0; i < 10; i++)
			TRY(fiber_yield());
		cancel(r, 2 * n + 1);
	}
	TRY(say(r));
	for (unsigned i = 0; i < 50; i++)
		TRY(fiber_yield());
	CHECK_INT(r->begun, 4);
	CHECK_INT(r->peak, 4);
	r->deaf = r->hold = false;
	while (r->ended < r->begun)
		TRY(fiber_yield());
	request(r, 201, S(GET), true);
	TRY(say(r));
	TRY(hear(r, 201, &heard));
	CHECK_INT(heard.status, STATUS_200);
	CHECK_INT(r->peak, 4);
	return NULL;
}

TEST(a_stream_counts_until_its_handler_has_ended)
{
	limits = http_limits_default();
	limits.streams = 4;
	with_raw(a, test_live);
}

static Err *test_not_begun(Raw *r)
{
	Heard heard;

	preface(r);
	for (uint32_t n = 0; n < 100; n++)
		rapid_reset(r, n);
	request(r, 999, S(GET), true);
	TRY(say(r));
	TRY(hear(r, 999, &heard));
	CHECK_INT(heard.status, STATUS_200);
	CHECK_INT(r->handled, 1);
	return NULL;
}

TEST(what_was_reset_before_it_began_is_not_handled)
{
	limits = http_limits_default();
	with_raw(a, test_not_begun);
}

static Err *test_slow_body(Raw *r)
{
	Heard heard;

	preface(r);
	request(r, 1, S(POST), false);
	TRY(say(r));
	TRY(hear(r, 1, &heard));
	CHECK(heard.status && heard.status != STATUS_200);
	CHECK_INT(r->cancelled, 0);
	return NULL;
}

TEST(a_body_that_does_not_come_is_not_waited_for)
{
	limits = http_limits_default();
	limits.body_us = 20 * US_PER_MS;
	with_raw(a, test_slow_body);
}

static Err *test_not_http2(Raw *r)
{
	buf_put(&r->out, S("GET / HTTP/1.1\r\nHost: a\r\n\r\n and so on"));
	TRY(say(r));
	TRY(child_join(&r->serving));
	CHECK_ERR(r->served, "h2.protocol");
	return NULL;
}

TEST(what_is_not_http2_is_refused)
{
	with_raw(a, test_not_http2);
}
