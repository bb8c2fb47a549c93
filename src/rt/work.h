/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker threads: for what blocks or burns. The fiber parks and goes on, on its own loop, when fn(arg) has returned on a
 * worker; cancellation and deadlines wait for that too (rule 4: the worker may use the fiber's stack). */
#pragma once
#include "rt/loop.h"

typedef void WorkFn(void *arg);

/* Parks. Fails with BUSY "rt.workers_full" at once when the queue is full, and with "rt.cancelled" before it began. */
Err *work_run(WorkFn *fn, void *arg) MUST_USE;

typedef struct WorkStats {
	uint64_t done;
	uint64_t refused;
	uint32_t queued;
	uint32_t queue_max;
	uint32_t busy;
	uint32_t threads;
} WorkStats;
WorkStats work_stats(void);
