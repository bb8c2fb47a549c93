/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the payment service, under `services.payment`. */
#pragma once
#include "payment/billing_conf.h"
#include "payment/checkout_conf.h"
#include "payment/provider_conf.h"
#include "service/hook.h"

struct PaymentConf {
	ProvidersConf providers;
	CheckoutConf checkout;
	BillingConf billing;
	HookConf webhooks;
	bool live;
	int64_t keep_events_us, keep_answers_us;
};
typedef struct PaymentConf PaymentConf;

const ConfTable *payment_conf_table(void);
