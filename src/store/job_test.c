/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs on PostgreSQL. */
#include "store/job.c"

#include "jobs_suite.h"

#include "events_pg.h"
