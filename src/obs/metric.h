/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: counters, gauges and histograms, told apart by label values that are known when the configuration is.
 *
 * A family is a row of a table; a cell is one family with one set of label values. Cells are taken and given back when a
 * configuration comes and goes, by any thread; recording is a few instructions on memory of the recording thread alone,
 * and a scrape sums over threads. Nothing here parks. */
#pragma once
#include "base/buf.h"

typedef enum MetricType { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM } MetricType;

enum {
	METRIC_LABELS = 4,       /* names of one family at most */
	METRIC_SETS = 1024,      /* label sets of a family, unless its row says otherwise */
	METRIC_BUCKETS = 16,     /* of a histogram, without +Inf */
	METRIC_SLOTS = 64 * 1024 /* of all cells; a histogram takes METRIC_BUCKETS + 2 */
};

typedef struct MetricOut MetricOut;
/* Gives a family's samples at the moment of the scrape, with metric_emit(), each set of labels once. Runs on the thread
 * that scrapes, on several at once if several scrape, and must not park. It may take and give back cells. */
typedef void MetricRead(MetricOut *out);

typedef struct MetricFamily {
	const char *
		name; /* whole: "banyan_upstream_requests_total"; see metric_family_mistake for the rules */
	MetricType type;
	const char *
		unit; /* "seconds": recorded in microseconds; "bytes"; else what is counted, for the manual */
	const char *help;                  /* one line */
	const char *labels[METRIC_LABELS]; /* names; the first NULL ends them */
	MetricRead *read;                  /* instead of cells; not for histograms */
	uint32_t sets;                     /* 0: METRIC_SETS */
} MetricFamily;

/* What a table of families looks like from outside: `const MetricFamily *gateway_metrics(size_t *count);` */
typedef const MetricFamily *MetricList(size_t *count);
MetricList obs_metrics; /* this folder's own */

/* Makes families appear in scrapes, in this order; rows must live for ever. Known ones are left as they are. A family
 * that metric_cell() meets first is added then. Any thread. */
void metrics_add(const MetricFamily *rows, size_t count);

/* One cell; all zero is none: recording to it does nothing. */
typedef struct MetricCell {
	uint32_t at;
} MetricCell;

/* The cell of these label values (as many as the family has names), counted: the same values give the same cell until
 * metric_cell_free() has been called as often. So a reload takes the new configuration's cells, then frees the old one's:
 * counters that live on in both never go back, the others disappear. Past the family's limit all values become "other"
 * (banyan_metric_overflows_total counts); without room at all the cell is none. Values that are not UTF-8 are repaired.
 * Any thread; takes a lock: at configuration time, not per request. */
MetricCell metric_cell(const MetricFamily *row, const Str *labels, size_t count) MUST_USE;
/* After it nobody records to the cell (by this reference). None is fine. Any thread. */
void metric_cell_free(MetricCell cell);

/* Recording: any thread, no lock, no atomic read-modify-write. A thread's part is kept when it ends. */
void metric_add(MetricCell cell, uint64_t n); /* counter or gauge */
void metric_sub(MetricCell cell, uint64_t n); /* gauge; on any thread, whoever added */
void metric_set(MetricCell cell, int64_t n); /* gauge that is only ever set: the last thread wins */
void metric_observe_us(MetricCell cell, int64_t us); /* histogram; negative counts as 0 */

/* The sum now; of a histogram, the number of observations. Any thread; takes the lock. */
int64_t metric_value(MetricCell cell);

/* In the unit of the row (seconds, not microseconds). `labels` as many as the family has names. */
void metric_emit(MetricOut *out, const Str *labels, double value);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* Everything, in Prometheus' text format 0.0.4. Any thread; O(cells x threads). A family is of one moment, two of them
 * may be of two. */
void metrics_put(Buf *out);
/* The families as docs/reference/metrics.md shows them: a Markdown table. */
void metrics_put_markdown(Buf *out, const MetricFamily *rows, size_t count);

/* What Prometheus would not like about a row (name, suffix, unit, labels, help), or the empty view. Text lives in `a`.
 * For tests that walk the tables. */
Str metric_family_mistake(Arena *a, const MetricFamily *row);
