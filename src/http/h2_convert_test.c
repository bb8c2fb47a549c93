/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_convert.c"

#include "unit.h"

static const H1Limits limits = { .head_bytes = 4096, .line_bytes = 256, .headers = 20 };

/* Fields as "name=value~name=value". */
static Err *convert(Arena *a, H2BlockKind kind, Str method, Str fields, bool end, H2Block *b)
{
	Str field;

	h2_block_begin(b, kind, a, &limits, method);
	while (fields.len && str_split(&fields, '~', &field)) {
		ptrdiff_t eq = str_find_char(field, '=');

		h2_block_field(b, str_sub(field, 0, (size_t)eq),
		               str_sub(field, (size_t)eq + 1, field.len));
	}
	return h2_block_end(b, end);
}

#define GET ":method=GET~:scheme=https~:authority=a.example~:path=/x?y"
#define POST ":method=POST~:scheme=https~:authority=a.example~:path=/x?y"

static const struct {
	const char *rule;
	Str fields;
	const char *slug;
	bool open;  /* DATA follows */
	bool limit; /* answered, not malformed */
} requests[] = {
	{ "plain", S(GET), NULL },
	{ "pseudo-headers in another order", S(":path=/~:authority=a~:method=GET~:scheme=http"),
	  NULL },
	{ "authority from host", S(":method=GET~:scheme=https~:path=/~host=a:8080"), NULL },
	{ "host the same", S(GET "~host=A.example"), NULL },
	{ "te trailers", S(GET "~te=trailers"), NULL },
	{ "asterisk", S(":method=OPTIONS~:scheme=https~:authority=a~:path=*"), NULL },
	{ "connect", S(":method=CONNECT~:authority=a:443"), NULL, true },
	{ "empty value", S(GET "~x="), NULL },
	{ "tab inside, bytes above 0x7f", S(GET "~x=a\tb\xc3\xa9"), NULL },
	{ "length and no body", S(POST "~content-length=0"), NULL },
	{ "length", S(POST "~content-length=5"), NULL, true },
	{ "length twice, the same", S(POST "~content-length=5~content-length=5"), NULL, true },
	{ "continue", S(POST "~expect=100-Continue"), NULL, true },

	{ "upper-case name", S(GET "~Accept=x"), "h2.header_name" },
	{ "upper-case pseudo", S(GET "~:Method=x"), "h2.pseudo" },
	{ "empty name", S(GET "~=x"), "h2.header_name" },
	{ "blank in name", S(GET "~a b=x"), "h2.header_name" },
	{ "blank after name", S(GET "~accept =x"), "h2.header_name" },
	{ "colon in name", S(GET "~a:b=x"), "h2.header_name" },
	{ "CR in name", S(GET "~a\r\nb=x"), "h2.header_name" },
	{ "non-ASCII in name", S(GET "~caf\xc3\xa9=x"), "h2.header_name" },
	{ "LF in value", S(GET "~x=a\nb"), "h2.header_value" },
	{ "CR in value", S(GET "~x=a\rb"), "h2.header_value" },
	{ "CRLF and a header in value", S(GET "~x=a\r\ntransfer-encoding: chunked"),
	  "h2.header_value" },
	{ "NUL in value", S(GET "~x=a\0b"), "h2.header_value" },
	{ "control in value", S(GET "~x=a\x01"), "h2.header_value" },
	{ "DEL in value", S(GET "~x=a\x7f"), "h2.header_value" },
	{ "blank before value", S(GET "~x= a"), "h2.header_value" },
	{ "tab after value", S(GET "~x=a\t"), "h2.header_value" },
	{ "CRLF in pseudo", S(":method=GET~:scheme=https~:authority=a~:path=/ HTTP/1.1\r\nx: y"),
	  "h2.header_value" },
	{ "connection", S(GET "~connection=close"), "h2.connection_header" },
	{ "keep-alive", S(GET "~keep-alive=timeout"), "h2.connection_header" },
	{ "proxy-connection", S(GET "~proxy-connection=x"), "h2.connection_header" },
	{ "transfer-encoding", S(POST "~transfer-encoding=chunked"), "h2.connection_header", true },
	{ "upgrade", S(GET "~upgrade=h2c"), "h2.connection_header" },
	{ "http2-settings", S(GET "~http2-settings=AAMAAABkAAQAAP__"), "h2.connection_header" },
	{ "te chunked", S(GET "~te=chunked"), "h2.te" },
	{ "te with more", S(GET "~te=trailers, deflate"), "h2.te" },
	{ "unknown pseudo", S(GET "~:foo=x"), "h2.pseudo" },
	{ "protocol not offered", S(":method=CONNECT~:protocol=websocket~:authority=a:1"),
	  "h2.pseudo" },
	{ "status in a request", S(":status=200~" GET), "h2.pseudo" },
	{ "method twice", S(":method=GET~" GET), "h2.pseudo_twice" },
	{ "path twice", S(GET "~:path=/"), "h2.pseudo_twice" },
	{ "authority twice", S(GET "~:authority=b"), "h2.pseudo_twice" },
	{ "pseudo after header", S(":method=GET~:scheme=https~:authority=a~x=y~:path=/"),
	  "h2.pseudo_late" },
	{ "no method", S(":scheme=https~:authority=a~:path=/"), "h2.pseudo_missing" },
	{ "no scheme", S(":method=GET~:authority=a~:path=/"), "h2.pseudo_missing" },
	{ "no path", S(":method=GET~:authority=a~:scheme=https"), "h2.pseudo_missing" },
	{ "nothing", S(""), "h2.pseudo_missing" },
	{ "empty path", S(":method=GET~:scheme=https~:authority=a~:path="), "h2.path" },
	{ "path without slash", S(":method=GET~:scheme=https~:authority=a~:path=x"), "h2.path" },
	{ "absolute path", S(":method=GET~:scheme=https~:authority=a~:path=http://a/"), "h2.path" },
	{ "asterisk for GET", S(":method=GET~:scheme=https~:authority=a~:path=*"), "h2.path" },
	{ "blank in path", S(":method=GET~:scheme=https~:authority=a~:path=/a b"), "h2.path" },
	{ "fragment in path", S(":method=GET~:scheme=https~:authority=a~:path=/a#b"), "h2.path" },
	{ "empty method", S(":method=~:scheme=https~:authority=a~:path=/"), "h2.method" },
	{ "blank in method", S(":method=GET /x HTTP/1.1~:scheme=https~:authority=a~:path=/"),
	  "h2.method" },
	{ "scheme ftp", S(":method=GET~:scheme=ftp~:authority=a~:path=/"), "h2.scheme" },
	{ "scheme injected", S(":method=GET~:scheme=http://b/?~:authority=a~:path=/"),
	  "h2.scheme" },
	{ "no authority", S(":method=GET~:scheme=https~:path=/"), "h2.authority" },
	{ "empty authority", S(":method=GET~:scheme=https~:authority=~:path=/"), "h2.authority" },
	{ "userinfo", S(":method=GET~:scheme=https~:authority=u@a~:path=/"), "h2.authority" },
	{ "path in authority", S(":method=GET~:scheme=https~:authority=a/b~:path=/"),
	  "h2.authority" },
	{ "bad host alone", S(":method=GET~:scheme=https~:path=/~host=a b"), "h2.authority" },
	{ "host differs", S(GET "~host=b.example"), "h2.host" },
	{ "host twice", S(GET "~host=a.example~host=a.example"), "h2.host" },
	{ "connect with path", S(":method=CONNECT~:authority=a:443~:path=/"), "h2.connect" },
	{ "connect with scheme", S(":method=CONNECT~:authority=a:443~:scheme=https"),
	  "h2.connect" },
	{ "connect without port", S(":method=CONNECT~:authority=a"), "h2.authority" },
	{ "connect to nowhere", S(":method=CONNECT"), "h2.authority" },
	{ "length not a number", S(POST "~content-length=5x"), "h2.content_length", true },
	{ "length signed", S(POST "~content-length=+5"), "h2.content_length", true },
	{ "length empty", S(POST "~content-length="), "h2.content_length", true },
	{ "length a list", S(POST "~content-length=5, 5"), "h2.content_length", true },
	{ "length too long", S(POST "~content-length=99999999999999999999"), "h2.content_length",
	  true },
	{ "lengths differ", S(POST "~content-length=5~content-length=6"), "h2.content_length",
	  true },
	{ "length without a body", S(POST "~content-length=5"), "h2.content_length" },

	{ "expect something", S(POST "~expect=42"), "http.expect", true, true },
	{ "underscore", S(GET "~x_y=1"), "http.underscore", false, true },
	{ "method with a small letter", S(":method=GEt~:scheme=https~:authority=a~:path=/"),
	  "http.method", false, true },
	{ "method too long",
	  S(":method=ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG~:scheme=https~:authority=a~:path=/"),
	  "http.method_too_long", false, true },
};

