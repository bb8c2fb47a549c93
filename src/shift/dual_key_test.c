/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/dual_key.c"

#include "unit.h"

#include <string.h>

static Str key_of(Arena *a, const char *text, const DualKeyAsk *ask)
{
	WritesKey key;

	CHECK_OK(writes_key_read(a, str_of(text), &key));
	return dual_key(a, &key, ask);
}

TEST(what_a_request_has_is_its_key_and_else_its_path)
{
	RouteConf conf = { .name = S("one"), .match = { .host = S("*"), .path = S("/a/{id}/**") } };
	const Route *route = route_table_at(route_table_new(a, &conf, 1), 0);
	Headers headers = { 0 };
	Identity who = { 0 };
	DualKeyAsk ask = { .route = route, .path = S("/a/7/x"), .headers = &headers };

	headers_add(&headers, a, S("X-Tenant"), S("blue"));
	headers_add(&headers, a, S("X-Api-Key"), S("of-blue"));
	CHECK_STR(key_of(a, "path", &ask), S("path:/a/7/x"));
	CHECK_STR(key_of(a, "path.id", &ask), S("part:id=7"));
	CHECK_STR(key_of(a, "header:x-tenant", &ask), S("header:x-tenant=blue"));
	CHECK_STR(key_of(a, "header:X-Other", &ask), S("path:/a/7/x"));
	CHECK_STR(key_of(a, "user", &ask), S("path:/a/7/x"));
	CHECK_STR(key_of(a, "body.id", &ask), S("path:/a/7/x"));
	CHECK_STR(key_of(a, "claim:tenant", &ask), S("path:/a/7/x"));
	CHECK_OK(json_read(a, S("{\"tenant\":{\"id\":7},\"sub\":\"ann\"}"), 0, &who.claims));
	ask.identity = &who;
	CHECK_STR(key_of(a, "claim:tenant.id", &ask), S("claim:tenant.id=7"));
	CHECK_STR(key_of(a, "claim:tenant", &ask), S("path:/a/7/x"));
	CHECK(str_find(key_of(a, "header:X-Api-Key", &ask), S("of-blue")) < 0);
	ask.user = 0xabc;
	CHECK_STR(key_of(a, "user", &ask), S("user:#0000000000000abc"));
}

TEST(a_field_of_a_body_is_a_key)
{
	static const struct {
		Str body, want;
	} cases[] = {
		{ S("{\"order\":{\"id\":7}}"), S("body:id=7") },
		{ S("{\"order\":{\"id\":\"7\"}}"), S("body:id=7") },
		{ S("{\"order\":{\"id\":true}}"), S("body:id=true") },
		{ S("{\"order\":{\"id\":null}}"), S("path:/x") },
		{ S("{\"order\":{\"id\":[7]}}"), S("path:/x") },
		{ S("{\"order\":7}"), S("path:/x") },
		{ S("[]"), S("path:/x") },
		{ S("id=7"), S("path:/x") },
		{ S(""), S("path:/x") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		DualKeyAsk ask = { .path = S("/x"), .body = cases[i].body };

		NOTE("%.*s", STR_ARG(cases[i].body));
		CHECK_STR(key_of(a, "body.order.id", &ask), cases[i].want);
	}
}

TEST(a_key_is_short_and_printable)
{
	char text[1000];
	DualKeyAsk ask = { .path = { text, sizeof text } };
	Str one, other;

	memset(text, 'x', sizeof text);
	one = key_of(a, "path", &ask);
	text[999] = 'y';
	other = key_of(a, "path", &ask);
	CHECK(one.len < DUAL_KEY_MAX && !str_eq(one, other) && str_starts(one, S("path:#")));
	ask.path = S("/a\xff");
	CHECK(str_starts(key_of(a, "path", &ask), S("path:#")));
	ask.path = S("/a/ann@example.org");
	CHECK(str_starts(key_of(a, "path", &ask), S("path:#")));
}
