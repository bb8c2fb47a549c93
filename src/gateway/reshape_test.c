/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reshape.c"

#include "gateway/conf_route.h"
#include "gateway/route.h"
#include "jq_process.h"
#include "rt/loop.h"
#include "unit.h"

/* --- a route's reshape and one exchange ----------------------------------------------------------------------------- */

typedef struct Scene {
	RouteConf row;
	const RouteTable *routes;
	const Route *route;
	ReshapeConf conf;
	const Reshape *reshape;
	UrlRules paths;
	TemplateValues values;
} Scene;

static void scene_begin(Scene *s, Arena *a, Str text)
{
	*s = (Scene){ .row = { .name = S("users"), .match = { .path = S("/p/{id}/**") } } };
	s->routes = route_table_new(a, &s->row, 1);
	s->route = route_table_at(s->routes, 0);
	CHECK_OK(conf_read(conf_new(a), S("b.yaml"), text,
	                   &(ConfPart){ &reshape_conf_table, &s->conf }, 1));
	s->reshape = reshape_new(a, s->row.name, &s->conf, &s->row.match);
	s->values = (TemplateValues){
		.route = s->route, .paths = &s->paths, .path = S("/p/7/x"), .host = S("h")
	};
}

static Headers headers_of(Arena *a, const Str *texts)
{
	Headers headers = { 0 };

	for (size_t i = 0; texts[i].len; i += 2)
		headers_add(&headers, a, texts[i], texts[i + 1]);
	return headers;
}

static Str header_text(Arena *a, const Headers *headers)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (uint32_t i = 0; i < headers->count; i++) {
		CHECK(headers->at[i].id == header_id(headers->at[i].name));
		buf_fmt(&b, "%.*s=%.*s;", STR_ARG(headers->at[i].name),
		        STR_ARG(headers->at[i].value));
	}
	return str_dup(a, buf_str(&b));
}

typedef struct Case {
	Str conf;
	unsigned status; /* 0: a request */
	Str headers[9];  /* name, value, ... */
	Str target, body;
	const char *slug; /* NULL: it comes out so, or the sentence has `want_body` */
	Str want_target, want_headers, want_body;
} Case;

#define JSON S("Content-Type"), S("application/json")

