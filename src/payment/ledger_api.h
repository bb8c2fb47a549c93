/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's rows for the service: its routes, its chores. */
#pragma once
#include "service/service.h"
#include "store/job.h"

ServiceRoutes ledger_routes(void);
/* The chore "ledger.house": hot accounts are folded, holds run out. Of the jobs' table: .arg NULL, the home. */
JobFn ledger_house;
/* Rows of JobKind and JobSchedule. */
#define LEDGER_JOB \
	{ \
		.name = "ledger.house", .fn = ledger_house \
	}
#define LEDGER_SCHEDULE \
	{ \
		.name = "ledger.house", .kind = "ledger.house", .cron = "* * * * *" \
	}
