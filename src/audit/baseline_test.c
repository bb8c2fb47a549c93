/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/baseline.c"

#include "unit.h"

static const FindingRule god = { .id = "T1", .name = "god", .base_minutes = 10 };
static const FindingRule clone = { .id = "T2", .name = "clone", .each_minutes = 1 };
static const FindingRule theirs = { .id = "lint:T3", .name = "lint:three", .base_minutes = 1 };
static const FindingRule past = { .id = "T4", .name = "past", .base_minutes = 1, .beside = true };

/* "g:a.py:1 c:a.py+b.py:7 !g:a.py:2": rule, files, print; "!": ignored. */
static Findings made(Arena *a, const char *text)
{
	Findings list = { 0 };
	Str rest = str_of(text), word, rule, paths;

	while (rest.len && str_split(&rest, ' ', &word)) {
		Finding f = { .text = S("found"), .line = (uint32_t)list.count + 1 };
		Str *others = ARENA_ARRAY(a, Str, 8);

		str_split(&word, ':', &rule);
		str_split(&word, ':', &paths);
		CHECK(str_to_u64(word, &f.print));
		if (str_starts(rule, S("!"))) {
			f.ignored_why = S("so");
			rule = str_sub(rule, 1, 2);
		}
		f.rule = rule.at[0] == 'g'   ? &god
		         : rule.at[0] == 'c' ? &clone
		         : rule.at[0] == 'p' ? &past
		                             : &theirs;
		str_split(&paths, '+', &f.path);
		while (paths.len && str_split(&paths, '+', &others[f.path_count]))
			f.path_count++;
		f.paths = others;
		f.amount = 5;
		finding_add(a, &list, &f);
	}
	return list;
}

TEST(new_ones_are_told_from_moved_and_mended_ones)
{
	static const struct {
		const char *was, *now;
		size_t fresh, fixed, moved, same;
		Str path; /* of the first new one */
	} cases[] = {
		{ "", "", 0, 0, 0, 0, S("") },
		{ "g:a.py:1", "g:a.py:1", 0, 0, 0, 1, S("") },
		{ "", "g:a.py:1", 1, 0, 0, 0, S("a.py") },
		{ "g:a.py:1", "", 0, 1, 0, 0, S("") },
		{ "g:a.py:1", "g:a.py:2", 1, 1, 0, 0, S("a.py") },
		{ "g:a.py:1", "g:b.py:1", 0, 0, 1, 1, S("") },              /* the code moved */
		{ "g:a.py:1", "g:a.py:1 g:b.py:1", 1, 0, 0, 1, S("b.py") }, /* it was copied */
		{ "g:a.py:1", "g:a.py:1 g:a.py:1", 1, 0, 0, 1, S("a.py") },
		{ "g:a.py:1 g:a.py:1", "g:b.py:1", 0, 1, 1, 1, S("") },
		{ "g:a.py:1 g:c.py:1", "g:b.py:1 g:d.py:1 g:e.py:1", 1, 0, 2, 2, S("e.py") },
		/* a clone in one more file is new there, though its text is known */
		{ "c:a.py+b.py:7", "c:a.py+b.py:7", 0, 0, 0, 1, S("") },
		{ "c:a.py+b.py:7", "c:a.py+b.py+c.py:7", 1, 0, 0, 0, S("c.py") },
		{ "c:a.py+b.py:7", "c:a.py+c.py:7", 0, 0, 1, 1, S("") },
		{ "c:a.py+b.py+c.py:7", "c:a.py+b.py:7", 0, 1, 0, 1, S("") },
		{ "c:a.py+a.py+b.py:7", "c:a.py+b.py+b.py:7", 0, 0, 0, 1, S("") },
		/* what is ignored is in none of it */
		{ "g:a.py:1", "!g:a.py:1", 0, 1, 0, 0, S("") },
		{ "!g:a.py:1", "g:a.py:1", 1, 0, 0, 0, S("a.py") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Findings was = made(a, cases[i].was), now = made(a, cases[i].now);
		Baseline baseline;
		Delta d;

		NOTE("case %zu", i);
		baseline_of(a, &was, &baseline);
		baseline_match(a, &baseline, &now, false, &d);
		CHECK_INT(d.fresh_count, cases[i].fresh);
		CHECK_INT(d.fixed, cases[i].fixed);
		CHECK_INT(d.moved, cases[i].moved);
		CHECK_INT(d.same, cases[i].same);
		if (d.fresh_count)
			CHECK_STR(d.fresh[0].path, cases[i].path);
	}
}

TEST(what_does_not_lie_in_a_tree_has_no_past_in_a_revision)
{
	Findings was = made(a, "g:a.py:1"), now = made(a, "g:a.py:1 t:a.py:3 p:a.py:4");
	Baseline baseline;
	Delta d;

	baseline_of(a, &was, &baseline);
	baseline_match(a, &baseline, &now, true, &d);
	CHECK_INT(d.fresh_count, 0);
	CHECK_INT(d.same, 1);
	baseline_match(a, &baseline, &now, false, &d);
	CHECK_INT(d.fresh_count, 2);
}

TEST(what_takes_longer_than_before_is_told)
{
	Findings was = made(a, "c:a.py:1 c:b.py:2"), now = made(a, "c:a.py:1 c:b.py:2");
	Baseline baseline;
	Delta d;

	now.at[0].amount = 9;
	baseline_of(a, &was, &baseline);
	baseline_match(a, &baseline, &now, false, &d);
	CHECK_INT(d.fresh_count, 0);
	CHECK_INT(d.grown_count, 1);
	CHECK(d.grown[0].finding == &now.at[0]);
	CHECK_NEAR(d.grown[0].before, 5, 1e-9);
	CHECK_NEAR(d.grown[0].now, 9, 1e-9);
}

TEST(a_finding_without_a_print_is_known_by_its_words)
{
	Finding one = { .rule = &god, .unit = S("f"), .text = S("has 43 methods") };
	Finding more = { .rule = &god, .unit = S("f"), .text = S("has 44 methods") };
	Finding other = { .rule = &god, .unit = S("g"), .text = S("has 43 methods") };

	CHECK(baseline_print(&one) == baseline_print(&more));
	CHECK(baseline_print(&one) != baseline_print(&other));
	one.print = 7;
	CHECK_INT(baseline_print(&one), 7);
}

TEST(budgets_are_about_figures_and_rules)
{
	Audit audit = { .findings = made(a, "t:a.py:1 t:b.py:1 c:a.py:2 !t:a.py:3") };
	AuditFigures figures;
	double n;

	audit_figures_take(&audit, &figures);
	CHECK(budget_measure(&audit, &figures, S("minutes"), &n) && n > 6.9 && n < 7.1);
	CHECK(budget_measure(&audit, &figures, S("rule:lint:three"), &n) && n > 1.9 && n < 2.1);
	CHECK(budget_measure(&audit, &figures, S("rule:lint:T3"), &n) && n > 1.9 && n < 2.1);
	CHECK(budget_measure(&audit, &figures, S("rule:god-class"), &n) && n < 0.1);
	CHECK(!budget_measure(&audit, &figures, S("rule:good-class"), &n));
	CHECK(!budget_measure(&audit, &figures, S("lines"), &n)); /* more code is no debt */
	CHECK(!budget_measure(&audit, &figures, S("rule:"), &n));
	CHECK(!budget_measure(&audit, &figures, S("nothing"), &n));
}