static const Case cases[] = {
	/* targets */
	{ S("path: /v2/{id}{rest}"),
	  0,
	  { S("") },
	  S("/p/7/x?a=1"),
	  S(""),
	  NULL,
	  S("/v2/7/x?a=1"),
	  S(""),
	  S("") },
	{ S("query: { rename: { q: s } }"),
	  0,
	  { S("") },
	  S("/old/p?q=1&b=%zz"),
	  S(""),
	  NULL,
	  S("/old/p?s=1&b=%zz"),
	  S(""),
	  S("") },
	{ S("query: { remove: q }"),
	  0,
	  { S("") },
	  S("/p?q=1"),
	  S(""),
	  NULL,
	  S("/p"),
	  S(""),
	  S("") },
	{ S("query: { remove: q }"), 0, { S("") }, S("/p?"), S(""), NULL, S("/p"), S(""), S("") },
	/* headers */
	{ S("request: { headers: { set: { X-Id: \"{id}\" }, remove: X-Old } }"),
	  0,
	  { S("X-Old"), S("1"), S("Cookie"), S("sessionid=a; csrftoken=b"), S("X-CSRFToken"),
	    S("b") },
	  S("/p"),
	  S(""),
	  NULL,
	  S("/p"),
	  S("Cookie=sessionid=a; csrftoken=b;X-CSRFToken=b;X-Id=7;"),
	  S("") },
	{ S("answer: { headers: { add: { X-New: y } } }"),
	  404,
	  { JSON, S("Set-Cookie"), S("a=b"), S("Set-Cookie"), S("c=d") },
	  S(""),
	  S("{}"),
	  NULL,
	  S(""),
	  S("Content-Type=application/json;Set-Cookie=a=b;Set-Cookie=c=d;X-New=y;"),
	  S("{}") },
	/* bodies of requests */
	{ S("rename: { .a: .b }"),
	  0,
	  { JSON, S("Digest"), S("x"), S("Accept-Encoding"), S("br"), S("Range"), S("bytes=0-1") },
	  S("/p"),
	  S("{\"a\": 12345678901234567890, \"c\": 12.50}"),
	  NULL,
	  S("/p"),
	  S("Content-Type=application/json;accept-encoding=identity;"),
	  S("{\"b\":12345678901234567890,\"c\":12.50}") },
	{ S("rename: { .a: .b }"),
	  0,
	  { JSON, S("Digest"), S("x") },
	  S("/p"),
	  S("{ \"c\": 1 }"),
	  NULL,
	  S("/p"),
	  S("Content-Type=application/json;Digest=x;accept-encoding=identity;"),
	  S("{ \"c\": 1 }") },
	{ S("request: { rename: { .a: .b }, remove: .b.x, jq: \".b.n += 1\" }"),
	  0,
	  { S("content-type"), S("application/merge-patch+JSON; charset=utf-8") },
	  S("/p"),
	  S("{\"a\":{\"x\":1,\"n\":1}}"),
	  NULL,
	  S("/p"),
	  S("content-type=application/merge-patch+JSON; charset=utf-8;"),
	  S("{\"b\":{\"n\":2}}") },
	{ S("request: { jq: \"{}\" }"),
	  0,
	  { S("Content-Type"), S("application/x-www-form-urlencoded") },
	  S("/p"),
	  S("csrfmiddlewaretoken=x&a=1"),
	  NULL,
	  S("/p"),
	  S("Content-Type=application/x-www-form-urlencoded;"),
	  S("csrfmiddlewaretoken=x&a=1") },
	{ S("request: { jq: \"{}\" }\ntypes: text/x-json"),
	  0,
	  { S("Content-Type"), S("Text/X-JSON") },
	  S("/p"),
	  S("1"),
	  NULL,
	  S("/p"),
	  S("Content-Type=Text/X-JSON;"),
	  S("{}") },
	{ S("request: { jq: \"{}\" }"),
	  0,
	  { JSON },
	  S("/p"),
	  S(""),
	  NULL,
	  S("/p"),
	  S("Content-Type=application/json;"),
	  S("") },
	{ S("request: { jq: . }"),
	  0,
	  { JSON },
	  S("/p"),
	  S("{\"a\":"),
	  "shift.reshape_body",
	  S(""),
	  S(""),
	  S("of the body it was found that it is no JSON at byte 5") },
	{ S("request: { jq: . }"),
	  0,
	  { JSON },
	  S("/p"),
	  S("[1, 9007199254740993]"),
	  "shift.reshape_body",
	  S(""),
	  S(""),
	  S("the number 9007199254740993 is one that jq would change") },
	{ S("request: { jq: . }"),
	  0,
	  { JSON, S("Content-Encoding"), S("gzip") },
	  S("/p"),
	  S("x"),
	  "shift.reshape_body",
	  S(""),
	  S(""),
	  S("it is compressed") },
	{ S("request: { jq: \".a.b\" }"),
	  0,
	  { JSON },
	  S("/p"),
	  S("[1]"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("reshape.request.jq of route users: Cannot index array with") },
	{ S("request: { jq: \"last(range(1e12))\" }\ntime: 20ms"),
	  0,
	  { JSON },
	  S("/p"),
	  S("[1]"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("reshape.request.jq of route users: it took more than 20 ms") },
	{ S("request: { jq: \"[range(1000)]\" }\nbody: 1KiB"),
	  0,
	  { JSON },
	  S("/p"),
	  S("[1]"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("its result has more than 1024 bytes") },
	{ S("request: { rename: { .a: .b.c } }"),
	  0,
	  { JSON },
	  S("/p"),
	  S("{\"a\":1,\"b\":2}"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("reshape.request.rename of route users: what should hold \"c\" is no object") },
	/* and of answers */
	{ S("rename: { .a: .b }"),
	  200,
	  { JSON, S("ETag"), S("\"x\""), S("Last-Modified"), S("now") },
	  S(""),
	  S("{\"b\":1.10}"),
	  NULL,
	  S(""),
	  S("Content-Type=application/json;Last-Modified=now;"),
	  S("{\"a\":1.10}") },
	{ S("rename: { .a: .b }"),
	  200,
	  { JSON, S("ETag"), S("\"x\"") },
	  S(""),
	  S("{\"c\":1.10}"),
	  NULL,
	  S(""),
	  S("Content-Type=application/json;ETag=\"x\";"),
	  S("{\"c\":1.10}") },
	{ S("answer: { jq: .data }"),
	  404,
	  { JSON },
	  S(""),
	  S("{\"data\":1}"),
	  NULL,
	  S(""),
	  S("Content-Type=application/json;"),
	  S("{\"data\":1}") },
	{ S("answer: { jq: .data }\nstatuses: 200-404"),
	  404,
	  { JSON },
	  S(""),
	  S("{\"data\":1}"),
	  NULL,
	  S(""),
	  S("Content-Type=application/json;"),
	  S("1") },
	{ S("answer: { jq: .data }"),
	  200,
	  { S("Content-Type"), S("text/html") },
	  S(""),
	  S("<p>"),
	  NULL,
	  S(""),
	  S("Content-Type=text/html;"),
	  S("<p>") },
	{ S("answer: { jq: .data }"),
	  206,
	  { JSON },
	  S(""),
	  S("{\"da"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("only a part") },
	{ S("answer: { jq: .data }"),
	  200,
	  { JSON },
	  S(""),
	  S("<p>"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("the answer for route users could not be reshaped") },
	{ S("answer: { jq: .data }"),
	  200,
	  { JSON, S("Content-Encoding"), S("br") },
	  S(""),
	  S("x"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("it is compressed") },
	{ S("answer: { jq: 'error(\"no users\")' }"),
	  200,
	  { JSON },
	  S(""),
	  S("1"),
	  "shift.reshape",
	  S(""),
	  S(""),
	  S("reshape.answer.jq of route users: no users") },
};

static void run_case(const Case *c)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Headers headers = headers_of(a, c->headers);
	ReshapeOut out;
	Scene s;
	ReshapeIn in = {
		.values = &s.values, .target = c->target, .headers = &headers, .body = c->body
	};
	Str before = header_text(a, &headers);
	Err *err;

	NOTE("%.*s on %.*s", STR_ARG(c->conf), STR_ARG(c->body));
	scene_begin(&s, a, c->conf);
	err = c->status ? reshape_answer(s.reshape, a, c->status, &in, &out)
	                : reshape_request(s.reshape, a, &in, &out);
	CHECK_STR(header_text(a, &headers), before);
	if (c->slug) {
		CHECK_ERR(err, c->slug);
		NOTE("%.*s", STR_ARG(err->text));
		CHECK(str_find(err->text, c->want_body) >= 0);
		CHECK_INT(err->kind,
		          strcmp(c->slug, "shift.reshape") == 0 ? ERR_UPSTREAM : ERR_INVALID);
		return;
	}
	CHECK_OK(err);
	if (!c->status)
		CHECK_STR(out.target, c->want_target);
	CHECK_STR(header_text(a, &out.headers), c->want_headers);
	CHECK_STR(out.body, c->want_body);
	CHECK_INT(out.body_changed, !str_eq(c->body, c->want_body));
}

static Err *run_cases(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT(cases); i++)
		run_case(&cases[i]);
	return NULL;
}

TEST(requests_and_answers_are_reshaped)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, run_cases, NULL));
}

TEST(only_bodies_that_are_read_are_asked_for)
{
	Headers json = headers_of(a, (Str[]){ JSON, S("") });
	Headers html = headers_of(a, (Str[]){ S("Content-Type"), S("text/html"), S("") });
	Headers none = { 0 };
	Scene s;

	scene_begin(&s, a, S("rename: { .a: .b }"));
	CHECK(reshape_wants_request(s.reshape, &json));
	CHECK(!reshape_wants_request(s.reshape, &html));
	CHECK(!reshape_wants_request(s.reshape, &none));
	CHECK(reshape_wants_answer(s.reshape, 299, &json));
	CHECK(!reshape_wants_answer(s.reshape, 300, &json));
	CHECK(!reshape_wants_answer(s.reshape, 199, &json));
	CHECK(!reshape_wants_answer(s.reshape, 200, &html));
	CHECK_INT(reshape_body_max(s.reshape), 1 << 20);
	scene_begin(&s, a, S("answer: { jq: . }"));
	CHECK(!reshape_wants_request(s.reshape, &json));
	CHECK(reshape_wants_answer(s.reshape, 200, &json));
}

TEST(too_large_is_said_to_whom_it_concerns)
{
	Scene s;

	scene_begin(&s, a, S("rename: { .a: .b }"));
	CHECK_ERR(reshape_too_large(s.reshape, a, false), "shift.reshape_large");
	CHECK_INT(reshape_too_large(s.reshape, a, false)->kind, ERR_TOO_LARGE);
	CHECK_ERR(reshape_too_large(s.reshape, a, true), "shift.reshape");
}

static Err *warm_up(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Scene s;
	(void)arg;

	scene_begin(&s, a, S("{ request: { jq: .a }, answer: { jq: .b } }"));
	return reshape_warm(s.reshape, a);
}

TEST(filters_are_compiled_before_they_are_needed)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 2 }, warm_up, NULL));
}
