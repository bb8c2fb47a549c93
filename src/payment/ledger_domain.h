/* SPDX-License-Identifier: Apache-2.0
 *
 * What accounts and transfers of the ledger are, and their rules. Nothing here knows of a database; nothing parks. */
#pragma once
#include "base/err.h"
#include "base/uuid.h"

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

/* --- words -------------------------------------------------------------------------------------------------------------- */

Str ledger_side_name(LedgerSide side); /* "asset" */
bool ledger_side_read(Str text, LedgerSide *out);
Str ledger_limit_name(LedgerLimit limit); /* "none", "credit", "debit" */
bool ledger_limit_read(Str text, LedgerLimit *out);
Str ledger_deed_name(LedgerDeed deed); /* "post" */
bool ledger_deed_read(Str text, LedgerDeed *out);
/* The row that a code falls under; NULL: none. */
const LedgerChart *ledger_chart_of(Str code);
/* Kinds of groups that are the service's own: "intent", "refund", ... */
bool ledger_kind_taken(Str kind);

/* --- what a transfer does ------------------------------------------------------------------------------------------------ */

/* Is each transfer one by itself? Fails with INVALID "ledger.transfer"; the sentence says which. */
Err *ledger_group_check(Arena *a, const LedgerGroup *group) MUST_USE;

/* What is added to an account's four sums. */
typedef struct LedgerDelta {
	int64_t debits, credits, held_debits, held_credits;
} LedgerDelta;
/* held: of SETTLE, VOID and EXPIRE what was held. */
void ledger_add(LedgerDeed deed, int64_t amount, int64_t held, LedgerDelta *debit,
                LedgerDelta *credit);
