/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/money_conf.c"

#include "audit/money_report.h"
#include "unit.h"

static Err *read_case(Arena *a, const char *text, MoneyCase *c)
{
	MoneyConf conf;

	TRY(conf_read(conf_new(a), S("money.yaml"), str_of(text),
	              &(ConfPart){ money_table(), &conf }, 1));
	return money_case_of(a, &conf, c);
}

TEST(money_conf_table_is_in_order)
{
	CHECK_OK(conf_check_table(a, money_table()));
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		CHECK(money_row(in)->key && money_row(in)->text);
}

TEST(money_conf_marks_every_input_with_its_source)
{
	MoneyCase c;

	CHECK_OK(read_case(a,
	                   "rate: 80\n"
	                   "hours_lost: { amount: 100, measured: true, from: the audit }\n"
	                   "saving: 1K..2K..4K\n"
	                   "removed: 80%\n"
	                   "availability: 98.7%\n",
	                   &c));
	CHECK_INT(c.in[MONEY_RATE].source, MONEY_CONFIGURED);
	CHECK_NEAR(c.in[MONEY_RATE].is.low, 40, 1e-9); /* a guess is not a point */
	CHECK_INT(c.in[MONEY_HOURS].source, MONEY_MEASURED);
	CHECK_NEAR(c.in[MONEY_HOURS].is.low, 100, 1e-9);
	CHECK_STR(c.in[MONEY_HOURS].from, S("the audit"));
	CHECK_NEAR(c.in[MONEY_SAVING].is.high, 4000, 1e-9);
	CHECK_NEAR(c.in[MONEY_REMOVED].is.high, 1, 1e-9); /* not 120 % */
	CHECK_NEAR(c.in[MONEY_AVAILABILITY].is.high, .987, 1e-9);
	CHECK_INT(c.in[MONEY_YEARS].source, MONEY_DEFAULT);
	CHECK_INT(c.in[MONEY_CHURN].source, MONEY_UNKNOWN);
}

TEST(money_conf_refuses_what_cannot_be)
{
	static const char *const bad[] = {
		"removed: 120%\n",
		"rate: -1\n",
		"years: 100\n",
		"saving: lots\n",
		"cost: 1\nphases: [{ name: a, cost: 2 }]\n",
		"phases: [{ name: a }]\n",
		"stated: [{ figure: 3 }]\n",
		"wages: 5\n",
	};
	MoneyCase c;

	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("%s", bad[i]);
		CHECK_ERR(read_case(a, bad[i], &c), "conf.invalid");
	}
	CHECK_ERR(money_set(a, &c, MONEY_MAINTENANCE, S("300%"), MONEY_CONFIGURED, S("")),
	          "money.too_much");
}

TEST(money_conf_of_the_story_reports_in_both_forms)
{
	AUTO(buf_fini) Buf screen = { 0 }, json = { 0 };
	JsonWriter w = json_writer(&json);
	const Json *read;
	MoneyConf conf;
	MoneyCase c;
	MoneyResult r;
	double payback = 0;
	Str text;

	CHECK_OK(conf_load(conf_new(a), S("tests/data/audit/story.yaml"),
	                   &(ConfPart){ money_table(), &conf }, 1));
	CHECK_OK(money_case_of(a, &conf, &c));
	money_reckon(a, &c, &r);
	money_put_screen(&screen, a, &c, &r);
	CHECK(str_find(buf_str(&screen),
	               S("The work     $1.69M ($845K to $2.54M), 37 weeks in 7 phases")) > 0);
	CHECK(str_find(buf_str(&screen), S("Net gain     $3.71M over 3 years")) > 0);
	CHECK(str_find(buf_str(&screen), S("3 different figures are given for the debt's cost")) >
	      0);
	money_put_json(&w, &c, &r);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &read));
	CHECK(json_to_real(json_get(json_get(read, S("payback_months")), S("likely")), &payback));
	CHECK_NEAR(payback, 11.2667, 1e-3);
	CHECK_INT(json_kind(json_get(read, S("annual_cost"))), JSON_KIND_NULL);
}
