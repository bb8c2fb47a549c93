/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs on SQLite: the table, the runner, schedules. */
#include "store/job_run.c"

#include "jobs_suite.h"

#include "events_lite.h"
