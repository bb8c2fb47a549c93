/* SPDX-License-Identifier: Apache-2.0
 *
 * Posting: a group of transfers in its caller's transaction.
 *
 * Two round trips, whatever the group's size: one asks what is there (the group of this source, the accounts, the holds), one
 * writes. Of an account only what never changes is read; its balance is added to by the row's own update, which also looks at the
 * limit, so that nothing is read that another may change meanwhile and no serializable transaction is needed. Rows are updated in
 * the order of their ids, so that two groups never wait for each other in a circle. A hot account's row is not touched: a row of
 * ledger_hot is inserted, and folded in later.
 *
 * A hold is resolved by whoever takes its row out of ledger_holds; the unique index over ledger_transfers.hold_id says so again. */
#include "payment/ledger.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "base/time.h"
#include "payment/ledger_int.h"

#include "payment_ledger_sql.h"

#include <stdlib.h>
#include <string.h>

enum { LOAD_FROM = 32 /* transfers: then they are loaded in bulk */ };

typedef struct Touched {
	Str code;
	LedgerKnownRow *known;
	LedgerDelta delta;
	int64_t changed;
} Touched;

typedef struct Held {
	LedgerHoldByIdRow *row; /* of a transfer that resolves one */
	int64_t changed;
} Held;

typedef struct Post {
	Db *tx;
	Arena *a;
	LedgerGroup *group;
	LedgerGroupRow row;   /* as it will be written */
	LedgerGroupRow *here; /* the one of this source; NULL: there is none */
	Map by_code;          /* of Touched */
	Touched *accounts;    /* room for two a transfer */
	size_t account_count;
	Held *held;              /* one a transfer */
	int64_t expected, moved; /* accounts that were moved together */
} Post;

static void post_fini(Post *p)
{
	map_fini(&p->by_code);
}

/* --- what is there ------------------------------------------------------------------------------------------------------- */

static void touch(Post *p, Str code)
{
	Touched *t;

	if (map_get(&p->by_code, code))
		return;
	t = &p->accounts[p->account_count++];
	t->code = code;
	map_put(&p->by_code, code, t);
}

static void touch_all(Post *p)
{
	for (size_t i = 0; i < p->group->count; i++) {
		const LedgerTransfer *t = &p->group->at[i];

		if (!uuid_is_nil(t->hold))
			continue;
		touch(p, t->debit);
		touch(p, t->credit);
	}
}

static Err *ask(Post *p)
{
	DbBatch *batch = db_batch(p->a);

	if (p->row.source.len)
		batch_one(batch, ledger_group_of, &p->here, .kind = p->row.kind,
		          .source = p->row.source);
	for (size_t i = 0; i < p->group->count; i++) {
		if (!uuid_is_nil(p->group->at[i].hold))
			batch_one(batch, ledger_hold_by_id, &p->held[i].row,
			          .id = p->group->at[i].hold);
	}
	for (size_t i = 0; i < p->account_count; i++)
		batch_one(batch, ledger_known, &p->accounts[i].known, .code = p->accounts[i].code,
		          .currency = p->row.currency);
	return db_batch_run(p->tx, p->a, batch);
}

static Err *hold_check(const Post *p, size_t i)
{
	const LedgerHoldByIdRow *hold = p->held[i].row;
	const LedgerTransfer *t = &p->group->at[i];

	if (!hold || !str_eq(hold->currency, p->row.currency))
		return err_new(p->a, ERR_NOT_FOUND, "ledger.hold",
		               "transfer %zu: there is no such hold in %.*s", i,
		               STR_ARG(p->row.currency));
	if (!hold->open ||
	    (t->deed == LEDGER_SETTLE && hold->until.set && hold->until.v <= p->row.created_at))
		return err_new(p->a, ERR_CONFLICT, "ledger.hold_resolved",
		               "transfer %zu: that hold was settled, voided or has run out", i);
	if (t->amount > hold->amount)
		return err_new(p->a, ERR_CONFLICT, "ledger.hold_amount",
		               "transfer %zu: %" PRId64 " of %" PRId64 " held", i, t->amount,
		               hold->amount);
	return NULL;
}

