/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/money.c"

#include "unit.h"

static MoneyInput exactly(double x)
{
	return (MoneyInput){ { x, x, x }, MONEY_CONFIGURED, { 0 } };
}

static MoneyPhase phase(double weeks, double cost)
{
	return (MoneyPhase){ .weeks = weeks, .cost = { cost, cost, cost } };
}

static bool has_remark(const MoneyResult *r, Str words)
{
	for (size_t i = 0; i < r->remark_count; i++)
		if (str_find(r->remarks[i], words) >= 0)
			return true;
	return false;
}

static const MoneyClaim story_claims[] = {
	{ CLAIM_COST, 3e6, false, S("the audit") },
	{ CLAIM_COST, 2.4e6, false, S("the plan") },
	{ CLAIM_COST, 1.8e6, false, S("the result") },
	{ CLAIM_COST, 250e3, true, S("the summary") },
	{ CLAIM_COST, 200e3, true, S("the talk") },
	{ CLAIM_REFACTORING, 1.69e6, false, { 0 } },
	{ CLAIM_WEEKS, 37, false, { 0 } },
	{ CLAIM_PAYBACK, 11, false, { 0 } },
	{ CLAIM_NET, 3.7e6, false, { 0 } },
};

static MoneyCase story(Arena *a)
{
	static const double weeks[] = { 2, 3, 8, 12, 4, 6, 2 };
	static const double costs[] = { 40e3, 90e3, 400e3, 720e3, 160e3, 240e3, 40e3 };
	MoneyPhase *phases = ARENA_ARRAY(a, MoneyPhase, COUNT(weeks));
	MoneyCase c = { .currency = S("$"),
		        .phases = phases,
		        .phase_count = COUNT(weeks),
		        .claims = story_claims,
		        .claim_count = COUNT(story_claims) };

	for (size_t i = 0; i < COUNT(weeks); i++)
		phases[i] = phase(weeks[i], costs[i]);
	c.in[MONEY_HOURS] = exactly(800);
	c.in[MONEY_SAVING] = exactly(150e3);
	c.in[MONEY_YEARS] = exactly(3);
	return c;
}

TEST(money_story_comes_out_as_told)
{
	MoneyCase c = story(a);
	MoneyResult r;

	money_reckon(a, &c, &r);
	CHECK_NEAR(r.cost.is.likely, 1.69e6, 0.5);
	CHECK_NEAR(r.weeks, 37, 1e-9);
	CHECK_NEAR(r.payback.is.likely, 11.2667, 1e-3);
	CHECK_NEAR(r.net.is.likely, 3.71e6, 0.5);
	CHECK_NEAR(r.roi.is.likely, 2.1953, 1e-3);
	CHECK_INT(r.verdict, VERDICT_PAYS);
	CHECK(!r.annual.known); /* 800 hours and no rate: nobody knows */
	CHECK(has_remark(&r, S("counted from the start of 37 weeks of work it is month 20")));
	CHECK(has_remark(&r, S("after 11 months it is not all back, after 12 it is")));
	CHECK(has_remark(&r, S("was not given, so nothing is subtracted")));
	CHECK(has_remark(&r, S("Above $103K a month for running it"))); /* 150 - 1690 / 36 */
}

TEST(money_story_contradicts_itself_and_is_told_so)
{
	MoneyCase c = story(a);
	MoneyResult r;

	money_reckon(a, &c, &r);
	CHECK_STR(
		r.remarks[0],
		S("3 different figures are given for the debt's cost: $3M a year (the audit) = $250K a month (the summary); "
	          "$2.4M a year (the plan) = $200K a month (the talk); $1.8M a year (the result). None was taken, nor "
	          "their mean."));
	CHECK(has_remark(&r,
	                 S("If the debt costs $3M a year, the saving of $1.8M a year is 60 %")));
	CHECK(has_remark(&r, S("nothing of the debt would be left")));
	CHECK(has_remark(
		&r, S("$3M a year from 800 lost hours a month alone would be $312.50 an hour")));
	CHECK_INT(r.contradictions, 1);
	CHECK(!has_remark(&r, S("Said of"))); /* 11 months, $3.7M: rounded, not wrong */
}

TEST(money_claims_are_held_against_what_comes_out)
{
	MoneyCase c = story(a);
	const MoneyClaim wrong[] = { { CLAIM_PAYBACK, 6, false, S("a slide") } };
	MoneyResult r;

	c.claims = wrong;
	c.claim_count = 1;
	money_reckon(a, &c, &r);
	CHECK_INT(r.contradictions, 1);
	CHECK_STR(r.remarks[0],
	          S("Said of payback: 6 months (a slide); from the inputs comes 11.27 months."));
}

