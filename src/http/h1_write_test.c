/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_write.c"
#include "unit.h"

#include "base/arena.h"

static Headers lines(Arena *a, const char *text)
{
	Headers headers = { 0 };
	Str rest = str_of(text);
	Str line;

	while (rest.len && str_split(&rest, '|', &line)) {
		Str name;

		str_split(&line, '=', &name);
		headers_add(&headers, a, name, line);
	}
	return headers;
}

typedef struct WriteCase {
	const char *name;
	Head head;
	const char *headers; /* "name=value|..." */
	bool close;
	Str want;
} WriteCase;

#define TO \
	.method = { "GET", 3 }, .target = { "/", 1 }, .authority = { "h", 1 }, .version = HTTP_11, \
	.content_length = -1
#define POST_TO \
	.target = { "/", 1 }, .authority = { "h", 1 }, .version = HTTP_11, .method = { "POST", 4 }

static const WriteCase requests[] = {
	{ "the least", { TO }, "", false, S("GET / HTTP/1.1\r\nHost: h\r\n\r\n") },
	{ "order and case are kept, Host is first",
	  { TO },
	  "b=1|HOST=other|A=|B=2",
	  false,
	  S("GET / HTTP/1.1\r\nHost: h\r\nb: 1\r\nA: \r\nB: 2\r\n\r\n") },
	{ "framing is ours",
	  { TO },
	  "Content-Length=5|transfer-encoding=chunked|Connection=x|Upgrade=y|X=z",
	  false,
	  S("GET / HTTP/1.1\r\nHost: h\r\nX: z\r\n\r\n") },
	{ "close", { TO }, "", true, S("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") },
	{ "length",
	  { POST_TO, .body = HTTP_BODY_LENGTH, .content_length = 1234567890123 },
	  "",
	  false,
	  S("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1234567890123\r\n\r\n") },
	{ "chunked",
	  { POST_TO, .body = HTTP_BODY_CHUNKED, .content_length = -1 },
	  "",
	  false,
	  S("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") },
	{ "POST without a body says so",
	  { POST_TO, .content_length = -1 },
	  "",
	  false,
	  S("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") },
	{ "upgrade",
	  { TO, .upgrade = { "websocket", 9 } },
	  "Upgrade=other|Connection=upgrade|A=b",
	  false,
	  S("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n") },
	{ "TE is named",
	  { TO },
	  "TE=trailers",
	  true,
	  S("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n") },
	{ "all options",
	  { TO, .upgrade = { "x", 1 } },
	  "te=trailers",
	  true,
	  S("GET / HTTP/1.1\r\nHost: h\r\nte: trailers\r\nUpgrade: x\r\nConnection: upgrade, TE, close\r\n\r\n") },
	{ "no authority",
	  { .method = { "GET", 3 },
	    .target = { "/", 1 },
	    .version = HTTP_10,
	    .content_length = -1 },
	  "",
	  true,
	  S("GET / HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n") },
};

