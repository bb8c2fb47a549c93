/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/access_line.c"
#include "base/arena.h"
#include "base/json.h"
#include "base/rand.h"
#include "unit.h"

#include <stdlib.h>

static AccessRecord full(void)
{
	return (AccessRecord){
		.start_us = INT64_C(1769903999123456), /* 2026-01-31T23:59:59.123456Z */
		.took_us = 12345,
		.connect_us = 210,
		.head_us = 9876,
		.bytes_in = 7,
		.bytes_out = 4321,
		.client = S("192.0.2.7"),
		.peer = S("10.0.0.1"),
		.client_port = 4711,
		.status = 200,
		.version = 20,
		.attempts = 2,
		.tls = true,
		.reused = true,
		.method = S("GET"),
		.host = S("shop.example.org"),
		.path = S("/users/7"),
		.query = S("page=2&token=abc&x"),
		.user_agent = S("curl/8.0 \"odd\""),
		.referer = S("https://e.org/?code=1&a=b"),
		.request_id = S("0123abcd"),
		.trace_id = S("4bf92f3577b34da6a3ce929d0e0e4736"),
		.span_id = S("00f067aa0ba902b7"),
		.route = S("users"),
		.upstream = S("shop"),
		.server = S("127.0.0.1:8000"),
		.error = S("upstream.reset"),
		.message = S("it is gone"),
	};
}

typedef size_t PutLine(char *into, size_t room, const AccessRecord *record, AccessQuery query);

static Str line(Arena *a, PutLine *put_line, const AccessRecord *r, AccessQuery query)
{
	char *at = arena_alloc_raw(a, ACCESS_LINE_BYTES);
	size_t len = put_line(at, ACCESS_LINE_BYTES, r, query);

	CHECK(len > 0 && at[len - 1] == '\n');
	return (Str){ at, len };
}

TEST(json_is_this_to_the_byte)
{
	AccessRecord r = full();

	CHECK_STR(
		line(a, access_put_json, &r, ACCESS_QUERY_REDACT),
		S("{\"@timestamp\":\"2026-01-31T23:59:59.123456Z\",\"ecs.version\":\"8.11.0\",\"service.name\":\"banyan\","
	          "\"event.kind\":\"event\",\"event.category\":[\"web\"],\"event.type\":[\"access\"],"
	          "\"event.dataset\":\"banyan.access\",\"event.duration\":12345000,\"event.outcome\":\"success\","
	          "\"http.request.method\":\"GET\",\"url.scheme\":\"https\",\"url.domain\":\"shop.example.org\","
	          "\"url.path\":\"/users/7\",\"url.query\":\"page=2&token=***&x\",\"http.version\":\"2\","
	          "\"http.request.id\":\"0123abcd\",\"trace.id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span.id\":\"00f067aa0ba902b7\","
	          "\"http.request.body.bytes\":7,\"user_agent.original\":\"curl/8.0 \\\"odd\\\"\","
	          "\"http.request.referrer\":\"https://e.org/?code=***&a=b\",\"http.response.status_code\":200,"
	          "\"http.response.body.bytes\":4321,\"client.address\":\"192.0.2.7\",\"client.ip\":\"192.0.2.7\","
	          "\"client.port\":4711,\"source.address\":\"10.0.0.1\",\"banyan.route\":\"users\","
	          "\"banyan.upstream\":\"shop\",\"banyan.server\":\"127.0.0.1:8000\",\"banyan.attempts\":2,"
	          "\"banyan.reused\":true,\"banyan.connect_us\":210,\"banyan.head_us\":9876,"
	          "\"error.code\":\"upstream.reset\",\"error.message\":\"it is gone\"}\n"));
}

