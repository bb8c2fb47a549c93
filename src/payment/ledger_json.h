/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies and answers of the ledger's API. */
#pragma once
#include "payment/ledger_int.h"
#include "service/fields.h"

#define LEDGER_ACCOUNT_PREFIX "lac_"
#define LEDGER_GROUP_PREFIX "lgr_"
#define LEDGER_TRANSFER_PREFIX "ltr_"

typedef struct LedgerAccountIn {
	Str code, currency;
	uint8_t side, limit; /* LedgerSide, LedgerLimit */
	bool hot;
} LedgerAccountIn;

typedef struct LedgerTransferIn {
	Uuid id;
	uint8_t deed; /* LedgerDeed */
	Str debit, credit;
	int64_t amount;
	Uuid hold;
	int64_t until;
} LedgerTransferIn;

typedef struct LedgerGroupIn {
	Str kind, source, currency, memo;
	int64_t at;
	CONF_LIST_OF(LedgerTransferIn) transfers;
} LedgerGroupIn;

extern const FieldTable ledger_account_in, ledger_group_in;
extern const FieldTable ledger_account_out, ledger_accounts_out, ledger_line_out, ledger_posted_out,
	ledger_totals_out;

void ledger_account_put(JsonWriter *w, Arena *a, const LedgerAccount *account);
void ledger_line_put(JsonWriter *w, Arena *a, const LedgerLine *line);
void ledger_posted_put(JsonWriter *w, Arena *a, const LedgerGroup *group,
                       const LedgerPosted *posted);
void ledger_total_put(JsonWriter *w, const LedgerTotal *total);
