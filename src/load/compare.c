/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of one second suffer the same garbage collection, so they are not independent, and a test that takes them for
 * so finds differences everywhere. Seconds are nearly so: each gives one value of each figure, and the two rows of values
 * are compared by Welch's t (unequal variances; B. L. Welch, 1947), at one in a thousand. With fewer than five seconds on
 * either side nothing is said about noise. */
#include "load/compare.h"

#include "base/arena.h"
#include "base/json.h"

#include <math.h>

enum { SECONDS_MIN = 5 };

typedef struct Sums {
	size_t count;
	double mean, squares; /* of the deviations: Welford */
} Sums;

static void take(Sums *sums, double value)
{
	double off = value - sums->mean;

	sums->count++;
	sums->mean += off / (double)sums->count;
	sums->squares += off * (value - sums->mean);
}

static double variance(const Sums *sums)
{
	return sums->count > 1 ? sums->squares / (double)(sums->count - 1) : 0;
}

/* The two-sided 99.9 % point of Student's t with so many degrees of freedom: Cornish and Fisher's expansion, within 2 % from
 * 4 on. */
static double critical(double freedom)
{
	static const double z = 3.2905;
	double g1 = (pow(z, 3) + z) / 4;
	double g2 = (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96;
	double g3 = (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384;

	return z + g1 / freedom + g2 / pow(freedom, 2) + g3 / pow(freedom, 3);
}

typedef enum Difference { DIFFERENCE_UNKNOWN, DIFFERENCE_NOISE, DIFFERENCE_REAL } Difference;

static Difference difference(const Sums *x, const Sums *y)
{
	double vx = variance(x) / (double)MAX(x->count, (size_t)1);
	double vy = variance(y) / (double)MAX(y->count, (size_t)1);
	double freedom;

	if (x->count < SECONDS_MIN || y->count < SECONDS_MIN)
		return DIFFERENCE_UNKNOWN;
	if (vx + vy <= 0)
		return x->mean == y->mean ? DIFFERENCE_NOISE : DIFFERENCE_REAL;
	freedom = (vx + vy) * (vx + vy) /
	          (vx * vx / (double)(x->count - 1) + vy * vy / (double)(y->count - 1));
	return fabs(x->mean - y->mean) / sqrt(vx + vy) > critical(fmax(freedom, 4))
	               ? DIFFERENCE_REAL
	               : DIFFERENCE_NOISE;
}

/* --- figures -------------------------------------------------------------------------------------------------------- */

static double moment_p50(const Moment *m)
{
	return (double)m->p50_us;
}

static double moment_p99(const Moment *m)
{
	return (double)m->p99_us;
}

static double moment_ended(const Moment *m)
{
	return m->ended;
}

static double moment_failed(const Moment *m)
{
	return m->failed;
}

static const struct {
	const char *name;
	const char *key;
	double (*of)(const Moment *m);
	bool time;
	bool more_is_worse;
} figures[] = {
	{ "p50, by second", "p50_us", moment_p50, true, true },
	{ "p99, by second", "p99_us", moment_p99, true, true },
	{ "requests/s", "ended", moment_ended, false, false },
	{ "failed/s", "failed", moment_failed, false, true },
};

static Sums of_now(const LoadResult *result, size_t figure)
{
	Sums sums = { 0 };

	for (size_t i = 0; i < result->moment_count; i++)
		if (!result->moments[i].warm)
			take(&sums, figures[figure].of(&result->moments[i]));
	return sums;
}

static Sums of_before(const Json *report, size_t figure)
{
	const Json *seconds = json_get(report, S("seconds"));
	Sums sums = { 0 };

	for (size_t i = 0; i < json_count(seconds); i++) {
		const Json *second = json_at(seconds, i);
		bool warm = false;
		double value;

		(void)json_to_bool(json_get(second, S("warmup")), &warm);
		if (!warm && json_to_real(json_get(second, str_of(figures[figure].key)), &value))
			take(&sums, value);
	}
	return sums;
}

static void put_value(Buf *out, double value, bool time)
{
	AUTO(buf_fini) Buf text = { 0 };

	if (time)
		report_put_time(&text, (int64_t)value);
	else
		buf_fmt(&text, value < 100 ? "%.3g" : "%.0f", value);
	buf_fmt(out, "%11.*s", STR_ARG(buf_str(&text)));
}

static void put_change(Buf *out, double before, double now)
{
	if (before > 0)
		buf_fmt(out, "%+9.1f%%", 100 * (now - before) / before);
	else
		buf_fmt(out, "%10s", now > 0 ? "new" : "same");
}

static bool put_figure(Buf *out, const Json *before, const LoadResult *now, size_t figure)
{
	static const char *const words[] = { "too few seconds to tell", "noise",
		                             "more than noise" };
	Sums x = of_before(before, figure), y = of_now(now, figure);
	Difference found = difference(&x, &y);

	buf_fmt(out, "  %-18s", figures[figure].name);
	put_value(out, x.mean, figures[figure].time);
	put_value(out, y.mean, figures[figure].time);
	put_change(out, x.mean, y.mean);
	buf_fmt(out, "   %s\n", words[found]);
	return found == DIFFERENCE_REAL && figures[figure].more_is_worse == (y.mean > x.mean);
}

/* Percentiles of the whole run, which have no noise of their own to be judged by. */
static void put_percentiles(Buf *out, const Json *before, const LoadResult *now)
{
	const Json *rows =
		json_get(json_get(json_get(before, S("all")), S("response")), S("percentiles"));
	AUTO(hist_freep) Hist *all = hist_new();

	for (size_t i = 0; i < now->stats.step_count; i++)
		hist_add(all, now->stats.steps[i].response);
	for (size_t i = 0; i < json_count(rows); i++) {
		double percent, us;

		if (!json_to_real(json_get(json_at(rows, i), S("percent")), &percent) ||
		    !json_to_real(json_get(json_at(rows, i), S("us")), &us))
			continue;
		buf_fmt(out, "  %16.4g%%  ", percent);
		put_value(out, us, true);
		put_value(out, (double)hist_percentile_us(all, percent), true);
		put_change(out, us, (double)hist_percentile_us(all, percent));
		buf_put(out, S("\n"));
	}
}

Err *compare_put(Arena *a, Buf *out, Str name, Str before, const Report *now, bool *worse)
{
	const Json *report;
	Err *err = json_read(a, before, 0, &report);

	*worse = false;
	if (err || json_kind(json_get(report, S("seconds"))) != JSON_KIND_ARRAY)
		return err_because(a, err, ERR_INVALID, "load.report",
		                   "%.*s is no report of banyan load (--save writes one)",
		                   STR_ARG(name));
	buf_fmt(out, "\ncompared with %.*s\n  %-18s%11s%11s%10s\n", STR_ARG(name), "", "before",
	        "now", "change");
	for (size_t i = 0; i < COUNT(figures); i++)
		*worse = put_figure(out, report, now->result, i) || *worse;
	put_percentiles(out, report, now->result);
	return NULL;
}