TEST(money_saving_above_a_claimed_cost_is_a_contradiction)
{
	MoneyCase c = story(a);
	const MoneyClaim small[] = { { CLAIM_COST, 100e3, true, { 0 } } };
	MoneyResult r;

	c.claims = small;
	c.claim_count = 1;
	money_reckon(a, &c, &r);
	CHECK_INT(r.contradictions, 1);
	CHECK(has_remark(&r, S("150 % of it, more than there is")));
}

TEST(money_formula_is_the_sum_of_its_five_parts)
{
	MoneyCase c = { .currency = S("$") };
	MoneyResult r;

	c.in[MONEY_HOURS] = exactly(800);
	c.in[MONEY_RATE] = exactly(75);
	c.in[MONEY_INFRASTRUCTURE] = exactly(20e3);
	c.in[MONEY_OPPORTUNITY] = exactly(500e3);
	c.in[MONEY_SECURITY] = exactly(100e3);
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.annual.is.likely, 720e3 + 240e3 + 500e3 + 100e3, 1e-6);
	CHECK_INT(r.missing, 1);
	CHECK(has_remark(&r, S("1 of the formula's five parts is not known")));
	c.in[MONEY_CHURN] = exactly(40e3);
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.annual.is.likely, 1.6e6, 1e-6);
	CHECK_INT(r.missing, 0);
	CHECK_NEAR(r.interest.is.likely, 720e3, 1e-6);
	CHECK(!r.principal.known);
	c.in[MONEY_PRINCIPAL] = exactly(1000);
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.principal.is.likely, 75e3, 1e-6);
	CHECK_NEAR(r.annual.is.likely, 1.6e6, 1e-6); /* the principal is not in it */
}

TEST(money_ranges_meet_at_their_worst_ends)
{
	MoneyCase c = { .currency = S("$"), .phase_count = 1 };
	const MoneyPhase work = { .cost = { 100, 200, 300 } };
	MoneyResult r;

	c.phases = &work;
	c.in[MONEY_YEARS] = exactly(1);
	c.in[MONEY_SAVING] = (MoneyInput){ { 20, 40, 60 }, MONEY_CONFIGURED, { 0 } };
	c.in[MONEY_RUNNING] = (MoneyInput){ { 5, 10, 15 }, MONEY_CONFIGURED, { 0 } };
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.saving.is.low, 5, 1e-9);
	CHECK_NEAR(r.saving.is.likely, 30, 1e-9);
	CHECK_NEAR(r.saving.is.high, 55, 1e-9);
	CHECK_NEAR(r.payback.is.low, 100.0 / 55, 1e-9);
	CHECK_NEAR(r.payback.is.high, 60, 1e-9);
	CHECK_NEAR(r.net.is.low, 60 - 300, 1e-9);
	CHECK_NEAR(r.net.is.high, 660 - 100, 1e-9);
	CHECK_INT(r.verdict, VERDICT_LIKELY);
	CHECK_NEAR(r.roi.is.low, 60.0 / 300 - 1, 1e-9);
	CHECK_NEAR(r.roi.is.high, 660.0 / 100 - 1, 1e-9);
	c.in[MONEY_RUNNING] = exactly(70);
	money_reckon(a, &c, &r);
	CHECK(isinf(r.payback.is.likely));
	CHECK_NEAR(r.roi.is.low, -600.0 / 100 - 1, 1e-9);
	CHECK_INT(r.verdict, VERDICT_NOT);
}

TEST(money_thresholds_judge_or_say_unknown)
{
	MoneyCase c = { .currency = S("$") };
	MoneyResult r;

	money_reckon(a, &c, &r);
	for (size_t i = 0; i < MONEY_THRESHOLDS; i++)
		CHECK_INT(r.thresholds[i].crossed, CROSSED_UNKNOWN);
	CHECK_INT(r.verdict, VERDICT_UNKNOWN);
	c.in[MONEY_OPPORTUNITY] = exactly(500);
	c.in[MONEY_BUDGET] = exactly(1000);
	c.in[MONEY_VELOCITY] = exactly(0.2); /* at the limit is not above it */
	c.in[MONEY_AVAILABILITY] = (MoneyInput){ { 0.985, 0.9899, 0.992 }, MONEY_MEASURED, { 0 } };
	c.in[MONEY_MAINTENANCE] = exactly(0.3);
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.thresholds[0].value.is.likely, 0.5, 1e-9);
	CHECK_INT(r.thresholds[0].crossed, CROSSED_YES);
	CHECK_INT(r.thresholds[1].crossed, CROSSED_NO);
	CHECK_INT(r.thresholds[2].crossed, CROSSED_YES);
	CHECK(r.thresholds[2].doubtful && !r.thresholds[0].doubtful);
	CHECK_INT(r.thresholds[2].source, MONEY_MEASURED);
	CHECK_INT(r.thresholds[3].crossed, CROSSED_NO);
}

