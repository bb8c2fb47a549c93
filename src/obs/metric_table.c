/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of metric families, looked at rather than recorded to: are the rows what Prometheus' naming rules ask for
 * (https://prometheus.io/docs/practices/naming: base units, unit before "_total", "_total" for counters only), and the
 * reference page they write. No state. */
#include "obs/metric.h"

#include "base/arena.h"

#include <string.h>

static bool is_name(const char *text, bool colons)
{
	size_t i = 0;

	for (; text[i]; i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		              (colons && c == ':');

		if (!letter && !(i && c >= '0' && c <= '9'))
			return false;
	}
	return i > 0;
}

static bool ends(const MetricFamily *row, const char *suffix)
{
	return str_ends(str_of(row->name), str_of(suffix));
}

static Str label_mistake(Arena *a, const MetricFamily *row)
{
	for (size_t i = 0; i < METRIC_LABELS && row->labels[i]; i++) {
		if (!is_name(row->labels[i], false) || str_starts(str_of(row->labels[i]), S("__")))
			return str_fmt(a, "%s: \"%s\" is no name of a label", row->name,
			               row->labels[i]);
		if (strcmp(row->labels[i], "le") == 0 || strcmp(row->labels[i], "quantile") == 0)
			return str_fmt(a, "%s: the label \"%s\" is Prometheus' own", row->name,
			               row->labels[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(row->labels[i], row->labels[k]) == 0)
				return str_fmt(a, "%s: label \"%s\" is there twice", row->name,
				               row->labels[i]);
	}
	return S("");
}

static Str unit_mistake(Arena *a, const MetricFamily *row)
{
	static const char *const suffixed[] = { "seconds", "bytes", "ratio" };
	static const char *const reserved[] = { "_count", "_sum", "_bucket" };
	bool total = ends(row, "_total");

	if (!row->unit || !*row->unit)
		return str_fmt(a, "%s has no unit", row->name);
	if (total != (row->type == METRIC_COUNTER))
		return str_fmt(a, "%s: counters, and only they, end in _total", row->name);
	for (size_t i = 0; i < COUNT(reserved); i++)
		if (ends(row, reserved[i]))
			return str_fmt(a, "%s: \"%s\" is what histograms end in", row->name,
			               reserved[i]);
	for (size_t i = 0; i < COUNT(suffixed); i++) {
		Str want = str_fmt(a, "_%s%s", suffixed[i], total ? "_total" : "");

		if (str_ends(str_of(row->name), want) != (strcmp(row->unit, suffixed[i]) == 0))
			return str_fmt(a, "%s: the name must say its unit \"%s\"", row->name,
			               row->unit);
	}
	if (row->type == METRIC_HISTOGRAM && strcmp(row->unit, "seconds") != 0)
		return str_fmt(a, "%s: histograms are of seconds", row->name);
	return S("");
}

Str metric_family_mistake(Arena *a, const MetricFamily *row)
{
	Str mistake;

	if (!row->name || !is_name(row->name, true))
		return str_fmt(a, "\"%s\" is no name of a metric", row->name ? row->name : "");
	if (!row->help || !*row->help || strchr(row->help, '\n'))
		return str_fmt(a, "%s: the help must be one line", row->name);
	if (row->type == METRIC_HISTOGRAM && row->read)
		return str_fmt(a, "%s: a histogram cannot be read from a function", row->name);
	mistake = unit_mistake(a, row);
	return mistake.len ? mistake : label_mistake(a, row);
}

static void put_cell(Buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
}

void metrics_put_markdown(Buf *out, const MetricFamily *rows, size_t count)
{
	static const char *const types[] = { [METRIC_COUNTER] = "counter",
		                             [METRIC_GAUGE] = "gauge",
		                             [METRIC_HISTOGRAM] = "histogram" };

	buf_put(out, S("| Metric | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|\n"));
	for (size_t i = 0; i < count; i++) {
		buf_fmt(out, "| `%s` | %s | %s | ", rows[i].name, types[rows[i].type],
		        rows[i].unit);
		for (size_t k = 0; k < METRIC_LABELS && rows[i].labels[k]; k++)
			buf_fmt(out, "%s`%s`", k ? ", " : "", rows[i].labels[k]);
		buf_put(out, S(" | "));
		put_cell(out, rows[i].help);
		buf_put(out, S(" |\n"));
	}
}
