/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's tests on any engine: suite.h with its tables. Whoever includes it includes events_lite.h or events_pg.h after it. */
#pragma once
#include "base/arena.h"
#include "base/time.h"
#include "payment/ledger.h"
#include "store/schema.h"
#include "statements.h"
#include "suite.h"

#include "ledger_sql.h"
#include "payment_billing_fsck_sql.h"
#include "payment_billing_sql.h"
#include "payment_checkout_sql.h"
#include "payment_fsck_sql.h"
#include "payment_intent_sql.h"
#include "payment_ledger_fsck_sql.h"
#include "payment_ledger_list_sql.h"
#include "payment_ledger_sql.h"
#include "payment_once_sql.h"
#include "payment_schema.h"
#include "payment_sql.h"
#include "saga_schema.h"

static Err *suite_schema(Db *db, Arena *a)
{
	uint32_t applied;

	return schema_apply(db, a, &payment_schema, &applied);
}

static Err *post_one(Db *db, Arena *a, const char *source, LedgerTransfer t)
{
	LedgerGroup group = { .kind = S("test"),
		              .source = str_of(source),
		              .currency = S("EUR"),
		              .at = &t,
		              .count = 1 };

	return ledger_post(db, a, &group, NULL);
}

static Err *balances(Db *db, Arena *a, const char *code, LedgerAccount *out)
{
	LedgerAccount *found;

	TRY(ledger_account(db, a, str_of(code), S("eur"), &found));
	CHECK(found != NULL);
	*out = *found;
	return NULL;
}

static Err *open_wallet(Db *db, Arena *a, const char *code)
{
	LedgerAccount *account;
	LedgerAccount wallet = { .code = str_of(code),
		                 .currency = S("eur"),
		                 .side = LEDGER_LIABILITY,
		                 .limit = LEDGER_CREDIT_LEAST };

	return ledger_open(db, a, &wallet, &account);
}

SUITE_TEST(a_group_moves_amounts_between_accounts_of_the_chart)
{
	LedgerTransfer moved[] = {
		{ .debit = S("provider:fault"), .credit = S("sales"), .amount = 1999 },
		{ .debit = S("fees:fault"), .credit = S("provider:fault"), .amount = 88 },
	};
	LedgerGroup group = { .kind = S("intent"),
		              .source = S("pi_1"),
		              .currency = S("eur"),
		              .at = moved,
		              .count = 2 };
	LedgerAccount got;
	LedgerPosted posted;
	int64_t folded;

	TRY(ledger_post(db, a, &group, &posted));
	CHECK(!posted.again);
	for (int round = 0; round < 2; round++) { /* before hot accounts are folded, and after */
		TRY(balances(db, a, "provider:fault", &got));
		CHECK_INT(got.debits, 1999);
		CHECK_INT(got.credits, 88);
		CHECK_INT(ledger_balance(&got), 1911);
		TRY(balances(db, a, "sales", &got));
		CHECK_INT(ledger_balance(&got), 1999);
		TRY(ledger_fold(db, a, &folded));
		CHECK_INT(folded, round ? 0 : 3);
	}
	return NULL;
}

SUITE_TEST(the_same_group_again_writes_nothing_and_another_one_is_refused)
{
	LedgerTransfer t = { .debit = S("bank"), .credit = S("equity"), .amount = 5 };
	LedgerGroup group = {
		.kind = S("test"), .source = S("once"), .currency = S("eur"), .at = &t, .count = 1
	};
	LedgerPosted first, second;
	LedgerAccount got;
	Uuid id;

	TRY(ledger_post(db, a, &group, &first));
	id = t.id;
	t.id = (Uuid){ { 0 } };
	TRY(ledger_post(db, a, &group, &second));
	CHECK(second.again);
	CHECK(uuid_eq(first.id, second.id));
	CHECK(uuid_eq(t.id, id));
	t.amount = 6;
	CHECK_ERR(ledger_post(db, a, &group, &second), "ledger.differs");
	TRY(balances(db, a, "bank", &got));
	CHECK_INT(got.debits, 5);
	group.source = S("twice"); /* the id of the transfer is there */
	t = (LedgerTransfer){ .id = id, .debit = S("bank"), .credit = S("equity"), .amount = 5 };
	CHECK_ERR(ledger_post(db, a, &group, &second), "ledger.differs");
	return NULL;
}

