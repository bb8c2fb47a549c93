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

/* A transfer with its group, as lists and exports show it. */
typedef struct LedgerLine {
	int64_t seq;
	Uuid id, group;
	Str kind, source, memo;
	int64_t happened_us, created_us;
	Str deed, debit, credit, currency;
	int64_t amount;
	Uuid hold;        /* nil: none */
	int64_t until_us; /* 0: never, or no hold */
} LedgerLine;
/* Oldest first, those after a `seq`. */
Err *ledger_lines_after(Db *db, Arena *a, int64_t after, size_t most, LedgerLine **out,
                        size_t *count) MUST_USE;
Err *ledger_lines_of(Db *db, Arena *a, Uuid account, int64_t after, size_t most, LedgerLine **out,
                     size_t *count) MUST_USE;
Err *ledger_line(Db *db, Arena *a, Uuid id, LedgerLine **out) MUST_USE; /* NULL: there is none */

/* What the accounts of a currency and a side add up to. */
typedef struct LedgerTotal {
	Str currency, side;
	int64_t accounts, debits, credits, held_debits, held_credits;
} LedgerTotal;
/* By currency, then side. */
Err *ledger_totals(Db *db, Arena *a, LedgerTotal **out, size_t *count) MUST_USE;
