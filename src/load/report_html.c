/* SPDX-License-Identifier: Apache-2.0
 *
 * One file for people who were not there: figures, verdicts and three plots, drawn here as SVG, so that it needs nothing
 * but a browser, now or in ten years. */
#include "load/report.h"

#include "base/arena.h"

#include <math.h>

enum { PLOT_WIDTH = 860, PLOT_HEIGHT = 220, MARGIN = 60 };

static const char style[] =
	"body{font:15px/1.5 system-ui,sans-serif;max-width:920px;margin:2em auto;padding:0 1em;color:#1b1f23;background:#fff}"
	"h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}"
	"td,th{padding:.25em .6em;text-align:right;border-bottom:1px solid #e1e4e8;font-variant-numeric:tabular-nums}"
	"td:last-child,th:last-child{text-align:left}.bad{color:#b31d28;font-weight:600}.good{color:#176f2c}"
	"svg{width:100%;height:auto}text{font:11px system-ui,sans-serif;fill:#586069}p.note{color:#586069}"
	"@media(prefers-color-scheme:dark){body{background:#0d1117;color:#c9d1d9}td,th{border-color:#30363d}}";

static void put_escaped(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.at[i]) {
		case '<':
			buf_put(out, S("&lt;"));
			break;
		case '>':
			buf_put(out, S("&gt;"));
			break;
		case '&':
			buf_put(out, S("&amp;"));
			break;
		case '"':
			buf_put(out, S("&quot;"));
			break;
		default:
			buf_putc(out, text.at[i]);
		}
}

/* --- plots ---------------------------------------------------------------------------------------------------------- */

typedef double Series(const Moment *m);

static double of_p50(const Moment *m)
{
	return (double)m->p50_us;
}

static double of_p99(const Moment *m)
{
	return (double)m->p99_us;
}

static double of_max(const Moment *m)
{
	return (double)m->max_us;
}

static double of_ended(const Moment *m)
{
	return m->ended;
}

static double of_failed(const Moment *m)
{
	return m->failed;
}

static double of_asked(const Moment *m)
{
	return m->asked;
}

typedef struct Line {
	const char *name, *colour;
	Series *of;
} Line;

typedef struct Plot {
	const char *title;
	bool time; /* else a number a second */
	Line lines[3];
} Plot;

static const Plot plots[] = {
	{ "Response times",
	  true,
	  { { "p50", "#2188ff", of_p50 },
	    { "p99", "#e36209", of_p99 },
	    { "max", "#d1d5da", of_max } } },
	{ "Requests a second",
	  false,
	  { { "ended", "#28a745", of_ended },
	    { "failed", "#d73a49", of_failed },
	    { "arrivals asked", "#959da5", of_asked } } },
};

static double highest(const Plot *plot, const LoadResult *result)
{
	double most = 0;

	for (size_t i = 0; i < result->moment_count; i++)
		for (size_t k = 0; k < COUNT(plot->lines); k++)
			most = fmax(most, plot->lines[k].of(&result->moments[i]));
	return most;
}

/* A top of which a quarter is a number that people like, too. */
static double round_top(double most)
{
	static const double tops[] = { 1, 2, 4, 6, 8, 10 };
	double power = most > 0 ? pow(10, floor(log10(most))) : 1;

	for (size_t i = 0; i < COUNT(tops); i++)
		if (most <= tops[i] * power * (1 + 1e-9))
			return tops[i] * power;
	return 10 * power;
}

static void put_value(Buf *out, double value, bool time)
{
	if (time)
		report_put_time(out, (int64_t)value);
	else
		buf_fmt(out, value < 10 ? "%.2g" : "%.0f", value);
}

