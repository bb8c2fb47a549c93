/* SPDX-License-Identifier: Apache-2.0
 *
 * Money: a count of the smallest unit of a currency (ISO 4217), int64_t, never a fraction. Pure; any thread. */
#pragma once
#include "base/buf.h"

/* What one payment may be at most, in the smallest unit; sums of a database's life fit an int64_t. */
#define MONEY_MOST INT64_C(99999999999999)

/* "EUR" or "eur" as "eur", a literal; empty: it is no currency that money is paid in. */
Str money_currency(Str code);
/* How many digits of the count stand behind the point: 2, JPY 0, KWD 3; -1: no currency. */
int money_exponent(Str currency);
/* "12.50 EUR" */
void money_put(Buf *b, int64_t amount, Str currency);
Str money_text(Arena *a, int64_t amount, Str currency);
