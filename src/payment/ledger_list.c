/* SPDX-License-Identifier: Apache-2.0
 *
 * What is in the ledger, for lists, exports and the judge: read only, by key. */
#include "base/arena.h"
#include "payment/ledger_int.h"

#include "payment_ledger_list_sql.h"

static LedgerLine line_of(const LedgerLineRow *row)
{
	return (LedgerLine){ .seq = row->seq,
		             .id = row->id,
		             .group = row->group_id,
		             .kind = row->kind,
		             .source = row->source,
		             .memo = row->memo,
		             .happened_us = row->happened_at,
		             .created_us = row->created_at,
		             .deed = row->deed,
		             .debit = row->debit,
		             .credit = row->credit,
		             .currency = row->currency,
		             .amount = row->amount,
		             .hold = row->hold_id.set ? row->hold_id.v : (Uuid){ { 0 } },
		             .until_us = row->until.set ? row->until.v : 0 };
}

static void lines_of(Arena *a, const LedgerLineRow *rows, size_t count, LedgerLine **out)
{
	*out = ARENA_ARRAY(a, LedgerLine, count + 1);
	for (size_t i = 0; i < count; i++)
		(*out)[i] = line_of(&rows[i]);
}

Err *ledger_lines_after(Db *db, Arena *a, int64_t after, size_t most, LedgerLine **out,
                        size_t *count)
{
	LedgerLineRow *rows;

	TRY(db_all(db, a, ledger_lines_after, &rows, count, .after = after, .most = (int64_t)most));
	lines_of(a, rows, *count, out);
	return NULL;
}

Err *ledger_lines_of(Db *db, Arena *a, Uuid account, int64_t after, size_t most, LedgerLine **out,
                     size_t *count)
{
	LedgerLineRow *rows;

	TRY(db_all(db, a, ledger_lines_of_account, &rows, count, .account_id = account,
	           .after = after, .most = (int64_t)most));
	lines_of(a, rows, *count, out);
	return NULL;
}

Err *ledger_line(Db *db, Arena *a, Uuid id, LedgerLine **out)
{
	LedgerLineRow *row;

	TRY(db_one(db, a, ledger_line_by_id, &row, .id = id));
	*out = NULL;
	if (row)
		lines_of(a, row, 1, out);
	return NULL;
}

Err *ledger_totals(Db *db, Arena *a, LedgerTotal **out, size_t *count)
{
	LedgerTotalsNowRow *rows;

	TRY(db_all(db, a, ledger_totals_now, &rows, count));
	*out = ARENA_ARRAY(a, LedgerTotal, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = (LedgerTotal){ .currency = rows[i].currency,
			                   .side = rows[i].side,
			                   .accounts = rows[i].accounts,
			                   .debits = rows[i].debits,
			                   .credits = rows[i].credits,
			                   .held_debits = rows[i].held_debits,
			                   .held_credits = rows[i].held_credits };
	return NULL;
}
