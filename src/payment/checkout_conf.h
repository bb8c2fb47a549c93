/* SPDX-License-Identifier: Apache-2.0
 *
 * `checkout` under `services.payment`: the order system that a checkout asks, and how long it has.
 *
 *   checkout: { orders: "http://127.0.0.1:8000/api/v1/reservations", token: "file:secrets/orders" } */
#pragma once
#include "base/conf.h"

typedef struct CheckoutConf {
	Str orders; /* URL under which ID/reserve, ID/confirm and ID/release stand; empty: there are no checkouts */
	Str token;
	Str workflow; /* of the notification that says it is paid; empty: none is sent */
	int64_t deadline_us, timeout_us, keep_us;
} CheckoutConf;

const ConfTable *checkout_conf_table(void);
