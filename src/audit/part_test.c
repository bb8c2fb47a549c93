/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/part.c"

#include "unit.h"

static const FindingRule rule = { .id = "T1", .name = "test", .base_minutes = 10 };

static Project project_of(Arena *a, const char *const *paths, size_t count)
{
	Project p = { .files = ARENA_ARRAY(a, AuditFile, count), .count = count };

	for (size_t i = 0; i < count; i++)
		p.files[i] = (AuditFile){ .path = str_of(paths[i]),
			                  .kind = source_kind(str_of(paths[i])),
			                  .measures = { .lines = { .loc = 10, .sloc = 5 },
			                                .cc = 2,
			                                .cognitive = 3,
			                                .mi = 10.0 * (double)(i + 1) } };
	return p;
}

static const char *const paths[] = { "a.py", "shop/a/x.py", "shop/b.py", "shop/c.py",
	                             "shop/tests/t.py" };

TEST(parts_are_folders_with_their_own_files)
{
	Project p = project_of(a, paths, COUNT(paths));
	const History none = { .why_not = S("none") };
	Findings findings = { 0 };
	Parts parts;

	for (size_t i = 0; i < COUNT(paths); i++)
		finding_add(a, &findings, &(Finding){ .rule = &rule, .path = str_of(paths[i]) });
	finding_add(a, &findings,
	            &(Finding){ .rule = &rule, .path = S("a.py"), .ignored_why = S("so") });
	finding_add(a, &findings, &(Finding){ .rule = &rule, .path = S("gone.py") });
	finding_add(a, &findings, &(Finding){ .rule = &rule });
	findings_sort(&findings);
	parts_by_package(a, &p, &parts);
	parts_sum(&parts, &p, &none, &findings);
	CHECK_INT(parts.count, 4);
	CHECK_STR(parts.at[0].name, S(""));
	CHECK_INT(parts.at[0].findings, 1);
	CHECK_STR(parts.at[2].name, S("shop"));
	CHECK_INT(parts.of[2], 2);
	CHECK_INT(parts.of[3], 2);
	CHECK_INT(parts.at[2].files, 2);
	CHECK_INT(parts.at[2].cognitive, 6);
	CHECK_NEAR(parts.at[2].minutes, 20, 1e-9);
	CHECK_NEAR(parts.at[2].mi, 35, 1e-9);
	CHECK_STR(parts.at[3].name, S("shop/tests"));
	CHECK_INT(parts.at[3].loc, 10);
	CHECK_INT(parts.at[3].sloc, 0); /* of code only */
}

TEST(parts_by_groups_take_the_first_that_fits)
{
	Project p = project_of(a, paths, COUNT(paths));
	Str one[] = { S("shop/b.py"), S("shop/a/**") }, two[] = { S("shop/**") };
	AuditGroup groups[] = { { S("one"), { one, 2 } }, { S("two"), { two, 1 } } };
	const AuditConf conf = { .groups = { groups, 2 } };
	Parts parts;

	parts_by_group(a, &p, &conf, &parts);
	CHECK_INT(parts.count, 2);
	CHECK_INT(parts.of[0], PART_NONE);
	CHECK_INT(parts.of[1], 0);
	CHECK_INT(parts.of[2], 0);
	CHECK_INT(parts.of[3], 1);
	CHECK_INT(parts.outside, 1);
	parts_sum(&parts, &p, &(History){ .why_not = S("none") }, &(Findings){ 0 });
	CHECK_INT(parts.at[0].files, 2);
}
