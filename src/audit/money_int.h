/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "audit/money.h"

/* Adds a sentence; those above MONEY_REMARKS are dropped. */
void money_remark(Arena *a, MoneyResult *r, const char *fmt, ...) PRINTF(3, 4);
/* An amount as money_amount_put writes it, in the arena. */
Str money_amount_text(Arena *a, const MoneyCase *c, double amount);
/* Holds the claims against each other and against the result: the contradictions, then what each claim would mean. Goes first. */
void money_check_claims(Arena *a, const MoneyCase *c, MoneyResult *r);
