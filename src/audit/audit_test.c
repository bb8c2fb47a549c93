/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.c"

#include "unit.h"

static const FindingRule slow = {
	.id = "T1", .name = "slow", .base_minutes = 10, .each_minutes = 1
};
static const FindingRule open = { .id = "T2",
	                          .name = "open",
	                          .class = FINDING_SECURITY,
	                          .level = FINDING_ERROR,
	                          .base_minutes = 5 };

static void make(Arena *a, AuditRules *rules, Audit *audit)
{
	AuditConf *conf = arena_alloc(a, AUDIT_CONF_BYTES);
	AuditFile *files = ARENA_ARRAY(a, AuditFile, 2);

	*rules = (AuditRules){ .conf = conf };
	files[0] = (AuditFile){ .path = S("a.py"), .measures = { .lines = { .sloc = 10 } } };
	files[1] = (AuditFile){ .path = S("t.py"),
		                .kind = SOURCE_TEST,
		                .measures = { .lines = { .sloc = 90 } } };
	*audit = (Audit){ .project = { .files = files, .count = 2 },
		          .history = { .why_not = S("none") } };
	finding_add(a, &audit->findings, &(Finding){ .rule = &open, .path = S("t.py"), .line = 3 });
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = &slow, .path = S("a.py"), .line = 9, .amount = 20 });
	finding_add(a, &audit->findings,
	            &(Finding){
			    .rule = &slow, .path = S("a.py"), .line = 2, .ignored_why = S("x") });
}

TEST(audit_adds_up_what_counts)
{
	const AuditTotals *t;
	AuditRules rules;
	Audit audit;

	make(a, &rules, &audit);
	CHECK_OK(total_step(a, &rules, &audit));
	t = &audit.totals;
	CHECK_INT(audit.findings.at[0].line, 2); /* in order of places */
	CHECK(t->count == 2 && t->ignored == 1);
	CHECK_NEAR(t->minutes, 35, 1e-9);
	CHECK_NEAR(t->minutes_by_class[FINDING_SECURITY], 5, 1e-9);
	CHECK_INT(t->by_level[FINDING_ERROR], 1);
	CHECK_NEAR(t->ratio, 35.0 / 300, 1e-9); /* of the ten lines that are no test's */
	CHECK_INT(t->rating, 'C');
	CHECK_INT(audit.packages.at[0].findings, 2);
}

TEST(audit_without_code_has_no_rating)
{
	AuditRules rules;
	Audit audit;

	make(a, &rules, &audit);
	audit.project.files[0].kind = SOURCE_TEST;
	CHECK_OK(total_step(a, &rules, &audit));
	CHECK(audit.totals.ratio < 0 && !audit.totals.rating);
}

TEST(audit_drops_rules_that_are_not_wanted)
{
	Str off[] = { S("open") };
	AuditRules rules;
	Audit audit;

	make(a, &rules, &audit);
	drop_off(&rules, &audit.findings);
	CHECK_INT(audit.findings.count, 3);
	((AuditConf *)rules.conf)->off.at = off;
	((AuditConf *)rules.conf)->off.count = 1;
	drop_off(&rules, &audit.findings);
	CHECK_INT(audit.findings.count, 2);
	off[0] = S("T1");
	drop_off(&rules, &audit.findings);
	CHECK_INT(audit.findings.count, 0);
}
