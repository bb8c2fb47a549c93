/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as a journal of plain-text accounting. */
#pragma once
#include "payment/ledger.h"

#include <stdio.h>

typedef struct Command Command;

/* Accounts, every group that moved something, and the balances as the ledger has them, of one moment: hledger and beancount both read
 * it, and balance every transaction anew; beancount looks at the balances too. Parks. *groups: how many. Fails with BUSY
 * "ledger.export" when the database wanted the reading begun anew after something was written. */
Err *ledger_export(Db *db, Arena *a, FILE *to, uint64_t *groups) MUST_USE;

const Command *ledger_commands(size_t *count); /* `banyan payment export` */