TEST(each_rule_of_a_request)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		H2Block b;
		Err *err;

		NOTE("%s", requests[i].rule);
		err = convert(a, H2_REQUEST, (Str){ 0 }, requests[i].fields, !requests[i].open, &b);
		if (!requests[i].slug) {
			CHECK_OK(err);
			CHECK_INT(b.malformed, false);
			continue;
		}
		CHECK_ERR(err, requests[i].slug);
		CHECK_INT(b.malformed, !requests[i].limit);
	}
}

TEST(a_request_becomes_a_head)
{
	H2Block b;
	Head *head = &b.head;

	CHECK_OK(convert(
		a, H2_REQUEST, (Str){ 0 },
		S(POST
	          "~cookie=a=1~accept=x~cookie=b=2~content-length=7~cookie=c=3~x-own=v~te=trailers"),
		false, &b));
	CHECK_INT(head->version, HTTP_2);
	CHECK_STR(head->method, S("POST"));
	CHECK_STR(head->target, S("/x?y"));
	CHECK_STR(head->authority, S("a.example"));
	CHECK_STR(head->scheme, S("https"));
	CHECK_INT(head->body, HTTP_BODY_LENGTH);
	CHECK_INT(head->content_length, 7);
	CHECK(head->keep_alive && !head->expect_continue);
	CHECK_STR(headers_get(&head->headers, HTTP_COOKIE), S("a=1; b=2; c=3"));
	CHECK_INT(head->headers.count, 5);
	CHECK_STR(head->headers.at[0].name, S("cookie"));
	CHECK_STR(head->headers.at[1].value, S("x"));
	CHECK_STR(headers_get_name(&head->headers, S("x-own")), S("v"));
	CHECK_OK(convert(a, H2_REQUEST, (Str){ 0 }, S(POST "~cookie=~cookie=a=1~cookie="), false,
	                 &b));
	CHECK_STR(headers_get(&head->headers, HTTP_COOKIE), S("a=1"));
	CHECK_OK(convert(a, H2_REQUEST, (Str){ 0 }, S(POST), false, &b));
	CHECK_INT(b.head.body, HTTP_BODY_CHUNKED);
	CHECK_INT(b.head.content_length, -1);
	CHECK_OK(convert(a, H2_REQUEST, (Str){ 0 }, S(GET), true, &b));
	CHECK_INT(b.head.body, HTTP_BODY_NONE);
	CHECK_OK(
		convert(a, H2_REQUEST, (Str){ 0 }, S(":method=CONNECT~:authority=a:1"), false, &b));
	CHECK_STR(b.head.target, S("a:1"));
}

