/* SPDX-License-Identifier: Apache-2.0
 *
 * The money of an audit: `money` of the configuration, and what was measured: the principal (minutes of the findings), the hours that are lost
 * (history and health; only where the team's hours are known). Nothing is made up. */
#pragma once
#include "audit/audit.h"
#include "audit/money_conf.h"

typedef struct AuditMoney {
	MoneyCase given; /* with what was measured */
	MoneyResult result;
	bool anything; /* there is more than the principal in hours */
} AuditMoney;

AuditStep audit_money_step; /* after the totals */
void audit_money_screen(FILE *out, Arena *a, const AuditMoney *money);
void audit_money_put(JsonWriter *w, const AuditMoney *money); /* as money_put_json */
