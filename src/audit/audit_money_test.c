/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_money.c"

#include "audit/audit_cache.h"
#include "unit.h"

#include <stdlib.h>

static const FindingRule slow = { .id = "T1", .name = "slow", .each_minutes = 1 };
static const FindingRule unsafe = {
	.id = "T2", .name = "unsafe", .class = FINDING_SECURITY, .each_minutes = 1
};

/* Two files of 100 lines of code; b has findings of 750 minutes (a quarter of what it takes to write, so half ill), one that is of another class, and
 * one that is ignored. */
static void make(Arena *a, Audit *audit, AuditRules *rules, double capacity)
{
	AuditConf *conf = arena_alloc(a, AUDIT_CONF_BYTES);
	AuditFile *files = ARENA_ARRAY(a, AuditFile, 2);

	conf_defaults(a, audit_table(), conf);
	conf->capacity = capacity;
	*rules = (AuditRules){ .conf = conf };
	for (int i = 0; i < 2; i++)
		files[i] = (AuditFile){ .path = i ? S("b.py") : S("a.py"),
			                .measures = { .lines = { .loc = 120, .sloc = 100 } } };
	*audit = (Audit){ .project = { .files = files, .count = 2 },
		          .history = { .why_not = S("none") } };
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = &slow, .path = S("b.py"), .amount = 750 });
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = &unsafe, .path = S("b.py"), .amount = 100 });
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = &slow,
	                        .path = S("b.py"),
	                        .amount = 900,
	                        .ignored_why = S("x") });
	audit->totals = (AuditTotals){ .count = 2, .minutes = 850 };
}

static void add_history(Arena *a, Audit *audit)
{
	HistoryFile *files = ARENA_ARRAY(a, HistoryFile, 2);
	Map *map = ARENA_NEW(a, Map);

	files[0] = (HistoryFile){ .path = S("a.py"), .recent = 1 };
	files[1] = (HistoryFile){ .path = S("b.py"), .recent = 3 };
	for (int i = 0; i < 2; i++)
		map_put(map, files[i].path, &files[i]);
	audit->history = (History){ .files = files, .file_count = 2, .by_path = map };
}

TEST(money_of_an_audit_without_figures_is_unknown)
{
	AuditRules rules;
	Audit audit;

	make(a, &audit, &rules, 0);
	CHECK_OK(audit_money_step(a, &rules, &audit));
	CHECK(!audit.money->anything && !audit.money->result.annual.known && !audit.money->sane);
	CHECK_INT(audit.money->given.in[MONEY_PRINCIPAL].source, MONEY_MEASURED);
	CHECK_NEAR(audit.money->given.in[MONEY_PRINCIPAL].is.likely, 850.0 / 60, 1e-9);
	CHECK_INT(audit.money->given.in[MONEY_HOURS].source, MONEY_UNKNOWN);
}

TEST(money_of_an_audit_measures_hours_from_changes_and_health)
{
	AuditRules rules;
	Audit audit;

	make(a, &audit, &rules, 100);
	add_history(a, &audit);
	CHECK_OK(audit_money_step(a, &rules, &audit));
	/* b has three quarters of the changes, and half of 1.24 more time is taken there. */
	CHECK_NEAR(audit.money->given.in[MONEY_HOURS].is.likely, 75 * (1 - 1 / 1.62), 1e-9);
	CHECK_NEAR(audit.money->given.in[MONEY_HOURS].is.low, 75 * (1 - 1 / 1.31), 1e-9);
	CHECK_NEAR(audit.money->given.in[MONEY_HOURS].is.high, 75 * (1 - 1 / 1.93), 1e-9);
	CHECK_INT(audit.money->given.in[MONEY_HOURS].source, MONEY_MEASURED);
	map_fini(audit.history.by_path);
}

TEST(money_of_an_audit_is_held_against_what_others_found)
{
	static const struct {
		const char *rate, *currency;
		char want;
	} cases[] = {
		{ "50", "$", '=' }, /* 14.17 h x 50 / 200 lines = 3.54 */
		{ "5", "$", '<' },
		{ "500", "$", '>' },
		{ "50", "EUR", 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AuditRules rules;
		Audit audit;
		MoneyConf *money;

		NOTE("%s %s", cases[i].currency, cases[i].rate);
		make(a, &audit, &rules, 0);
		money = (MoneyConf *)audit_section(&rules, money_table());
		money->currency = str_of(cases[i].currency);
		money->in[MONEY_RATE] =
			(MoneyValueConf){ .amount = str_of(cases[i].rate), .measured = true };
		CHECK_OK(audit_money_step(a, &rules, &audit));
		CHECK(audit.money->a_line.known);
		CHECK_INT(audit.money->sane, cases[i].want);
	}
}

/* The story's own case: 37 weeks of $1.69M, $150K saved a month. */
TEST(money_on_the_screen_tells_payback_and_what_is_crossed)
{
	static const double costs[] = { 40e3, 90e3, 400e3, 720e3, 160e3, 240e3, 40e3 },
			    weeks[] = { 2, 3, 8, 12, 4, 6, 2 };
	AuditMoney money = { .anything = true, .given = { .currency = S("$") } };
	MoneyPhase phases[COUNT(costs)] = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < COUNT(costs); i++) {
		phases[i].weeks = weeks[i];
		phases[i].cost = (Range){ costs[i], costs[i], costs[i] };
	}
	money.given.phases = phases;
	money.given.phase_count = COUNT(phases);
	money_measured(&money.given, MONEY_SAVING, 150e3, S(""));
	money_measured(&money.given, MONEY_YEARS, 3, S(""));
	money_measured(&money.given, MONEY_AVAILABILITY, 0.987, S(""));
	money_measured(&money.given, MONEY_VELOCITY, 0.2, S(""));
	money_reckon(a, &money.given, &money.result);
	audit_money_screen(out, a, &money);
	fclose(out);
	CHECK(str_find(str_of(text), S("payback 11.3 months; net gain $3.71M over 3 years, "
	                               "before what it costs to run what replaces it\n")) > 0);
	CHECK(str_find(str_of(text),
	               S("thresholds crossed: availability 98.7 %; 2 of 4 unknown\n")) > 0);
	free(text);
}

static bool doubts(Arena *a, double interest, double principal)
{
	MoneyResult r = { .interest = { { interest, interest, interest }, true },
		          .principal = { { principal, principal, principal }, true } };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	Str said;

	put_doubt(out, &r);
	fclose(out);
	said = str_dup(a, (Str){ text, len });
	free(text);
	CHECK(!said.len || str_find(said, S("times the principal")) > 0);
	return said.len > 0;
}

TEST(money_of_an_audit_doubts_what_would_pay_at_once)
{
	CHECK(doubts(a, 66600, 3700));
	CHECK(doubts(a, 200, 100));
	CHECK(!doubts(a, 199, 100));
	CHECK(!doubts(a, 66600, 0));
}
