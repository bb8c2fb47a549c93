/* SPDX-License-Identifier: Apache-2.0
 *
 * A threshold is read once and looked at often: each second when the run is to end as soon as it cannot pass. */
#include "load/verdict.h"

#include "base/arena.h"
#include "base/units.h"
#include "load/report.h"

#include <stdlib.h>

typedef enum Unit { UNIT_TIME, UNIT_SHARE, UNIT_NUMBER } Unit;

static const struct {
	Str name;
	Unit unit;
} metrics[] = {
	[VERDICT_RESPONSE] = { S("p"), UNIT_TIME },
	[VERDICT_SERVICE] = { S("service_p"), UNIT_TIME },
	[VERDICT_MEAN] = { S("mean"), UNIT_TIME },
	[VERDICT_MAX] = { S("max"), UNIT_TIME },
	[VERDICT_ERRORS] = { S("errors"), UNIT_SHARE },
	[VERDICT_FAILED] = { S("failed"), UNIT_NUMBER },
	[VERDICT_REQUESTS] = { S("requests"), UNIT_NUMBER },
	[VERDICT_RATE] = { S("rate"), UNIT_NUMBER },
	[VERDICT_ARRIVALS] = { S("arrivals"), UNIT_SHARE },
};

static Err *refuse(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "load.threshold", "%.*s: %s", STR_ARG(str_quote(a, text)),
	               why);
}

static bool read_number(Arena *a, Str text, double *out)
{
	const char *z = str_z(a, text);
	char *end;

	*out = strtod(z, &end);
	return text.len && text.at[0] != '-' && text.at[0] != '+' && !*end;
}

static bool read_metric(Arena *a, Str name, Threshold *t)
{
	for (size_t i = 0; i < COUNT(metrics); i++) {
		bool percent = i == VERDICT_RESPONSE || i == VERDICT_SERVICE;

		if (!percent && str_eq(name, metrics[i].name)) {
			t->metric = (VerdictMetric)i;
			return true;
		}
		if (percent && str_starts(name, metrics[i].name) &&
		    read_number(a, str_sub(name, metrics[i].name.len, name.len), &t->percent) &&
		    t->percent <= 100) {
			t->metric = (VerdictMetric)i;
			return true;
		}
	}
	return false;
}

static Err *read_limit(Arena *a, Str text, Str value, Threshold *t)
{
	int64_t us;
	uint32_t ppm;

	switch (metrics[t->metric].unit) {
	case UNIT_TIME:
		if (units_read_duration(a, value, &us))
			return refuse(a, text,
			              "expected a time after the comparison, such as 200ms");
		t->limit = (double)us;
		return NULL;
	case UNIT_SHARE:
		if (units_read_share(a, value, &ppm))
			return refuse(a, text,
			              "expected a share after the comparison, such as 0.1%");
		t->limit = (double)ppm / PPM_WHOLE;
		return NULL;
	case UNIT_NUMBER:
		break;
	}
	return read_number(a, value, &t->limit)
	               ? NULL
	               : refuse(a, text, "expected a number after the comparison");
}

/* The metric is what stands after the last dot that leaves one: "list.p99.9" is p99.9 of list. */
static bool read_subject(Arena *a, Str subject, Threshold *t)
{
	if (read_metric(a, subject, t))
		return true;
	for (size_t i = 0; i < subject.len; i++)
		if (subject.at[i] == '.' &&
		    read_metric(a, str_sub(subject, i + 1, subject.len), t)) {
			t->step = str_sub(subject, 0, i);
			return t->metric != VERDICT_ARRIVALS;
		}
	return false;
}

Err *threshold_read(Arena *a, Str text, Threshold *out)
{
	Threshold t = { .text = text };
	size_t at = 0, after;

	while (at < text.len && text.at[at] != '<' && text.at[at] != '>')
		at++;
	if (at == text.len)
		return refuse(a, text,
		              "expected a condition such as \"p99 < 200ms\" or \"errors < 0.1%\"");
	t.above = text.at[at] == '>';
	t.or_equal = at + 1 < text.len && text.at[at + 1] == '=';
	after = at + 1 + t.or_equal;
	if (!read_subject(a, str_trim(str_sub(text, 0, at)), &t))
		return refuse(
			a, text,
			"expected p99, service_p99, mean, max, errors, failed, requests, rate or arrivals");
	TRY(read_limit(a, text, str_trim(str_sub(text, after, text.len)), &t));
	*out = t;
	return NULL;
}

