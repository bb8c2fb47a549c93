/* SPDX-License-Identifier: Apache-2.0
 *
 * The payment service: its row for main, and what its files find in its home. */
#pragma once
#include <stdint.h>

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
	int64_t claim_us; /* how long a request that asks providers can take: then whoever sends its key again goes on with it */
} Payment;
const Payment *payment_of(const ServiceHome *home);
