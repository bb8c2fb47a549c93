/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeping house: what is old goes, and what is counted. */
#pragma once
#include "obs/metric.h"
#include "store/job.h"

#define PAYMENT_HOUSE_JOB "payment.house"

JobFn payment_house;        /* arg: the ServiceHome */
MetricList payment_metrics; /* all of the service */
void payment_cells_take(void);
void payment_cells_free(void);

const JobKind *payment_jobs(size_t *count);
const JobSchedule *payment_schedules(size_t *count);
void payment_put_metrics(Buf *out); /* as a page of the manual */