/* The accounts of the holds. */
static Err *ask_of_holds(Post *p)
{
	DbBatch *batch = db_batch(p->a);
	size_t before = p->account_count;

	for (size_t i = 0; i < p->group->count; i++) {
		if (uuid_is_nil(p->group->at[i].hold))
			continue;
		TRY(hold_check(p, i));
		touch(p, p->held[i].row->debit);
		touch(p, p->held[i].row->credit);
	}
	if (p->account_count == before)
		return NULL;
	for (size_t i = before; i < p->account_count; i++)
		batch_one(batch, ledger_known, &p->accounts[i].known, .code = p->accounts[i].code,
		          .currency = p->row.currency);
	return db_batch_run(p->tx, p->a, batch);
}

static Err *open_by_chart(Post *p, Touched *t)
{
	const LedgerChart *chart = ledger_chart_of(t->code);

	if (!chart || ledger_code_wrong(t->code))
		return err_new(p->a, ERR_NOT_FOUND, "ledger.account",
		               "there is no account %.*s in %.*s",
		               STR_ARG(str_quote(p->a, t->code)), STR_ARG(p->row.currency));
	TRY(db_exec(p->tx, p->a, ledger_account_add, NULL, .id = uuid_new(), .code = t->code,
	            .currency = p->row.currency, .side = ledger_side_name(chart->side),
	            .guard = ledger_limit_name(LEDGER_FREE), .hot = chart->hot,
	            .now = p->row.created_at));
	return db_one(p->tx, p->a, ledger_known, &t->known, .code = t->code,
	              .currency = p->row.currency);
}

static Err *open_missing(Post *p)
{
	for (size_t i = 0; i < p->account_count; i++) {
		Touched *t = &p->accounts[i];

		if (!t->known)
			TRY(open_by_chart(p, t));
		if (!t->known)
			return err_new(p->a, ERR_BUSY, "db.serialization",
			               "an account that was opened is not seen");
	}
	return NULL;
}

/* --- the same again ------------------------------------------------------------------------------------------------------ */

static bool same_transfer(const LedgerTransfer *t, const LedgerLinesOfGroupRow *line)
{
	bool resolves = !uuid_is_nil(t->hold);

	return str_eq(ledger_deed_name(t->deed), line->deed) && resolves == line->hold_id.set &&
	       (!resolves || uuid_eq(t->hold, line->hold_id.v)) &&
	       (uuid_is_nil(t->id) || uuid_eq(t->id, line->id)) &&
	       (t->amount == line->amount || (resolves && !t->amount)) &&
	       (resolves || (str_eq(t->debit, line->debit) && str_eq(t->credit, line->credit)));
}

