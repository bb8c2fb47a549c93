/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fault provider tells of its own accord: a webhook for every act, signed as Standard Webhooks says, tried again for a while;
 * twice, late or never where a fault wants it so. One loop's. */
#pragma once
#include "payment/fault_book.h"
#include "payment/fault_script.h"

typedef struct FaultTeller FaultTeller;

/* url empty: nobody is told. Reads files. Fails as ask_open, INVALID "fault.secret". */
Err *fault_teller_open(Arena *lasting, Str url, Str secret, FaultTeller **out) MUST_USE;
void fault_teller_close(FaultTeller *teller); /* parks; NULL is fine */

/* In a fiber of its own, after `wait_us` and what the hit says. type: "payment.captured". */
void fault_tell(FaultTeller *teller, const FaultPayment *payment, const FaultRefund *refund,
                const char *type, FaultHit hit);
int64_t fault_told(const FaultTeller *teller); /* webhooks that were taken */
