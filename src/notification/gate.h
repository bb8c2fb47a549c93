/* SPDX-License-Identifier: Apache-2.0
 *
 * Gate: no more than so many inside at once, on all loops together; who waits is let in in order. Immobile while anybody uses it. */
#pragma once
#include "base/err.h"
#include "base/list.h"

#include <pthread.h>

typedef struct Gate {
	pthread_mutex_t lock; /* never held across a park */
	uint32_t most;
	uint32_t inside;
	List waiters;
} Gate;

void gate_init(Gate *gate, uint32_t most); /* most 0: no limit */
void gate_fini(Gate *gate);
Err *gate_enter(Gate *gate) MUST_USE; /* parks; fails only as every park does */
void gate_leave(Gate *gate);
uint32_t gate_inside(Gate *gate);
