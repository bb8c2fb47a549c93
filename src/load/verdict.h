/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts: what must hold for a run to pass.
 *
 *   [STEP.]METRIC < VALUE      also <=, >, >=
 *
 * METRIC: p50, p99, p99.9 ... (response times), service_p99 ... (service times), mean, max, errors (share of requests that
 * failed), failed (their number), requests, rate (requests a second), arrivals (share of those asked that began). VALUE:
 * a time for times, a share for errors and arrivals, else a number. STEP is a step's name; without it all together. */
#pragma once
#include "load/run.h"

typedef enum VerdictMetric {
	VERDICT_RESPONSE, /* with percent */
	VERDICT_SERVICE,  /* with percent */
	VERDICT_MEAN,
	VERDICT_MAX,
	VERDICT_ERRORS,
	VERDICT_FAILED,
	VERDICT_REQUESTS,
	VERDICT_RATE,
	VERDICT_ARRIVALS,
} VerdictMetric;

typedef struct Threshold {
	Str text; /* as written */
	VerdictMetric metric;
	double percent;
	Str step; /* empty: all of them */
	bool above, or_equal;
	double limit; /* microseconds, a share of 1, or a number */
} Threshold;

/* Fails with INVALID "load.threshold"; the step need not exist. */
Err *threshold_read(Arena *a, Str text, Threshold *out) MUST_USE;

/* Is its step, when it has one, among these labels? INVALID "load.threshold", with the nearest. */
Err *threshold_check_step(Arena *a, const Threshold *threshold, const Str *labels, size_t count)
	MUST_USE;

typedef struct Verdict {
	Threshold threshold;
	double got;
	bool holds;
	bool unknown; /* nothing was counted that it could be judged by: it does not hold */
} Verdict;

/* What a result is judged by: asked and got are of its arrivals, measured_us of its time. */
Verdict verdict_of(const Threshold *threshold, const LoadResult *result);
void verdict_put_value(Buf *out, const Threshold *threshold,
                       double value); /* "312ms", "0.12%", "1994" */
