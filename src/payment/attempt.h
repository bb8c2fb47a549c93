/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs that look after questions to providers whose answer nobody heard. */
#pragma once
#include "store/job.h"

#define ATTEMPT_JOB "payment.resolve"
#define ATTEMPT_SWEEP_JOB "payment.sweep"

JobFn attempt_job, attempt_sweep_job; /* arg: the ServiceHome */
