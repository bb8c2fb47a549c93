/* SPDX-License-Identifier: Apache-2.0 */
#include "load/hist.c"

#include "base/rand.h"
#include "unit.h"

TEST(a_value_is_counted_with_those_within_a_thousandth_of_it)
{
	for (int64_t us = 1; us < HIST_MAX_US; us += 1 + us / 7) {
		unsigned index = index_of(us);

		CHECK(index < COUNTS);
		CHECK(low_of(index) <= us && us <= high_of(index));
		CHECK((double)(high_of(index) - low_of(index)) <= (double)us / 1000);
		CHECK_INT(index_of(low_of(index)), index);
		CHECK_INT(index_of(high_of(index)), index);
	}
	CHECK_INT(index_of(HIST_MAX_US) < COUNTS, true);
	for (unsigned i = 0; i + 1 < index_of(HIST_MAX_US); i++)
		CHECK_INT(high_of(i) + 1, low_of(i + 1));
}

static int compare(const void *x, const void *y)
{
	int64_t l = *(const int64_t *)x, r = *(const int64_t *)y;

	return (l > r) - (l < r);
}

TEST(percentiles_are_those_of_the_sorted_values)
{
	enum { N = 20000 };
	static const double percents[] = { 0, 0.01, 1, 50, 90, 99, 99.9, 99.99, 100 };
	static int64_t values[N];
	AUTO(hist_freep) Hist *hist = hist_new();

	for (size_t i = 0; i < N; i++) {
		values[i] = 1 + (int64_t)(rand_u64() >> (rand_below(40) + 24)) % 90000000;
		hist_record(hist, values[i]);
	}
	qsort(values, N, sizeof *values, compare);
	for (size_t k = 0; k < COUNT(percents); k++) {
		size_t rank = (size_t)ceil(percents[k] / 100 * N - 1e-9);
		int64_t want = values[rank ? rank - 1 : 0];

		CHECK_INT(hist_percentile_us(hist, percents[k]), hist_equivalent_max_us(want));
	}
	CHECK_INT(hist_count(hist), N);
	CHECK_INT(hist_min_us(hist), values[0]);
	CHECK_INT(hist_max_us(hist), values[N - 1]);
}

TEST(an_empty_one_says_zero_and_extremes_are_kept_in)
{
	AUTO(hist_freep) Hist *hist = hist_new();

	CHECK_INT(hist_percentile_us(hist, 99), 0);
	CHECK_INT(hist_min_us(hist), 0);
	CHECK_INT(hist_max_us(hist), 0);
	CHECK(hist_mean_us(hist) == 0 && hist_deviation_us(hist) == 0);
	hist_record(hist, -5);
	hist_record(hist, INT64_MAX);
	CHECK_INT(hist_min_us(hist), 1);
	CHECK_INT(hist_max_us(hist), HIST_MAX_US);
	CHECK_INT(hist_percentile_us(hist, 50), 1);
	CHECK_INT(hist_count_above(hist, 1), 1);
	CHECK_INT(hist_count_above(hist, 0), 1);
	CHECK_INT(hist_count_above(hist, INT64_MAX), 0);
	hist_clear(hist);
	CHECK_INT(hist_count(hist), 0);
}

TEST(mean_and_deviation_are_those_of_the_values)
{
	AUTO(hist_freep) Hist *hist = hist_new();

	hist_record_n(hist, 1000, 3);
	hist_record_n(hist, 2000, 1);
	CHECK(fabs(hist_mean_us(hist) - 1250) < 2);
	CHECK(fabs(hist_deviation_us(hist) - 433) < 2);
}

TEST(two_are_merged_exactly)
{
	AUTO(hist_freep) Hist *one = hist_new();
	AUTO(hist_freep) Hist *two = hist_new();
	AUTO(hist_freep) Hist *both = hist_new();

	for (int i = 0; i < 5000; i++) {
		int64_t us = (int64_t)rand_below(5000000);

		hist_record(i % 3 ? one : two, us);
		hist_record(both, us);
	}
	hist_add(one, two);
	CHECK_INT(memcmp(one, both, sizeof *one), 0);
}

TEST(what_is_encoded_is_read_back)
{
	AUTO(hist_freep) Hist *hist = hist_new();
	AUTO(hist_freep) Hist *again = hist_new();
	AUTO(buf_fini) Buf text = { 0 };

	for (int i = 0; i < 3000; i++)
		hist_record_n(hist, (int64_t)rand_below(UINT64_C(1) << rand_below(31)),
		              1 + rand_below(1000));
	hist_record_n(hist, 77, UINT64_C(1) << 60);
	hist_put_v2(&text, hist);
	CHECK_OK(hist_add_v2(again, buf_str(&text)));
	CHECK_INT(memcmp(hist->counts, again->counts, sizeof hist->counts), 0);
	CHECK_INT(hist_count(again), hist_count(hist));
}

TEST(what_another_implementation_wrote_is_read)
{
	/* HdrHistogram's own: 1, 10, 100 .. 10^6 us once each, digits 3, highest 3.6e9; laid out by hand from the format */
	AUTO(hist_freep) Hist *hist = hist_new();
	AUTO(buf_fini) Buf text = { 0 };

	for (int64_t us = 1; us <= 1000000; us *= 10)
		hist_record(hist, us);
	put_counts(&text, hist);
	/* -1, 1, -8, 1, -89, 1, -899, 1: zigzag 01 02 0f 02 b1 01 02 85 0e 02 */
	CHECK(str_starts(buf_str(&text), S("\x01\x02\x0f\x02\xb1\x01\x02\x85\x0e\x02")));
}

TEST(what_is_no_histogram_is_refused)
{
	static const Str cases[] = { S(""),
		                     S("HISTF"),
		                     S("!!!!"),
		                     S("HISTFAAAAAAA"),
		                     S("HISTFAAAAEB42pNpmSzMwMDAxAABzFCaEUoz"),
		                     S("AAAA"),
		                     S("HISTFAAAAAj/////") };
	AUTO(hist_freep) Hist *hist = hist_new();

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_ERR(hist_add_v2(hist, cases[i]), "load.histogram");
	CHECK_INT(hist_count(hist), 0);
}

TEST(a_log_has_a_heading_and_a_line_an_interval)
{
	AUTO(hist_freep) Hist *hist = hist_new();
	AUTO(buf_fini) Buf log = { 0 };

	hist_record(hist, 2000);
	hist_put_log_head(&log, INT64_C(1000000000000000));
	hist_put_log_line(&log, S("home"), 1500000, 1000000, hist);
	CHECK(str_starts(
		buf_str(&log),
		S("#[Histogram log format version 1.3]\n"
	          "#[StartTime: 1000000000.000 (seconds since epoch), 2001-09-09T01:46:40")));
	CHECK(str_find(buf_str(&log), S("\nTag=home,1.500,1.000,2.000,HISTF")) > 0);
}
