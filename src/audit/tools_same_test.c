/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/tools_same.c"

#include "audit/rules.h"
#include "unit.h"

static FindingRule rule_of(const char *id)
{
	return (FindingRule){ .id = id, .name = id };
}

TEST(one_thing_under_two_names_is_known)
{
	static const struct {
		const char *first, *then; /* "PY..": ours */
		uint32_t line;
		bool same;
	} cases[] = {
		{ "bandit:B301", "ruff:S301", 3, true },
		{ "ruff:S301", "bandit:B301", 3, true },
		{ "ruff:S301", "ruff:S301", 3, false }, /* two on a line are two */
		{ "ruff:PLW0123", "pylint:W0123", 3, true },
		{ "ruff:F401", "flake8:F401", 3, true },
		{ "ruff:F401", "flake8:F401", 4, false },
		{ "ruff:F401", "flake8:F841", 3, false },
		{ "eval-call", "pylint:W0123", 3, true },
		{ "eval-call", "bandit:B307", 3, true },
		{ "mutable-default", "ruff:B006", 3, true },
		{ "eval-call", "mypy:misc", 3, false },
		{ "bare-except", "pylint:W0702", 3, true },
		{ "ruff:PLW0611", "flake8:F401", 3, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(map_fini) Map same = { 0 };
		FindingRule first = rule_of(cases[i].first), then = rule_of(cases[i].then);
		const FindingRule *own = rules_find(str_of(cases[i].first));
		Finding one = { .rule = own ? own : &first, .path = S("a.py"), .line = 3 };
		Finding other = { .rule = &then, .path = S("a.py"), .line = cases[i].line };

		NOTE("%s and %s", cases[i].first, cases[i].then);
		tool_know(a, &same, &one);
		CHECK_INT(tool_is_known(a, &same, &other), cases[i].same);
		other.path = S("b.py");
		CHECK(!tool_is_known(a, &same, &other));
	}
}

TEST(every_rule_that_others_have_is_one_of_ours)
{
	for (size_t i = 0; i < COUNT(known); i++)
		CHECK(rules_find(str_of(known[i].name)) != NULL);
}
