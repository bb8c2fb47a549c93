/* SPDX-License-Identifier: Apache-2.0 */
#include "load/rate.c"

#include "base/time.h"
#include "unit.h"

static const RateStage flat[] = { { 100, 100, 10 * US_PER_S } };
static const RateStage shape[] = { { 0, 100, 10 * US_PER_S },
	                           { 100, 100, 5 * US_PER_S },
	                           { 400, 400, US_PER_S },
	                           { 100, 0, 10 * US_PER_S } };

TEST(constant_arrivals_are_even_and_all_of_them)
{
	Arrivals arrivals = arrivals_begin(flat, 1, false, 0, 1);
	double at, want = 0;
	unsigned count = 0;

	while (arrivals_next(&arrivals, &at)) {
		want += 10000;
		CHECK(fabs(at - want) < 0.01);
		count++;
	}
	CHECK_INT(count, 1000);
}

TEST(the_area_below_a_ramp_is_what_arrives_on_it)
{
	double seconds_at[] = { 5, 10, 15, 16, 26 };
	double want[] = { 125, 500, 1000, 1400, 1900 };

	for (size_t i = 0; i < COUNT(want); i++)
		CHECK(fabs(rate_area(shape, COUNT(shape), (int64_t)(seconds_at[i] * 1e6)) -
		           want[i]) < 1e-6);
	CHECK_INT(rate_length_us(shape, COUNT(shape)), 26 * US_PER_S);
	CHECK(fabs(rate_at(shape, COUNT(shape), 2500000) - 25) < 1e-9);
	CHECK(fabs(rate_at(shape, COUNT(shape), 15500000) - 400) < 1e-9);
	CHECK(rate_at(shape, COUNT(shape), 27 * US_PER_S) == 0);
	CHECK(rate_peak(shape, COUNT(shape)) == 400);
}

TEST(each_arrival_of_a_shape_is_where_its_area_is)
{
	Arrivals arrivals = arrivals_begin(shape, COUNT(shape), false, 0, 1);
	double at, before = 0;
	unsigned count = 0;

	while (arrivals_next(&arrivals, &at)) {
		count++;
		CHECK(at >= before);
		CHECK(fabs(rate_area(shape, COUNT(shape), (int64_t)at) - count) < 0.01);
		before = at;
	}
	CHECK_INT(count, 1900);
}

TEST(parts_of_a_plan_together_are_the_plan)
{
	enum { PARTS = 3 };
	unsigned count = 0;
	double first[PARTS];

	for (unsigned part = 0; part < PARTS; part++) {
		Arrivals arrivals = arrivals_begin(flat, 1, false, part, PARTS);
		double at;

		CHECK(arrivals_next(&arrivals, &first[part]));
		count++;
		while (arrivals_next(&arrivals, &at))
			count++;
	}
	CHECK_INT(count, 1000);
	for (unsigned part = 0; part < PARTS; part++)
		CHECK(fabs(first[part] - 10000.0 * (part + 1)) < 0.01);
}

/* Kolmogorov and Smirnov: the gaps in area are exponential, so 1 - exp(-gap) is uniform. At 0.1 % a right process fails
 * once in a thousand runs; three tries make that once in a thousand million. */
static double distance_from_exponential(unsigned parts)
{
	enum { N = 20000, CELLS = 1000 };
	static const RateStage long_shape[] = { { 100, 900, 60 * US_PER_S } };
	unsigned cells[CELLS] = { 0 };
	Arrivals arrivals = arrivals_begin(long_shape, 1, true, 0, parts);
	double before = 0, at, seen = 0, furthest = 0;
	unsigned count = 0;

	while (arrivals_next(&arrivals, &at) && count < N) {
		double area = rate_area(long_shape, 1, (int64_t)at) / parts;
		double u = 1 - exp(-(area - before));

		cells[MIN((unsigned)(fmax(u, 0) * CELLS), CELLS - 1u)]++;
		before = area;
		count++;
	}
	for (unsigned i = 0; i < CELLS; i++) {
		seen += cells[i];
		furthest = fmax(furthest, fabs(seen / count - (i + 1.0) / CELLS));
	}
	return furthest * sqrt(count);
}

TEST(poisson_gaps_pass_a_test_of_fit_on_a_ramp)
{
	double best = 10;

	for (int i = 0; i < 3; i++)
		best = fmin(best, distance_from_exponential(i == 2 ? 4 : 1));
	CHECK(best < 1.95);
}

TEST(poisson_counts_are_the_area_on_average)
{
	double sum = 0;

	for (int i = 0; i < 200; i++) {
		Arrivals arrivals = arrivals_begin(flat, 1, true, 0, 1);
		double at;

		while (arrivals_next(&arrivals, &at))
			sum++;
	}
	CHECK(fabs(sum / 200 - 1000) < 6 * sqrt(1000.0 / 200)); /* six deviations */
}
