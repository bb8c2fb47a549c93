/* SPDX-License-Identifier: Apache-2.0
 *
 * What each tool writes, as it was written by the tools themselves (Debian 12's bandit, mypy, pylint and flake8 over orders.py.txt there, as shop/orders.py;
 * ruff's by its documentation), and how it comes home. */
#include "audit/tools.c"

#include "audit/out_file.h"
#include "unit.h"

#include <sys/stat.h>

static Findings read_of(Arena *a, Str name, ToolFile *about)
{
	Findings found = { 0 };
	Str text;

	CHECK_OK(file_read(a, str_fmt(a, "tests/data/audit/tools/%.*s", STR_ARG(name)), 0, &text));
	*about = (ToolFile){ 0 };
	CHECK_OK(tools_read(a, text, &found, about));
	CHECK_INT(found.count, about->findings);
	return found;
}

TEST(tools_are_known_by_what_they_write)
{
	static const struct {
		Str file;
		const char *format;
		size_t found;
		Str id, name, path;
		uint32_t line, end_line;
		FindingClass class;
		FindingLevel level;
		Str text;
	} cases[] = {
		{ S("bandit.json"), "bandit's JSON", 6, S("bandit:B403"), S("bandit:blacklist"),
		  S("shop/orders.py"), 3, 3, FINDING_SECURITY, FINDING_NOTE,
		  S("Consider possible security implications associated with pickle module.") },
		{ S("mypy.txt"), "mypy's text", 1, S("mypy:return-value"), S("mypy:return-value"),
		  S("shop/orders.py"), 13, 13, FINDING_BUG, FINDING_ERROR,
		  S("Incompatible return value type (got \"str\", expected \"int\")") },
		{ S("mypy-columns.txt"), "mypy's text", 1, S("mypy:return-value"),
		  S("mypy:return-value"), S("shop/orders.py"), 13, 13, FINDING_BUG, FINDING_ERROR,
		  S("Incompatible return value type (got \"str\", expected \"int\")") },
		{ S("mypy.jsonl"), "mypy's JSON", 2, S("mypy:return-value"), S("mypy:return-value"),
		  S("shop/orders.py"), 13, 13, FINDING_BUG, FINDING_ERROR,
		  S("Incompatible return value type (got \"str\", expected \"int\")") },
		{ S("pylint.json"), "pylint's JSON", 4, S("pylint:C0116"),
		  S("pylint:missing-function-docstring"), S("shop/orders.py"), 15, 15,
		  FINDING_MAINTAIN, FINDING_NOTE, S("Missing function or method docstring") },
		{ S("pylint.txt"), "pylint's text", 4, S("pylint:C0116"),
		  S("pylint:missing-function-docstring"), S("shop/orders.py"), 15, 15,
		  FINDING_MAINTAIN, FINDING_NOTE, S("Missing function or method docstring") },
		{ S("pylint-parseable.txt"), "pylint's text", 4, S("pylint:C0116"),
		  S("pylint:missing-function-docstring"), S("shop/orders.py"), 15, 15,
		  FINDING_MAINTAIN, FINDING_NOTE, S("Missing function or method docstring") },
		{ S("flake8.txt"), "flake8's text", 1, S("flake8:F401"), S("flake8:F401"),
		  S("shop/orders.py"), 2, 2, FINDING_BUG, FINDING_WARNING,
		  S("'os' imported but unused") },
		{ S("ruff.json"), "ruff's JSON", 3, S("ruff:F401"), S("ruff:unused-import"),
		  S("/home/runner/work/shop/shop/orders.py"), 2, 2, FINDING_BUG, FINDING_WARNING,
		  S("`os` imported but unused") },
		{ S("ruff.txt"), "ruff's text", 3, S("ruff:F401"), S("ruff:F401"),
		  S("shop/orders.py"), 2, 2, FINDING_BUG, FINDING_WARNING,
		  S("`os` imported but unused") },
		{ S("scanner.sarif"), "SARIF", 3, S("shop-scanner-free:python.eval"),
		  S("shop-scanner-free:EvalOfText"), S("/srv/build/shop/orders.py"), 23, 23,
		  FINDING_SECURITY, FINDING_ERROR, S("eval runs order, {as it is}") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ToolFile about;
		Findings found = read_of(a, cases[i].file, &about);
		const Finding *f = found.at;

		NOTE("%s", cases[i].file.at);
		CHECK_STR(str_of(about.format), str_of(cases[i].format));
		CHECK_INT(found.count, cases[i].found);
		CHECK_STR(str_of(f->rule->id), cases[i].id);
		CHECK_STR(str_of(f->rule->name), cases[i].name);
		CHECK_STR(f->path, cases[i].path);
		CHECK_INT(f->line, cases[i].line);
		CHECK_INT(f->end_line, cases[i].end_line);
		CHECK_INT(f->rule->class, cases[i].class);
		CHECK_INT(f->rule->level, cases[i].level);
		CHECK(f->rule->base_minutes > 0);
		CHECK_STR(f->text, cases[i].text);
	}
}

TEST(what_pylint_says_as_text_is_what_it_says_as_json)
{
	ToolFile about;
	Findings json = read_of(a, S("pylint.json"), &about);
	Findings text = read_of(a, S("pylint.txt"), &about);
	Findings parseable = read_of(a, S("pylint-parseable.txt"), &about);

	for (size_t i = 0; i < json.count; i++) {
		CHECK_STR(str_of(text.at[i].rule->id), str_of(json.at[i].rule->id));
		CHECK_STR(str_of(parseable.at[i].rule->name), str_of(json.at[i].rule->name));
		CHECK_STR(parseable.at[i].unit, json.at[i].unit);
		CHECK_STR(text.at[i].text, json.at[i].text);
		CHECK_INT(text.at[i].line, json.at[i].line);
	}
}

TEST(sarif_has_suppressions_related_places_and_fingerprints)
{
	ToolFile about;
	Findings found = read_of(a, S("scanner.sarif"), &about);
	uint64_t print = found.at[0].print;

	CHECK_INT(about.skipped, 1); /* the one without words */
	CHECK_STR(found.at[0].unit, S("ship"));
	CHECK_INT(found.at[0].path_count, 1);
	CHECK_STR(found.at[0].paths[0], S("shop/call er.py"));
	CHECK_STR(str_of(found.at[0].rule->why), S("What people send must never be run."));
	CHECK(print != 0);
	CHECK(print == read_of(a, S("scanner.sarif"), &about).at[0].print);
	CHECK_STR(found.at[1].ignored_why, S("it runs once a year"));
	CHECK_INT(found.at[1].rule->class, FINDING_SPEED);
	CHECK_INT(found.at[1].line, 0);
	CHECK_STR(found.at[2].text, S("refused"));
	CHECK_STR(found.at[2].ignored_why, S(""));
}

TEST(what_is_of_no_tool_is_refused)
{
	static const struct {
		Str text;
		const char *slug; /* NULL: it is read */
		size_t found, skipped;
	} cases[] = {
		{ S(""), NULL, 0, 0 },
		{ S(" \n"), NULL, 0, 0 },
		{ S("[]"), NULL, 0, 0 },
		{ S("Success: no issues found in 3 source files\n"), NULL, 0, 0 },
		{ S("All checks passed!\n"), NULL, 0, 0 },
		{ S("\xef\xbb\xbf[]"), NULL, 0, 0 },
		{ S("hello\n"), "audit.with", 0, 0 },
		{ S("{}"), "audit.with", 0, 0 },
		{ S("{\"runs\": 1}"), "audit.with", 0, 0 },
		{ S("{\"runs\": []}"), NULL, 0, 0 },
		{ S("{\"runs\": [1, {\"results\": [1]}]}"), NULL, 0, 1 },
		{ S("[1]"), "audit.with", 0, 0 },
		{ S("{\"results\": [{}], \"metrics\": {}, \"errors\": [{}]}"), NULL, 0, 2 },
		{ S("{"), "json.syntax", 0, 0 },
		{ S("a.py:1:2: whatever this is\n"), "audit.with", 0, 1 },
		{ S("C:\\shop\\a.py:7: error: no code\r\n"), NULL, 1, 0 },
		{ S("a.py:99999999999: error: no such line\n"), "audit.with", 0, 0 },
		{ S("{\"code\":\"E1\",\"filename\":\"a.py\",\"location\":{\"row\":1},\"message\":\"m\"}\n"
		    "{\"code\":\"E2\",\"filename\":\"a.py\",\"location\":{\"row\":2},\"message\":\"m\"}\n"),
		  NULL, 2, 0 },
		{ S("{\"messages\":[{\"messageId\":\"C1\",\"symbol\":\"s\",\"message\":\"m\",\"path\":\"a.py\"}],"
		    "\"statistics\":{}}"),
		  NULL, 1, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Findings found = { 0 };
		ToolFile about = { 0 };
		Err *err = tools_read(a, cases[i].text, &found, &about);

		NOTE("case %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
		CHECK_INT(found.count, cases[i].found);
		CHECK_INT(about.skipped, cases[i].skipped);
	}
}

TEST(paths_of_other_machines_come_home)
{
	AuditFile files[] = { { .path = S("app/orders.py") }, { .path = S("orders.py") } };
	Project p = { .files = files, .count = COUNT(files) };
	static const struct {
		Str path, want;
		bool here;
	} cases[] = {
		{ S("app/orders.py"), S("app/orders.py"), true },
		{ S("./app/orders.py"), S("app/orders.py"), true },
		{ S("C:\\shop\\app\\orders.py"), S("app/orders.py"), true },
		{ S("/home/runner/work/app/orders.py"), S("app/orders.py"), true },
		{ S("other/orders.py"), S("orders.py"), true },
		{ S("/srv/shop/web/page.js"), S("web/page.js"), false },
		{ S("/etc/x"), S("/etc/x"), false },
		{ S(""), S(""), false },
		/* what is installed, and what is here and was not read, is no other file of its name */
		{ S(".venv/lib/orders.py"), S(".venv/lib/orders.py"), false },
		{ S("/usr/lib/python3/dist-packages/app/orders.py"),
		  S("/usr/lib/python3/dist-packages/app/orders.py"), false },
	};
	const AuditFile *file;
	Str root = str_fmt(a, "%s/", unit_dir());

	CHECK_INT(mkdir(str_fmt(a, "%.*sapp", STR_ARG(root)).at, 0777), 0);
	CHECK_INT(mkdir(str_fmt(a, "%.*sapp/old", STR_ARG(root)).at, 0777), 0);
	CHECK_OK(out_write(a, str_fmt(a, "%.*sapp/old/orders.py", STR_ARG(root)), S("x")));
	CHECK_STR(path_here(a, &p, root, S("app/old/orders.py"), &file), S("app/old/orders.py"));
	CHECK_NULL(file);
	CHECK_STR(path_here(a, &p, root, str_fmt(a, "%.*sapp/old/orders.py", STR_ARG(root)), &file),
	          S("app/old/orders.py"));
	CHECK_NULL(file);
	CHECK_STR(path_here(a, &p, str_fmt(a, "%.*sapp/", STR_ARG(root)),
	                    S("../app/old/../orders.py"), &file),
	          S("orders.py"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_STR(path_here(a, &p, S("/srv/shop/"), cases[i].path, &file), cases[i].want);
		CHECK_INT(file != NULL, cases[i].here);
	}
}

TEST(a_line_has_a_unit_and_words)
{
	Unit units[] = { { .name = S("Order"), .line = 3, .end_line = 9, .parent = UNIT_NONE },
		         { .name = S("save"), .line = 5, .end_line = 9, .parent = 0 },
		         { .name = S("ship"), .line = 11, .end_line = 12, .parent = UNIT_NONE } };
	AuditFile file = { .measures = { .units = units, .unit_count = COUNT(units) } };

	CHECK_STR(unit_at(a, &file, 2), S(""));
	CHECK_STR(unit_at(a, &file, 4), S("Order"));
	CHECK_STR(unit_at(a, &file, 9), S("Order.save"));
	CHECK_STR(unit_at(a, &file, 12), S("ship"));
	CHECK_STR(unit_at(a, &file, 10), S(""));
	CHECK_STR(unit_at(a, &file, 13), S(""));
	CHECK_STR(line_at(S("one\n  two  \r\nthree"), 2), S("two"));
	CHECK_STR(line_at(S("one\ntwo"), 3), S(""));
}

TEST(a_tool_says_the_same_in_sarif_as_in_its_own_words)
{
	static const struct {
		const char *tool, *id, *level;
		FindingLevel want;
		double minutes;
	} cases[] = {
		{ "Bandit", "B602", "error", FINDING_ERROR, 60 },
		{ "Bandit", "B602", "warning", FINDING_WARNING, 30 },
		{ "Bandit", "B101", "note", FINDING_NOTE, 15 },
		{ "ruff", "E501", "error", FINDING_NOTE, 2 },
		{ "ruff", "F821", "error", FINDING_WARNING, 5 },
		{ "scanner", "x", "error", FINDING_ERROR, 30 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Findings found = { 0 };
		ToolFile about = { 0 };
		Str text = str_fmt(
			a,
			"{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"%s\"}},\"results\":"
			"[{\"ruleId\":\"%s\",\"level\":\"%s\",\"message\":{\"text\":\"m\"}}]}]}",
			cases[i].tool, cases[i].id, cases[i].level);

		NOTE("case %zu", i);
		CHECK_OK(tools_read(a, text, &found, &about));
		CHECK_INT(found.count, 1);
		CHECK_INT(found.at[0].rule->level, cases[i].want);
		CHECK_NEAR(finding_minutes(&found.at[0]), cases[i].minutes, 1e-9);
	}
}

TEST(what_a_tool_says_stays_on_its_line)
{
	Findings found = { 0 };
	ToolFile about = { 0 };

	CHECK_OK(tools_read(
		a,
		S("{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"x\"}},\"results\":[{\"ruleId\":\"a\\nb\","
	          "\"message\":{\"text\":\"one\\r\\ntwo\"}}]}]}"),
		&found, &about));
	CHECK_INT(found.count, 1);
	CHECK_STR(found.at[0].text, S("one  two"));
	CHECK_STR(str_of(found.at[0].rule->id), S("x:a b"));
}

TEST(rules_of_an_extension_are_known_by_their_id)
{
	Findings found = { 0 };
	ToolFile about = { 0 };

	CHECK_OK(tools_read(
		a,
		S("{\"runs\":[{\"tool\":{\"driver\":{\"name\":\"CodeQL\",\"rules\":[{\"id\":\"other\",\"name\":\"wrong\"}]},"
	          "\"extensions\":[{\"rules\":[{\"id\":\"py/sql\",\"name\":\"py/sql-injection\","
	          "\"defaultConfiguration\":{\"level\":\"error\"},\"properties\":{\"security-severity\":\"8.8\"}}]}]},"
	          "\"results\":[{\"ruleId\":\"py/sql\",\"ruleIndex\":0,\"rule\":{\"id\":\"py/sql\",\"index\":0,"
	          "\"toolComponent\":{\"index\":0}},\"message\":{\"text\":\"m\"}},"
	          "{\"ruleId\":\"other/1\",\"message\":{\"text\":\"m\"}}]}]}"),
		&found, &about));
	CHECK_INT(found.count, 2);
	CHECK_STR(str_of(found.at[0].rule->name), S("codeql:py/sql-injection"));
	CHECK_INT(found.at[0].rule->class, FINDING_SECURITY);
	CHECK_INT(found.at[0].rule->level, FINDING_ERROR);
	CHECK_STR(str_of(found.at[1].rule->name), S("codeql:wrong"));
}

TEST(one_rule_of_a_tool_may_have_two_severities)
{
	Findings found = { 0 };
	ToolFile about = { 0 };

	CHECK_OK(tools_read(
		a,
		S("{\"metrics\":{},\"results\":[{\"test_id\":\"B602\",\"issue_text\":\"m\",\"issue_severity\":\"LOW\"},"
	          "{\"test_id\":\"B602\",\"issue_text\":\"m\",\"issue_severity\":\"HIGH\"},"
	          "{\"test_id\":\"B602\",\"issue_text\":\"m\",\"issue_severity\":\"LOW\"}]}"),
		&found, &about));
	CHECK_INT(found.count, 3);
	CHECK_INT(found.at[0].rule->level, FINDING_NOTE);
	CHECK_INT(found.at[1].rule->level, FINDING_ERROR);
	CHECK(found.at[2].rule == found.at[0].rule);
}
