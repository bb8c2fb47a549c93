/* SPDX-License-Identifier: Apache-2.0
 *
 * The payment service: its row for main, and what its files find in its home. */
#pragma once

typedef struct PaymentConf PaymentConf;
typedef struct Providers Providers;
struct Checkout;
typedef struct Service Service;
typedef struct ServiceHome ServiceHome;

const Service *payment_service(void);

/* What begin has made; of a command (service_command) there is none. */
typedef struct Payment {
	const PaymentConf *conf;
	Providers *providers;      /* provider.h: those that are configured, their health */
	struct Checkout *checkout; /* checkout.h */
} Payment;
const Payment *payment_of(const ServiceHome *home);
