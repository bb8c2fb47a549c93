/* SPDX-License-Identifier: Apache-2.0 */
#include "store/event.c"

#include "unit.h"

static Event sample(void)
{
	Event event = { .source = S("/shop"),
		        .type = S("order.placed"),
		        .aggregate_type = S("order"),
		        .aggregate_id = S("4/2 \"x\""),
		        .time_us = 1769903999123456,
		        .traceparent = S("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
		        .data = S("{\"total\":9007199254740993}") };

	CHECK(uuid_read(S("018f3c1e-7a4b-7cc0-b1f2-0123456789ab"), &event.id));
	return event;
}

TEST(event_put_writes_a_cloud_event)
{
	AUTO(buf_fini) Buf b = { 0 };
	Event event = sample();

	event_put(&b, &event);
	CHECK_STR(
		buf_str(&b),
		S("{\"specversion\":\"1.0\",\"id\":\"018f3c1e-7a4b-7cc0-b1f2-0123456789ab\",\"source\":\"/shop\","
	          "\"type\":\"order.placed\",\"subject\":\"order/4/2 \\\"x\\\"\",\"time\":\"2026-01-31T23:59:59.123456Z\","
	          "\"datacontenttype\":\"application/json\","
	          "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\","
	          "\"data\":{\"total\":9007199254740993}}"));
}

TEST(event_read_gives_back_what_was_put)
{
	AUTO(buf_fini) Buf b = { 0 };
	Event event = sample(), again;

	event_put(&b, &event);
	CHECK_OK(event_read(a, buf_str(&b), &again));
	CHECK(uuid_eq(again.id, event.id));
	CHECK_STR(again.source, event.source);
	CHECK_STR(again.type, event.type);
	CHECK_STR(event_subject(a, &again), S("order/4/2 \"x\""));
	CHECK_INT(again.time_us, event.time_us);
	CHECK_STR(again.traceparent, event.traceparent);
	CHECK_STR(again.data, event.data);
}

TEST(event_read_of_strangers)
{
	static const struct {
		const char *change, *slug; /* put into the object, instead of what is there */
	} cases[] = {
		{ "\"more\":[1,{\"x\":2}]", NULL },
		{ "\"specversion\":\"1.1\"", NULL },
		{ "\"specversion\":\"0.3\"", "event.invalid" },
		{ "\"specversion\":1", "json.member" },
		{ "\"id\":\"42\"", "event.invalid" },
		{ "\"id\":\"00000000-0000-0000-0000-000000000000\"", "event.invalid" },
		{ "\"source\":\"\"", "event.invalid" },
		{ "\"type\":\"\"", "event.invalid" },
		{ "\"type\":\"a b\"", "event.invalid" },
		{ "\"subject\":\"order\"", "event.invalid" },
		{ "\"subject\":\"/1\"", "event.invalid" },
		{ "\"subject\":\"order/\"", "event.invalid" },
		{ "\"subject\":\"order/a\\nb\"", "event.invalid" },
		{ "\"time\":\"yesterday\"", "event.invalid" },
		{ "\"time\":7", "event.invalid" },
		{ "\"traceparent\":\"00-1\"", "event.invalid" },
		{ "\"traceparent\":1", "event.invalid" },
		{ "\"data_base64\":\"AA==\"", "event.invalid" },
		{ "\"datacontenttype\":\"text/xml\"", "event.invalid" },
		{ "\"datacontenttype\":\"application/json; charset=utf-8\"", NULL },
	};
	static const char *const have[] = { "\"specversion\":\"1.0\"",
		                            "\"id\":\"018f3c1e-7a4b-7cc0-b1f2-0123456789ab\"",
		                            "\"source\":\"/x\"", "\"type\":\"t\"",
		                            "\"subject\":\"order/1\"" };

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Str change = str_of(cases[i].change);
		size_t key = (size_t)str_find_char(change, ':');
		Event event;

		NOTE("%s", cases[i].change);
		buf_putc(&b, '{');
		for (size_t k = 0; k < COUNT(have); k++)
			if (!str_starts(str_of(have[k]), str_sub(change, 0, key + 1)))
				buf_fmt(&b, "%s,", have[k]);
		buf_put(&b, change);
		buf_putc(&b, '}');
		if (cases[i].slug)
			CHECK_ERR(event_read(a, buf_str(&b), &event), cases[i].slug);
		else
			CHECK_OK(event_read(a, buf_str(&b), &event));
	}
	CHECK_ERR(event_read(a, S("[]"), &(Event){ 0 }), "event.invalid");
	CHECK_ERR(event_read(a, S("{"), &(Event){ 0 }), "json.syntax");
}

TEST(event_check_looks_at_what_is_put)
{
	Event event = sample();

	CHECK_OK(event_check(a, &event));
	event.data = S("{\"total\":");
	CHECK_ERR(event_check(a, &event), "event.invalid");
	event.written = true; /* whoever says so is believed, but for the size */
	CHECK_OK(event_check(a, &event));
	event.data = (Str){ arena_alloc(a, EVENT_DATA_MOST + 1), EVENT_DATA_MOST + 1 };
	CHECK_ERR(event_check(a, &event), "event.too_large");
	event.data = S("");
	CHECK_OK(event_check(a, &event));
	event.aggregate_type = S("a/b");
	CHECK_ERR(event_check(a, &event), "event.invalid");
}

TEST(event_types_by_pattern)
{
	static const char *const patterns[] = { "user.created", "order.*" };
	static const char *const all[] = { "*" };

	CHECK(event_type_in(S("user.created"), patterns, 2));
	CHECK(event_type_in(S("order.placed"), patterns, 2));
	CHECK(!event_type_in(S("user.created2"), patterns, 2));
	CHECK(!event_type_in(S("order"), patterns, 2));
	CHECK(!event_type_in(S("order.placed"), patterns, 0));
	CHECK(event_type_in(S("anything"), all, 1));
}