TEST(money_without_a_saving_says_what_must_go_away)
{
	MoneyCase c = story(a);
	MoneyResult r;

	c.claim_count = 0;
	c.in[MONEY_SAVING] = (MoneyInput){ 0 };
	c.in[MONEY_OPPORTUNITY] = exactly(2e6);
	money_reckon(a, &c, &r);
	CHECK_INT(r.verdict, VERDICT_UNKNOWN);
	CHECK_NEAR(r.break_even.is.likely, 1.69e6 / 3 / 2e6, 1e-9);
	c.in[MONEY_REMOVED] = exactly(0.5);
	money_reckon(a, &c, &r);
	CHECK_NEAR(r.saving.is.likely, 1e6 / 12, 1e-6);
	CHECK_INT(r.verdict, VERDICT_PAYS);
}

TEST(money_hours_lost_are_those_of_ill_code)
{
	const MoneyFile files[] = { { 100, 0.5 }, { 0, 0.25 }, { 50, 0.25 } };

	CHECK_NEAR(money_hours_lost(files, 1, 1000, 2.24), 0, 1e-9);
	CHECK_NEAR(money_hours_lost(files, 3, 1000, 2.0), 250 * (1 - 1 / 2.0) + 250 * (1 - 1 / 1.5),
	           1e-9);
}

TEST(money_measured_gives_way_to_what_was_given)
{
	MoneyCase c = { .currency = S("$") };

	c.in[MONEY_HOURS] = exactly(800);
	money_measured(&c, MONEY_HOURS, 500, S("the audit"));
	money_measured(&c, MONEY_PRINCIPAL, 120, S("the audit"));
	CHECK_NEAR(c.in[MONEY_HOURS].is.likely, 800, 1e-9);
	CHECK_NEAR(c.in[MONEY_PRINCIPAL].is.high, 120, 1e-9);
	CHECK_INT(c.in[MONEY_PRINCIPAL].source, MONEY_MEASURED);
}

TEST(money_reads_what_people_type)
{
	static const struct {
		const char *text;
		Range want;
		bool ranged;
	} good[] = {
		{ "800", { 800, 800, 800 }, false },
		{ "$1.69M", { 1.69e6, 1.69e6, 1.69e6 }, false },
		{ "1,690,000", { 1.69e6, 1.69e6, 1.69e6 }, false },
		{ "40K..60K", { 40e3, 50e3, 60e3 }, true },
		{ "1..2..9", { 1, 2, 9 }, true },
		{ "45%", { .45, .45, .45 }, false },
		{ "99.5%..99.9%", { .995, .997, .999 }, true },
	};
	static const char *const bad[] = { "",         "x",    "-5",         "1,5",
		                           "1,00,000", "9..1", "1..2..3..4", "5 apples",
		                           "1.",       "..",   "1e9",        "1234567890123456",
		                           "1,",       "1..2x" };
	Range r;
	bool ranged;

	for (size_t i = 0; i < COUNT(good); i++) {
		NOTE("%s", good[i].text);
		CHECK_OK(money_read(a, str_of(good[i].text), &r, &ranged));
		CHECK_NEAR(r.low, good[i].want.low, 1e-6);
		CHECK_NEAR(r.likely, good[i].want.likely, 1e-6);
		CHECK_NEAR(r.high, good[i].want.high, 1e-6);
		CHECK_INT(ranged, good[i].ranged);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("%s", bad[i]);
		CHECK_ERR(money_read(a, str_of(bad[i]), &r, &ranged), "money.amount");
	}
}

TEST(money_writes_what_people_read)
{
	static const struct {
		double amount;
		const char *currency, *want;
	} cases[] = {
		{ 1.69e6, "$", "$1.69M" }, { 3e6, "$", "$3M" },       { -40e3, "$", "-$40K" },
		{ 150e3, "$", "$150K" },   { 312.5, "$", "$312.50" }, { 0, "$", "$0" },
		{ 999999, "$", "$1M" },    { 75, "EUR", "EUR 75" },   { 2.4e9, "", "2.4B" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		money_amount_put(&b, str_of(cases[i].currency), cases[i].amount);
		CHECK_STR(buf_str(&b), str_of(cases[i].want));
	}
}
