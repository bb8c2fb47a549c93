/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs that look after questions to providers whose answer nobody heard. */
#pragma once
#include "payment/payment_domain.h"
#include "store/job.h"

#define ATTEMPT_JOB "payment.resolve"
#define ATTEMPT_SWEEP_JOB "payment.sweep"

JobFn attempt_job, attempt_sweep_job; /* arg: the ServiceHome */

/* What came of one, once it is committed ("done", "declined", "undone", "unknown"); how many are open, and unknown: metrics. */
void payment_count(AttemptOp op, const char *verdict);
void payment_count_open(int64_t open, int64_t unknown);
