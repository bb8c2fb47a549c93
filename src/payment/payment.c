/* SPDX-License-Identifier: Apache-2.0
 *
 * The payment service put together: tables of routes, jobs, beginning and end. */
#include "payment/payment.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/attempt.h"
#include "payment/checkout.h"
#include "payment/fsck.h"
#include "payment/ledger_api.h"
#include "payment/payment_api.h"
#include "payment/payment_conf.h"
#include "payment/provider.h"
#include "payment/stripe_int.h"
#include "payment/stripe_keys.h"

#include "payment_schema.h"
#include "payment_sql.h"

static Err *begin(ServiceHome *home)
{
	Payment *state = ARENA_NEW(home->arena, Payment);

	home->state = state;
	state->conf = home->conf;
	stripe_live(state->conf->live);
	TRY(providers_open(home->arena, &state->conf->providers, home->development,
	                   &state->providers));
	return checkout_begin(home, &state->conf->checkout, &state->checkout);
}

static void end(ServiceHome *home)
{
	const Payment *state = home->state;

	if (state)
		providers_close(state->providers);
}

const Payment *payment_of(const ServiceHome *home)
{
	return home->state;
}

static const Schema *schema(void)
{
	return &payment_schema;
}

/* --- keeping house ------------------------------------------------------------------------------------------------------------------ */

static Err *keep_house(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	const PaymentConf *conf = payment_of(home)->conf;
	int64_t now_us = time_utc_us();

	TRY(once_purge(home->db, job_arena(run), now_us - conf->keep_answers_us));
	return db_exec(home->db, job_arena(run), events_purge, NULL,
	               .before = now_us - conf->keep_events_us);
}

static const JobKind jobs[] = {
	{ .name = "payment.house", .fn = keep_house },
	{ .name = ATTEMPT_JOB, .fn = attempt_job, .at_once = 8 },
	{ .name = ATTEMPT_SWEEP_JOB, .fn = attempt_sweep_job },
	{ .name = SAGA_JOB, .fn = checkout_job, .at_once = CHECKOUTS_AT_ONCE, CHECKOUT_JOB_PAUSES },
	{ .name = CHECKOUT_HOUSE, .fn = checkout_house },
	LEDGER_JOB,
};
static const JobSchedule schedules[] = {
	{ .name = "payment.house", .kind = "payment.house", .cron = "23 * * * *" },
	{ .name = ATTEMPT_SWEEP_JOB, .kind = ATTEMPT_SWEEP_JOB, .cron = "* * * * *" },
	{ .name = CHECKOUT_HOUSE, .kind = CHECKOUT_HOUSE, .cron = "41 * * * *" },
	LEDGER_SCHEDULE,
};

/* --- the row ------------------------------------------------------------------------------------------------------------------------- */

static ServiceRoutes (*const tables[])(void) = {
	customer_routes, method_routes, intent_routes,   refund_routes,
	charge_routes,   event_routes,  checkout_routes, ledger_routes,
};

const Service *payment_service(void)
{
	static ServiceRoutes routes[COUNT(tables)];
	static Service service = {
		.name = "payment",
		.summary = "payments in Stripe's shapes over a double-entry ledger",
		.version = "1.0",
		.schema = schema,
		.routes = routes,
		.routes_count = COUNT(routes),
		.jobs = jobs,
		.job_count = COUNT(jobs),
		.schedules = schedules,
		.schedule_count = COUNT(schedules),
		.metrics = provider_metrics,
		.begin = begin,
		.end = end,
		.who = payment_who,
	};

	for (size_t i = 0; i < COUNT(tables); i++)
		routes[i] = tables[i]();
	service.conf = payment_conf_table();
	service.checks = payment_checks(&service.check_count);
	return &service;
}
