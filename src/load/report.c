/* SPDX-License-Identifier: Apache-2.0
 *
 * The summary that people read first: was the load what was asked for, how long did users wait, what failed. */
#include "load/report.h"

#include "base/arena.h"

static const double percents[REPORT_PERCENTS] = { 50, 75, 90, 95, 99, 99.9, 99.99, 100 };

double report_percent(size_t i)
{
	return percents[i];
}

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

static void put_rate(Buf *out, const LoadResult *result)
{
	if (result->asked > 0)
		buf_fmt(out, "arrivals asked %.0f, begun %.0f (%.2f%%)\n", result->asked,
		        result->got, 100 * result->got / result->asked);
	if (result->got < 0.995 * result->asked && !result->stopped)
		buf_put(out,
		        S("the generator could not keep up: what had not begun a second after the end was left out\n"));
	if (hist_count(result->stats.late)) {
		buf_put(out, S("they began late by "));
		report_put_time(out, hist_percentile_us(result->stats.late, 50));
		buf_put(out, S(" (median), "));
		report_put_time(out, hist_percentile_us(result->stats.late, 99));
		buf_put(out, S(" (99%)\n"));
	}
	if (result->stats.warm)
		buf_fmt(out, "warm-up: %" PRIu64 " requests, not counted\n", result->stats.warm);
	if (result->stopped)
		buf_fmt(out, "stopped early: %s\n", result->stopped);
}

static void put_steps(Buf *out, const LoadResult *result)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	if (result->stats.step_count < 2)
		return;
	buf_put(out, S("\n  requests    failed       50%       99%       max  step\n"));
	for (size_t i = 0; i < result->stats.step_count; i++) {
		const StepStats *s = &result->stats.steps[i];

		if (!s->count)
			continue;
		buf_fmt(out, "%10" PRIu64 "%10" PRIu64, s->count, step_stats_failed(s));
		put_padded_time(out, hist_percentile_us(s->response, 50));
		put_padded_time(out, hist_percentile_us(s->response, 99));
		put_padded_time(out, hist_percentile_us(s->response, 100));
		buf_fmt(out, "  %.*s\n", STR_ARG(step_label(a, result->conf->all.at[i])));
	}
}

static void put_verdicts(Buf *out, const Report *report)
{
	for (size_t i = 0; i < report->verdict_count; i++) {
		const Verdict *v = &report->verdicts[i];

		buf_fmt(out, "%s%s  %.*s  (", i ? "" : "\n", v->holds ? "holds" : "FAILS",
		        STR_ARG(v->threshold.text));
		if (v->unknown)
			buf_put(out, S("nothing was counted"));
		else
			verdict_put_value(out, &v->threshold, v->got);
		buf_put(out, S(")\n"));
	}
}

void report_put_summary(Buf *out, const Report *report)
{
	const LoadResult *result = report->result;
	double seconds = (double)result->measured_us / 1e6;
	StepStats all;

	step_stats_init(&all);
	for (size_t i = 0; i < result->stats.step_count; i++)
		step_stats_add(&all, &result->stats.steps[i]);
	buf_fmt(out, "%" PRIu64 " requests in %.1fs, %.1f/s, %" PRIu64 " failed (%.3g%%)\n",
	        all.count, seconds, seconds > 0 ? (double)all.count / seconds : 0,
	        step_stats_failed(&all), share(step_stats_failed(&all), all.count));
	put_rate(out, result);
	put_times(out, &all);
	put_failures(out, &all);
	put_steps(out, result);
	put_verdicts(out, report);
	step_stats_fini(&all);
}
