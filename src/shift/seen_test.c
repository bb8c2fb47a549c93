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

TEST(seen_tells_what_was_counted_here_once)
{
	AUTO(seen_fini) Seen seen = { .shared = true };
	AUTO(buf_fini) Buf b = { 0 };
	SeenNews *news, one;
	size_t count;
	Str text;

	seen_init(&seen, 100);
	seen.shared = true;
	seen_put(&seen, UINT64_C(0xfedcba9876543210), true, 0x8001);
	seen_put(&seen, 5, false, 2);
	seen_put(&seen, 5, false, 2);
	news = seen_take_news(&seen, &count);
	CHECK_INT(count, 2);
	seen_put_news(&b, news, count);
	text = buf_str(&b);
	CHECK(seen_read_news(&text, &one));
	CHECK(one.user == UINT64_C(0xfedcba9876543210) && one.on_new == 0x8001 && !one.on_old);
	CHECK(seen_read_news(&text, &one));
	CHECK(one.user == 5 && !one.on_new && one.on_old == 2);
	CHECK(!seen_read_news(&text, &one) && !text.len);
	CHECK_INT(seen.news_count, 0);
	seen_give_news(&seen, news, count);
	seen_step(&seen); /* what was on old says nothing of the next step */
	free(news);
	news = seen_take_news(&seen, &count);
	CHECK_INT(news[1].on_old, 0);
	free(news);
	seen_say_all(&seen);
	CHECK_INT(seen.news_count, 1);
}

TEST(seen_counts_nobody_whom_another_gateway_has_counted)
{
	AUTO(seen_fini) Seen seen = { 0 };
	SeenNews theirs = { 7, 1, 0 }, both;

	seen_init(&seen, 100);
	both = seen_hear(&seen, &theirs, false);
	CHECK(!both.on_new && !both.on_old);
	CHECK_INT(seen_get(&seen, 7), 1);
	seen_put(&seen, 8, true, 3);
	theirs.user = 8;
	both = seen_hear(&seen, &theirs, false);
	CHECK(both.user == 8 && both.on_new == 1);
	both = seen_hear(&seen, &theirs, true);
	CHECK(both.on_new == 1);
	both = seen_hear(&seen, &theirs, true); /* it is that one's now */
	CHECK(!both.on_new);
	CHECK_INT(seen_get(&seen, 8), 3);
	seen_step(&seen);
	CHECK_INT(seen_get(&seen, 7), 1);
	CHECK_INT(seen_get(&seen, 8), 3);
	for (uint64_t i = 0; i < 1000; i++) {
		theirs.user = 1000 + i;
		(void)seen_hear(&seen, &theirs, true);
	}
	CHECK(seen.unheard && !seen.full);
	CHECK(seen_put(&seen, 5000, true, 1)); /* room for one's own is left */
}

TEST(seen_reads_no_news_that_are_none)
{
	static const Str cases[] = { S("12"), S("000000000000000X00000000"),
		                     S("000000000000000000010001") };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = cases[i];
		SeenNews one;

		CHECK(!seen_read_news(&text, &one) && text.len);
	}
}
