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
#include "store/db.h"

typedef enum LedgerSide { /* of the account's balance as accountants count it */
	                  LEDGER_ASSET,
	                  LEDGER_LIABILITY,
	                  LEDGER_EQUITY,
	                  LEDGER_INCOME,
	                  LEDGER_EXPENSE,
	                  LEDGER_SIDES
} LedgerSide;

typedef enum LedgerLimit {
	LEDGER_FREE,
	LEDGER_CREDIT_LEAST, /* debits, held ones too, never exceed the credits: nobody spends what he has not */
	LEDGER_DEBIT_LEAST, /* credits, held ones too, never exceed the debits */
	LEDGER_LIMITS
} LedgerLimit;

typedef enum LedgerDeed {
	LEDGER_POST, /* moved */
	LEDGER_HOLD, /* held: counts against limits, moves nothing yet */
	LEDGER_SETTLE, /* what was held is moved, all of it (amount 0) or less; the rest is free again */
	LEDGER_VOID,   /* what was held is free again */
	LEDGER_EXPIRE, /* the same, because its time was over: ledger_expire alone does it */
	LEDGER_DEEDS
} LedgerDeed;

enum {
	LEDGER_CODE_MOST = 100,   /* bytes of an account's code */
	LEDGER_GROUP_MOST = 8190, /* transfers of one group */
};
#define LEDGER_AMOUNT_MOST INT64_C(1000000000000000) /* of one transfer */

typedef struct LedgerTransfer {
	Uuid id; /* nil: a new one is made, and told here */
	LedgerDeed deed;
	Str debit, credit; /* codes; of SETTLE and VOID empty: those of the hold */
	int64_t amount;    /* 1 and more; of SETTLE 0: all; of VOID 0 */
	Uuid hold;         /* of SETTLE and VOID: the transfer that held */
	int64_t until_us;  /* of HOLD: it runs out then; 0: never */
} LedgerTransfer;

typedef struct LedgerGroup {
	Str kind;   /* what caused it: "intent", "refund", "invoice", "manual" ... */
	Str source; /* which one of them: its id, opaque; one group for each kind and source. Empty: the group's own id */
	Str currency;  /* ISO 4217, any case */
	Str memo;      /* for people; no names, no addresses: nothing here is ever deleted */
	int64_t at_us; /* when it happened; 0: now */
	LedgerTransfer *at;
	size_t count;
} LedgerGroup;

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

typedef struct LedgerAccount {
	Uuid id;
	Str code, currency;
	LedgerSide side;
	LedgerLimit limit;
	bool hot; /* many write to it at once: no row of it is locked, what they add is folded in later (ledger_fold) */
	int64_t debits, credits;           /* posted */
	int64_t held_debits, held_credits; /* pending */
	int64_t created_us;
} LedgerAccount;

/* Is this a code? Lower-case letters, digits and '-', in parts with ':' between them; NULL, or what is wrong: "has ...". */
const char *ledger_code_wrong(Str code);

/* Opens an account: code, currency, side, limit, hot. The one that is there is found again when it is the same, else
 * ledger.differs. INVALID "ledger.account" for a code or currency that is none. */
Err *ledger_open(Db *db, Arena *a, const LedgerAccount *account, LedgerAccount **out) MUST_USE;
/* With its balance of now; NULL: there is none. */
Err *ledger_account(Db *db, Arena *a, Str code, Str currency, LedgerAccount **out) MUST_USE;
/* credits - debits, or the other way round, as its side counts: what people call the balance. */
int64_t ledger_balance(const LedgerAccount *account);

/* What is opened by itself: `provider` stands for `provider` and all of `provider:...`. */
typedef struct LedgerChart {
	const char *first;
	LedgerSide side;
	bool hot;
	const char *help;
} LedgerChart;
const LedgerChart *ledger_chart(size_t *count);

/* --- keeping house ------------------------------------------------------------------------------------------------------ */

/* Adds up what was written to hot accounts; *folded: rows. Holds whose time is over become free; *gone: holds. In small steps. */
Err *ledger_fold(Db *db, Arena *a, int64_t *folded) MUST_USE;
Err *ledger_expire(Db *db, Arena *a, int64_t now_us, int64_t *gone) MUST_USE;
