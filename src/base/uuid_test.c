/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.c"

#include "unit.h"

TEST(ids_rise_whatever_the_clock_does)
{
	static const uint64_t clock_ms[] = { 1000, 1000, 1001, 500, 1001, 1002, 1002 };
	Maker maker = { 0 };
	Uuid before = { { 0 } };

	for (size_t i = 0; i < COUNT(clock_ms); i++) {
		Uuid id = make(&maker, clock_ms[i], UINT64_MAX - i * 3);

		NOTE("row %zu", i);
		CHECK(uuid_cmp(before, id) < 0);
		CHECK_INT(id.at[6] >> 4, 7);
		CHECK_INT(id.at[8] >> 6, 2);
		before = id;
	}
	CHECK_INT(uuid_time_us(before), 1002 * US_PER_MS);
}

TEST(a_counter_that_is_used_up_goes_on_with_the_next_millisecond)
{
	Maker maker = { .ms = 1000, .counter = (1u << COUNTER_BITS) - 1 };
	Uuid id = make(&maker, 1000, 0);

	CHECK_INT(uuid_time_us(id), 1001 * US_PER_MS);
	CHECK_INT(maker.counter, 0);
}

TEST(ids_of_now)
{
	int64_t now = time_utc_us();
	Uuid one = uuid_new(), two = uuid_new();

	CHECK(uuid_cmp(one, two) < 0);
	CHECK(uuid_time_us(one) >= now / US_PER_MS * US_PER_MS);
	CHECK(!uuid_is_nil(one));
	CHECK(uuid_is_nil((Uuid){ { 0 } }));
}

TEST(text_and_back)
{
	static const struct {
		Str text;
		bool good;
	} cases[] = {
		{ S("018f3c1e-7a4b-7cc0-b1f2-0123456789ab"), true },
		{ S("018F3C1E-7A4B-7CC0-B1F2-0123456789AB"), true },
		{ S("018f3c1e7a4b-7cc0-b1f2-0123456789ab-"), false },
		{ S("018f3c1e-7a4b-7cc0-b1f2-0123456789a"), false },
		{ S("018f3c1e-7a4b-7cc0-b1f2-0123456789ag"), false },
		{ S("018f3c1e-7a4b-7cc0-b1f2-0123456789 b"), false },
		{ S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Uuid id = { { 0 } };

		NOTE("row %zu", i);
		CHECK_INT(uuid_read(cases[i].text, &id), cases[i].good);
		if (cases[i].good)
			CHECK_STR(uuid_text(a, id), str_lower(a, cases[i].text));
	}
	for (int i = 0; i < 100; i++) {
		AUTO(buf_fini) Buf b = { 0 };
		Uuid id = uuid_new(), back;

		uuid_put(&b, id);
		CHECK(uuid_read((Str){ b.at, b.len }, &back) && uuid_eq(id, back));
	}
}
