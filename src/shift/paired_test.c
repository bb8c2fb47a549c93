/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/paired.c"

#include "unit.h"

TEST(paired_fires_after_as_many_differences_as_the_reference_says)
{
	static const struct {
		double alpha;
		unsigned after;
	} cases[] = { { 0.05, 6 }, { 0.01, 8 }, { 0.001, 12 }, { 0.0001, 16 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Paired paired = { .number = 1 };
		unsigned count = 0;

		for (; paired_p(&paired, 1) > cases[i].alpha; count++)
			paired_note(&paired, true, false);
		CHECK_INT(count, cases[i].after);
	}
}

TEST(paired_parts_of_alpha_sum_up_to_alpha)
{
	double sum = 0;

	for (uint32_t i = 1; i < 100000; i++)
		sum += paired_alpha(0.001, i);
	CHECK(sum < 0.001 && sum > 0.00099);
}

/* The comment at the top of paired.c. */
TEST(paired_later_keys_need_a_little_more)
{
	static const struct {
		uint32_t number;
		unsigned after;
	} cases[] = { { 1, 13 }, { 10, 20 }, { 100, 27 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Paired paired = { .number = cases[i].number };
		unsigned count = 0;

		for (; paired_say(&paired, 0.001) == PAIRED_OPEN; count++)
			paired_note(&paired, true, false);
		NOTE("key %u", cases[i].number);
		CHECK(paired_say(&paired, 0.001) == PAIRED_MISMATCH);
		CHECK_INT(count, cases[i].after);
	}
}

TEST(paired_noise_is_noise_and_a_mismatch_stays_one)
{
	Paired noise = { .number = 3 }, mismatch = { .number = 3 };

	paired_add(&noise, 20, 20);
	CHECK(paired_say(&noise, 0.001) == PAIRED_OPEN);
	paired_add(&noise, 180, 180);
	CHECK(paired_say(&noise, 0.001) == PAIRED_NOISE);
	paired_note(&noise, true, true); /* both or neither tell nothing */
	paired_note(&noise, false, false);
	CHECK_INT(noise.raw_only + noise.noise_only, 400);
	paired_add(&mismatch, 30, 0);
	paired_add(&mismatch, 0, 500);
	CHECK(paired_say(&mismatch, 0.001) == PAIRED_MISMATCH);
	CHECK_NEAR(paired_p(&noise, paired_alpha(1, 3)), 1, 0);
	CHECK(paired_p(&mismatch, paired_alpha(1, 3)) < 0.001);
}

TEST(paired_is_kept)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Paired paired = { .number = 9 }, back;
	const Json *json;
	Str text;

	paired_add(&paired, 5, 1);
	paired_put(&w, &paired);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_OK(paired_read(a, json, &back));
	CHECK(back.number == 9 && back.raw_only == 5 && back.noise_only == 1 &&
	      back.peak == paired.peak);
	CHECK_OK(json_read(a, S("{\"number\":0,\"raw\":1,\"noise\":1,\"peak\":0}"), 0, &json));
	CHECK_ERR(paired_read(a, json, &back), "shift.state");
}
