/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs of the money as a file gives them: all of `banyan roi FILE`, and `audit.money` of banyan.yaml. */
#pragma once
#include "audit/money.h"
#include "base/conf.h"

typedef struct MoneyValueConf {
	Str amount, from;
	bool measured;
} MoneyValueConf;

typedef struct MoneyPhaseConf {
	Str name, cost;
	double weeks;
} MoneyPhaseConf;

typedef struct MoneyClaimConf {
	uint8_t what, per; /* MoneyClaimKind; 1: a month */
	Str figure, where;
} MoneyClaimConf;

typedef struct MoneyConf {
	Str currency, cost;
	MoneyValueConf in[MONEY_INPUTS];
	bool has[MONEY_INPUTS];
	CONF_LIST_OF(MoneyPhaseConf) phases;
	CONF_LIST_OF(MoneyClaimConf) stated;
} MoneyConf;

const ConfTable *money_table(void) RETURNS_NONNULL;
ConfVerify money_verify; /* an amount, as money_read takes it */

/* From what was read without mistakes; strings are borrowed. Adds defaults, and ranges to assumptions that have none. Fails as money_set. */
Err *money_case_of(Arena *a, const MoneyConf *conf, MoneyCase *out) MUST_USE;
/* One input from text. Fails as money_read does, and with INVALID "money.too_much" above what the input can be. */
Err *money_set(Arena *a, MoneyCase *c, MoneyIn in, Str text, MoneySource source, Str from) MUST_USE;
/* The whole work as one phase of a known price; takes the place of all phases. Fails as money_read does. */
Err *money_set_cost(Arena *a, MoneyCase *c, Str text) MUST_USE;