static Str repeat(Arena *a, Str start, Str what, size_t times)
{
	Buf all = { 0 };
	Str text;

	buf_put(&all, start);
	while (times--)
		buf_put(&all, what);
	text = str_dup(a, buf_str(&all));
	buf_fini(&all);
	return text;
}

TEST(limits_are_answered_and_stored_nothing)
{
	H2Block b;

	CHECK_OK(convert(a, H2_REQUEST, (Str){ 0 }, repeat(a, S(GET), S("~a=b"), 20), true, &b));
	CHECK_ERR(convert(a, H2_REQUEST, (Str){ 0 }, repeat(a, S(GET), S("~a=b"), 21), true, &b),
	          "http.too_many_headers");
	CHECK_INT(b.malformed, false);
	CHECK_ERR(convert(a, H2_REQUEST, (Str){ 0 }, repeat(a, S(GET "~x="), S("y"), 4000), true,
	                  &b),
	          "http.head_too_large");
	CHECK_INT(b.malformed, false);
	CHECK_INT(err_status(b.err), 431);
	CHECK_INT(b.head.headers.count, 0);
	CHECK_ERR(convert(a, H2_REQUEST, (Str){ 0 },
	                  repeat(a, S(":method=GET~:scheme=https~:authority=a~:path=/"), S("y"),
	                         300),
	                  true, &b),
	          "http.line_too_long");
	/* what is too large and malformed too gets no answer */
	CHECK_ERR(convert(a, H2_REQUEST, (Str){ 0 }, repeat(a, S(GET "~X=y~x="), S("y"), 4000),
	                  true, &b),
	          "h2.header_name");
	CHECK_INT(b.malformed, true);
}

