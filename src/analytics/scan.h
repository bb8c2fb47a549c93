/* SPDX-License-Identifier: Apache-2.0
 *
 * Scan: the segments of a day, and of them the events that a query is about, in order of time. */
#pragma once
#include "analytics/query.h"

typedef struct Db Db;

/* All of one day's dots into `a`. Parks; the work is done on a worker. Fails as db.h, and with IO "analytics.damaged", TOO_LARGE
 * "query.too_large". */
Err *scan_day(Query *q, Db *db, Arena *a, int64_t day, Dot **dots, size_t *count) MUST_USE;
