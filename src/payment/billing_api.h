/* SPDX-License-Identifier: Apache-2.0
 *
 * Billing's rows for the service: routes and jobs. */
#pragma once
#include "service/service.h"
#include "store/job.h"

ServiceRoutes product_routes(void);
ServiceRoutes invoice_routes(void);
ServiceRoutes preview_routes(void);
ServiceRoutes subscription_routes(void);
ServiceRoutes clock_routes(void);

/* A customer that is made lives by that clock ("clock_..."), in the transaction that makes it. */
Err *billing_clock_of(ServiceCall *c, Db *tx, Uuid customer, Str clock) MUST_USE;

JobFn billing_work; /* "billing.work": what is due is done. Of the jobs' table: .arg NULL, the home */
JobFn billing_clock; /* "billing.clock": clocks of tests go on */
/* Rows of JobKind and JobSchedule. */
#define BILLING_JOBS \
	{ .name = "billing.work", .fn = billing_work }, \
	{ \
		.name = "billing.clock", .fn = billing_clock \
	}
#define BILLING_SCHEDULES \
	{ \
		.name = "billing.work", .kind = "billing.work", .cron = "* * * * *" \
	}