TEST(names_with_underscores_pass_without_a_twin)
{
	H1Limits open = limits;
	static const struct {
		Str extra;
		const char *slug;
	} cases[] = { { S("x_y"), NULL }, { S("x-y"), "http.underscore" } };

	open.underscores = true;
	for (size_t i = 0; i < COUNT(cases); i++) {
		H2Block b;

		h2_block_begin(&b, H2_REQUEST, a, &open, (Str){ 0 });
		h2_block_field(&b, S(":method"), S("GET"));
		h2_block_field(&b, S(":scheme"), S("https"));
		h2_block_field(&b, S(":path"), S("/"));
		h2_block_field(&b, S(":authority"), S("a"));
		h2_block_field(&b, S("x_y"), S("1"));
		h2_block_field(&b, cases[i].extra, S("1"));
		if (cases[i].slug)
			CHECK_ERR(h2_block_end(&b, true), cases[i].slug);
		else
			CHECK_OK(h2_block_end(&b, true));
	}
}

static const struct {
	const char *rule;
	Str method, fields;
	bool end;
	const char *slug;
	HttpBody body;
	int64_t length;
} responses[] = {
	{ "plain", S("GET"), S(":status=200"), true, NULL, HTTP_BODY_NONE, -1 },
	{ "open", S("GET"), S(":status=200"), false, NULL, HTTP_BODY_CHUNKED, -1 },
	{ "length", S("GET"), S(":status=200~content-length=5"), false, NULL, HTTP_BODY_LENGTH, 5 },
	{ "head", S("HEAD"), S(":status=200~content-length=5"), true, NULL, HTTP_BODY_NONE, 5 },
	{ "not modified", S("GET"), S(":status=304~content-length=5"), true, NULL, HTTP_BODY_NONE,
	  5 },
	{ "no content, left open", S("GET"), S(":status=204"), false, NULL, HTTP_BODY_NONE, -1 },
	{ "early hints", S("GET"), S(":status=103~link=x"), false, NULL, HTTP_BODY_NONE, -1 },
	{ "underscore", S("GET"), S(":status=200~x_y=1"), true, NULL, HTTP_BODY_NONE, -1 },
	{ "expect means nothing", S("GET"), S(":status=200~expect=1"), true, NULL, HTTP_BODY_NONE,
	  -1 },
	{ "no status", S("GET"), S("a=b"), true, "h2.pseudo_missing", HTTP_BODY_NONE, -1 },
	{ "status twice", S("GET"), S(":status=200~:status=200"), true, "h2.pseudo_twice",
	  HTTP_BODY_NONE, -1 },
	{ "status late", S("GET"), S("a=b~:status=200"), true, "h2.pseudo_late", HTTP_BODY_NONE,
	  -1 },
	{ "status of two digits", S("GET"), S(":status=20"), true, "h2.status", HTTP_BODY_NONE,
	  -1 },
	{ "status of four digits", S("GET"), S(":status=0200"), true, "h2.status", HTTP_BODY_NONE,
	  -1 },
	{ "status 099", S("GET"), S(":status=099"), true, "h2.status", HTTP_BODY_NONE, -1 },
	{ "status signed", S("GET"), S(":status=+20"), true, "h2.status", HTTP_BODY_NONE, -1 },
	{ "switching", S("GET"), S(":status=101"), false, "h2.status", HTTP_BODY_NONE, -1 },
	{ "a request's pseudo", S("GET"), S(":status=200~:path=/"), true, "h2.pseudo",
	  HTTP_BODY_NONE, -1 },
	{ "connection", S("GET"), S(":status=200~connection=close"), true, "h2.connection_header",
	  HTTP_BODY_NONE, -1 },
	{ "chunked", S("GET"), S(":status=200~transfer-encoding=chunked"), false,
	  "h2.connection_header", 0, -1 },
	{ "CR in value", S("GET"), S(":status=200~a=b\rc"), true, "h2.header_value", HTTP_BODY_NONE,
	  -1 },
	{ "length of nothing", S("GET"), S(":status=200~content-length=5"), true,
	  "h2.content_length", 0, -1 },
	{ "early and the end", S("GET"), S(":status=103"), true, "h2.inform_end", HTTP_BODY_NONE,
	  -1 },
};

