/* SPDX-License-Identifier: Apache-2.0
 *
 * Merge: many small segments become few large ones. */
#pragma once
#include "analytics/analytics_int.h"

/* What is to be put together now: days with many small segments, and those that nothing was written to for a while. *merged:
 * segments that are gone. Parks. */
Err *merge_some(Db *db, Arena *a, int64_t now_us, size_t *merged) MUST_USE;
/* A segment without those of its events that are dropped (a bool for each, in its order); *gone: it was merged meanwhile, and nothing
 * was done. The day's version rises. Parks. */
Err *merge_rewrite(Db *db, Arena *a, int64_t project, int64_t day, int64_t segment,
                   const bool *dropped, bool *gone) MUST_USE;
/* One day as few segments as can be, whatever it has. Parks. */
Err *merge_day(Db *db, Arena *a, int64_t project, int64_t day, size_t *merged) MUST_USE;