SUITE_TEST(nobody_spends_what_he_has_not)
{
	LedgerAccount got;

	TRY(open_wallet(db, a, "wallet:ann"));
	TRY(post_one(db, a, "in",
	             (LedgerTransfer){
			     .debit = S("bank"), .credit = S("wallet:ann"), .amount = 10 }));
	CHECK_ERR(post_one(db, a, "over",
	                   (LedgerTransfer){
				   .debit = S("wallet:ann"), .credit = S("bank"), .amount = 11 }),
	          "ledger.limit");
	TRY(post_one(db, a, "hold",
	             (LedgerTransfer){ .deed = LEDGER_HOLD,
	                               .debit = S("wallet:ann"),
	                               .credit = S("sales"),
	                               .amount = 7 }));
	CHECK_ERR(post_one(db, a, "held",
	                   (LedgerTransfer){
				   .debit = S("wallet:ann"), .credit = S("bank"), .amount = 4 }),
	          "ledger.limit");
	TRY(post_one(db, a, "rest",
	             (LedgerTransfer){
			     .debit = S("wallet:ann"), .credit = S("bank"), .amount = 3 }));
	TRY(balances(db, a, "wallet:ann", &got));
	CHECK_INT(got.credits, 10);
	CHECK_INT(got.debits, 3);
	CHECK_INT(got.held_debits, 7);
	return NULL;
}

static Err *hold_seven(Db *db, Arena *a, int64_t until_us, Uuid *id)
{
	LedgerTransfer t = { .deed = LEDGER_HOLD,
		             .debit = S("wallet:ann"),
		             .credit = S("sales"),
		             .amount = 7,
		             .until_us = until_us };
	LedgerGroup group = { .kind = S("hold"), .currency = S("eur"), .at = &t, .count = 1 };

	TRY(open_wallet(db, a, "wallet:ann"));
	TRY(post_one(db, a, "in",
	             (LedgerTransfer){
			     .debit = S("bank"), .credit = S("wallet:ann"), .amount = 10 }));
	TRY(ledger_post(db, a, &group, NULL));
	*id = t.id;
	return NULL;
}

SUITE_TEST(a_hold_is_settled_in_part_and_only_once)
{
	LedgerAccount got;
	Uuid id;

	TRY(hold_seven(db, a, 0, &id));
	CHECK_ERR(post_one(db, a, "s0",
	                   (LedgerTransfer){ .deed = LEDGER_SETTLE, .hold = id, .amount = 8 }),
	          "ledger.hold_amount");
	CHECK_ERR(post_one(db, a, "s1",
	                   (LedgerTransfer){ .deed = LEDGER_VOID, .hold = uuid_new() }),
	          "ledger.hold");
	TRY(post_one(db, a, "s2",
	             (LedgerTransfer){ .deed = LEDGER_SETTLE, .hold = id, .amount = 4 }));
	CHECK_ERR(post_one(db, a, "s3",
	                   (LedgerTransfer){ .deed = LEDGER_SETTLE, .hold = id, .amount = 1 }),
	          "ledger.hold_resolved");
	CHECK_ERR(post_one(db, a, "s4", (LedgerTransfer){ .deed = LEDGER_VOID, .hold = id }),
	          "ledger.hold_resolved");
	TRY(post_one(db, a, "s2",
	             (LedgerTransfer){ .deed = LEDGER_SETTLE,
	                               .hold = id,
	                               .amount = 4 })); /* the same again */
	TRY(balances(db, a, "wallet:ann", &got));
	CHECK_INT(got.debits, 4);
	CHECK_INT(got.held_debits, 0);
	TRY(balances(db, a, "sales", &got));
	CHECK_INT(got.credits, 4);
	CHECK_INT(got.held_credits, 0);
	return NULL;
}

SUITE_TEST(a_hold_runs_out)
{
	int64_t now_us = time_utc_us(), gone;
	LedgerAccount got;
	Uuid id;

	TRY(hold_seven(db, a, now_us - 1, &id));
	CHECK_ERR(post_one(db, a, "late", (LedgerTransfer){ .deed = LEDGER_SETTLE, .hold = id }),
	          "ledger.hold_resolved");
	TRY(ledger_expire(db, a, now_us - 10, &gone));
	CHECK_INT(gone, 0);
	TRY(ledger_expire(db, a, now_us, &gone));
	CHECK_INT(gone, 1);
	TRY(balances(db, a, "wallet:ann", &got));
	CHECK_INT(got.held_debits, 0);
	CHECK_INT(got.debits, 0);
	CHECK_ERR(post_one(db, a, "later", (LedgerTransfer){ .deed = LEDGER_VOID, .hold = id }),
	          "ledger.hold_resolved");
	TRY(ledger_expire(db, a, now_us, &gone));
	CHECK_INT(gone, 0);
	return NULL;
}

