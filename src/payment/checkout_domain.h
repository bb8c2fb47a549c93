/* SPDX-License-Identifier: Apache-2.0
 *
 * What an order system's answers mean to a checkout. Pure; any thread. */
#pragma once
#include "base/json.h"

typedef enum OrdersVerdict {
	ORDERS_DONE,
	ORDERS_REFUSED, /* it says no, for a reason that is the order's: nothing was done */
	ORDERS_AGAIN,   /* it is away, busy or misunderstood us: ask again */
} OrdersVerdict;

OrdersVerdict orders_verdict(unsigned status);
/* A 409 that says nothing of the order: a request with this key came before and is at work, {"code":"idempotency.running"}. */
bool orders_is_running(Arena *a, unsigned status, Str body);

/* What it says of an order that it keeps for a checkout. */
typedef struct Reservation {
	Str order;      /* its own number: "PA-0000017" */
	int64_t amount; /* to be paid, of the currency's smallest unit */
	Str currency;   /* "eur"; whether money is paid in it, others know */
} Reservation;
#define RESERVATION_MOST INT64_C(99999999999999)
/* {"order":"PA-0000017","amount":2590,"currency":"EUR", ...}. NULL, or what is wrong with it. */
const char *reservation_read(Arena *a, Str body, Reservation *out);

/* Why it says no: {"code","message"|"detail"}, or the same within "error". code: a-z 0-9 _, 40 at most, "refused" when there is none
 * of that kind. */
void orders_refusal_read(Arena *a, Str body, Str *code, Str *message);

/* Pauses between looks at a charge whose outcome nobody knows yet. */
int64_t checkout_look_us(int64_t attempt);