/* Five lines from nothing to the top, each with its value. */
static void put_grid(Buf *out, double most, bool time)
{
	for (int i = 0; i <= 4; i++) {
		double y = PLOT_HEIGHT - (double)PLOT_HEIGHT * i / 4 + 10;

		buf_fmt(out,
		        "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e1e4e8\"/>"
		        "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
		        MARGIN, y, MARGIN + PLOT_WIDTH, y, MARGIN - 6, y + 4);
		put_value(out, most * i / 4, time);
		buf_put(out, S("</text>"));
	}
}

static void put_seconds(Buf *out, double last_us)
{
	for (int i = 0; i <= 4; i++)
		buf_fmt(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.3gs</text>",
		        MARGIN + PLOT_WIDTH * i / 4, PLOT_HEIGHT + 26, last_us * i / 4 / 1e6);
}

static void put_plot(Buf *out, const Plot *plot, const LoadResult *result)
{
	double most = round_top(highest(plot, result));
	double last_us = (double)result->moments[result->moment_count - 1].at_us;

	buf_fmt(out, "<h2>%s</h2><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
	        plot->title, PLOT_WIDTH + MARGIN + 30, PLOT_HEIGHT + 50, plot->title);
	put_grid(out, most, plot->time);
	put_seconds(out, last_us);
	for (size_t k = COUNT(plot->lines); k-- > 0;) {
		const Line *line = &plot->lines[k];

		buf_fmt(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" points=\"",
		        line->colour);
		for (size_t i = 0; i < result->moment_count; i++)
			buf_fmt(out, "%.1f,%.1f ",
			        MARGIN + PLOT_WIDTH * (double)result->moments[i].at_us /
			                         fmax(last_us, 1),
			        PLOT_HEIGHT + 10 -
			                PLOT_HEIGHT * line->of(&result->moments[i]) / most);
		buf_fmt(out, "\"/><text x=\"%zu\" y=\"%d\" style=\"fill:%s\">%s</text>",
		        MARGIN + 70 * k, PLOT_HEIGHT + 44, line->colour, line->name);
	}
	buf_put(out, S("</svg>\n"));
}

/* Percentiles on a scale where each nine has its own tenth: log10(1 / (1 - p)). */
static void put_percentile_plot(Buf *out, const StepStats *all)
{
	static const double nines_max = 5;
	const struct {
		const Hist *hist;
		const char *name, *colour;
	} rows[] = { { all->response, "response", "#e36209" },
		     { all->service, "service", "#2188ff" } };
	double most = round_top((double)MAX(hist_max_us(all->response), INT64_C(1)));

	buf_fmt(out,
	        "<h2>Percentiles</h2><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Percentiles\">",
	        PLOT_WIDTH + MARGIN + 30, PLOT_HEIGHT + 50);
	put_grid(out, most, true);
	for (int n = 0; n <= nines_max; n++)
		buf_fmt(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g%%</text>",
		        MARGIN + PLOT_WIDTH * n / nines_max, PLOT_HEIGHT + 26,
		        100 * (1 - pow(10, -n)));
	for (size_t k = 0; k < COUNT(rows); k++) {
		buf_fmt(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\" points=\"",
		        rows[k].colour);
		for (int n = 0; n <= nines_max * 20; n++) {
			double nines = n / 20.0;

			buf_fmt(out, "%.1f,%.1f ", MARGIN + PLOT_WIDTH * nines / nines_max,
			        PLOT_HEIGHT + 10 -
			                PLOT_HEIGHT *
			                        (double)hist_percentile_us(
							rows[k].hist, 100 * (1 - pow(10, -nines))) /
			                        most);
		}
		buf_fmt(out, "\"/><text x=\"%zu\" y=\"%d\" style=\"fill:%s\">%s</text>",
		        MARGIN + 90 * k, PLOT_HEIGHT + 44, rows[k].colour, rows[k].name);
	}
	buf_put(out, S("</svg>\n"));
}

/* --- tables --------------------------------------------------------------------------------------------------------- */

