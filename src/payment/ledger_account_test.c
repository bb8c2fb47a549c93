/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger on PostgreSQL: what it does on SQLite, and what many do at once. */
#include "payment/ledger_account.c"

#include "ledger_suite.h"
#include "rt/fiber.h"

#include "events_pg.h"

enum { WRITERS = 8, ROUNDS = 10 };

typedef struct Writer {
	Db *db;
	Arena *a;
	unsigned n;
	unsigned refused;
	Child child;
} Writer;

static Err *write_rounds(void *arg)
{
	Writer *w = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		LedgerTransfer moved[] = {
			{ .debit = S("provider:fault"), .credit = S("sales"), .amount = 10 },
			{ .debit = S("wallet:x"), .credit = S("provider:fault"), .amount = 1 },
			{ .debit = S("wallet:y"), .credit = S("wallet:x"), .amount = 1 },
		};
		LedgerGroup group = {
			.kind = S("storm"), .currency = S("eur"), .at = moved, .count = COUNT(moved)
		};
		Err *err;

		if (w->n %
		    2) { /* the other way round: whoever locked in this order would wait in a circle */
			moved[1].debit = S("wallet:y");
			moved[2].debit = S("wallet:x");
			moved[2].credit = S("wallet:y");
		}
		err = ledger_post(w->db, w->a, &group, NULL);
		if (err && !err_is(err, "ledger.limit"))
			return err;
		w->refused += err != NULL;
	}
	return NULL;
}

SUITE_TEST(many_write_to_the_same_accounts_at_once)
{
	Writer writers[WRITERS] = { { 0 } };
	int64_t done = 0, folded;
	LedgerAccount got;

	TRY(open_wallet(db, a, "wallet:x"));
	TRY(open_wallet(db, a, "wallet:y"));
	TRY(post_one(db, a, "x",
	             (LedgerTransfer){
			     .debit = S("bank"), .credit = S("wallet:x"), .amount = 40 }));
	TRY(post_one(db, a, "y",
	             (LedgerTransfer){
			     .debit = S("bank"), .credit = S("wallet:y"), .amount = 30 }));
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (Writer){ .db = db, .a = arena_new(0), .n = i };
		TRY(child_start(&writers[i].child, write_rounds, &writers[i], "writer"));
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		TRY(child_join(&writers[i].child));
		done += ROUNDS - writers[i].refused;
		arena_free(writers[i].a);
	}
	CHECK(done > 0 && done < WRITERS * ROUNDS); /* 70 in the wallets: so many may go, no more */
	CHECK_INT(done, 70);
	TRY(ledger_fold(db, a, &folded));
	TRY(balances(db, a, "sales", &got));
	CHECK_INT(got.credits, 10 * done);
	TRY(balances(db, a, "provider:fault", &got));
	CHECK_INT(ledger_balance(&got), 9 * done);
	return NULL;
}
