/* SPDX-License-Identifier: Apache-2.0
 *
 * For rt_run: the worker threads. */
#pragma once
#include "rt/work.h"

/* `queue`: jobs that may wait. Dies when no thread can be had. After signals_block, before fibers run. */
void workers_start(unsigned threads, unsigned queue);
void workers_stop(void); /* when no fiber is left; joins them */
