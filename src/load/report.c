/* SPDX-License-Identifier: Apache-2.0
 *
 * The summary that people read first: was the load what was asked for, how long did users wait, what failed. */
#include "load/report.h"

#include "base/arena.h"

static const double percents[] = { 50, 75, 90, 95, 99, 99.9, 99.99, 100 };

void report_put_time(Buf *out, int64_t us)
{
	static const struct {
		int64_t from_us;
		double unit_us;
		const char *name;
	} rows[] = { { 1000000, 1e6, "s" }, { 1000, 1e3, "ms" }, { 0, 1, "us" } };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (us >= rows[i].from_us) {
			double value = (double)us / rows[i].unit_us;
			int digits = rows[i].unit_us <= 1 ? 0
			             : value < 10         ? 2
			             : value < 100        ? 1
			                                  : 0;

			buf_fmt(out, "%.*f%s", digits, value, rows[i].name);
			return;
		}
}

static void put_padded_time(Buf *out, int64_t us)
{
	AUTO(buf_fini) Buf text = { 0 };

	report_put_time(&text, us);
	buf_fmt(out, "%10.*s", STR_ARG(buf_str(&text)));
}

static void put_times(Buf *out, const StepStats *all)
{
	uint64_t count = hist_count(all->response);

	buf_put(out, S("\n              response    service   requests above\n"));
	for (size_t i = 0; i < COUNT(percents) && count; i++) {
		int64_t us = hist_percentile_us(all->response, percents[i]);

		buf_fmt(out, "  %8.4g%%  ", percents[i]);
		put_padded_time(out, us);
		put_padded_time(out, hist_percentile_us(all->service, percents[i]));
		buf_fmt(out, "   %" PRIu64 "\n", hist_count_above(all->response, us));
	}
	buf_put(out,
	        S("\n  response counts from the moment a request was due, service from the moment it was sent:\n"
	          "  what lies between is the time users spent waiting behind others.\n"));
}

static void put_failures(Buf *out, const StepStats *all)
{
	for (LoadFailure f = LOAD_OK + 1; f < LOAD_FAILURE_KINDS; f++)
		if (all->failures[f])
			buf_fmt(out, "  %10" PRIu64 "  %s\n", all->failures[f],
			        load_failure_text(f));
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

void report_put_summary(Buf *out, const LoadResult *result)
{
	double seconds = (double)result->measured_us / 1e6;
	StepStats all;

	step_stats_init(&all);
	for (size_t i = 0; i < result->stats.step_count; i++)
		step_stats_add(&all, &result->stats.steps[i]);
	buf_fmt(out, "%" PRIu64 " requests in %.1fs, %.1f/s, %" PRIu64 " failed (%.3g%%)\n",
	        all.count, seconds, seconds > 0 ? (double)all.count / seconds : 0,
	        step_stats_failed(&all), share(step_stats_failed(&all), all.count));
	if (result->asked > 0)
		buf_fmt(out, "arrivals asked %.0f, begun %.0f (%.2f%%)\n", result->asked,
		        result->got, 100 * result->got / result->asked);
	if (result->stats.warm)
		buf_fmt(out, "warm-up: %" PRIu64 " requests, not counted\n", result->stats.warm);
	if (result->stopped)
		buf_fmt(out, "stopped early: %s\n", result->stopped);
	put_times(out, &all);
	put_failures(out, &all);
	step_stats_fini(&all);
}