/* From the Elastic Common Schema, version 8.11: names and what they hold there (keyword, ip and date are strings). */
static const struct {
	const char *name;
	JsonKind kind;
} ecs[] = {
	{ "@timestamp", JSON_KIND_STR },
	{ "ecs.version", JSON_KIND_STR },
	{ "service.name", JSON_KIND_STR },
	{ "event.kind", JSON_KIND_STR },
	{ "event.category", JSON_KIND_ARRAY },
	{ "event.type", JSON_KIND_ARRAY },
	{ "event.dataset", JSON_KIND_STR },
	{ "event.duration", JSON_KIND_INT },
	{ "event.outcome", JSON_KIND_STR },
	{ "http.request.method", JSON_KIND_STR },
	{ "http.request.id", JSON_KIND_STR },
	{ "http.request.body.bytes", JSON_KIND_INT },
	{ "http.request.referrer", JSON_KIND_STR },
	{ "http.response.status_code", JSON_KIND_INT },
	{ "http.response.body.bytes", JSON_KIND_INT },
	{ "http.version", JSON_KIND_STR },
	{ "url.scheme", JSON_KIND_STR },
	{ "url.domain", JSON_KIND_STR },
	{ "url.path", JSON_KIND_STR },
	{ "url.query", JSON_KIND_STR },
	{ "user_agent.original", JSON_KIND_STR },
	{ "trace.id", JSON_KIND_STR },
	{ "span.id", JSON_KIND_STR },
	{ "client.address", JSON_KIND_STR },
	{ "client.ip", JSON_KIND_STR },
	{ "client.port", JSON_KIND_INT },
	{ "source.address", JSON_KIND_STR },
	{ "error.code", JSON_KIND_STR },
	{ "error.message", JSON_KIND_STR },
};

TEST(every_name_is_of_the_schema_or_our_own)
{
	AccessRecord r = full();
	const Json *object, *value;
	void *at = NULL;
	size_t known = 0;
	Str key;

	r.cancelled = true;
	CHECK_OK(json_read(a, line(a, access_put_json, &r, ACCESS_QUERY_KEEP), 0, &object));
	while (json_next(object, &at, &key, &value)) {
		bool found = str_starts(key, S("banyan."));

		for (size_t i = 0; i < COUNT(ecs); i++)
			if (str_eq(key, str_of(ecs[i].name))) {
				CHECK_INT(json_kind(value), ecs[i].kind);
				found = true;
				known++;
			}
		NOTE("%.*s", STR_ARG(key));
		CHECK(found);
	}
	CHECK_INT(known, COUNT(ecs)); /* a full record has them all */
}

TEST(text_is_this_to_the_byte)
{
	AccessRecord r = full();

	CHECK_STR(
		line(a, access_put_text, &r, ACCESS_QUERY_DROP),
		S("2026-01-31 23:59:59.123 200 GET https://shop.example.org/users/7 12.3ms 4321B from 192.0.2.7 route=users "
	          "server=127.0.0.1:8000 attempts=2 error=upstream.reset (it is gone) id=0123abcd\n"));
}

TEST(what_is_not_there_is_left_out)
{
	AccessRecord r = { .connect_us = -1,
		           .head_us = -1,
		           .took_us = -5,
		           .client = S("unix"),
		           .peer = S("unix") };

	CHECK_STR(
		line(a, access_put_json, &r, ACCESS_QUERY_KEEP),
		S("{\"@timestamp\":\"1970-01-01T00:00:00.000000Z\",\"ecs.version\":\"8.11.0\",\"service.name\":\"banyan\","
	          "\"event.kind\":\"event\",\"event.category\":[\"web\"],\"event.type\":[\"access\"],"
	          "\"event.dataset\":\"banyan.access\",\"event.duration\":0,\"event.outcome\":\"failure\","
	          "\"url.scheme\":\"http\",\"http.version\":\"1.1\",\"http.request.body.bytes\":0,"
	          "\"http.response.body.bytes\":0,\"client.address\":\"unix\"}\n"));
	CHECK_STR(line(a, access_put_text, &r, ACCESS_QUERY_KEEP),
	          S("1970-01-01 00:00:00.000 --- http:// 0.0ms 0B from unix\n"));
}

