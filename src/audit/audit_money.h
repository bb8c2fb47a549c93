/* SPDX-License-Identifier: Apache-2.0
 *
 * The money of an audit: `money` of the configuration, and what was measured: the principal (minutes of the findings), the hours that are lost
 * (history and health; only where the team's hours are known). Nothing is made up, and what comes out is held against what others found. */
#pragma once
#include "audit/audit.h"
#include "audit/money_conf.h"

typedef struct AuditMoney {
	MoneyCase given; /* with what was measured */
	MoneyResult result;
	bool anything;      /* something was given, or an amount follows */
	MoneyFigure a_line; /* the principal by lines of code */
	char sane; /* of it, held against other people's figure: '=' near it, '<', '>'; 0: not known, or not in dollars */
} AuditMoney;

/* What CAST found on average over business applications (CRASH, 2011), in dollars a line. Half an order of magnitude around it is near. */
#define AUDIT_MONEY_LINE 3.61
#define AUDIT_MONEY_NEAR 3.16

AuditStep audit_money_step; /* after the totals */
void audit_money_screen(FILE *out, Arena *a, const AuditMoney *money);
void audit_money_put(JsonWriter *w, const AuditMoney *money); /* as money_put_json */
/* { amount (null: unknown), reference, source, is: "near", "below", "above", null } */
void audit_money_put_sanity(JsonWriter *w, const AuditMoney *money);

/* Minutes of the findings that make a file hard to change (maintainability, architecture), by index of the project's files; findings are sorted. */
double *audit_minutes_by_file(Arena *a, const Project *project, const Findings *findings);
