/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/sketch.c"

#include "unit.h"

static void add_range(Sketch *s, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		sketch_add(s, i);
}

TEST(up_to_ten_thousand_it_is_exact_whatever_comes_twice)
{
	AUTO(sketch_fini) Sketch s = { 0 };

	CHECK_INT(sketch_count(&s), 0);
	for (int again = 0; again < 2; again++)
		add_range(&s, 1, SKETCH_EXACT + 1);
	CHECK_INT(sketch_count(&s), SKETCH_EXACT);
	CHECK(!sketch_approximate(&s));
	sketch_add(&s, SKETCH_EXACT + 1);
	CHECK(sketch_approximate(&s));
}

TEST(above_that_it_errs_by_less_than_four_deviations)
{
	static const uint32_t sizes[] = { 10001, 12000, 30000, 100000, 1000000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(sketch_fini) Sketch s = { 0 };
		double off;

		add_range(&s, 1, sizes[i] + 1);
		off = fabs((double)sketch_count(&s) / sizes[i] - 1);
		NOTE("%u persons, off by %f", sizes[i], off);
		CHECK(off < 4 * SKETCH_ERROR);
	}
}

TEST(merged_is_as_if_all_had_come_to_one)
{
	static const struct {
		uint32_t from, to, from2, to2;
	} cases[] = {
		{ 1, 100, 50, 200 }, { 1, 8000, 4000, 12000 },   { 1, 20000, 1, 50 },
		{ 1, 50, 1, 20000 }, { 1, 30000, 20000, 60000 }, { 1, 1, 1, 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(sketch_fini) Sketch one = { 0 }, other = { 0 }, all = { 0 };
		AUTO(buf_fini) Buf merged = { 0 }, whole = { 0 };

		add_range(&one, cases[i].from, cases[i].to);
		add_range(&other, cases[i].from2, cases[i].to2);
		add_range(&all, cases[i].from, cases[i].to);
		add_range(&all, cases[i].from2, cases[i].to2);
		sketch_merge(&one, &other);
		sketch_put(&merged, &one);
		sketch_put(&whole, &all);
		NOTE("case %zu", i);
		CHECK_INT(sketch_count(&one), sketch_count(&all));
		CHECK_STR(buf_str(&merged), buf_str(&whole));
	}
}

TEST(its_bytes_are_read_back_and_cut_ones_are_refused)
{
	static const uint32_t sizes[] = { 0, 1, 5000, 20000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		AUTO(sketch_fini) Sketch s = { 0 }, back = { 0 }, cut = { 0 };
		AUTO(buf_fini) Buf b = { 0 };
		size_t used;

		add_range(&s, 1, sizes[i] + 1);
		sketch_put(&b, &s);
		buf_put(&b, S("more"));
		CHECK(sketch_read(buf_str(&b), &back, &used));
		CHECK_INT(used, b.len - 4);
		CHECK_INT(sketch_count(&back), sketch_count(&s));
		CHECK(!sketch_read(str_sub(buf_str(&b), 0, used - 1), &cut, &used));
	}
}
