/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1.c"
#include "unit.h"

/* One row per rule of RFC 9110 and 9112 about heads. Every row is parsed whole, cut at each place, and byte by byte: the
 * outcome must be the same. */
typedef struct HeadCase {
	const char *name;
	Str bytes;
	const char *slug; /* NULL: it is good, and this is what it says: */
	const char *says;
} HeadCase;

static const H1Limits usual = { .head_bytes = 32768, .line_bytes = 8192, .headers = 100 };

static const char *const bodies[] = {
	[HTTP_BODY_NONE] = "none",
	[HTTP_BODY_LENGTH] = "length",
	[HTTP_BODY_CHUNKED] = "chunked",
	[HTTP_BODY_CLOSE] = "close",
};

static Str say(Arena *a, const Head *head)
{
	Str authority = head->authority.at ? head->authority : S("");
	Str said = head->status
	                   ? str_fmt(a, "%d %u \"%.*s\"", head->version, head->status,
	                             STR_ARG(head->reason))
	                   : str_fmt(a, "%d %.*s %.*s @%.*s", head->version, STR_ARG(head->method),
	                             STR_ARG(head->target), STR_ARG(authority));

	if (head->scheme.len)
		said = str_fmt(a, "%.*s %.*s:", STR_ARG(said), STR_ARG(head->scheme));
	said = str_fmt(a, "%.*s %s", STR_ARG(said), bodies[head->body]);
	if (head->content_length >= 0)
		said = str_fmt(a, "%.*s=%" PRId64, STR_ARG(said), head->content_length);
	if (head->keep_alive)
		said = str_fmt(a, "%.*s keep", STR_ARG(said));
	if (head->expect_continue)
		said = str_fmt(a, "%.*s expect", STR_ARG(said));
	if (head->upgrade.len)
		said = str_fmt(a, "%.*s upgrade=%.*s", STR_ARG(said), STR_ARG(head->upgrade));
	for (uint32_t i = 0; i < head->headers.count; i++) {
		const Header *header = &head->headers.at[i];

		CHECK_INT(header->id, header_id(header->name));
		if (header->id == HTTP_OTHER)
			said = str_fmt(a, "%.*s [%.*s|%.*s]", STR_ARG(said), STR_ARG(header->name),
			               STR_ARG(header->value));
	}
	return said;
}

/* Parses what is there in memory of exactly that size, as a connection's buffer that moves between calls. */
static Err *parse_some(H1Parser *p, Arena *a, const H1Limits *limits, const Str *method, Str bytes,
                       Head *head, size_t *used)
{
	char *exact = malloc(bytes.len ? bytes.len : 1);
	Str moved = { exact, bytes.len };
	Err *err;

	if (bytes.len)
		memcpy(exact, bytes.at, bytes.len);
	arena_defer(a, free, exact);
	if (method)
		err = h1_parse_response(p, a, limits, *method, moved, head, used);
	else
		err = h1_parse_request(p, a, limits, moved, head, used);
	return err;
}

typedef struct Outcome {
	const char *slug;
	Str said;
	size_t used;
} Outcome;

/* In calls with `first`, then `step` bytes more each. */
static Outcome parse(Arena *a, const H1Limits *limits, const Str *method, Str bytes, size_t first,
                     size_t step)
{
	AUTO(h1_fini) H1Parser p;
	Outcome out = { 0 };
	Head head;

	h1_init(&p, method != NULL);
	for (size_t len = first; !out.used && !out.slug; len += step) {
		Err *err =
			parse_some(&p, a, limits, method, str_sub(bytes, 0, len), &head, &out.used);

		if (err)
			out.slug = method && err->why ? err->why->slug : err->slug;
		if (err && method)
			CHECK_ERR(err, "http.response");
		if (len >= bytes.len)
			break;
	}
	if (out.used)
		out.said = say(a, &head);
	return out;
}

static void check_case(Arena *a, const H1Limits *limits, const Str *method, const HeadCase *want)
{
	Outcome whole = parse(a, limits, method, want->bytes, want->bytes.len, 1);

	NOTE("%s", want->name);
	CHECK_STR(str_of(whole.slug), str_of(want->slug));
	CHECK_STR(whole.said, str_of(want->slug ? "" : want->says));
	for (size_t cut = 0; cut <= want->bytes.len; cut++) {
		bool slowly = cut == want->bytes.len;
		Outcome parts = parse(a, limits, method, want->bytes, slowly ? 0 : cut,
		                      slowly ? 1 : want->bytes.len);

		NOTE("%s, cut at %zu", want->name, cut);
		CHECK_STR(str_of(parts.slug), str_of(whole.slug));
		CHECK_STR(parts.said, whole.said);
		CHECK_INT(parts.used, whole.used);
	}
}

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

