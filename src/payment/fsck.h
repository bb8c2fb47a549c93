/* SPDX-License-Identifier: Apache-2.0
 *
 * What `banyan payment fsck` looks at. */
#pragma once
#include <stddef.h>

typedef struct ServiceCheck ServiceCheck;

const ServiceCheck *ledger_checks(size_t *count);
const ServiceCheck *money_checks(
	size_t *count); /* intents, charges, refunds against each other and the ledger */
const ServiceCheck *billing_checks(size_t *count); /* invoices, subscriptions */
const ServiceCheck *checkout_checks(size_t *count);
/* All of them in one table, for the service's row. */
const ServiceCheck *payment_checks(size_t *count);
