/* SPDX-License-Identifier: Apache-2.0
 *
 * Events taken, and reports of them, on PostgreSQL; on SQLite: query_test.c. */
#include "analytics/intake.c"

#include "suite.h"

#include "events_pg.h"

#include "analytics_segment_sql.h"
#include "analytics_suite.h"
