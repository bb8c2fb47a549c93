/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's rules, by tables of cases. */
#include "payment/ledger_domain.c"

#include "unit.h"

TEST(a_code_is_parts_of_few_characters)
{
	static const struct {
		Str code;
		bool good;
	} cases[] = {
		{ S("sales"), true },
		{ S("provider:fault"), true },
		{ S("wallet:42:eur-2"), true },
		{ S(""), false },
		{ S(":"), false },
		{ S("a:"), false },
		{ S(":a"), false },
		{ S("a::b"), false },
		{ S("Sales"), false },
		{ S("a b"), false },
		{ S("a_b"), false },
		{ S("-a"), false },
		{ S("a:-b"), false },
		{ S("\u00e4"), false },
		{ S("a;b"), false },
		{ S("a\"b"), false },
		{ S("a\nb"), false },
		{ S("0"), true },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].code));
		CHECK(!ledger_code_wrong(cases[i].code) == cases[i].good);
	}
}

TEST(the_chart_knows_accounts_by_their_first_part)
{
	CHECK_INT(ledger_chart_of(S("provider:any"))->side, LEDGER_ASSET);
	CHECK_INT(ledger_chart_of(S("sales"))->side, LEDGER_INCOME);
	CHECK(!ledger_chart_of(S("customer:1"))->hot);
	CHECK_NULL(ledger_chart_of(S("providers:any")));
	CHECK_NULL(ledger_chart_of(S("")));
}

TEST(a_balance_is_counted_by_its_side)
{
	static const struct {
		LedgerSide side;
		int64_t want;
	} cases[] = {
		{ LEDGER_ASSET, 7 },   { LEDGER_EXPENSE, 7 }, { LEDGER_LIABILITY, -7 },
		{ LEDGER_EQUITY, -7 }, { LEDGER_INCOME, -7 },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(ledger_balance(&(LedgerAccount){
				  .side = cases[i].side, .debits = 10, .credits = 3 }),
		          cases[i].want);
}

TEST(both_sides_add_up_whatever_is_done)
{
	static const struct {
		LedgerDeed deed;
		int64_t amount, held;
		LedgerDelta debit, credit;
	} cases[] = {
		{ LEDGER_POST, 5, 0, { .debits = 5 }, { .credits = 5 } },
		{ LEDGER_HOLD, 5, 0, { .held_debits = 5 }, { .held_credits = 5 } },
		{ LEDGER_SETTLE,
		  3,
		  5,
		  { .debits = 3, .held_debits = -5 },
		  { .credits = 3, .held_credits = -5 } },
		{ LEDGER_VOID, 5, 5, { .held_debits = -5 }, { .held_credits = -5 } },
		{ LEDGER_EXPIRE, 5, 5, { .held_debits = -5 }, { .held_credits = -5 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		LedgerDelta debit = { 0 }, credit = { 0 };

		ledger_add(cases[i].deed, cases[i].amount, cases[i].held, &debit, &credit);
		CHECK_INT(debit.debits, cases[i].debit.debits);
		CHECK_INT(debit.held_debits, cases[i].debit.held_debits);
		CHECK_INT(credit.credits, cases[i].credit.credits);
		CHECK_INT(credit.held_credits, cases[i].credit.held_credits);
		CHECK_INT(debit.credits + credit.debits + debit.held_credits + credit.held_debits,
		          0);
	}
}

/* Some id. */
#define HOLD \
	{ \
		{ \
			1 \
		} \
	}

TEST(what_is_no_transfer_is_refused)
{
	static const struct {
		LedgerTransfer t;
		bool good;
	} cases[] = {
		{ { .debit = S("a"), .credit = S("b"), .amount = 1 }, true },
		{ { .debit = S("a"), .credit = S("b"), .amount = LEDGER_AMOUNT_MOST }, true },
		{ { .debit = S("a"), .credit = S("b"), .amount = LEDGER_AMOUNT_MOST + 1 }, false },
		{ { .debit = S("a"), .credit = S("b"), .amount = -1 }, false },
		{ { .debit = S("a"), .credit = S("b") }, false },
		{ { .debit = S("a"), .credit = S("a"), .amount = 1 }, false },
		{ { .debit = S("a"), .credit = S("b"), .amount = 1, .hold = HOLD }, false },
		{ { .debit = S("a"), .credit = S("b"), .amount = 1, .until_us = 9 }, false },
		{ { .deed = LEDGER_HOLD,
		    .debit = S("a"),
		    .credit = S("b"),
		    .amount = 1,
		    .until_us = 9 },
		  true },
		{ { .deed = LEDGER_SETTLE, .hold = HOLD }, true },
		{ { .deed = LEDGER_SETTLE, .hold = HOLD, .amount = 4 }, true },
		{ { .deed = LEDGER_SETTLE, .amount = 4 }, false },
		{ { .deed = LEDGER_SETTLE, .hold = HOLD, .debit = S("a") }, false },
		{ { .deed = LEDGER_VOID, .hold = HOLD }, true },
		{ { .deed = LEDGER_VOID, .hold = HOLD, .amount = 4 }, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		LedgerTransfer t = cases[i].t;
		LedgerGroup group = { .at = &t, .count = 1 };
		Err *err = ledger_group_check(a, &group);

		NOTE("case %zu", i);
		CHECK(cases[i].good ? !err : err_is(err, "ledger.transfer"));
	}
	CHECK_ERR(ledger_group_check(a, &(LedgerGroup){ .count = 0 }), "ledger.transfer");
}
