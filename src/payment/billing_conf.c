/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of billing. There is one payment service in a process, and it is set once, before its first request. */
#include "payment/billing_conf.h"

#include "base/time.h"

static const ConfWord ends[] = {
	{ "cancel", BILLING_CANCEL, "the subscription is cancelled" },
	{ "unpaid", BILLING_UNPAID, "it goes on, and its invoices stay drafts" },
	{ "past_due", BILLING_PAST_DUE, "it goes on as it is" },
	{ 0 },
};

static const ConfKey keys[] = {
	{ "retry_days", CONF_UINT, AT_LIST(BillingConf, retry_days), .def = "3, 5, 7", .min = "1",
	  .max = "60",
	  .help = "an invoice that was refused is asked for again so many days later, each time" },
	{ "end", CONF_ENUM, AT(BillingConf, end), .names = ends, .def = "cancel",
	  .help = "and when the last time was refused" },
	{ "draft", CONF_DURATION, AT(BillingConf, draft_us), .def = "1h", .max = "7d",
	  .help = "how long an invoice that was made by itself may be changed" },
};

const ConfTable *billing_conf_table(void)
{
	static const ConfTable table = { "billing", CONF_ROWS(BillingConf, keys),
		                         .help = "subscriptions and invoices" };

	return &table;
}

static const BillingConf *set;

const BillingConf *billing_conf(void)
{
	static uint32_t days[] = { 3, 5, 7 };
	static const BillingConf usual = { .retry_days = { days, COUNT(days) },
		                           .draft_us = 3600 * US_PER_S };

	return set ? set : &usual;
}

void billing_begin(const BillingConf *conf)
{
	set = conf;
}