TEST(outcomes)
{
	static const struct {
		uint16_t status;
		bool cancelled;
		const char *want;
	} cases[] = { { 200, false, "success" }, { 404, false, "success" },
		      { 500, false, "failure" }, { 0, false, "failure" },
		      { 0, true, "unknown" },    { 200, true, "unknown" } };

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(outcome(&(AccessRecord){ .status = cases[i].status,
		                                   .cancelled = cases[i].cancelled }),
		          str_of(cases[i].want));
}

TEST(secrets_in_queries_are_hidden)
{
	static const struct {
		Str query, redacted;
	} cases[] = {
		{ S("a=1&b=2"), S("a=1&b=2") },
		{ S("token=x"), S("token=***") },
		{ S("access_token=x&page=2"), S("access_token=***&page=2") },
		{ S("PASSWORD=x"), S("PASSWORD=***") },
		{ S("X-Amz-Signature=1&X-Amz-Credential=2"),
		  S("X-Amz-Signature=***&X-Amz-Credential=***") },
		{ S("code=1&zipcode=2&key=3&monkey=4&api_key=5"),
		  S("code=***&zipcode=2&key=***&monkey=4&api_key=***") },
		{ S("t%6fken=x"), S("t%6fken=***") },
		{ S("token=a=b"), S("token=***") },
		{ S("token="), S("token=") },
		{ S("token"), S("token") },
		{ S("&&a&=&"), S("&&a&=&") },
		{ S("sid=1;x"), S("sid=***") },
		{ S("=1&author=2"), S("=1&author=***") }, /* rather one too many */
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AccessRecord r = { .query = cases[i].query };

		NOTE("row %zu", i);
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_REDACT),
		               str_fmt(a, ",\"url.query\":\"%.*s\",", STR_ARG(cases[i].redacted))) >
		      0);
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_KEEP),
		               str_fmt(a, ",\"url.query\":\"%.*s\",", STR_ARG(cases[i].query))) >
		      0);
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_DROP), S("url.query")) <
		      0);
		r = (AccessRecord){ .referer = str_fmt(a, "/x?%.*s", STR_ARG(cases[i].query)) };
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_REDACT),
		               str_fmt(a, ",\"http.request.referrer\":\"/x?%.*s\",",
		                       STR_ARG(cases[i].redacted))) > 0);
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_DROP),
		               S("referrer\":\"/x\",")) > 0);
	}
}

TEST(card_numbers_are_left_out)
{
	AccessRecord r = { .path = S("/v1/customers/4242424242424242"),
		           .query = S("email=4242-4242-4242-4242&limit=3") };
	Str text = line(a, access_put_json, &r, ACCESS_QUERY_REDACT);

	CHECK(str_find(text, S(",\"url.path\":\"***\"")) > 0);
	CHECK(str_find(text, S(",\"url.query\":\"email=***&limit=3\"")) > 0);
	CHECK(str_find(line(a, access_put_text, &r, ACCESS_QUERY_REDACT), S("4242")) < 0);
}

TEST(card_numbers_are_left_out_however_they_are_escaped)
{
	static const Str queries[] = {
		S("email=4242+4242+4242+4242"),    S("n=%34242424242424242"),
		S("n=4242%204242%204242%204242"),  S("4242424242424242"),
		S("metadata[4242424242424242]=x"), S("n=%EF%BC%942424242424242%34%32")
	};

	for (size_t i = 0; i < COUNT(queries); i++) {
		AccessRecord r = { .path = S("/v1/customers/4242%204242%204242%204242"),
			           .query = queries[i],
			           .referer = i & 1 ? S("/pay/4242424242424242?a=1")
			                            : S("/pay/4242424242424242") };

		NOTE("%.*s", STR_ARG(queries[i]));
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_REDACT), S("4242")) < 0);
		CHECK(str_find(line(a, access_put_text, &r, ACCESS_QUERY_REDACT), S("4242")) < 0);
	}
}

