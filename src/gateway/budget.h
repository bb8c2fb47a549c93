/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened in the last seconds, counted by one thread and read by any: the measure of a retry budget. */
#pragma once
#include "base/util.h"

enum { BUDGET_SECONDS = 10 };

typedef struct BudgetWindow {
	uint64_t slots[BUDGET_SECONDS]; /* atomic: the second it is of, and the count in it */
} BudgetWindow;

void budget_count(BudgetWindow *window, int64_t now_us); /* one thread at a time */
uint32_t budget_sum(const BudgetWindow *window, int64_t now_us);

/* May one more retry begin? So many requests and retries were begun in the last seconds, at_work retries run now. */
bool budget_allows(uint64_t requests, uint64_t retries, uint32_t share_ppm, uint32_t at_work,
                   uint32_t min);
