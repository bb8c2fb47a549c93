/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the payment service. */
#include "payment/payment_conf.h"

static const ConfKey own_keys[] = {
	{ "live", CONF_BOOL, AT(PaymentConf, live), .def = "false",
	  .help = "is this real money: objects say so (livemode), and new keys are sk_live_..." },
	{ "keep_events", CONF_DURATION, AT(PaymentConf, keep_events_us), .def = "30d", .min = "1d",
	  .max = "3650d", .help = "how long /v1/events shows what has happened" },
	{ "keep_answers", CONF_DURATION, AT(PaymentConf, keep_answers_us), .def = "24h",
	  .min = "1m", .max = "30d",
	  .help = "how long the answer of an Idempotency-Key is given again" },
	{ "billing", CONF_OBJECT, AT(PaymentConf, billing),
	  .table = NULL /* payment_conf_table() */, .help = "subscriptions and invoices" },
	{ "webhooks", CONF_OBJECT, AT(PaymentConf, webhooks),
	  .table = NULL /* payment_conf_table() */, .help = "endpoints that are told of events" },
	{ "checkout", CONF_OBJECT, AT(PaymentConf, checkout),
	  .table = NULL /* payment_conf_table() */,
	  .help = "orders that are reserved, charged and confirmed" },
};

static void check(Conf *conf, void *object)
{
	PaymentConf *own = object;

	providers_conf_check(conf, &own->providers);
	for (size_t i = 0; own->live && i < own->providers.providers.count; i++)
		if (own->providers.providers.at[i].type == PROVIDER_SANDBOX)
			conf_mistake(
				conf, &own->providers.providers.at[i],
				"a sandbox takes no money: there is none where `live` is true");
}

const ConfTable *payment_conf_table(void)
{
	static ConfKey keys[PROVIDERS_KEYS + COUNT(own_keys)];
	static const ConfTable table = { "payment",      .size = sizeof(PaymentConf),
		                         .keys = keys,   .count = COUNT(keys),
		                         .check = check, .help = "charges, refunds, the ledger" };

	if (!keys[0].name) {
		providers_conf_keys(keys, offsetof(PaymentConf, providers));
		for (size_t i = 0; i < COUNT(own_keys); i++)
			keys[PROVIDERS_KEYS + i] = own_keys[i];
		keys[COUNT(keys) - 3].table = billing_conf_table();
		keys[COUNT(keys) - 2].table = hook_conf_table();
		keys[COUNT(keys) - 1].table = checkout_conf_table();
	}
	return &table;
}
