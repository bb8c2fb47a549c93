/* SPDX-License-Identifier: Apache-2.0
 *
 * The payment service put together: tables of routes, jobs, beginning and end. */
#include "payment/payment.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/checkout.h"
#include "payment/fsck.h"
#include "payment/ledger_api.h"
#include "payment/payment_api.h"
#include "payment/payment_conf.h"
#include "payment/payment_house.h"
#include "payment/provider.h"
#include "payment/stripe.h"
#include "payment/stripe_keys.h"
#include "service/hook.h"

#include "payment_schema.h"

/* All of them, one after the other, and what it takes beside. */
static int64_t claim_us(const ProvidersConf *conf)
{
	int64_t us = 5 * US_PER_S;

	for (size_t i = 0; i < conf->providers.count; i++)
		us += conf->providers.at[i].timeout_us;
	return us;
}

static Err *begin(ServiceHome *home)
{
	Payment *state = ARENA_NEW(home->arena, Payment);

	home->state = state;
	state->conf = home->conf;
	state->claim_us = claim_us(&state->conf->providers);
	stripe_live(state->conf->live);
	billing_begin(&state->conf->billing);
	payment_cells_take();
	TRY(providers_open(home->arena, &state->conf->providers, home->development,
	                   &state->providers));
	TRY(hooks_open(home, &state->conf->webhooks));
	return checkout_begin(home, &state->conf->checkout, &state->checkout);
}

static void end(ServiceHome *home)
{
	const Payment *state = home->state;

	if (!state)
		return;
	payment_cells_free();
	hooks_close(home);
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

/* --- the row ------------------------------------------------------------------------------------------------------------------------- */

static ServiceRoutes (*const tables[])(void) = {
	customer_routes,     method_routes,           intent_routes,
	refund_routes,       charge_routes,           event_routes,
	checkout_routes,     ledger_routes,           webhook_endpoint_routes,
	hook_routes,         provider_webhook_routes, product_routes,
	subscription_routes, invoice_routes,          clock_routes,
	preview_routes,
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
		.metrics = payment_metrics,
		.begin = begin,
		.end = end,
		.who = payment_who,
	};

	for (size_t i = 0; i < COUNT(tables); i++)
		routes[i] = tables[i]();
	service.jobs = payment_jobs(&service.job_count);
	service.schedules = payment_schedules(&service.schedule_count);
	service.conf = payment_conf_table();
	service.checks = payment_checks(&service.check_count);
	return &service;
}
