/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/seen.c"

#include "unit.h"

TEST(seen_remembers_each_kind_of_event_of_a_user)
{
	AUTO(seen_fini) Seen seen = { 0 };

	seen_init(&seen, 100);
	CHECK_INT(seen_get(&seen, 7), 0);
	CHECK(seen_put(&seen, 7, false, 1));
	CHECK(seen_put(&seen, 7, false, 4));
	CHECK_INT(seen_get(&seen, 7), 5);
	CHECK_INT(seen_get(&seen, 8), 0);
	CHECK(seen_put(&seen, 0, true, 2)); /* no user is lost for having an unlucky hash */
	CHECK_INT(seen_get(&seen, 0), 2);
	CHECK_INT(seen_count(&seen), 2);
}

TEST(seen_forgets_old_with_the_step_and_new_with_the_attempt)
{
	AUTO(seen_fini) Seen seen = { 0 };

	seen_init(&seen, 100);
	seen_put(&seen, 1, false, 1);
	seen_put(&seen, 2, true, 1);
	seen_put(&seen, 2, false, 2);
	seen_step(&seen);
	CHECK_INT(seen_get(&seen, 1), 0);
	CHECK_INT(seen_get(&seen, 2), 1);
	CHECK_INT(seen_count(&seen), 1);
	seen_put(&seen, 1, true, 1);
	seen_step(&seen);
	CHECK_INT(seen_get(&seen, 1), 1);
	seen_clear(&seen);
	CHECK_INT(seen_get(&seen, 1) + seen_get(&seen, 2), 0);
}

TEST(seen_says_when_it_is_full_and_keeps_what_it_has)
{
	AUTO(seen_fini) Seen seen = { 0 };
	size_t put = 0;

	seen_init(&seen, 1000);
	while (seen_put(&seen, 1000 + put, false, 1))
		put++;
	CHECK(put >= 1000 && put <= seen.cap);
	CHECK(seen.full);
	CHECK_INT(seen_count(&seen), put);
	CHECK(seen_put(&seen, 1000, false, 2)); /* whoever is in may have more */
	CHECK_INT(seen_get(&seen, 1000), 3);
	CHECK_INT(seen_get(&seen, 999), 0);
}

TEST(seen_uses_the_places_of_past_steps_again)
{
	AUTO(seen_fini) Seen seen = { 0 };

	seen_init(&seen, 1000);
	for (uint64_t step = 1; step <= 50; step++) {
		size_t cap = seen.cap;

		for (uint64_t i = 0; i < 1000; i++)
			CHECK(seen_put(&seen, step * 1000 + i, i % 200 == 0, 1));
		seen_step(&seen);
		CHECK(!seen.full && seen.cap == cap);
		CHECK_INT(seen_count(&seen), 5 * step); /* those of new stay */
	}
}

TEST(seen_is_kept_and_added_to_another)
{
	AUTO(seen_fini) Seen seen = { 0 };
	AUTO(seen_fini) Seen other = { 0 };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Json *json;
	Str text;

	seen_init(&seen, 100);
	seen_init(&other, 100);
	seen_put(&seen, UINT64_C(0xfedcba9876543210), true, 0x8001);
	seen_put(&seen, 5, false, 2);
	seen_put(&other, 5, true, 1);
	seen_write(&w, &seen);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_OK(seen_read(a, json, &other));
	CHECK_INT(seen_get(&other, UINT64_C(0xfedcba9876543210)), 0x8001);
	CHECK_INT(seen_get(&other, 5), 3);
	seen_step(&other);
	CHECK_INT(seen_get(&other, 5), 1);
	CHECK_OK(json_read(a, S("\"12\""), 0, &json));
	CHECK_ERR(seen_read(a, json, &other), "shift.state");
	CHECK_OK(json_read(a, S("\"000000000000000X00000000\""), 0, &json));
	CHECK_ERR(seen_read(a, json, &other), "shift.state");
	CHECK_OK(json_read(a, S("7"), 0, &json));
	CHECK_ERR(seen_read(a, json, &other), "shift.state");
}