Err *threshold_check_step(Arena *a, const Threshold *t, const Str *labels, size_t count)
{
	Str near;

	for (size_t i = 0; i < count; i++)
		if (str_eq(t->step, labels[i]))
			return NULL;
	if (!t->step.len)
		return NULL;
	near = str_nearest(t->step, labels, count);
	return refuse(a, t->text,
	              near.len ? str_z(a,
	                               str_fmt(a,
	                                       "there is no step \"%.*s\": did you mean \"%.*s\"?",
	                                       STR_ARG(t->step), STR_ARG(near)))
	                       : str_z(a,
	                               str_fmt(a, "there is no step \"%.*s\"", STR_ARG(t->step))));
}

static bool is_meant(Arena *a, const Threshold *t, const StepConf *step)
{
	return !t->step.len || str_eq(step_label(a, step), t->step);
}

static void add_up(const Threshold *t, const LoadResult *result, StepStats *all)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	for (size_t i = 0; i < result->stats.step_count; i++)
		if (is_meant(a, t, result->conf->all.at[i]))
			step_stats_add(all, &result->stats.steps[i]);
}

static double value_of(const Threshold *t, const LoadResult *result, const StepStats *all)
{
	double seconds = (double)result->measured_us / 1e6;

	switch (t->metric) {
	case VERDICT_RESPONSE:
		return (double)hist_percentile_us(all->response, t->percent);
	case VERDICT_SERVICE:
		return (double)hist_percentile_us(all->service, t->percent);
	case VERDICT_MEAN:
		return hist_mean_us(all->response);
	case VERDICT_MAX:
		return (double)hist_max_us(all->response);
	case VERDICT_ERRORS:
		return all->count ? (double)step_stats_failed(all) / (double)all->count : 0;
	case VERDICT_FAILED:
		return (double)step_stats_failed(all);
	case VERDICT_REQUESTS:
		return (double)all->count;
	case VERDICT_RATE:
		return seconds > 0 ? (double)all->count / seconds : 0;
	case VERDICT_ARRIVALS:
		break;
	}
	return result->asked > 0 ? result->got / result->asked : 1;
}

static bool is_unknown(const Threshold *t, const StepStats *all)
{
	switch (t->metric) {
	case VERDICT_RESPONSE:
	case VERDICT_MEAN:
	case VERDICT_MAX:
		return !hist_count(all->response);
	case VERDICT_SERVICE:
		return !hist_count(all->service);
	case VERDICT_ERRORS:
		return !all->count;
	case VERDICT_FAILED:
	case VERDICT_REQUESTS:
	case VERDICT_RATE:
	case VERDICT_ARRIVALS:
		break;
	}
	return false;
}

Verdict verdict_of(const Threshold *t, const LoadResult *result)
{
	Verdict verdict = { .threshold = *t };
	StepStats all;

	step_stats_init(&all);
	add_up(t, result, &all);
	verdict.got = value_of(t, result, &all);
	verdict.unknown = is_unknown(t, &all);
	verdict.holds =
		!verdict.unknown && ((t->above ? verdict.got > t->limit : verdict.got < t->limit) ||
	                             (t->or_equal && verdict.got == t->limit));
	step_stats_fini(&all);
	return verdict;
}

void verdict_put_value(Buf *out, const Threshold *t, double value)
{
	switch (metrics[t->metric].unit) {
	case UNIT_TIME:
		report_put_time(out, (int64_t)value);
		return;
	case UNIT_SHARE:
		buf_fmt(out, "%.4g%%", value * 100);
		return;
	case UNIT_NUMBER:
		break;
	}
	buf_fmt(out, value < 100 ? "%.3g" : "%.0f", value);
}
