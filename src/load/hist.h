/* SPDX-License-Identifier: Apache-2.0
 *
 * HdrHistogram of times: 1 us to an hour, three significant digits, whatever the value; recording is one addition, and
 * two are merged exactly by adding. Compatible with the public implementations: the same buckets, encoding V2 and log
 * format 1.3 (github.com/HdrHistogram, public domain). Not thread-safe: one a thread, merged by who reports. */
#pragma once
#include "base/buf.h"

typedef struct Hist Hist;

enum { HIST_DIGITS = 3 };
#define HIST_MAX_US INT64_C(3600000000)

Hist *hist_new(void) RETURNS_NONNULL; /* 184 KiB */
void hist_free(Hist *hist);           /* NULL is fine */
void hist_freep(Hist **hist);

void hist_record(Hist *hist, int64_t us); /* below 1 counts as 1, above the hour as the hour */
void hist_record_n(Hist *hist, int64_t us, uint64_t n);
void hist_add(Hist *into, const Hist *from);
void hist_clear(Hist *hist);

uint64_t hist_count(const Hist *hist);
int64_t hist_min_us(const Hist *hist); /* 0 when empty; so are the others */
int64_t hist_max_us(const Hist *hist);
double hist_mean_us(const Hist *hist);
double hist_deviation_us(const Hist *hist);
/* The value that so many percent are not above: the highest that the bucket's values are equivalent to. */
int64_t hist_percentile_us(const Hist *hist, double percent);
uint64_t hist_count_above(const Hist *hist, int64_t us); /* values whose bucket lies above us's */
int64_t hist_equivalent_max_us(int64_t us); /* the highest value that is counted as this one */

/* Each bucket that is not empty, from below. */
typedef void HistVisit(void *arg, int64_t low_us, int64_t high_us, uint64_t count);
void hist_each(const Hist *hist, HistVisit *visit, void *arg);

/* V2, deflated, base64: a line of a histogram log, or a message between processes. */
void hist_put_v2(Buf *out, const Hist *hist);
/* Adds what was encoded so, by us or another implementation (1 us units, three digits). Fails with INVALID
 * "load.histogram". */
Err *hist_add_v2(Hist *into, Str base64) MUST_USE;

/* The log's heading, and a line of it: an interval that began at start_us of the run and took length_us. */
void hist_put_log_head(Buf *out, int64_t start_utc_us);
void hist_put_log_line(Buf *out, Str tag, int64_t start_us, int64_t length_us, const Hist *hist);
