/* SPDX-License-Identifier: Apache-2.0
 *
 * `services.payment.billing`. */
#pragma once
#include "base/conf.h"

typedef enum BillingEnd { BILLING_CANCEL, BILLING_UNPAID, BILLING_PAST_DUE } BillingEnd;

typedef struct BillingConf {
	CONF_LIST_OF(uint32_t) retry_days; /* after each refusal, days until the next attempt */
	uint8_t end;                       /* BillingEnd: when the last attempt was refused */
	int64_t draft_us;                  /* a draft is finalized so long after it was made */
} BillingConf;

const ConfTable *billing_conf_table(void);
/* The service's settings; before billing_begin what they are without any. */
const BillingConf *billing_conf(void);
void billing_begin(const BillingConf *conf); /* outlives the service */
