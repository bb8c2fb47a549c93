/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/counters.c"

#include "unit.h"

static const Counters *counters_of(Arena *a, CounterConf *rows, size_t count)
{
	ShiftConf conf = { 0 };
	const Counters *counters;

	conf.judge.counters.at = rows;
	conf.judge.counters.count = count;
	CHECK_OK(counters_new(a, &conf, &counters));
	return counters;
}

TEST(counters_read_a_field)
{
	CounterConf row = { .name = S("paid"), .field = S(".payment.status"), .has_field = true };
	const Counters *any = counters_of(a, &row, 1), *paid, *three, *true_one;
	static const struct {
		Str body;
		bool any, paid, three, true_one;
	} cases[] = {
		{ S("{\"payment\":{\"status\":\"paid\"}}"), true, true, false, false },
		{ S("{\"payment\":{\"status\":\"declined\"}}"), true, false, false, false },
		{ S("{\"payment\":{\"status\":3}}"), true, false, true, false },
		{ S("{\"payment\":{\"status\":3.5}}"), true, false, false, false },
		{ S("{\"payment\":{\"status\":\"3\"}}"), true, false, true, false },
		{ S("{\"payment\":{\"status\":true}}"), true, false, false, true },
		{ S("{\"payment\":{\"status\":false}}"), false, false, false, false },
		{ S("{\"payment\":{\"status\":0}}"), false, false, false, false },
		{ S("{\"payment\":{\"status\":\"\"}}"), false, false, false, false },
		{ S("{\"payment\":{\"status\":null}}"), false, false, false, false },
		{ S("{\"payment\":{\"status\":[1]}}"), true, false, false, false },
		{ S("{\"payment\":[{\"status\":1}]}"), false, false, false, false },
		{ S("{\"payment\":1}"), false, false, false, false },
		{ S("[]"), false, false, false, false },
		{ S("<html>paid</html>"), false, false, false, false },
		{ S(""), false, false, false, false },
	};

	row.has_equals = true;
	row.equals = S("paid");
	paid = counters_of(a, &row, 1);
	row.equals = S("3");
	three = counters_of(a, &row, 1);
	row.equals = S("true");
	true_one = counters_of(a, &row, 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Counters *all[] = { any, paid, three, true_one };
		bool want[] = { cases[i].any, cases[i].paid, cases[i].three, cases[i].true_one };

		for (size_t k = 0; k < COUNT(all); k++) {
			uint32_t with = 9;

			NOTE("%.*s, %zu", STR_ARG(cases[i].body), k);
			CHECK(read_body(all[k], (Str){ 0 }, cases[i].body, &with));
			CHECK_INT(with, want[k]);
		}
	}
}

TEST(counters_tell_headers_from_fields)
{
	CounterConf rows[] = {
		{ .name = S("ok"), .header = S("X-Ok"), .has_header = true },
		{ .name = S("paid"), .field = S(".paid"), .has_field = true },
		{ .name = S("gold"),
		  .header = S("X-Plan"),
		  .has_header = true,
		  .equals = S("gold"),
		  .has_equals = true },
	};
	const Counters *counters = counters_of(a, rows, COUNT(rows));
	uint32_t with;

	CHECK_INT(counters->fields, 2);
	CHECK(read_body(counters, (Str){ 0 }, S("{\"paid\":1}"), &with));
	CHECK_INT(with, 2);
	CHECK(header_counts(&counters->at[0], S("1")) && header_counts(&counters->at[0], S("yes")));
	CHECK(!header_counts(&counters->at[0], S("0")) &&
	      !header_counts(&counters->at[0], S("False")) &&
	      !header_counts(&counters->at[0], S("")));
	CHECK(header_counts(&counters->at[2], S("gold")));
	CHECK(!header_counts(&counters->at[2], S("golden")) &&
	      !header_counts(&counters->at[2], S("")));
}

TEST(counters_say_when_a_body_cannot_be_read)
{
	CounterConf row = { .name = S("paid"), .field = S(".paid"), .has_field = true };
	const Counters *counters = counters_of(a, &row, 1);
	uint32_t with;

	CHECK(!read_body(counters, S("compress"), S("{\"paid\":1}"), &with));
	CHECK(read_body(counters, S("gzip"), S("{\"paid\":1}"),
	                &with)); /* it lies: it is damaged */
	CHECK_INT(with, 0);
}

TEST(counters_copy_no_more_than_there_is_room_for)
{
	static Passage p;
	static CounterBody bodies[300];
	AUTO(buf_fini) Buf large = { 0 };
	size_t whole = 0;

	memset(buf_room(&large, BODY_MAX), 'x', BODY_MAX);
	buf_wrote(&large, BODY_MAX);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		CounterTrip trip = { .body = &bodies[i] };

		counters_piece(&p, &trip, buf_str(&large));
		counters_piece(&p, &trip, S(""));
		CHECK(bodies[i].whole && bodies[i].cut == !bodies[i].bytes.len);
		whole += !bodies[i].cut;
	}
	CHECK_INT(whole, COPIES_MAX / BODY_MAX);
	CHECK_INT(counting.copied, COPIES_MAX);
	for (size_t i = 0; i < COUNT(bodies); i++)
		counters_drop(&(CounterTrip){ .body = &bodies[i] });
	CHECK_INT(counting.copied, 0);
}