SUITE_TEST(a_group_of_many_is_all_or_nothing)
{
	enum { MANY = 200 };
	LedgerTransfer *t = ARENA_ARRAY(a, LedgerTransfer, MANY);
	LedgerGroup group = {
		.kind = S("batch"), .source = S("b1"), .currency = S("eur"), .at = t, .count = MANY
	};
	LedgerAccount got;

	for (size_t i = 0; i < MANY; i++) {
		Str code = str_fmt(a, "wallet:%zu", i % 50);

		TRY(open_wallet(db, a, code.at));
		t[i] = (LedgerTransfer){ .debit = i % 2 ? S("bank") : S("equity"),
			                 .credit = code,
			                 .amount = (int64_t)i + 1 };
	}
	t[MANY - 1] =
		(LedgerTransfer){ .debit = S("wallet:0"), .credit = S("bank"), .amount = 1000000 };
	CHECK_ERR(ledger_post(db, a, &group, NULL), "ledger.limit");
	TRY(ledger_account(db, a, S("bank"), S("eur"), &(LedgerAccount *){ NULL }));
	t[MANY - 1].amount = 1;
	TRY(ledger_post(db, a, &group, NULL));
	TRY(balances(db, a, "wallet:0", &got));
	CHECK_INT(got.credits, 1 + 51 + 101 + 151);
	CHECK_INT(got.debits, 1);
	return NULL;
}

SUITE_TEST(accounts_are_found_again_and_never_turn_into_others)
{
	LedgerAccount asset = { .code = S("till:1"), .currency = S("Eur"), .side = LEDGER_ASSET };
	LedgerAccount *first, *second;

	TRY(ledger_open(db, a, &asset, &first));
	TRY(ledger_open(db, a, &asset, &second));
	CHECK(uuid_eq(first->id, second->id));
	asset.side = LEDGER_INCOME;
	CHECK_ERR(ledger_open(db, a, &asset, &second), "ledger.differs");
	CHECK_ERR(post_one(db, a, "x",
	                   (LedgerTransfer){
				   .debit = S("nobody"), .credit = S("sales"), .amount = 1 }),
	          "ledger.account");
	asset.code = S("Till");
	CHECK_ERR(ledger_open(db, a, &asset, &second), "ledger.account");
	return NULL;
}

/* What others of the program cannot do by mistake, nor a person with a console in haste. */
SUITE_TEST(what_was_written_stays)
{
	TRY(post_one(db, a, "x",
	             (LedgerTransfer){ .debit = S("bank"), .credit = S("equity"), .amount = 1 }));
	CHECK_ERR(db_exec(db, a, ledger_test_change, NULL, .amount = 2), "db.check");
	CHECK_ERR(db_exec(db, a, ledger_test_drop, NULL), "db.check");
	CHECK_ERR(db_exec(db, a, ledger_test_group_drop, NULL), "db.check");
	CHECK_ERR(db_exec(db, a, ledger_test_account_drop, NULL), "db.check");
	CHECK_ERR(db_exec(db, a, ledger_test_account_turn, NULL, .side = S("income")), "db.check");
	return NULL;
}

/* Of all of payments: on the engine of this suite. */
SUITE_TEST(every_statement_of_payments_fits_their_schema_and_looks_up_what_it_can)
{
	uint32_t applied;

	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &saga_schema, &applied));
	suite_statements(db, a, &ledger_sql);
	suite_statements(db, a, &payment_billing_fsck_sql);
	suite_statements(db, a, &payment_billing_sql);
	suite_statements(db, a, &payment_fsck_sql);
	suite_statements(db, a, &payment_intent_sql);
	suite_statements(db, a, &payment_ledger_fsck_sql);
	suite_statements(db, a, &payment_ledger_list_sql);
	suite_statements(db, a, &payment_ledger_sql);
	suite_statements(db, a, &payment_once_sql);
	suite_statements(db, a, &payment_sql);
	suite_statements(db, a, &payment_checkout_sql);
	return NULL;
}