TEST(each_rule_of_a_response)
{
	for (size_t i = 0; i < COUNT(responses); i++) {
		H2Block b;
		Err *err;

		NOTE("%s", responses[i].rule);
		err = convert(a, H2_RESPONSE, responses[i].method, responses[i].fields,
		              responses[i].end, &b);
		if (responses[i].slug) {
			CHECK_ERR(err, responses[i].slug);
			CHECK(b.malformed);
			continue;
		}
		CHECK_OK(err);
		CHECK_INT(b.head.body, responses[i].body);
		CHECK_INT(b.head.content_length, responses[i].length);
	}
}

TEST(trailers_are_filtered_and_end_the_stream)
{
	H2Block b;

	CHECK_OK(convert(a, H2_TRAILERS, (Str){ 0 },
	                 S("grpc-status=0~content-length=9~host=x~grpc-message=ok"), true, &b));
	CHECK_INT(b.head.headers.count, 2);
	CHECK_STR(headers_get_name(&b.head.headers, S("grpc-status")), S("0"));
	CHECK_ERR(convert(a, H2_TRAILERS, (Str){ 0 }, S(":status=200"), true, &b),
	          "h2.pseudo_trailer");
	CHECK_ERR(convert(a, H2_TRAILERS, (Str){ 0 }, S("a=b"), false, &b), "h2.trailer_open");
	CHECK_ERR(convert(a, H2_TRAILERS, (Str){ 0 }, S("A=b"), true, &b), "h2.header_name");
}

static Str text_of(Arena *a, H2Fields fields)
{
	Str all = S("");

	for (size_t i = 0; i < fields.count; i++)
		all = str_fmt(a, "%.*s%s%.*s=%.*s", STR_ARG(all), i ? "~" : "",
		              (int)fields.at[i].namelen, (const char *)fields.at[i].name,
		              (int)fields.at[i].valuelen, (const char *)fields.at[i].value);
	return all;
}

TEST(heads_become_fields)
{
	Head head = {
		.method = S("POST"),
		.target = S("/x"),
		.authority = S("a"),
		.body = HTTP_BODY_LENGTH,
		.content_length = 3,
	};

	headers_add(&head.headers, a, S("Host"), S("a"));
	headers_add(&head.headers, a, S("X-Own"), S("V"));
	headers_add(&head.headers, a, S("Content-Length"), S("99"));
	headers_add(&head.headers, a, S("Transfer-Encoding"), S("chunked"));
	headers_add(&head.headers, a, S("Connection"), S("close"));
	headers_add(&head.headers, a, S("Upgrade"), S("x"));
	headers_add(&head.headers, a, S("TE"), S("deflate, trailers"));
	headers_add(&head.headers, a, S("HTTP2-Settings"), S("x"));
	headers_add(&head.headers, a, S("Accept"), S("*"));
	CHECK_STR(
		text_of(a, h2_request_fields(a, &head, true)),
		S(":method=POST~:scheme=https~:authority=a~:path=/x~x-own=V~accept=*~te=trailers~content-length=3"));
	head = (Head){ .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };
	headers_add(&head.headers, a, S("Server"), S("s"));
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("GET"))), S(":status=200~server=s"));
	head = (Head){ .status = 200, .content_length = 12 };
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("HEAD"))),
	          S(":status=200~content-length=12"));
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("GET"))), S(":status=200"));
	head.content_length = 0; /* as HTTP/1 would say it */
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("GET"))),
	          S(":status=200~content-length=0"));
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("HEAD"))), S(":status=200"));
	head = (Head){ .status = 304, .content_length = 12 };
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("GET"))),
	          S(":status=304~content-length=12"));
	head.status = 204;
	CHECK_STR(text_of(a, h2_response_fields(a, &head, S("HEAD"))), S(":status=204"));
	head = (Head){ .method = S("CONNECT"), .authority = S("a:1"), .target = S("a:1") };
	CHECK_STR(text_of(a, h2_request_fields(a, &head, true)),
	          S(":method=CONNECT~:authority=a:1"));
}
