/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_body.c"
#include "unit.h"

#include "base/arena.h"

#include <stdlib.h>

typedef struct BodyCase {
	const char *name;
	Str bytes;
	const char *slug; /* NULL: good; "more": not wrong, not done */
	const char *data;
	size_t after; /* bytes behind the body */
} BodyCase;

typedef struct Decoded {
	const char *slug;
	Str data;
	size_t used;
} Decoded;

static const char more[] = "more";

/* Gives bytes in pieces: `first`, then `step` each, each in memory of its size. */
static Decoded decode(Arena *a, H1Body *body, Str bytes, size_t first, size_t step)
{
	Decoded out = { .data = S("") };
	size_t end = first;

	for (size_t at = 0; at < bytes.len && !body->done && !out.slug;
	     end = MIN(end + step, bytes.len)) {
		Str some = str_sub(bytes, at, end);
		char *exact = malloc(some.len + 1);
		size_t used;
		Str piece;
		Err *err;

		memcpy(exact + 1, some.at, some.len);
		err = h1_body_next(body, (Str){ exact + 1, some.len }, &used, &piece);
		if (err)
			out.slug = err->slug;
		else
			out.data = str_fmt(a, "%.*s%.*s", STR_ARG(out.data), STR_ARG(piece));
		CHECK(used <= some.len);
		CHECK(err || used || !some.len);
		at += used;
		out.used = at;
		free(exact);
	}
	if (!out.slug && !body->done)
		out.slug = more;
	return out;
}

static Decoded decode_chunked(Arena *a, Str bytes, size_t first, size_t step)
{
	H1Body body;
	Decoded out;

	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	out = decode(a, &body, bytes, first, step);
	h1_body_fini(&body);
	return out;
}

