/* SPDX-License-Identifier: Apache-2.0
 *
 * A result in words. */
#pragma once
#include "load/run.h"
#include "load/verdict.h"

/* Percentiles that reports show. */
enum { REPORT_PERCENTS = 8 };
double report_percent(size_t i); /* 50, 75, 90, 95, 99, 99.9, 99.99, 100 */

typedef struct Report {
	const LoadResult *result;
	const Verdict *verdicts; /* of the thresholds, in their order */
	size_t verdict_count;
	Str target;
} Report;

void report_put_summary(Buf *out, const Report *report);
/* One JSON value: what was asked, totals, a row a step with its histograms (V2), a row a second. --compare reads it. */
void report_put_json(Buf *out, const Report *report);
/* A page on its own, with plots. */
void report_put_html(Buf *out, const Report *report);
/* A histogram log (HdrHistogram 1.3): all steps together, then each under its name as tag. */
void report_put_log(Buf *out, const Report *report);
void report_put_time(Buf *out, int64_t us); /* "1.23ms", three digits */