static Err *again(const Post *p, LedgerPosted *out)
{
	LedgerLinesOfGroupRow *lines;
	size_t count;
	bool same;

	TRY(db_all(p->tx, p->a, ledger_lines_of_group, &lines, &count, .group_id = p->here->id));
	same = count == p->group->count && str_eq(p->here->currency, p->row.currency);
	for (size_t i = 0; same && i < count; i++)
		same = same_transfer(&p->group->at[i], &lines[i]);
	if (!same)
		return err_new(p->a, ERR_CONFLICT, "ledger.differs",
		               "%.*s %.*s was posted before, with other transfers",
		               STR_ARG(p->row.kind), STR_ARG(p->row.source));
	for (size_t i = 0; i < count; i++)
		p->group->at[i].id = lines[i].id;
	*out = (LedgerPosted){ .id = p->here->id, .again = true };
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------- */

static Err *lay_out(Post *p, LedgerTransferRow *rows)
{
	for (size_t i = 0; i < p->group->count; i++) {
		LedgerTransfer *t = &p->group->at[i];
		const LedgerHoldByIdRow *hold = p->held[i].row;
		Touched *debit = map_get(&p->by_code, hold ? hold->debit : t->debit);
		Touched *credit = map_get(&p->by_code, hold ? hold->credit : t->credit);
		int64_t amount = hold && !t->amount ? hold->amount : t->amount;

		if (!debit || !credit)
			return err_new(p->a, ERR_INTERNAL, "db.misuse",
			               "an account that nobody looked at");
		if (uuid_is_nil(t->id))
			t->id = uuid_new();
		ledger_add(t->deed, amount, hold ? hold->amount : 0, &debit->delta, &credit->delta);
		rows[i] = (LedgerTransferRow){ .id = t->id,
			                       .group_id = p->row.id,
			                       .deed = ledger_deed_name(t->deed),
			                       .debit_id = debit->known->id,
			                       .credit_id = credit->known->id,
			                       .currency = p->row.currency,
			                       .amount = amount,
			                       .hold_id = { hold != NULL, t->hold },
			                       .until = { t->until_us != 0, t->until_us },
			                       .created_at = p->row.created_at };
	}
	return NULL;
}

static int by_id(const void *x, const void *y)
{
	return uuid_cmp(((const Touched *)x)->known->id, ((const Touched *)y)->known->id);
}

static void put_move(JsonWriter *w, Arena *a, const Touched *t)
{
	json_begin_object(w);
	json_put_str(w, "id", uuid_text(a, t->known->id));
	json_put_i64(w, "d", t->delta.debits);
	json_put_i64(w, "c", t->delta.credits);
	json_put_i64(w, "hd", t->delta.held_debits);
	json_put_i64(w, "hc", t->delta.held_credits);
	json_end(w);
}

/* Many accounts by one statement, where the engine has it. */
static Err *move_many(Post *p, DbBatch *batch)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str moves;

	json_begin_array(&w);
	for (size_t i = 0; i < p->account_count; i++) {
		if (p->accounts[i].known->hot)
			continue;
		p->expected++;
		p->accounts[i].changed = 1; /* counted together */
		put_move(&w, p->a, &p->accounts[i]);
	}
	json_end(&w);
	TRY(json_done(&w, &moves));
	batch_exec(batch, ledger_accounts_move, &p->moved, .moves = str_dup(p->a, moves));
	return NULL;
}

static Err *move(Post *p, DbBatch *batch)
{
	bool many = p->account_count >= LOAD_FROM && db_engine(p->tx) == SQL_POSTGRES;

	qsort(p->accounts, p->account_count, sizeof(*p->accounts), by_id);
	for (size_t i = 0; i < p->account_count; i++) {
		Touched *t = &p->accounts[i];
		const LedgerDelta *d = &t->delta;

		if (t->known->hot)
			batch_exec(batch, ledger_hot_add, &t->changed, .account_id = t->known->id,
			           .debits = d->debits, .credits = d->credits,
			           .held_debits = d->held_debits, .held_credits = d->held_credits);
		else if (!many)
			batch_exec(batch, ledger_account_move, &t->changed, .id = t->known->id,
			           .debits = d->debits, .credits = d->credits,
			           .held_debits = d->held_debits, .held_credits = d->held_credits);
	}
	return many ? move_many(p, batch) : NULL;
}

static void hold(Post *p, DbBatch *batch)
{
	for (size_t i = 0; i < p->group->count; i++) {
		const LedgerTransfer *t = &p->group->at[i];

		if (t->deed == LEDGER_HOLD)
			batch_exec(batch, ledger_hold_add, NULL, .transfer_id = t->id,
			           .until = { t->until_us != 0, t->until_us });
		else if (t->deed != LEDGER_POST)
			batch_exec(batch, ledger_hold_take, &p->held[i].changed,
			           .transfer_id = t->hold);
	}
}

static Err *verdict(const Post *p)
{
	for (size_t i = 0; i < p->group->count; i++) {
		if (p->held[i].row && !p->held[i].changed)
			return err_new(p->a, ERR_CONFLICT, "ledger.hold_resolved",
			               "transfer %zu: that hold was settled, voided or has run out",
			               i);
	}
	for (size_t i = 0; i < p->account_count; i++) {
		if (!p->accounts[i].changed)
			return err_new(p->a, ERR_CONFLICT, "ledger.limit",
			               "%.*s would pass its limit", STR_ARG(p->accounts[i].code));
	}
	if (p->moved != p->expected)
		return err_new(p->a, ERR_CONFLICT, "ledger.limit",
		               "%" PRId64 " of %" PRId64 " accounts would pass their limit",
		               p->expected - p->moved, p->expected);
	return NULL;
}