static void put_row(Buf *out, const StepStats *s, Str name)
{
	static const double percents[] = { 50, 90, 99, 99.9 };

	buf_fmt(out, "<tr><td>%" PRIu64 "</td><td%s>%" PRIu64 "</td>", s->count,
	        step_stats_failed(s) ? " class=\"bad\"" : "", step_stats_failed(s));
	for (size_t i = 0; i < COUNT(percents); i++) {
		buf_put(out, S("<td>"));
		report_put_time(out, hist_percentile_us(s->response, percents[i]));
		buf_put(out, S("</td>"));
	}
	buf_put(out, S("<td>"));
	report_put_time(out, hist_percentile_us(s->response, 100));
	buf_put(out, S("</td><td>"));
	put_escaped(out, name);
	buf_put(out, S("</td></tr>\n"));
}

static void put_steps(Buf *out, const LoadResult *result, const StepStats *all)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	buf_put(out,
	        S("<h2>Steps</h2><table><tr><th>requests</th><th>failed</th><th>50%</th><th>90%</th>"
	          "<th>99%</th><th>99.9%</th><th>max</th><th>step</th></tr>\n"));
	for (size_t i = 0; i < result->stats.step_count; i++)
		if (result->stats.steps[i].count)
			put_row(out, &result->stats.steps[i],
			        step_label(a, result->conf->all.at[i]));
	put_row(out, all, S("all of them"));
	buf_put(out,
	        S("</table>\n<p class=\"note\">Response times count from the moment a request was due: "
	          "what users waited, not only what the server took.</p>\n"));
}

static void put_failures(Buf *out, const StepStats *all)
{
	if (!step_stats_failed(all))
		return;
	buf_put(out, S("<h2>Failures</h2><table><tr><th>requests</th><th>why</th></tr>\n"));
	for (LoadFailure f = LOAD_OK + 1; f < LOAD_FAILURE_KINDS; f++)
		if (all->failures[f])
			buf_fmt(out, "<tr><td>%" PRIu64 "</td><td>%s</td></tr>\n", all->failures[f],
			        load_failure_text(f));
	buf_put(out, S("</table>\n"));
}

static void put_verdicts(Buf *out, const Report *report)
{
	for (size_t i = 0; i < report->verdict_count; i++) {
		const Verdict *v = &report->verdicts[i];

		buf_fmt(out, "<p class=\"%s\">%s: ", v->holds ? "good" : "bad",
		        v->holds ? "holds" : "fails");
		put_escaped(out, v->threshold.text);
		buf_put(out, v->unknown ? S(" (nothing was counted") : S(" (it was "));
		if (!v->unknown)
			verdict_put_value(out, &v->threshold, v->got);
		buf_put(out, S(")</p>\n"));
	}
}

void report_put_html(Buf *out, const Report *report)
{
	const LoadResult *result = report->result;
	StepStats all;

	step_stats_init(&all);
	for (size_t i = 0; i < result->stats.step_count; i++)
		step_stats_add(&all, &result->stats.steps[i]);
	buf_put(out, S("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
	               "<meta name=\"viewport\" content=\"width=device-width\"><title>Load on "));
	put_escaped(out, report->target);
	buf_fmt(out, "</title><style>%s</style><h1>Load on ", style);
	put_escaped(out, report->target);
	buf_fmt(out, "</h1><p>%" PRIu64 " requests in %.1fs, %" PRIu64 " failed", all.count,
	        (double)result->measured_us / 1e6, step_stats_failed(&all));
	if (result->asked > 0)
		buf_fmt(out, "; %.2f%% of the arrivals asked for began",
		        100 * result->got / result->asked);
	buf_put(out, S("</p>\n"));
	put_verdicts(out, report);
	for (size_t i = 0; i < COUNT(plots) && result->moment_count; i++)
		put_plot(out, &plots[i], result);
	put_percentile_plot(out, &all);
	put_steps(out, result, &all);
	put_failures(out, &all);
	buf_put(out, S("</html>\n"));
	step_stats_fini(&all);
}
