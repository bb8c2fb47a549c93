/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: double-entry books in the service's own database. A transfer moves an amount from one account (credited) to
 * another (debited) and is never changed; what was wrong is put right by another transfer. Transfers come in groups, all or none,
 * written in the transaction of their cause:
 *
 *	static Err *captured(Db *tx, Arena *a, void *arg)
 *	{
 *		LedgerTransfer moved[] = {
 *			{ .debit = S("provider:fault"), .credit = S("sales"), .amount = 1999 },
 *			{ .debit = S("fees:fault"), .credit = S("provider:fault"), .amount = 88 },
 *		};
 *		TRY(db_exec(tx, a, intent_captured, NULL, ...));
 *		return ledger_post(tx, a, &(LedgerGroup){ .kind = S("intent"), .source = S("pi_018f..."), .currency = S("usd"),
 *		                                          .at = moved, .count = COUNT(moved) }, NULL);
 *	}
 *
 * Accounts are named by a code, `provider:fault`, one for each currency under it. Those that the chart foresees (ledger_chart, by their
 * first part) are made when they are first used; others by ledger_open. Amounts are minor units. Errors are those of db.h, and:
 *
 *   ledger.account          NOT_FOUND  no account of this code in this currency
 *   ledger.transfer         INVALID    an amount that is none, both accounts the same, a deed without its hold
 *   ledger.limit            CONFLICT   an account would pass its limit
 *   ledger.hold             NOT_FOUND  no such hold
 *   ledger.hold_resolved    CONFLICT   it was settled, voided or has run out before
 *   ledger.hold_amount      CONFLICT   more than was held
 *   ledger.differs          CONFLICT   the id or the source is there, with something else under it */
#pragma once
#include "payment/ledger_domain.h"
#include "store/db.h"

typedef struct LedgerPosted {
	Uuid id;    /* of the group */
	bool again; /* it was there already, the same: nothing was written */
} LedgerPosted;

/* In a transaction (a Db that is none gets one of its own). Limits are looked at when all of the group is in, so the order within
 * it does not matter. A group of a source that is there already is `again` when its transfers are the same, else ledger.differs.
 * out may be NULL. On PostgreSQL row locks on the accounts are held until the transaction ends: call it late in it. Parks, but on
 * SQLite in a transaction. */
Err *ledger_post(Db *tx, Arena *a, LedgerGroup *group, LedgerPosted *out) MUST_USE;

/* --- accounts ----------------------------------------------------------------------------------------------------------- */

/* The currency's code in lower case, a literal; false: it is none. */
bool ledger_currency(Str text, Str *out);
/* Opens an account: code, currency, side, limit, hot. The one that is there is found again when it is the same, else
 * ledger.differs. INVALID "ledger.account" for a code or currency that is none. */
Err *ledger_open(Db *db, Arena *a, const LedgerAccount *account, LedgerAccount **out) MUST_USE;
/* With its balance of now; NULL: there is none. */
Err *ledger_account(Db *db, Arena *a, Str code, Str currency, LedgerAccount **out) MUST_USE;
/* --- keeping house ------------------------------------------------------------------------------------------------------ */

/* Adds up what was written to hot accounts; *folded: rows. Holds whose time is over become free; *gone: holds. In small steps. */
Err *ledger_fold(Db *db, Arena *a, int64_t *folded) MUST_USE;
Err *ledger_expire(Db *db, Arena *a, int64_t now_us, int64_t *gone) MUST_USE;
