/* SPDX-License-Identifier: Apache-2.0
 *
 * The same for programs: everything that was counted, with the histograms themselves, so that nothing has to be measured
 * again to be looked at in another way. Times are microseconds. */
#include "load/report.h"

#include "base/arena.h"
#include "base/json.h"

static void put_hist(JsonWriter *w, const char *key, const Hist *hist)
{
	AUTO(buf_fini) Buf encoded = { 0 };

	json_key(w, str_of(key));
	json_begin_object(w);
	json_put_u64(w, "count", hist_count(hist));
	json_put_i64(w, "min_us", hist_min_us(hist));
	json_put_i64(w, "max_us", hist_max_us(hist));
	json_put_real(w, "mean_us", hist_mean_us(hist));
	json_put_real(w, "deviation_us", hist_deviation_us(hist));
	json_key(w, S("percentiles"));
	json_begin_array(w);
	for (size_t i = 0; i < REPORT_PERCENTS && hist_count(hist); i++) {
		int64_t us = hist_percentile_us(hist, report_percent(i));

		json_begin_object(w);
		json_put_real(w, "percent", report_percent(i));
		json_put_i64(w, "us", us);
		json_put_u64(w, "above", hist_count_above(hist, us));
		json_end(w);
	}
	json_end(w);
	hist_put_v2(&encoded, hist);
	json_put_str(w, "hdr_v2", buf_str(&encoded));
	json_end(w);
}

static void put_counts(JsonWriter *w, const StepStats *s)
{
	static const char *const classes[] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

	json_put_u64(w, "requests", s->count);
	json_put_u64(w, "failed", step_stats_failed(s));
	json_key(w, S("failures"));
	json_begin_object(w);
	for (LoadFailure f = LOAD_OK + 1; f < LOAD_FAILURE_KINDS; f++)
		if (s->failures[f])
			json_put_u64(w, load_failure_name(f), s->failures[f]);
	json_end(w);
	json_key(w, S("statuses"));
	json_begin_object(w);
	for (size_t i = 0; i < COUNT(classes); i++)
		if (s->statuses[i])
			json_put_u64(w, classes[i], s->statuses[i]);
	json_end(w);
	json_put_u64(w, "bytes_in", s->bytes_in);
	json_put_u64(w, "bytes_out", s->bytes_out);
	put_hist(w, "response", s->response);
	put_hist(w, "service", s->service);
}

static void put_steps(JsonWriter *w, const LoadResult *result)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	StepStats all;

	step_stats_init(&all);
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t i = 0; i < result->stats.step_count; i++) {
		if (!result->stats.steps[i].count)
			continue;
		step_stats_add(&all, &result->stats.steps[i]);
		json_begin_object(w);
		json_put_str(w, "step", step_label(a, result->conf->all.at[i]));
		if (result->expect_us[i] >= 0)
			json_put_i64(w, "expected_us", result->expect_us[i]);
		put_counts(w, &result->stats.steps[i]);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("all"));
	json_begin_object(w);
	put_counts(w, &all);
	json_end(w);
	step_stats_fini(&all);
}

static void put_moments(JsonWriter *w, const LoadResult *result)
{
	json_key(w, S("seconds"));
	json_begin_array(w);
	for (size_t i = 0; i < result->moment_count; i++) {
		const Moment *m = &result->moments[i];

		json_begin_object(w);
		json_put_i64(w, "at_us", m->at_us);
		json_put_bool(w, "warmup", m->warm);
		json_put_real(w, "asked", m->asked);
		json_put_real(w, "begun", m->got);
		json_put_real(w, "ended", m->ended);
		json_put_real(w, "failed", m->failed);
		json_put_u64(w, "in_flight", m->in_flight);
		json_put_u64(w, "users", m->users);
		json_put_u64(w, "connections", m->connections);
		json_put_i64(w, "p50_us", m->p50_us);
		json_put_i64(w, "p99_us", m->p99_us);
		json_put_i64(w, "max_us", m->max_us);
		json_end(w);
	}
	json_end(w);
}

static void put_verdicts(JsonWriter *w, const Report *report)
{
	bool passed = true;

	json_key(w, S("thresholds"));
	json_begin_array(w);
	for (size_t i = 0; i < report->verdict_count; i++) {
		const Verdict *v = &report->verdicts[i];

		passed = passed && v->holds;
		json_begin_object(w);
		json_put_str(w, "threshold", v->threshold.text);
		json_put_bool(w, "holds", v->holds);
		json_put_real(w, "got", v->got);
		json_put_real(w, "limit", v->threshold.limit);
		json_end(w);
	}
	json_end(w);
	json_put_bool(w, "passed", passed);
}

void report_put_json(Buf *out, const Report *report)
{
	const LoadResult *result = report->result;
	JsonWriter writer = json_writer(out), *w = &writer;

	json_begin_object(w);
	json_put_str(w, "target", report->target);
	json_put_str(w, "name", result->conf->name);
	json_key(w, S("start"));
	json_add_time(w, result->start_utc_us);
	json_put_i64(w, "took_us", result->took_us);
	json_put_i64(w, "measured_us", result->measured_us);
	json_put_i64(w, "warmup_us", result->conf->warmup_us);
	json_put_real(w, "arrivals_asked", result->asked);
	json_put_real(w, "arrivals_begun", result->got);
	json_put_u64(w, "connections_opened", result->stats.opened);
	if (result->stopped)
		json_put_str(w, "stopped", str_of(result->stopped));
	put_hist(w, "late", result->stats.late);
	put_steps(w, result);
	put_moments(w, result);
	put_verdicts(w, report);
	json_end(w);
	buf_putc(out, '\n');
}

void report_put_log(Buf *out, const Report *report)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const LoadResult *result = report->result;
	AUTO(hist_freep) Hist *all = hist_new();

	for (size_t i = 0; i < result->stats.step_count; i++)
		hist_add(all, result->stats.steps[i].response);
	hist_put_log_head(out, result->start_utc_us);
	hist_put_log_line(out, S(""), result->conf->warmup_us, result->measured_us, all);
	for (size_t i = 0; i < result->stats.step_count && result->stats.step_count > 1; i++)
		hist_put_log_line(out, step_label(a, result->conf->all.at[i]),
		                  result->conf->warmup_us, result->measured_us,
		                  result->stats.steps[i].response);
}