static const BodyCase chunks[] = {
	{ "none", S("0\r\n\r\n"), NULL, "", 0 },
	{ "one", S("5\r\nhello\r\n0\r\n\r\n"), NULL, "hello", 0 },
	{ "what follows is not the body's", S("5\r\nhello\r\n0\r\n\r\nGET"), NULL, "hello", 3 },
	{ "three", S("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), NULL, "abcdef", 0 },
	{ "hexadecimal, any case", S("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"), NULL,
	  "01234567890123456789a", 0 },
	{ "zeros before", S("00005\r\nhello\r\n000\r\n\r\n"), NULL, "hello", 0 },
	{ "15 digits", S("000000000000005\r\nhello\r\n0\r\n\r\n"), NULL, "hello", 0 },
	{ "data that looks like framing", S("7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n"), NULL, "0\r\n\r\n0\r",
	  0 },
	{ "extension", S("1;a\r\nx\r\n0;b=c;d\r\n\r\n"), NULL, "x", 0 },
	{ "extension with blanks", S("1 ;\ta = b\t; c\r\nx\r\n0\r\n\r\n"), NULL, "x", 0 },
	{ "quoted extension", S("1;a=\"b; =c\\\"\\\\\xc3\xa9\"\r\nx\r\n0;a=\"\"\r\n\r\n"), NULL,
	  "x", 0 },
	{ "trailer", S("1\r\nx\r\n0\r\nX-Sum: 7\r\nX-B:\r\n\r\n"), NULL, "x", 0 },
	{ "no size", S("\r\n"), "http.chunk", "", 0 },
	{ "size with plus", S("+1\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "size with minus", S("-1\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "size with 0x", S("0x1\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "size with an underscore", S("1_0\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "size with a letter", S("1g\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "blank before the size", S(" 1\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "blank after the size", S("1 \r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "16 digits", S("0000000000000005\r\nhello\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "a size that wraps", S("10000000000000005\r\nhello\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "bare LF after the size", S("1\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "bare CR after the size", S("1\rx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "CR before the extension", S("1\r;a\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "data is longer", S("1\r\nxy\r\n0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "data is shorter", S("3\r\nx\r\n0\r\n\r\n"), "http.chunk", "x\r\n", 0 },
	{ "bare LF after data", S("1\r\nx\n0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "bare CR after data", S("1\r\nx\r0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "two bytes that are not CRLF after data", S("1\r\nxAB0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "CR and another byte after data", S("1\r\nx\rZ0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "CR and another byte after the size", S("1\rZx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "CR and another byte after the last size", S("0\rZ\r\n"), "http.chunk", "", 0 },
	{ "nothing after data", S("1\r\nx0\r\n\r\n"), "http.chunk", "x", 0 },
	{ "extension without a name", S("1;\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "extension without a value", S("1;a=\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "extension that begins with its value", S("1;=a\r\nx\r\n0\r\n\r\n"), "http.chunk", "",
	  0 },
	{ "blanks end the extension", S("1;a \r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "blanks end the value", S("1;a=b \r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "LF in the extension", S("1;a\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "CR in the extension", S("1;a\rb\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "CRLF in quotes", S("1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "LF in quotes", S("1;a=\"\n\"\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "escaped CR in quotes", S("1;a=\"\\\r\"\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "NUL in the extension", S("1;a\0\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "text after quotes", S("1;a=\"b\"c\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "a comma for an extension", S("1,a\r\nx\r\n0\r\n\r\n"), "http.chunk", "", 0 },
	{ "the end without its line", S("0\r\nX"), more, "", 0 },
	{ "a cut size", S("5"), more, "", 0 },
	{ "a cut body", S("5\r\nhel"), more, "hel", 0 },
	{ "a cut end", S("5\r\nhello\r\n0\r\n\r"), more, "hello", 0 },
	{ "bare LF ends", S("0\r\n\n"), "http.chunk", "", 0 },
	{ "bare LF after the last size", S("0\n\r\n"), "http.chunk", "", 0 },
	{ "bare CR ends", S("0\r\n\rx"), "http.chunk", "", 0 },
	{ "trailer line without a colon", S("0\r\nX\r\n\r\n"), "http.chunk", "", 0 },
	{ "trailer line that is folded", S("0\r\nX: y\r\n z\r\n\r\n"), "http.chunk", "", 0 },
	{ "trailer with a blank before the colon", S("0\r\nX : y\r\n\r\n"), "http.chunk", "", 0 },
	{ "trailer with a bare LF", S("0\r\nX: y\n\r\n"), "http.chunk", "", 0 },
	{ "trailer with a bare CR", S("0\r\nX: y\rz\r\n\r\n"), "http.chunk", "", 0 },
	{ "trailer with NUL", S("0\r\nX: \0\r\n\r\n"), "http.chunk", "", 0 },
};

TEST(h1_body_chunks_however_they_are_cut)
{
	for (size_t i = 0; i < COUNT(chunks); i++) {
		const BodyCase *want = &chunks[i];

		for (size_t cut = 0; cut <= want->bytes.len; cut++) {
			bool slowly = cut == want->bytes.len;
			Decoded got = decode_chunked(a, want->bytes, slowly ? 1 : cut,
			                             slowly ? 1 : want->bytes.len);

			NOTE("%s, cut at %zu", want->name, cut);
			CHECK_STR(str_of(got.slug), str_of(want->slug));
			if (want->slug && want->slug != more)
				continue; /* how much came out before it was wrong depends on the cut */
			CHECK_STR(got.data, str_of(want->data));
			CHECK_INT(want->bytes.len - got.used, want->after);
		}
	}
}

TEST(h1_body_the_last_piece_comes_with_the_end)
{
	H1Body body;
	size_t used;
	Str piece;

	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	CHECK_OK(h1_body_next(&body, S("5\r\nhello\r\n0\r\n\r\n"), &used, &piece));
	CHECK_STR(piece, S("hello"));
	CHECK_INT(used, 15);
	CHECK(body.done);
	CHECK_OK(h1_body_next(&body, S("GET"), &used, &piece));
	CHECK_INT(used, 0);
	CHECK_OK(h1_body_eof(&body));
	h1_body_fini(&body);
}

TEST(h1_body_extensions_are_limited_over_all_chunks)
{
	Buf bytes = { 0 };

	for (unsigned i = 0; i < EXTENSION_MAX / 4; i++)
		buf_put(&bytes, S("1;abc\r\nx\r\n"));
	CHECK_STR(str_of(decode_chunked(a, buf_str(&bytes), bytes.len, 1).slug), str_of(more));
	buf_put(&bytes, S("1;a\r\nx\r\n"));
	CHECK_STR(str_of(decode_chunked(a, buf_str(&bytes), bytes.len, 1).slug), S("http.chunk"));
	CHECK_STR(str_of(decode_chunked(a, buf_str(&bytes), 1, 1).slug), S("http.chunk"));
	buf_fini(&bytes);
}

TEST(h1_body_trailers_are_limited)
{
	Buf bytes = { 0 };

	buf_put(&bytes, S("0\r\n"));
	while (bytes.len < TRAILER_MAX + 2)
		buf_put(&bytes, S("X: 0123456789\r\n"));
	buf_put(&bytes, S("\r\n"));
	CHECK_STR(str_of(decode_chunked(a, buf_str(&bytes), bytes.len, 1).slug), S("http.trailer"));
	CHECK_STR(str_of(decode_chunked(a, buf_str(&bytes), 0, 10).slug), S("http.trailer"));
	buf_fini(&bytes);
}

TEST(h1_body_trailers_that_change_the_message_are_dropped)
{
	static const Str dropped[] = {
		S("Transfer-Encoding: chunked"),
		S("Content-Length: 5"),
		S("Host: h"),
		S("Connection: close"),
		S("Authorization: x"),
		S("Cookie: x"),
		S("Set-Cookie: x"),
		S("Content-Type: x"),
		S("Content-Anything: x"),
		S("Trailer: x"),
		S("TE: x"),
		S("Expect: x"),
		S("Cache-Control: x"),
		S("Location: x"),
		S("X-Forwarded-For: x"),
		S("X-Forwarded-Other: x"),
		S("X_Forwarded_For: x"),
		S("Range: x"),
		S("If-Match: x"),
		S("www-authenticate: x"),
		S("Vary: x"),
		S("Proxy-Authorization: x"),
		S("Upgrade: x"),
		S("Via: x"),
		S("Age: 1"),
		S("Max-Forwards: 1"),
	};
	H1Body body;
	Headers found;
	Buf bytes = { 0 };

	buf_put(&bytes, S("0\r\nX-Sum:  7 \r\n"));
	for (size_t i = 0; i < COUNT(dropped); i++)
		buf_fmt(&bytes, "%.*s\r\n", STR_ARG(dropped[i]));
	buf_put(&bytes, S("grpc-status: 0\r\nDate: x\r\n\r\n"));
	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	CHECK_NULL(decode(a, &body, buf_str(&bytes), 0, 7).slug);
	CHECK_OK(h1_trailers(&body, a, &found));
	h1_body_fini(&body);
	buf_fini(&bytes);
	CHECK_INT(found.count, 3);
	CHECK_STR(headers_get_name(&found, S("x-sum")), S("7"));
	CHECK_STR(headers_get_name(&found, S("grpc-status")), S("0"));
	CHECK_STR(headers_get(&found, HTTP_DATE), S("x"));
}

TEST(h1_body_too_many_trailers)
{
	H1Body body;
	Headers found = { 0 };
	Buf bytes = { 0 };

	buf_put(&bytes, S("0\r\n"));
	for (unsigned i = 0; i < TRAILER_LINES_MAX + 1; i++)
		buf_put(&bytes, S("a:\r\n"));
	buf_put(&bytes, S("\r\n"));
	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	CHECK_NULL(decode(a, &body, buf_str(&bytes), bytes.len, 1).slug);
	CHECK_ERR(h1_trailers(&body, a, &found), "http.trailer");
	h1_body_fini(&body);
	buf_fini(&bytes);
}

TEST(h1_body_kinds)
{
	static const struct {
		const char *name;
		HttpBody kind;
		int64_t length;
		Str bytes;
		const char *slug;
		const char *data;
		size_t used;
		bool eof; /* the stream may end after it */
	} cases[] = {
		{ "none", HTTP_BODY_NONE, -1, S("GET"), NULL, "", 0, true },
		{ "none, whatever was said", HTTP_BODY_NONE, 5, S("GET"), NULL, "", 0, true },
		{ "length", HTTP_BODY_LENGTH, 5, S("helloGET"), NULL, "hello", 5, true },
		{ "length of nothing", HTTP_BODY_LENGTH, 0, S("GET"), NULL, "", 0, true },
		{ "length, cut", HTTP_BODY_LENGTH, 5, S("hel"), more, "hel", 3, false },
		{ "the longest", HTTP_BODY_LENGTH, INT64_MAX, S("hello"), more, "hello", 5, false },
		{ "close", HTTP_BODY_CLOSE, -1, S("hello"), more, "hello", 5, true },
		{ "chunked, cut", HTTP_BODY_CHUNKED, -1, S("5\r\nhel"), more, "hel", 6, false },
		{ "chunked without its last line", HTTP_BODY_CHUNKED, -1, S("0\r\n"), more, "", 3,
		  false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t step = 1; step <= cases[i].bytes.len; step++) {
			H1Body body;
			Decoded got;

			NOTE("%s by %zu", cases[i].name, step);
			h1_body_init(&body, cases[i].kind, cases[i].length);
			got = decode(a, &body, cases[i].bytes, step, step);
			CHECK_STR(str_of(got.slug), str_of(cases[i].slug));
			CHECK_STR(got.data, str_of(cases[i].data));
			CHECK_INT(got.used, cases[i].used);
			CHECK_ERR(h1_body_eof(&body), cases[i].eof ? NULL : "http.truncated");
			CHECK_INT(body.done, cases[i].eof);
			h1_body_fini(&body);
		}
	}
}

TEST(h1_body_stays_refused)
{
	H1Body body;
	size_t used;
	Str piece;

	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	CHECK_ERR(h1_body_next(&body, S("x"), &used, &piece), "http.chunk");
	CHECK_ERR(h1_body_next(&body, S("0\r\n\r\n"), &used, &piece), "http.chunk");
	h1_body_fini(&body);
}
