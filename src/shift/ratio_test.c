/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/ratio.c"

#include "unit.h"

#include <stdlib.h>

static uint64_t state;

static double uniform(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

/* How many of so many splits that are as they should be are called broken, looked at after every user. */
static unsigned false_alarms(double expected, double real, unsigned runs, unsigned users)
{
	unsigned alarms = 0;

	for (unsigned run = 0; run < runs; run++) {
		Ratio ratio = ratio_new(expected);

		state = run * 1000003 + 17;
		for (unsigned i = 0; i < users && ratio_p(&ratio) >= 0.01; i++)
			ratio_note(&ratio, uniform() < real);
		alarms += ratio_p(&ratio) < 0.01;
	}
	return alarms;
}

TEST(ratio_of_an_honest_split_is_rarely_called_broken)
{
	unsigned runs = getenv("BANYAN_PROOF") ? 100000 : 1000;
	unsigned most = runs / 100 + (getenv("BANYAN_PROOF") ? 0 : 10);

	CHECK(false_alarms(0.01, 0.01, runs, 1000) <= most);
	CHECK(false_alarms(0.25, 0.25, runs, 1000) <= most);
	CHECK(false_alarms(0.5, 0.5, runs, 1000) <= most);
}

TEST(ratio_of_a_broken_split_is_seen_on_both_sides)
{
	CHECK_INT(false_alarms(0.05, 0.08, 50, 20000), 50);
	CHECK_INT(false_alarms(0.05, 0.03, 50, 20000), 50);
	CHECK_INT(false_alarms(0.5, 0.55, 50, 20000), 50);
}

TEST(ratio_of_nothing_or_of_a_whole_says_nothing)
{
	Ratio none = ratio_new(0), all = ratio_new(1), half = ratio_new(0.5);

	for (int i = 0; i < 100; i++) {
		ratio_note(&none, true);
		ratio_note(&all, false);
	}
	CHECK_NEAR(ratio_p(&none), 1, 0);
	CHECK_NEAR(ratio_p(&all), 1, 0);
	CHECK_NEAR(ratio_seen(&half), 0.5, 0);
}

TEST(ratio_is_kept_and_merged)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Ratio one = ratio_new(0.1), other = one, back;
	const Json *json;
	Str text;

	for (int i = 0; i < 60; i++) {
		ratio_note(&one, i % 10 == 0);
		ratio_note(&other, i % 3 == 0);
	}
	ratio_put(&w, &one);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_OK(ratio_read(a, json, &back));
	CHECK(back.peak == one.peak && back.expected == 0.1);
	ratio_merge(&back, &other);
	CHECK_INT(back.new_users,
	          other.new_users); /* the suspicious one, though it is the other's */
	CHECK_NEAR(ratio_p(&back), 2 * ratio_p(&other), 1e-12);
	ratio_merge(&back, &one);
	CHECK_INT(back.new_users, other.new_users);
	CHECK_NEAR(ratio_p(&back), 3 * ratio_p(&other), 1e-12);
	CHECK_NEAR(ratio_p(&one), 1, 0.5);
	CHECK_OK(json_read(a, S("{\"expected\":2,\"new\":1,\"old\":1,\"peak\":0}"), 0, &json));
	CHECK_ERR(ratio_read(a, json, &back), "shift.state");
}
