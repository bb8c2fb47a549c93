/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/gate.c"

#include "unit.h"

static const FindingRule bad = {
	.id = "lint:T1", .name = "lint:bad", .level = FINDING_WARNING, .base_minutes = 10
};
static const FindingRule minor = {
	.id = "T2", .name = "minor", .level = FINDING_NOTE, .base_minutes = 1
};

static const FindingRule dated = {
	.id = "T3", .name = "dated", .level = FINDING_ERROR, .base_minutes = 5, .beside = true
};

static void add(Arena *a, Audit *audit, const FindingRule *rule, uint64_t print, Str ignored)
{
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = rule,
	                        .path = S("a.py"),
	                        .line = 1,
	                        .text = S("found"),
	                        .print = print,
	                        .ignored_why = ignored });
}

static bool passes(Arena *a, const Baseline *was, const Audit *audit, FindingLevel level)
{
	Gate gate = { .rules = { .level = level } };

	gate_judge(a, was, audit, &gate);
	CHECK_INT(gate.passed, gate_why(a, &gate).len == 0);
	return gate.passed;
}

TEST(the_gate_fails_what_is_new_from_its_level_on)
{
	Audit audit = { 0 };
	Baseline was;

	add(a, &audit, &bad, 1, S(""));
	CHECK_OK(gate_renew(a, NULL, &audit, NULL, 0, &was));
	was.budget_count = 0;
	CHECK(passes(a, &was, &audit, FINDING_NOTE));
	add(a, &audit, &minor, 2, S(""));
	CHECK(passes(a, &was, &audit, FINDING_WARNING));
	CHECK(!passes(a, &was, &audit, FINDING_NOTE));
	add(a, &audit, &bad, 3, S(""));
	CHECK(!passes(a, &was, &audit, FINDING_WARNING));
	CHECK(passes(a, &was, &audit, FINDING_ERROR));
}

/* A version's end of life comes by itself, and no change of code can be blamed for it; who wants it to fail gives its rule a budget. */
TEST(what_no_change_of_code_made_is_told_and_passes)
{
	Audit audit = { 0 };
	Gate gate = { .rules = { .level = FINDING_NOTE } };
	Baseline was;

	CHECK_OK(gate_renew(a, NULL, &audit, NULL, 0, &was));
	CHECK_INT(was.budget_count, 1); /* of minutes: none */
	add(a, &audit, &dated, 1, S(""));
	gate_judge(a, &was, &audit, &gate);
	CHECK(gate.passed);
	CHECK_INT(gate.beside, 1);
	CHECK_INT(gate.delta.fresh_count, 1);
	add(a, &audit, &bad, 2, S(""));
	CHECK(!passes(a, &was, &audit, FINDING_NOTE));
}

TEST(an_ignore_more_is_over_the_budget)
{
	Audit audit = { 0 };
	Baseline was;

	CHECK_OK(gate_renew(a, NULL, &audit, &S("ignored"), 1, &was));
	add(a, &audit, &bad, 1, S("just so"));
	CHECK(!passes(a, &was, &audit, FINDING_ERROR));
	CHECK_OK(gate_renew(a, NULL, &(Audit){ 0 }, NULL, 0, &was));
	CHECK(passes(a, &was, &audit, FINDING_ERROR));
}

TEST(budgets_only_shrink)
{
	Audit audit = { 0 };
	Baseline one, two;
	static const Str names[] = { S("rule:lint:bad"), S("minutes=15") };
	static const Str wrong[] = { S("lines"),    S("nothing=1"),      S("minutes=x"),
		                     S("minutes="), S("minutes=100"),    S("minutes=-1"),
		                     S("rule:"),    S("rule:good-class") };

	add(a, &audit, &bad, 1, S(""));
	add(a, &audit, &bad, 2, S(""));
	CHECK_OK(gate_renew(a, NULL, &audit, NULL, 0, &one));
	CHECK_INT(one.budget_count, 1);
	CHECK_NEAR(one.budgets[0].most, 20, 1e-9);
	one.budgets[0].most = 99.5;
	CHECK_OK(gate_renew(a, &one, &audit, names, COUNT(names), &two));
	CHECK_INT(two.budget_count, 2);
	CHECK_NEAR(two.budgets[0].most, 15, 1e-9); /* of 99.5, 20 that are there and 15 */
	CHECK_NEAR(two.budgets[1].most, 2, 1e-9);
	add(a, &audit, &bad, 3, S(""));
	CHECK_OK(gate_renew(a, &two, &audit, NULL, 0, &one));
	CHECK_NEAR(one.budgets[0].most, 15, 1e-9); /* it does not grow with the code */
	CHECK_NEAR(one.budgets[1].most, 2, 1e-9);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		NOTE("case %zu", i);
		CHECK_ERR(gate_renew(a, &one, &audit, &wrong[i], 1, &two), "gate.budget");
	}
}

TEST(a_companion_fails_the_gate_if_it_is_to)
{
	Audit audit = { 0 };
	Baseline was = { 0 };
	Companion one = { .changed = S("a.py"), .absent = S("b.py"), .shared = 9, .of = 10 };
	Gate gate = { .companions = { &one, 1 }, .rules = { .companions = GATE_WARN } };

	gate_judge(a, &was, &audit, &gate);
	CHECK(gate.passed);
	gate.rules.companions = GATE_FAIL;
	gate_judge(a, &was, &audit, &gate);
	CHECK(!gate.passed);
	CHECK_STR(gate_why(a, &gate), S("1 file missing that usually changes too"));
}

TEST(a_budget_of_nothing_known_is_not_kept)
{
	Audit audit = { 0 };
	Budget typo = { S("minuts"), 9 };
	Baseline was = { .budgets = &typo, .budget_count = 1 };

	CHECK(!passes(a, &was, &audit, FINDING_ERROR));
}
