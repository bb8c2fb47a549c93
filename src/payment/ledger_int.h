/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the ledger. */
#pragma once
#include "payment/ledger.h"

/* A page of accounts with their balances, by currency and code, after one. */
typedef struct LedgerAccountsAsk {
	Str currency; /* empty: all of them */
	Str prefix;   /* "provider": that one and all of "provider:..."; empty: all */
	Str after_currency, after_code; /* empty: from the first */
	size_t most;
} LedgerAccountsAsk;
Err *ledger_accounts_after(Db *db, Arena *a, const LedgerAccountsAsk *ask, LedgerAccount **out,
                           size_t *count) MUST_USE;