TEST(nothing_breaks_out_of_its_quotes)
{
	static const struct {
		Str in, json, text;
	} cases[] = {
		{ S("a\"b\\c"), S("a\\\"b\\\\c"), S("a\"b\\c") },
		{ S("a\r\nb\x01"), S("a\\u000d\\u000ab\\u0001"), S("a\\x0d\\x0ab\\x01") },
		{ S("\x1b[31mred"), S("\\u001b[31mred"), S("\\x1b[31mred") },
		{ S("caf\xc3\xa9 \xf0\x9f\x8c\xb3"), S("caf\xc3\xa9 \xf0\x9f\x8c\xb3"),
		  S("caf\xc3\xa9 \xf0\x9f\x8c\xb3") },
		{ S("bad\xff\xc3"), S("bad\xef\xbf\xbd\xef\xbf\xbd"),
		  S("bad\xef\xbf\xbd\xef\xbf\xbd") },
		{ S("c1\xc2\x9b"), S("c1\xc2\x9b"), S("c1\\x9b") },
		{ S("del\x7f!"), S("del\x7f!"), S("del\\x7f!") },
		{ S("0123456\"89abcdef"), S("0123456\\\"89abcdef"), S("0123456\"89abcdef") },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AccessRecord r = { .path = cases[i].in, .user_agent = cases[i].in };

		NOTE("row %zu", i);
		CHECK(str_find(line(a, access_put_json, &r, ACCESS_QUERY_KEEP),
		               str_fmt(a, "\"url.path\":\"%.*s\",", STR_ARG(cases[i].json))) > 0);
		CHECK(str_find(line(a, access_put_text, &r, ACCESS_QUERY_KEEP),
		               str_fmt(a, "http://%.*s ", STR_ARG(cases[i].text))) > 0);
	}
}

static Str random_text(Arena *a, size_t max)
{
	static const char nasty[] = "\"\\\n\x7f\x80\xc3\xa9\xf0\x9f ?&=abcdefgh";
	size_t len = rand_below(max + 1);
	char *at = arena_alloc_raw(a, len + 1);
	bool all = rand_below(4) == 0;

	for (size_t i = 0; i < len; i++)
		at[i] = all ? '\x01' : nasty[rand_below(sizeof nasty)];
	return (Str){ at, len };
}

/* The memory has exactly the bytes that are promised to be enough: the sanitizer sees one too many. */
TEST(every_line_is_json_and_within_its_bound)
{
	for (int round = 0; round < 400; round++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		AccessRecord r = full();
		Str *fields[] = { &r.client, &r.peer,       &r.method,  &r.host,       &r.path,
			          &r.query,  &r.user_agent, &r.referer, &r.request_id, &r.trace_id,
			          &r.route,  &r.upstream,   &r.server,  &r.error,      &r.message };
		size_t room, len;
		const Json *value;
		char *at;

		for (size_t i = 0; i < COUNT(fields); i++)
			*fields[i] = random_text(own, rand_below(8) ? 40 : 3000);
		r.took_us = r.connect_us = r.head_us = (int64_t)(rand_u64() >> 12);
		r.bytes_in = r.bytes_out = INT64_MAX;
		room = worst_bytes(&r);
		CHECK(room <= ACCESS_LINE_BYTES);
		at = malloc(room);
		CHECK_INT(access_put_json(at, room - 1, &r, ACCESS_QUERY_KEEP), 0);
		CHECK_INT(access_put_text(at, room - 1, &r, ACCESS_QUERY_KEEP), 0);
		len = access_put_json(at, room, &r, (AccessQuery)rand_below(3));
		CHECK(len > 0 && len <= room);
		CHECK_INT(str_find_char((Str){ at, len }, '\n'), (ptrdiff_t)len - 1);
		CHECK_OK(json_read(own, (Str){ at, len - 1 }, 0, &value));
		len = access_put_text(at, room, &r, (AccessQuery)rand_below(3));
		CHECK(len > 0 && len <= room);
		CHECK_INT(str_find_char((Str){ at, len }, '\n'), (ptrdiff_t)len - 1);
		free(at);
	}
}