static const WriteCase responses[] = {
	{ "nothing",
	  { .version = HTTP_11, .status = 200 },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ "nothing, length not said",
	  { .version = HTTP_11, .status = 404, .content_length = -1 },
	  "",
	  false,
	  S("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") },
	{ "order, case and Host are kept",
	  { .version = HTTP_11, .status = 200 },
	  "b=1|Host=x|A=2|content-length=7",
	  false,
	  S("HTTP/1.1 200 OK\r\nb: 1\r\nHost: x\r\nA: 2\r\nContent-Length: 0\r\n\r\n") },
	{ "length",
	  { .version = HTTP_11, .status = 200, .body = HTTP_BODY_LENGTH, .content_length = 5 },
	  "",
	  true,
	  S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n") },
	{ "chunked",
	  { .version = HTTP_11, .status = 200, .body = HTTP_BODY_CHUNKED },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") },
	{ "close-delimited always closes",
	  { .version = HTTP_11, .status = 200, .body = HTTP_BODY_CLOSE },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") },
	{ "to 1.0, kept open",
	  { .version = HTTP_10, .status = 200 },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n") },
	{ "to 1.0, closed",
	  { .version = HTTP_10, .status = 200, .body = HTTP_BODY_CLOSE },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") },
	{ "204",
	  { .version = HTTP_11, .status = 204, .content_length = 5 },
	  "",
	  false,
	  S("HTTP/1.1 204 No Content\r\n\r\n") },
	{ "204 is never chunked",
	  { .version = HTTP_11, .status = 204, .body = HTTP_BODY_CHUNKED },
	  "",
	  false,
	  S("HTTP/1.1 204 No Content\r\n\r\n") },
	{ "304 keeps its length",
	  { .version = HTTP_11, .status = 304, .content_length = 5 },
	  "",
	  false,
	  S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n") },
	{ "304 without one",
	  { .version = HTTP_11, .status = 304 },
	  "",
	  false,
	  S("HTTP/1.1 304 Not Modified\r\n\r\n") },
	{ "HEAD keeps its length",
	  { .version = HTTP_11, .status = 200, .method = { "HEAD", 4 }, .content_length = 5 },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") },
	{ "HEAD without one",
	  { .version = HTTP_11, .status = 200, .method = { "HEAD", 4 }, .content_length = -1 },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\n\r\n") },
	{ "a tunnel",
	  { .version = HTTP_11, .status = 200, .method = { "CONNECT", 7 } },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\n\r\n") },
	{ "103",
	  { .version = HTTP_11, .status = 103 },
	  "Link=x",
	  false,
	  S("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") },
	{ "101",
	  { .version = HTTP_11, .status = 101, .upgrade = { "websocket", 9 } },
	  "Upgrade=x",
	  false,
	  S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n") },
	{ "own reason",
	  { .version = HTTP_11, .status = 200, .reason = { "Fine, thanks", 12 } },
	  "",
	  false,
	  S("HTTP/1.1 200 Fine, thanks\r\nContent-Length: 0\r\n\r\n") },
	{ "a reason that would split the head",
	  { .version = HTTP_11, .status = 200, .reason = { "OK\r\nX: y", 8 } },
	  "",
	  false,
	  S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") },
	{ "a status without a name",
	  { .version = HTTP_11, .status = 299 },
	  "",
	  false,
	  S("HTTP/1.1 299 Status\r\nContent-Length: 0\r\n\r\n") },
};

static void check_all(Arena *a, const WriteCase *cases, size_t count, bool request)
{
	for (size_t i = 0; i < count; i++) {
		Head head = cases[i].head;
		AUTO(buf_fini) Buf out = { 0 };

		NOTE("%s", cases[i].name);
		head.headers = lines(a, cases[i].headers);
		if (request)
			h1_put_request(&out, &head, cases[i].close);
		else
			h1_put_response(&out, &head, cases[i].close);
		CHECK_STR(buf_str(&out), cases[i].want);
	}
}

TEST(h1_write_requests)
{
	check_all(a, requests, COUNT(requests), true);
}

TEST(h1_write_responses)
{
	check_all(a, responses, COUNT(responses), false);
}

/* The short copies: every length, from memory that ends where the text ends. */
TEST(h1_write_texts_of_every_length)
{
	for (size_t len = 0; len <= 100; len++) {
		AUTO(buf_fini) Buf out = { 0 };
		Head head = { .method = S("GET"), .target = S("/"), .authority = S("h") };
		char *text = arena_alloc_raw(a, len + 1);
		Str want;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + i % 26);
		headers_add(&head.headers, a, (Str){ text, len }, (Str){ text, len });
		want = str_fmt(a, "GET / HTTP/1.1\r\nHost: h\r\n%.*s: %.*s\r\n\r\n", (int)len, text,
		               (int)len, text);
		h1_put_request(&out, &head, false);
		CHECK_STR(buf_str(&out), want);
	}
}

/* The room that is taken is enough for the longest of everything: ASan sees if not. */
TEST(h1_write_the_most_of_everything)
{
	AUTO(buf_fini) Buf out = { 0 };
	Head head = { .method = S("POST"),
		      .target = S("/"),
		      .authority = S("h"),
		      .version = HTTP_10,
		      .body = HTTP_BODY_LENGTH,
		      .content_length = INT64_MAX,
		      .upgrade = S("x"),
		      .status = 511 };
	size_t request;

	headers_add(&head.headers, a, S("TE"), S("x"));
	h1_put_request(&out, &head, false);
	request = out.len;
	CHECK(request < head.upgrade.len + FRAMING_MAX);
	h1_put_response(&out, &head, false);
	CHECK(out.len - request < http_reason(511).len + FRAMING_MAX);
}

TEST(h1_write_a_full_buffer_takes_no_part_of_a_head)
{
	AUTO(buf_fini) Buf out = { .limit = 20 };
	Head head = { .status = 200 };
	Str text;

	h1_put_response(&out, &head, false);
	h1_put_request(&out, &head, false);
	h1_put_last_chunk(&out, NULL);
	CHECK_INT(out.len, 0);
	CHECK_ERR(buf_done(&out, &text), "base.buffer_full");
}

TEST(h1_write_chunks)
{
	AUTO(buf_fini) Buf out = { 0 };
	Headers trailers = lines(a, "X-Sum=7|b=");

	h1_put_chunk_start(&out, 0x1a2b);
	buf_put(&out, S("..."));
	h1_put_last_chunk(&out, NULL);
	h1_put_last_chunk(&out, &trailers);
	CHECK_STR(buf_str(&out), S("1a2b\r\n...0\r\n\r\n0\r\nX-Sum: 7\r\nb: \r\n\r\n"));
}
