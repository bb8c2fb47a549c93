/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/rules.c"

#include "unit.h"

TEST(rules_are_in_order_and_none_is_twice)
{
	for (size_t i = 0; i < rules_count(); i++) {
		const FindingRule *r = rules_at(i);

		CHECK(r->id && r->name && r->summary && r->why && r->why[0]);
		CHECK(r->base_minutes >= 0 && r->each_minutes >= 0);
		CHECK(r->summary[strlen(r->summary) - 1] != '.');
		CHECK(!i || strcmp(rules_at(i - 1)->id, r->id) < 0);
		CHECK(rules_find(str_of(r->id)) == r);
		CHECK(rules_find(str_of(r->name)) == r);
	}
	CHECK(rules_count() > 100);
}

TEST(rules_of_a_module_are_in_the_order_of_their_ids)
{
	size_t count;

	for (size_t i = 0; i < COUNT(modules); i++) {
		const FindingRule *rules = modules[i](&count);

		for (size_t k = 1; k < count; k++)
			CHECK(strcmp(rules[k - 1].id, rules[k].id) < 0);
	}
}

TEST(rules_are_found_by_what_people_type)
{
	CHECK(rules_find(S("py201")) == rules_find(S("Mutable-Default")));
	CHECK(rules_find(S("PY201")));
	CHECK_NULL(rules_find(S("PY2")));
	CHECK_NULL(rules_find(S("")));
	CHECK_STR(rules_nearest(S("mutable-defualt")), S("mutable-default"));
	CHECK_STR(rules_nearest(S("zzzzzzzz")), S(""));
	CHECK_STR(rules_minutes_text(a, rules_find(S("PY100"))), S("5 min + 1 min for each"));
	CHECK_STR(rules_minutes_text(a, rules_find(S("PY201"))), S("5 min"));
	CHECK_STR(rules_minutes_text(a, &(FindingRule){ .id = "PY999" }), S("not reckoned"));
}
