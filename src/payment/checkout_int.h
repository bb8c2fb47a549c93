/* SPDX-License-Identifier: Apache-2.0
 *
 * Between checkout.c, which has its steps, and checkout_api.c, which is asked for them. */
#pragma once
#include "payment/checkout.h"

#define CHECKOUT_PREFIX "co_"

struct Checkout {
	const ServiceHome *home;
	const CheckoutConf *conf;
	SagaType types[1];
	SagaSet set;
};

/* What one is begun with: the saga's data. Text and JSON that was looked at. */
typedef struct CheckoutDraft {
	const Json *order;    /* for the order system, as it came */
	Str method, customer; /* "pm_..." or a provider's token; "cus_..." */
	Str email, name, locale;
	int64_t amount; /* what the customer was shown; 0: not said */
	Str currency;
	Str by; /* who asked: "usr_..." */
} CheckoutDraft;
Str checkout_data(Arena *a, const CheckoutDraft *draft);

Err *checkout_tell(SagaCall *call) MUST_USE; /* the step `notify` */

/* Told when a checkout has changed its state: sixteen channels, so that not everybody who waits is woken by everybody. */
const char *checkout_channel(Uuid id);