static Err *write_down(Post *p, const LedgerTransferRow *rows)
{
	DbBatch *batch = db_batch(p->a);
	size_t count = p->group->count;

	if (count >= LOAD_FROM) {
		TRY(db_exec_with(p->tx, p->a, ledger_group_add, &p->row, NULL));
		TRY(db_load(p->tx, p->a, ledger_transfers_load, rows, count));
	} else {
		batch_put(batch, &sql_exec_ledger_group_add, &p->row, NULL, NULL, NULL);
		for (size_t i = 0; i < count; i++)
			batch_put(batch, &sql_exec_ledger_transfer_add, &rows[i], NULL, NULL, NULL);
	}
	hold(p, batch);
	TRY(move(p, batch));
	TRY(db_batch_run(p->tx, p->a, batch));
	return verdict(p);
}

/* --- all of it ----------------------------------------------------------------------------------------------------------- */

static Err *post_begin(Post *p)
{
	LedgerGroup *g = p->group;
	int64_t now_us = time_utc_us();

	TRY(ledger_group_check(p->a, g));
	p->row = (LedgerGroupRow){ .id = uuid_new(),
		                   .kind = g->kind,
		                   .source = g->source,
		                   .memo = g->memo,
		                   .happened_at = g->at_us ? g->at_us : now_us,
		                   .created_at = now_us,
		                   .transfers = (int64_t)g->count };
	if (!ledger_currency(g->currency, &p->row.currency))
		return err_new(p->a, ERR_INVALID, "ledger.transfer", "%.*s is no currency",
		               STR_ARG(str_quote(p->a, g->currency)));
	if (!g->kind.len)
		return err_new(p->a, ERR_INVALID, "ledger.transfer", "the group has no kind");
	p->accounts = ARENA_ARRAY(p->a, Touched, 2 * g->count);
	p->held = ARENA_ARRAY(p->a, Held, g->count);
	touch_all(p);
	return NULL;
}

static Err *post_in(Db *tx, Arena *a, LedgerGroup *group, LedgerPosted *out)
{
	AUTO(post_fini) Post p = { .tx = tx, .a = a, .group = group };
	LedgerTransferRow *rows;

	TRY(post_begin(&p));
	TRY(ask(&p));
	if (p.here)
		return again(&p, out);
	if (!p.row.source.len)
		p.row.source = uuid_text(a, p.row.id);
	TRY(ask_of_holds(&p));
	TRY(open_missing(&p));
	rows = ARENA_ARRAY(a, LedgerTransferRow, group->count);
	TRY(lay_out(&p, rows));
	TRY(write_down(&p, rows));
	*out = (LedgerPosted){ .id = p.row.id };
	return NULL;
}

typedef struct PostArg {
	LedgerGroup *group;
	LedgerPosted *out;
} PostArg;

static Err *post_txn(Db *tx, Arena *a, void *arg)
{
	const PostArg *post = arg;

	return post_in(tx, a, post->group, post->out);
}

/* Who came second with the same source or the same id of a transfer is told so; the first one's is committed by then. */
static Err *told(Arena *a, Err *err)
{
	if (!err_is(err, "db.unique"))
		return err;
	return err_because(a, err, ERR_CONFLICT, "ledger.differs",
	                   "a transfer of this id, or a group of this source, is there");
}

Err *ledger_post(Db *tx, Arena *a, LedgerGroup *group, LedgerPosted *out)
{
	LedgerPosted mine;
	PostArg arg = { group, out ? out : &mine };

	if (db_in_txn(tx))
		return told(a, post_in(tx, a, group, arg.out));
	return told(a, db_txn(tx, a, DB_READ_COMMITTED, post_txn, &arg));
}
