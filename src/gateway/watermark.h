/* SPDX-License-Identifier: Apache-2.0
 *
 * Watermark: how much memory the process may have before new requests are refused (limits.memory). */
#pragma once
#include "base/err.h"

void watermark_set(uint64_t bytes); /* 0: no limit; from any thread */
/* Looks ten times a second while there is a limit; a fiber of loop 0, for as long as the process serves: a ChildMain. */
Err *watermark_watch(void *unused) MUST_USE;

/* NULL, or BUSY "gateway.memory" while the process is above it; counted. On any loop; a load and a branch. */
Err *watermark_refusal(void);

uint64_t watermark_limit(void);
uint64_t watermark_used(void); /* what the process has now; asks the kernel */
uint64_t watermark_refused(void);
