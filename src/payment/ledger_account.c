/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts of the ledger: opened once, never changed but in their sums, never closed. And the two chores: hot accounts are folded,
 * holds whose time is over become free. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/ledger.h"
#include "payment/ledger_int.h"
#include "base/money.h"

#include "payment_ledger_sql.h"

enum { FOLD_MOST = 10000, EXPIRE_MOST = 100 };

static void account_of(const LedgerAccountRow *row, LedgerAccount *out)
{
	*out = (LedgerAccount){ .id = row->id,
		                .code = row->code,
		                .currency = row->currency,
		                .side = LEDGER_ASSET,
		                .hot = row->hot,
		                .debits = row->debits,
		                .credits = row->credits,
		                .held_debits = row->held_debits,
		                .held_credits = row->held_credits,
		                .created_us = row->created_at };
	ledger_side_read(row->side, &out->side); /* the schema has no others */
	ledger_limit_read(row->guard, &out->limit);
}

bool ledger_currency(Str text, Str *out)
{
	Str known = money_currency(text);

	if (known.len)
		*out = known;
	return known.len > 0;
}

Err *ledger_account(Db *db, Arena *a, Str code, Str currency, LedgerAccount **out)
{
	LedgerAccountRow *row;
	Str lower;

	*out = NULL;
	if (!ledger_currency(currency, &lower))
		return NULL;
	TRY(db_one(db, a, ledger_account_now, &row, .code = code, .currency = lower));
	if (row) {
		*out = ARENA_NEW(a, LedgerAccount);
		account_of(row, *out);
	}
	return NULL;
}

Err *ledger_accounts_after(Db *db, Arena *a, const LedgerAccountsAsk *ask, LedgerAccount **out,
                           size_t *count)
{
	LedgerAccountRow *rows;

	TRY(db_all(db, a, ledger_accounts_after, &rows, count, .currency = ask->currency,
	           .after_currency = ask->after_currency, .after_code = ask->after_code,
	           .prefix = ask->prefix, .prefix_end = str_fmt(a, "%.*s;", STR_ARG(ask->prefix)),
	           .most = (int64_t)ask->most));
	*out = ARENA_ARRAY(a, LedgerAccount, *count + 1);
	for (size_t i = 0; i < *count; i++)
		account_of(&rows[i], &(*out)[i]);
	return NULL;
}

Err *ledger_open(Db *db, Arena *a, const LedgerAccount *account, LedgerAccount **out)
{
	const char *wrong = ledger_code_wrong(account->code);
	LedgerAccount *found;
	Str currency;

	if (wrong)
		return err_new(a, ERR_INVALID, "ledger.account", "the code %.*s %s",
		               STR_ARG(str_quote(a, account->code)), wrong);
	if (!ledger_currency(account->currency, &currency))
		return err_new(a, ERR_INVALID, "ledger.account", "%.*s is no currency",
		               STR_ARG(str_quote(a, account->currency)));
	if (account->hot && account->limit != LEDGER_FREE)
		return err_new(a, ERR_INVALID, "ledger.account", "a hot account has no limit");
	TRY(db_exec(db, a, ledger_account_add, NULL, .id = uuid_new(), .code = account->code,
	            .currency = currency, .side = ledger_side_name(account->side),
	            .guard = ledger_limit_name(account->limit), .hot = account->hot,
	            .now = time_utc_us()));
	TRY(ledger_account(db, a, account->code, currency, &found));
	if (!found || found->side != account->side || found->limit != account->limit ||
	    found->hot != account->hot)
		return err_new(a, ERR_CONFLICT, "ledger.differs",
		               "%.*s in %.*s is there, and is another kind of account",
		               STR_ARG(account->code), STR_ARG(currency));
	*out = found;
	return NULL;
}

/* --- keeping house ------------------------------------------------------------------------------------------------------- */

static Err *fold_lite(Db *tx, Arena *a, int64_t *changed)
{
	LedgerHotSumsRow *sums;
	int64_t last = 0;
	size_t count;

	TRY(db_all(tx, a, ledger_hot_sums, &sums, &count, .most = FOLD_MOST));
	for (size_t i = 0; i < count; i++) {
		TRY(db_exec(tx, a, ledger_account_move, NULL, .id = sums[i].account_id,
		            .debits = sums[i].debits, .credits = sums[i].credits,
		            .held_debits = sums[i].held_debits,
		            .held_credits = sums[i].held_credits));
		last = MAX(last, sums[i].last);
	}
	*changed = (int64_t)count;
	return count ? db_exec(tx, a, ledger_hot_drop, NULL, .last = last) : NULL;
}

/* One at a time: two of them would wait for each other's rows in no order. */
static Err *fold_some(Db *tx, Arena *a, void *arg)
{
	TRY(db_lock(tx, a, S("ledger.fold")));
	if (db_engine(tx) == SQL_SQLITE)
		return fold_lite(tx, a, arg);
	return db_exec(tx, a, ledger_hot_fold, arg, .most = FOLD_MOST);
}

Err *ledger_fold(Db *db, Arena *a, int64_t *folded)
{
	int64_t changed = 0;

	*folded = 0;
	do {
		TRY(db_txn(db, a, DB_READ_COMMITTED, fold_some, &changed));
		*folded += changed;
	} while (changed);
	return NULL;
}

static Err *expire(Db *db, Arena *a, const LedgerHoldsDueRow *due)
{
	LedgerTransfer t = { .deed = LEDGER_EXPIRE, .hold = due->transfer_id };
	LedgerGroup group = { .kind = S("expiry"),
		              .source = uuid_text(a, due->transfer_id),
		              .currency = due->currency,
		              .at = &t,
		              .count = 1 };
	Err *err = ledger_post(db, a, &group, NULL);

	return err_is(err, "ledger.hold_resolved") ? NULL : err; /* somebody was quicker */
}

Err *ledger_expire(Db *db, Arena *a, int64_t now_us, int64_t *gone)
{
	LedgerHoldsDueRow *due;
	size_t count;

	*gone = 0;
	do {
		TRY(db_all(db, a, ledger_holds_due, &due, &count, .now = now_us,
		           .most = EXPIRE_MOST));
		for (size_t i = 0; i < count; i++)
			TRY(expire(db, a, &due[i]));
		*gone += (int64_t)count;
	} while (count == EXPIRE_MOST);
	return NULL;
}
