/* SPDX-License-Identifier: Apache-2.0
 *
 * What the schema cannot say (tests/plays/test_audit_gate.py has it judge): which result belongs where, and that what is written reads back. */
#include "audit/sarif.c"

#include "audit/tools.h"
#include "unit.h"

static const FindingRule circle = { .id = "PY501",
	                            .name = "circular-import",
	                            .class = FINDING_ARCHITECTURE,
	                            .level = FINDING_ERROR,
	                            .summary = "modules import each other",
	                            .why = "No part can be taken out alone.",
	                            .base_minutes = 60 };
static const FindingRule eval = { .id = "PY301",
	                          .name = "eval-call",
	                          .class = FINDING_SECURITY,
	                          .level = FINDING_WARNING,
	                          .summary = "text is run",
	                          .why = "Never." };
static const FindingRule theirs = { .id = "bandit:B101",
	                            .name = "bandit:assert_used",
	                            .class = FINDING_SECURITY,
	                            .summary = "assert",
	                            .why = "It goes away." };

static const Str others[] = { S("shop/b c.py"), S("shop/a.py") };

static Audit made(Arena *a)
{
	Audit audit = { 0 };

	finding_add(a, &audit.findings,
	            &(Finding){ .rule = &circle,
	                        .path = S("shop/a.py"),
	                        .line = 3,
	                        .text = S("a and b"),
	                        .paths = others,
	                        .path_count = COUNT(others),
	                        .print = 0xabc });
	finding_add(a, &audit.findings,
	            &(Finding){ .rule = &theirs, .path = S("shop/a.py"), .text = S("assert") });
	finding_add(a, &audit.findings,
	            &(Finding){ .rule = &eval,
	                        .path = S("shop/a.py"),
	                        .line = 9,
	                        .end_line = 11,
	                        .unit = S("f"),
	                        .text = S("eval"),
	                        .ignored_why = S("the text is \"ours\"") });
	return audit;
}

static Str word_at(const Json *json, const char *const *keys)
{
	Str text = { 0 };

	for (; *keys; keys++)
		json = **keys >= '0' && **keys <= '9' ? json_at(json, (size_t)(**keys - '0'))
		                                      : json_get(json, str_of(*keys));
	(void)json_to_str(json, &text);
	return text;
}
#define WORD(json, ...) word_at(json, (const char *const[]){ __VA_ARGS__, NULL })

TEST(results_are_by_tool_with_rules_places_and_reasons)
{
	AUTO(buf_fini) Buf b = { 0 };
	AuditRules rules = { 0 };
	Audit audit = made(a);
	const Json *json, *own, *other, *first;

	CHECK_OK(sarif_report(a, &audit, &rules, &b));
	CHECK_OK(json_read(a, buf_str(&b), 0, &json));
	CHECK_INT(json_count(json_get(json, S("runs"))), 2);
	own = json_at(json_get(json, S("runs")), 0);
	other = json_at(json_get(json, S("runs")), 1);
	CHECK_STR(WORD(own, "tool", "driver", "name"), S("Banyan"));
	CHECK_STR(WORD(own, "tool", "driver", "rules", "1", "name"), S("circular-import"));
	CHECK_STR(WORD(own, "results", "0", "suppressions", "0", "justification"),
	          S("the text is \"ours\""));
	CHECK_STR(WORD(own, "results", "0", "locations", "0", "logicalLocations", "0",
	               "fullyQualifiedName"),
	          S("f"));
	first = json_at(json_get(own, S("results")), 1);
	CHECK_STR(WORD(first, "ruleId"), S("PY501"));
	CHECK_STR(WORD(first, "partialFingerprints", "banyan/v1"), S("0000000000000abc"));
	CHECK_STR(WORD(first, "relatedLocations", "0", "physicalLocation", "artifactLocation",
	               "uri"),
	          S("shop/b%20c.py"));
	CHECK_INT(json_count(json_get(json_at(json_get(json_at(json_get(first, S("codeFlows")), 0),
	                                               S("threadFlows")),
	                                      0),
	                              S("locations"))),
	          3); /* there, over b c.py, and back */
	CHECK_NULL(json_get(first, S("baselineState")));
	CHECK_STR(WORD(other, "tool", "driver", "name"), S("bandit"));
	CHECK_STR(WORD(other, "results", "0", "ruleId"), S("B101"));
	CHECK_NULL(json_get(json_at(json_get(json_at(json_get(other, S("results")), 0),
	                                     S("locations")),
	                            0),
	                    S("region")));
}

TEST(what_was_there_before_is_told_from_what_is_new)
{
	AUTO(buf_fini) Buf b = { 0 };
	AuditRules rules = { 0 };
	Audit audit = made(a);
	Baseline was = { 0 };
	RevCompare compare = { 0 };
	const Json *json;

	baseline_match(a, &was, &audit.findings, true, &compare.delta);
	audit.compare = &compare;
	CHECK_OK(sarif_report(a, &audit, &rules, &b));
	CHECK_OK(json_read(a, buf_str(&b), 0, &json));
	CHECK_STR(WORD(json, "runs", "0", "results", "0", "baselineState"), S("unchanged"));
	CHECK_STR(WORD(json, "runs", "0", "results", "1", "baselineState"), S("new"));
	CHECK_STR(WORD(json, "runs", "1", "results", "0", "baselineState"), S(""));
}

TEST(what_is_written_can_be_read)
{
	AUTO(buf_fini) Buf b = { 0 };
	AuditRules rules = { 0 };
	Audit audit = made(a);
	Findings found = { 0 };
	ToolFile about = { 0 };

	CHECK_OK(sarif_report(a, &audit, &rules, &b));
	CHECK_OK(tools_read(a, buf_str(&b), &found, &about));
	CHECK_INT(found.count, 3);
	CHECK_STR(str_of(found.at[1].rule->id), S("banyan:PY501"));
	CHECK_INT(found.at[1].rule->class, FINDING_ARCHITECTURE);
	CHECK_INT(found.at[1].rule->level, FINDING_ERROR);
	CHECK_STR(found.at[1].paths[0], S("shop/b c.py"));
	CHECK_STR(found.at[0].ignored_why, S("the text is \"ours\""));
	CHECK_STR(str_of(found.at[2].rule->name), S("bandit:assert_used"));
}

TEST(a_path_from_elsewhere_is_not_one_of_the_repository)
{
	CHECK_STR(uri_of(a, S("sub/"), S("a b.py")), S("sub/a%20b.py"));
	CHECK_STR(uri_of(a, S("sub/"), S("/usr/lib/x.py")), S("file:///usr/lib/x.py"));
}