static const HeadCase good_requests[] = {
	{ "the least", S("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), NULL, "11 GET / @h none keep" },
	{ "what follows is not the head's", S("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET"), NULL,
	  "11 GET / @h none keep" },
	{ "query", S("GET /a/b?c=d&e HTTP/1.1\r\nHost: h:80\r\n\r\n"), NULL,
	  "11 GET /a/b?c=d&e @h:80 none keep" },
	{ "printable bytes in a target", S("GET /a\\?\"<>[]^`{|} HTTP/1.1\r\nHost: h\r\n\r\n"),
	  NULL, "11 GET /a\\?\"<>[]^`{|} @h none keep" },
	{ "an unknown method is a method", S("X-FETCH! / HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 X-FETCH! / @h none keep" },
	{ "a method of 32 bytes",
	  S("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / @h none keep" },
	{ "one empty line before", S("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "two empty lines before", S("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "blanks around a value", S(GET "X-A: \t b c\t \r\n\r\n"), NULL,
	  "11 GET / @h none keep [X-A|b c]" },
	{ "no blank, no value", S(GET "X-A:\r\nX-B: \r\nX-C:d:e\r\n\r\n"), NULL,
	  "11 GET / @h none keep [X-A|] [X-B|] [X-C|d:e]" },
	{ "tabs and high bytes in a value", S(GET "X-A: b\tc\xc3\xa9\xff\r\n\r\n"), NULL,
	  "11 GET / @h none keep [X-A|b\tc\xc3\xa9\xff]" },
	{ "every tchar in a name", S(GET "!#$%&'*+-.^`|~09AZaz: 1\r\n\r\n"), NULL,
	  "11 GET / @h none keep [!#$%&'*+-.^`|~09AZaz|1]" },
	{ "absolute-form replaces Host", S("GET http://Other:81/a?b HTTP/1.1\r\nHost: h\r\n\r\n"),
	  NULL, "11 GET /a?b @Other:81 http: none keep" },
	{ "absolute-form without a path", S("GET HTTPS://o HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 GET / @o https: none keep" },
	{ "absolute-form, query only", S("GET http://o?b HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 GET /?b @o http: none keep" },
	{ "absolute-form of the server", S("OPTIONS http://o HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 OPTIONS * @o http: none keep" },
	{ "asterisk", S("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 OPTIONS * @h none keep" },
	{ "authority-form", S("CONNECT [::1]:443 HTTP/1.1\r\nHost: h\r\n\r\n"), NULL,
	  "11 CONNECT [::1]:443 @[::1]:443 none keep" },
	{ "1.2 is spoken to as 1.1", S("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "1.9 needs Host as 1.1 does", S("GET / HTTP/1.9\r\n\r\n"), "http.host_missing", NULL },
	{ "1.0 without Host", S("GET / HTTP/1.0\r\n\r\n"), NULL, "10 GET / @ none" },
	{ "1.0 with keep-alive", S("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), NULL,
	  "10 GET / @ none keep" },
	{ "1.0 with both: close wins", S("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
	  NULL, "10 GET / @ none" },
	{ "1.1 with close", S(GET "Connection: x, CLOSE\r\n\r\n"), NULL, "11 GET / @h none" },
	{ "1.1 with close on a later line",
	  S(GET "Connection: keep-alive\r\nConnection:close\r\n\r\n"), NULL, "11 GET / @h none" },
	{ "1.1, an option that only looks like close", S(GET "Connection: closed\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "known names of no framing", S(GET "Cookie: a=b\r\naccept: c\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "length", S(POST "Content-Length: 5\r\n\r\nhello"), NULL, "11 POST / @h length=5 keep" },
	{ "length of nothing", S(POST "Content-Length: 0\r\n\r\n"), NULL,
	  "11 POST / @h none=0 keep" },
	{ "length with zeros before it", S(POST "Content-Length: 0005\r\n\r\n"), NULL,
	  "11 POST / @h length=5 keep" },
	{ "the longest length", S(POST "Content-Length: 9223372036854775807\r\n\r\n"), NULL,
	  "11 POST / @h length=9223372036854775807 keep" },
	{ "the same length twice", S(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "11 POST / @h length=5 keep" },
	{ "a list of the same length", S(POST "Content-Length: 5,\t5 , 5\r\n\r\n"), NULL,
	  "11 POST / @h length=5 keep" },
	{ "a body of GET", S(GET "Content-Length: 1\r\n\r\nx"), NULL, "11 GET / @h length=1 keep" },
	{ "chunked", S(POST "Transfer-Encoding: chunked\r\n\r\n"), NULL,
	  "11 POST / @h chunked keep" },
	{ "chunked in any case", S(POST "transfer-ENCODING:\tChunked \r\n\r\n"), NULL,
	  "11 POST / @h chunked keep" },
	{ "POST without a body", S(POST "\r\n"), NULL, "11 POST / @h none keep" },
	{ "expect", S(POST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "11 POST / @h length=5 keep expect" },
	{ "expect without a body", S(GET "Expect: 100-continue\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "expect from 1.0 is ignored",
	  S("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "10 POST / @ length=5" },
	{ "upgrade", S(GET "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"), NULL,
	  "11 GET / @h none keep upgrade=websocket" },
	{ "upgrade that Connection does not name", S(GET "Upgrade: websocket\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "Connection without Upgrade", S(GET "Connection: upgrade\r\n\r\n"), NULL,
	  "11 GET / @h none keep" },
	{ "upgrade from 1.0 is ignored",
	  S("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"), NULL,
	  "10 GET / @ none" },
	{ "h2c is dropped",
	  S(GET "Connection: upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\nHTTP2-Settings: x\r\n\r\n"),
	  NULL, "11 GET / @h none keep [HTTP2-Settings|x]" },
	{ "h2c among others is dropped",
	  S(GET "Connection: upgrade\r\nUpgrade: a/1, h2c\r\nUpgrade:,b\r\n\r\n"), NULL,
	  "11 GET / @h none keep upgrade=a/1, b" },
};

static const HeadCase bad_requests[] = {
	{ "bare CR in a value", S(GET "X-A: b\rc\r\n\r\n"), "http.bare_cr", NULL },
	{ "bare CR in the request line", S("GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"), "http.bare_cr",
	  NULL },
	{ "bare CR before CRLF", S(GET "X-A: b\r\r\n\r\n"), "http.bare_cr", NULL },
	{ "bare CR first", S("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n"), "http.bare_cr", NULL },
	{ "bare LF ends a header", S("GET / HTTP/1.1\r\nHost: h\n\r\n"), "http.bare_lf", NULL },
	{ "bare LF ends the request line", S("GET / HTTP/1.1\nHost: h\r\n\r\n"), "http.bare_lf",
	  NULL },
	{ "bare LF ends the head", S(GET "\n"), "http.bare_lf", NULL },
	{ "bare LF first", S("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), "http.bare_lf", NULL },
	{ "NUL in a value", S(GET "X-A: b\0c\r\n\r\n"), "http.control", NULL },
	{ "NUL in a name", S(GET "X\0A: b\r\n\r\n"), "http.control", NULL },
	{ "escape byte in a value", S(GET "X-A: b\x1b[0m\r\n\r\n"), "http.control", NULL },
	{ "DEL in a value", S(GET "X-A: b\x7f\r\n\r\n"), "http.control", NULL },
	{ "obs-fold with a blank", S(GET "X-A: b\r\n c\r\n\r\n"), "http.obs_fold", NULL },
	{ "obs-fold with a tab", S(GET "X-A: b\r\n\tc\r\n\r\n"), "http.obs_fold", NULL },
	{ "a line of blanks", S(GET " \r\n\r\n"), "http.obs_fold", NULL },
	{ "blank between request line and first header", S("GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
	  "http.space_before_header", NULL },
	{ "blank before the colon", S("GET / HTTP/1.1\r\nHost : h\r\n\r\n"),
	  "http.space_before_colon", NULL },
	{ "tab before the colon", S(POST "Content-Length\t: 5\r\n\r\n"), "http.space_before_colon",
	  NULL },
	{ "no colon", S(GET "X-A\r\n\r\n"), "http.header_name", NULL },
	{ "no name", S(GET ": a\r\n\r\n"), "http.header_name", NULL },
	{ "blank in a name", S(GET "X A: b\r\n\r\n"), "http.header_name", NULL },
	{ "high byte in a name", S(GET "X-\xc3\xa9: b\r\n\r\n"), "http.header_name", NULL },
	{ "delimiter in a name", S(GET "X(A): b\r\n\r\n"), "http.header_name", NULL },
	{ "underscore in a name", S(GET "X_A: b\r\n\r\n"), "http.underscore", NULL },
	{ "underscore alias of framing", S(POST "Content_Length: 5\r\n\r\n"), "http.underscore",
	  NULL },
	{ "no Host", S("GET / HTTP/1.1\r\n\r\n"), "http.host_missing", NULL },
	{ "no Host with absolute-form", S("GET http://o/ HTTP/1.1\r\n\r\n"), "http.host_missing",
	  NULL },
	{ "two Hosts", S(GET "Host: h\r\n\r\n"), "http.host_twice", NULL },
	{ "two Hosts in 1.0", S("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), "http.host_twice",
	  NULL },
	{ "empty Host", S("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "http.host", NULL },
	{ "list in Host", S("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), "http.host", NULL },
	{ "userinfo in Host", S("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"), "http.host", NULL },
	{ "path in Host", S("GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"), "http.host", NULL },
	{ "port of letters in Host", S("GET / HTTP/1.1\r\nHost: h:x\r\n\r\n"), "http.host", NULL },
	{ "invalid Host with absolute-form", S("GET http://o/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
	  "http.host", NULL },
	{ "authority-form for GET", S("GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target",
	  NULL },
	{ "origin-form for CONNECT", S("CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target",
	  NULL },
	{ "CONNECT without a port", S("CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target",
	  NULL },
	{ "CONNECT to port 0", S("CONNECT h:0 HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "absolute-form for CONNECT", S("CONNECT http://h:80/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.target", NULL },
	{ "asterisk for GET", S("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "asterisk and more", S("OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "relative path", S("GET a HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "unknown scheme", S("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "absolute-form without a host", S("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.target", NULL },
	{ "userinfo in absolute-form", S("GET http://u:p@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.target", NULL },
	{ "backslash ends no authority", S("GET http://a\\@b/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.target", NULL },
	{ "fragment in the target", S("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target",
	  NULL },
	{ "high byte in the target", S("GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"), "http.target",
	  NULL },
	{ "tab in the target", S("GET /\tHTTP/1.1\r\nHost: h\r\n\r\n"), "http.target", NULL },
	{ "control byte in the target", S("GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n"), "http.control",
	  NULL },
	{ "blank in the target", S("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "two blanks before the target", S("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.start_line", NULL },
	{ "two blanks before the version", S("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.start_line", NULL },
	{ "blank after the version", S("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "HTTP/0.9", S("GET /\r\n"), "http.start_line", NULL },
	{ "method alone", S("GET \r\n"), "http.start_line", NULL },
	{ "method and CRLF", S("GET\r\n"), "http.method", NULL },
	{ "three empty lines before", S("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
	  "http.start_line", NULL },
	{ "version in lower case", S("GET / http/1.1\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "version of two digits", S("GET / HTTP/1.10\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "version without a minor", S("GET / HTTP/1\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "another protocol", S("GET / ICAP/1.0\r\nHost: h\r\n\r\n"), "http.start_line", NULL },
	{ "a letter for the minor", S("GET / HTTP/1.x\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "a letter for the major", S("GET / HTTP/x.1\r\nHost: h\r\n\r\n"), "http.start_line",
	  NULL },
	{ "HTTP/0.9 by name", S("GET / HTTP/0.9\r\nHost: h\r\n\r\n"), "http.version", NULL },
	{ "HTTP/2.0", S("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), "http.version", NULL },
	{ "HTTP/2's preface", S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "http.version", NULL },
	{ "a TLS hello", S("\x16\x03\x01\x02\x00\x01\x00"), "http.method", NULL },
	{ "a TLS hello's first byte", S("\x16"), "http.method", NULL },
	{ "noise", S("\xff\xfe"), "http.method", NULL },
	{ "blank first", S(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "http.method", NULL },
	{ "small letters", S("get / HTTP/1.1\r\n"), "http.method", NULL },
	{ "a small letter", S("GEt "), "http.method", NULL },
	{ "a method that is no token", S("GE:T / HTTP/1.1\r\n"), "http.method", NULL },
	{ "a method that ends in a tab", S("GET\t/ HTTP/1.1\r\n"), "http.method", NULL },
	{ "a method of 33 bytes", S("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG"), "http.method_too_long",
	  NULL },
	{ "chunked in 1.0", S("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.transfer_coding_10", NULL },
	{ "TE and CL", S(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	  "http.length_and_coding", NULL },
	{ "CL and TE", S(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.length_and_coding", NULL },
	{ "TE and CL of no number",
	  S(POST "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.length_and_coding", NULL },
	{ "gzip, chunked", S(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked, gzip", S(POST "Transfer-Encoding: chunked, gzip\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked twice in a list", S(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked twice in lines",
	  S(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "identity", S(POST "Transfer-Encoding: identity\r\n\r\n"), "http.transfer_coding", NULL },
	{ "empty coding", S(POST "Transfer-Encoding:\r\n\r\n"), "http.transfer_coding", NULL },
	{ "chunked and a comma", S(POST "Transfer-Encoding: chunked,\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked with a parameter", S(POST "Transfer-Encoding: chunked;q=1\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "xchunked", S(POST "Transfer-Encoding: xchunked\r\n\r\n"), "http.transfer_coding", NULL },
	{ "quoted chunked", S(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked after VT", S(POST "Transfer-Encoding: \vchunked\r\n\r\n"), "http.control",
	  NULL },
	{ "chunked before NEL", S(POST "Transfer-Encoding: chunked\x85\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "chunked after a no-break space",
	  S(POST "Transfer-Encoding: \xa0"
	         "chunked\r\n\r\n"),
	  "http.transfer_coding", NULL },
	{ "CL with plus", S(POST "Content-Length: +5\r\n\r\n"), "http.content_length", NULL },
	{ "CL with minus", S(POST "Content-Length: -5\r\n\r\n"), "http.content_length", NULL },
	{ "CL in hexadecimal", S(POST "Content-Length: 0x5\r\n\r\n"), "http.content_length", NULL },
	{ "CL with an underscore", S(POST "Content-Length: 1_0\r\n\r\n"), "http.content_length",
	  NULL },
	{ "CL with a point", S(POST "Content-Length: 5.0\r\n\r\n"), "http.content_length", NULL },
	{ "CL with a blank inside", S(POST "Content-Length: 1 0\r\n\r\n"), "http.content_length",
	  NULL },
	{ "CL with another script's digit", S(POST "Content-Length: \xd9\xa5\r\n\r\n"),
	  "http.content_length", NULL },
	{ "empty CL", S(POST "Content-Length:\r\n\r\n"), "http.content_length", NULL },
	{ "CL one too large", S(POST "Content-Length: 9223372036854775808\r\n\r\n"),
	  "http.content_length", NULL },
	{ "CL that wraps to 5", S(POST "Content-Length: 18446744073709551621\r\n\r\n"),
	  "http.content_length", NULL },
	{ "differing CLs", S(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
	  "http.content_length", NULL },
	{ "differing CLs in a list", S(POST "Content-Length: 5, 6\r\n\r\n"), "http.content_length",
	  NULL },
	{ "CL list with a hole", S(POST "Content-Length: 5,,5\r\n\r\n"), "http.content_length",
	  NULL },
	{ "CL list that ends in a comma", S(POST "Content-Length: 5,\r\n\r\n"),
	  "http.content_length", NULL },
	{ "bad CL, then good", S(POST "Content-Length: x\r\nContent-Length: 0\r\n\r\n"),
	  "http.content_length", NULL },
	{ "good CL, then bad", S(POST "Content-Length: 0\r\nContent-Length: x\r\n\r\n"),
	  "http.content_length", NULL },
	{ "another expectation", S(POST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\n"),
	  "http.expect", NULL },
	{ "two expectations", S(POST "Expect: 100-continue, x\r\n\r\n"), "http.expect", NULL },
	{ "bad expectation, then good", S(POST "Expect: x\r\nExpect: 100-continue\r\n\r\n"),
	  "http.expect", NULL },
};

TEST(h1_good_requests)
{
	for (size_t i = 0; i < COUNT(good_requests); i++)
		check_case(a, &usual, NULL, &good_requests[i]);
}

TEST(h1_bad_requests)
{
	for (size_t i = 0; i < COUNT(bad_requests); i++)
		check_case(a, &usual, NULL, &bad_requests[i]);
}

/* No prefix of a head is a head or wrong. */
TEST(h1_a_part_is_neither)
{
	Str bytes = S(POST "Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n");

	for (size_t len = 0; len < bytes.len; len++) {
		Outcome out = parse(a, &usual, NULL, str_sub(bytes, 0, len), 0, 1);

		CHECK_STR(str_of(out.slug), S(""));
		CHECK_INT(out.used, 0);
	}
}

TEST(h1_underscores_may_pass_without_a_twin)
{
	static const HeadCase cases[] = {
		{ "alone", S(GET "X_A: b\r\nX_A: c\r\n\r\n"), NULL,
		  "11 GET / @h none keep [X_A|b] [X_A|c]" },
		{ "twin after", S(GET "X_A: b\r\nx-a: c\r\n\r\n"), "http.underscore", NULL },
		{ "twin before", S(GET "x-a: c\r\nX_A: b\r\n\r\n"), "http.underscore", NULL },
		{ "both mixed", S(GET "x_a-b: c\r\nX-A_B: b\r\n\r\n"), "http.underscore", NULL },
		{ "near", S(GET "x-b: c\r\nX_A: b\r\n\r\n"), NULL,
		  "11 GET / @h none keep [x-b|c] [X_A|b]" },
	};
	H1Limits limits = usual;

	limits.underscores = true;
	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(a, &limits, NULL, &cases[i]);
}

/* Twins far apart, also behind the names that are compared by hash first. */
TEST(h1_twins_among_many)
{
	for (unsigned at = 0; at < HASHES * 2; at += HASHES - 1) {
		Headers headers = { 0 };

		for (unsigned i = 0; i < HASHES * 2; i++)
			headers_add(&headers, a, str_fmt(a, "x-%u-a", i), S(""));
		headers_add(&headers, a, S("X-Same"), S(""));
		headers_add(&headers, a, S("x-same"), S(""));
		CHECK(!h1_has_twins(&headers));
		headers_add(&headers, a, str_fmt(a, "X-%u_A", at), S(""));
		CHECK(h1_has_twins(&headers));
	}
}

/* A list of thousands must not cost its square. */
TEST(h1_a_long_list_of_protocols)
{
	AUTO(buf_fini) Buf bytes = { 0 };
	H1Parser p;
	size_t used;
	Head head;

	buf_put(&bytes, S(GET "Connection: upgrade\r\nUpgrade: a"));
	while (bytes.len < 32000)
		buf_put(&bytes, S(",a"));
	buf_put(&bytes, S("\r\n\r\n"));
	h1_init(&p, false);
	CHECK_OK(h1_parse_request(&p, a, &usual, buf_str(&bytes), &head, &used));
	CHECK_INT(used, bytes.len);
	CHECK(head.upgrade.len > 32000 && str_starts(head.upgrade, S("a, a, a")));
	CHECK(arena_used(a) < 100000);
}

TEST(h1_limits)
{
	static const struct {
		HeadCase head;
		H1Limits limits;
	} cases[] = {
		{ { "exactly the head", S(GET "\r\n"), NULL, "11 GET / @h none keep" },
		  { 27, 100, 10, false } },
		{ { "one byte more", S(GET "\r\n"), "http.head_too_large", NULL },
		  { 26, 100, 10, false } },
		{ { "a line that does not end", S(GET "X: aaaaaaaaaaaaaaaaaaaaaaa"),
		    "http.head_too_large", NULL },
		  { 40, 100, 10, false } },
		{ { "what is wrong beyond the limit is not seen", S(GET "X: aaaaaaaaaaaaaaa\0aa"),
		    "http.head_too_large", NULL },
		  { 40, 100, 10, false } },
		{ { "exactly the line", S(GET "\r\n"), NULL, "11 GET / @h none keep" },
		  { 100, 14, 10, false } },
		{ { "line one byte more", S(GET "\r\n"), "http.line_too_long", NULL },
		  { 100, 13, 10, false } },
		{ { "a line that does not end", S("GET /aaaaaaaaaaaaaaaaaaaaaaa"),
		    "http.line_too_long", NULL },
		  { 100, 13, 10, false } },
		{ { "a method that does not end", S("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ"),
		    "http.line_too_long", NULL },
		  { 100, 13, 10, false } },
		{ { "the line is counted after empty ones", S("\r\n" GET "\r\n"), NULL,
		    "11 GET / @h none keep" },
		  { 100, 14, 10, false } },
		{ { "exactly the headers", S(GET "A: b\r\n\r\n"), NULL,
		    "11 GET / @h none keep [A|b]" },
		  { 100, 50, 2, false } },
		{ { "one header more", S(GET "A: b\r\nC: d\r\n\r\n"), "http.too_many_headers",
		    NULL },
		  { 100, 50, 2, false } },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(a, &cases[i].limits, NULL, &cases[i].head);
}

TEST(h1_more_headers_than_fit_inline)
{
	Buf bytes = { 0 };
	AUTO(h1_fini) H1Parser p;
	H1Limits limits = usual;
	size_t used = 0;
	Head head;

	limits.headers = 1000;
	buf_put(&bytes, S(GET));
	for (unsigned i = 0; i < 500; i++)
		buf_fmt(&bytes, "X-%u: %u\r\n", i, i * 3);
	buf_put(&bytes, S("\r\n"));
	h1_init(&p, false);
	for (size_t len = 0; !used; len = MIN(len + 777, bytes.len))
		CHECK_OK(h1_parse_request(&p, a, &limits, str_sub(buf_str(&bytes), 0, len), &head,
		                          &used));
	CHECK_INT(used, bytes.len);
	CHECK_INT(head.headers.count, 501);
	CHECK_STR(headers_get_name(&head.headers, S("x-499")), S("1497"));
	headers_add(&head.headers, a, S("X-More"), S("1"));
	CHECK_STR(headers_get_name(&head.headers, S("x-more")), S("1"));
	h1_fini(&p);
	h1_fini(&p);
	h1_init(&p, false);
	CHECK_OK(h1_parse_request(&p, a, &limits, S(GET "\r\n"), &head, &used));
	CHECK_INT(head.headers.count, 1);
	buf_fini(&bytes);
}

#define OK "HTTP/1.1 200 OK\r\n"

static const HeadCase responses[] = {
	{ "the least", S("HTTP/1.1 200 OK\r\n\r\n"), NULL, "11 200 \"OK\" close" },
	{ "length", S(OK "Content-Length: 5\r\n\r\nhello"), NULL, "11 200 \"OK\" length=5 keep" },
	{ "length of nothing", S(OK "Content-Length: 0\r\n\r\n"), NULL,
	  "11 200 \"OK\" none=0 keep" },
	{ "chunked", S(OK "Transfer-Encoding: chunked\r\n\r\n"), NULL,
	  "11 200 \"OK\" chunked keep" },
	{ "close", S(OK "Content-Length: 5\r\nConnection: close\r\n\r\n"), NULL,
	  "11 200 \"OK\" length=5" },
	{ "no reason", S("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"), NULL,
	  "11 404 \"\" none=0 keep" },
	{ "no blank either", S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"), NULL,
	  "11 404 \"\" none=0 keep" },
	{ "a reason of words",
	  S("HTTP/1.1 404 Gone \xc3\xa9t\xc3\xa9\r\nContent-Length: 0\r\n\r\n"), NULL,
	  "11 404 \"Gone \xc3\xa9t\xc3\xa9\" none=0 keep" },
	{ "a number of no name", S("HTTP/1.1 799 X\r\nContent-Length: 0\r\n\r\n"), NULL,
	  "11 799 \"X\" none=0 keep" },
	{ "1.0 ends with the connection", S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "10 200 \"OK\" length=5" },
	{ "1.0 with keep-alive",
	  S("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"), NULL,
	  "10 200 \"OK\" length=5 keep" },
	{ "1.0 with keep-alive and no length",
	  S("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"), NULL, "10 200 \"OK\" close" },
	{ "blanks before the colon are dropped", S(OK "Content-Length \t: 5\r\nX-A : b\r\n\r\n"),
	  NULL, "11 200 \"OK\" length=5 keep [X-A|b]" },
	{ "underscores are the server's affair",
	  S(OK "X_A: b\r\nX-A: c\r\nContent-Length: 0\r\n\r\n"), NULL,
	  "11 200 \"OK\" none=0 keep [X_A|b] [X-A|c]" },
	{ "204 has no body", S("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "11 204 \"No Content\" none keep" },
	{ "304 has no body", S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), NULL,
	  "11 304 \"Not Modified\" none=5 keep" },
	{ "304, chunked", S("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  NULL, "11 304 \"Not Modified\" none keep" },
	{ "1xx has no body", S("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: x\r\n\r\n"),
	  NULL, "11 103 \"Early Hints\" none keep [Link|x]" },
	{ "101", S("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
	  NULL, "11 101 \"Switching\" none upgrade=websocket" },
	{ "426 offers",
	  S("HTTP/1.1 426 X\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n"),
	  NULL, "11 426 \"X\" none=0 keep" },
	{ "101 to nothing", S("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n"),
	  "http.switching", NULL },
	{ "101 to h2c", S("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
	  "http.switching", NULL },
	{ "101 without Connection", S("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n"),
	  "http.switching", NULL },
	{ "obs-fold", S(OK "X-A: b\r\n c\r\n\r\n"), "http.obs_fold", NULL },
	{ "blank before the first header", S(OK " X-A: b\r\n\r\n"), "http.space_before_header",
	  NULL },
	{ "bare LF", S(OK "X-A: b\n\r\n"), "http.bare_lf", NULL },
	{ "bare CR", S(OK "X-A: b\rX: y\r\n\r\n"), "http.bare_cr", NULL },
	{ "NUL", S(OK "X-A: b\0\r\n\r\n"), "http.control", NULL },
	{ "control byte in the reason", S("HTTP/1.1 200 O\x08K\r\n\r\n"), "http.control", NULL },
	{ "no name", S(OK ": b\r\n\r\n"), "http.header_name", NULL },
	{ "bad CL", S(OK "Content-Length: 5x\r\n\r\n"), "http.content_length", NULL },
	{ "bad CL of 204", S("HTTP/1.1 204 X\r\nContent-Length: -1\r\n\r\n"), "http.content_length",
	  NULL },
	{ "differing CLs", S(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
	  "http.content_length", NULL },
	{ "TE and CL", S(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.length_and_coding", NULL },
	{ "TE in 1.0", S("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "http.transfer_coding_10", NULL },
	{ "gzip, chunked", S(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"), "http.transfer_coding",
	  NULL },
	{ "HTTP/2.0", S("HTTP/2.0 200 OK\r\n\r\n"), "http.version", NULL },
	{ "HTTP/0.9 by name", S("HTTP/0.9 200 OK\r\n\r\n"), "http.version", NULL },
	{ "no status", S("HTTP/1.1\r\n\r\n"), "http.status_line", NULL },
	{ "status of two digits", S("HTTP/1.1 20 OK\r\n\r\n"), "http.status_line", NULL },
	{ "status of four digits", S("HTTP/1.1 2000 OK\r\n\r\n"), "http.status_line", NULL },
	{ "status below 100", S("HTTP/1.1 099 OK\r\n\r\n"), "http.status_line", NULL },
	{ "status with a sign", S("HTTP/1.1 +20 OK\r\n\r\n"), "http.status_line", NULL },
	{ "two blanks", S("HTTP/1.1  200 OK\r\n\r\n"), "http.status_line", NULL },
	{ "tab after the version", S("HTTP/1.1\t200 OK\r\n\r\n"), "http.status_line", NULL },
	{ "an empty line first", S("\r\nHTTP/1.1 200 OK\r\n\r\n"), "http.status_line", NULL },
	{ "no HTTP", S("SSH-2.0-OpenSSH"), "http.status_line", NULL },
	{ "a body where a head should be", S("<html>"), "http.status_line", NULL },
};

TEST(h1_responses)
{
	Str method = S("GET");

	for (size_t i = 0; i < COUNT(responses); i++)
		check_case(a, &usual, &method, &responses[i]);
}

TEST(h1_the_method_frames_the_answer)
{
	static const struct {
		Str method;
		HeadCase head;
	} cases[] = {
		{ S("HEAD"),
		  { "HEAD with a length", S(OK "Content-Length: 5\r\n\r\n"), NULL,
		    "11 200 \"OK\" none=5 keep" } },
		{ S("HEAD"),
		  { "HEAD without one", S(OK "\r\n"), NULL, "11 200 \"OK\" none keep" } },
		{ S("HEAD"),
		  { "HEAD, chunked", S(OK "Transfer-Encoding: chunked\r\n\r\n"), NULL,
		    "11 200 \"OK\" none keep" } },
		{ S("HEAD"),
		  { "HEAD, bad CL", S(OK "Content-Length: x\r\n\r\n"), "http.content_length",
		    NULL } },
		{ S("head"),
		  { "methods have a case", S(OK "Content-Length: 5\r\n\r\n"), NULL,
		    "11 200 \"OK\" length=5 keep" } },
		{ S("CONNECT"),
		  { "a tunnel", S(OK "Content-Length: 5\r\n\r\n"), NULL, "11 200 \"OK\" none" } },
		{ S("CONNECT"),
		  { "a tunnel, chunked", S(OK "Transfer-Encoding: chunked\r\n\r\n"), NULL,
		    "11 200 \"OK\" none" } },
		{ S("CONNECT"),
		  { "no tunnel", S("HTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\n"), NULL,
		    "11 403 \"X\" length=5 keep" } },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		check_case(a, &usual, &cases[i].method, &cases[i].head);
}

/* The kinds that answers are made of. */
TEST(h1_faults_have_their_status)
{
	static const struct {
		H1Fault fault;
		int status;
	} cases[] = {
		{ H1_BARE_LF, 400 },      { H1_LINE_LONG, 414 },     { H1_HEAD_LARGE, 431 },
		{ H1_HEADERS_MANY, 431 }, { H1_VERSION, 505 },       { H1_CODING, 501 },
		{ H1_CODING_10, 400 },    { H1_LENGTH_CODING, 400 }, { H1_EXPECT, 417 },
		{ H1_METHOD_LONG, 501 },  { H1_CHUNK, 400 },         { H1_TRAILER_LARGE, 431 },
		{ H1_STATUS_LINE, 502 },  { H1_HOST_MISSING, 400 },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(err_status(h1_fault(cases[i].fault)), cases[i].status);
	CHECK_NULL(h1_fault(H1_FINE));
}
