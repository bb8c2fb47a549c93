/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/html.c"

#include "audit/audit_money.h"
#include "audit/money_report.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const FindingRule rules_of_test[] = {
	{ .id = "T1", .name = "long", .level = FINDING_WARNING, .why = "w", .base_minutes = 5 },
	{ .id = "T2", .name = "odd", .level = FINDING_NOTE, .why = "w", .base_minutes = 1 },
	{ .id = "T3",
	  .name = "hard-coded-password",
	  .class = FINDING_SECURITY,
	  .level = FINDING_ERROR,
	  .why = "w",
	  .base_minutes = 9 },
};

static void write_text(Arena *a, Str folder, const char *name, const char *text)
{
	FILE *file = fopen(str_fmt(a, "%.*s/%s", STR_ARG(folder), name).at, "w");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void found(Arena *a, Audit *audit, int rule, Str path, uint32_t line)
{
	finding_add(a, &audit->findings,
	            &(Finding){ .rule = &rules_of_test[rule],
	                        .path = path,
	                        .line = line,
	                        .text = S("a </script><b> in it") });
}

/* A project of four files, audited without findings of its own. */
static Audit project_of_four(Arena *a, Str folder)
{
	Audit audit = { .history = { .why_not = S("no git") } };
	ProjectRules reading = { 0 };

	mkdir(str_fmt(a, "%.*s/app", STR_ARG(folder)).at, 0777);
	write_text(a, folder, "a.py", "def f():\n    x = 1 < 2\n    return x\n");
	write_text(a, folder, "app/b.py", "x = 1\n");
	write_text(a, folder, "app/c.py", "x = 1\ny = 2\n");
	write_text(a, folder, "app/s.py",
	           "NAME = 'ann'\nPASSWORD = 'correct horse'\nKEY = '''\nMIIEvQ#IBADANBg\n'''\n");
	CHECK_OK(project_read(a, folder, &reading, &audit.project));
	history_judge(a, &audit.history, &audit.project, &audit.told);
	return audit;
}

static const Json *data_of(Arena *a, Str page)
{
	static const Str open = S("id=\"data\">"), close = S("</script>");
	Str rest = str_sub(page, (size_t)str_find(page, open) + open.len, page.len);
	const Json *json;

	rest = str_sub(rest, 0, (size_t)str_find(rest, close));
	CHECK(str_find_char(rest, '<') < 0);
	CHECK_OK(json_read(a, rest, 0, &json));
	return json;
}

static const Json *page_of(Arena *a, const Audit *audit, Str folder, Str json, HtmlLimits limits,
                           Buf *out)
{
	const AuditRules rules = { .root = folder };

	CHECK_OK(html_put(a, out, audit, &rules, json, limits));
	return data_of(a, buf_str(out));
}

static Str text_at(const Json *value)
{
	Str text = S("?");

	json_to_str(value, &text);
	return text;
}

static int64_t number_at(const Json *value)
{
	double x = -1;

	json_to_real(value, &x);
	return (int64_t)x;
}

TEST(html_is_whole_and_its_data_cannot_end_it)
{
	AUTO(buf_fini) Buf page = { 0 };
	Str folder = str_fmt(a, "%s/<shop>", unit_dir());
	const Json *data;
	Audit audit;

	mkdir(str_z(a, folder), 0777);
	audit = project_of_four(a, folder);
	found(a, &audit, 0, S("a.py"), 2);
	data = page_of(a, &audit, folder, S("{\"x\":\"</script>\",\"files\":[1],\"n\":[1,2,3]}"),
	               (HtmlLimits){ 9, 9, 9, 2 }, &page);
	CHECK(str_find(buf_str(&page), S("<title>&lt;shop>: audit</title>")) > 0);
	CHECK(str_find(buf_str(&page), S("script-src 'sha256-")) > 0);
	CHECK(str_ends(buf_str(&page), S("</html>\n")));
	CHECK_STR(text_at(json_get(json_get(data, S("audit")), S("x"))), S("</script>"));
	CHECK(!json_get(json_get(data, S("audit")), S("files")));
	CHECK_INT(json_count(json_get(json_get(data, S("audit")), S("n"))), 2);
	CHECK_STR(text_at(json_get(json_at(json_get(data, S("findings")), 0), S("text"))),
	          S("a </script><b> in it"));
	project_fini(&audit.project);
}

TEST(html_shows_the_lines_around_and_no_secret)
{
	AUTO(buf_fini) Buf page = { 0 };
	Str folder = str_of(unit_dir());
	Audit audit = project_of_four(a, folder);
	const Json *findings, *code;

	found(a, &audit, 0, S("a.py"), 3);
	found(a, &audit, 0, S("a.py"), 99);
	found(a, &audit, 1, S("app/s.py"),
	      1); /* beside a secret, which is not to be seen there either */
	found(a, &audit, 2, S("app/s.py"), 2);
	audit.findings.at[3].end_line = 4;
	found(a, &audit, 0, S("../a.py"), 1);
	findings = json_get(page_of(a, &audit, folder, S("{}"), HTML_LIMITS, &page), S("findings"));
	code = json_get(json_at(findings, 0), S("code"));
	CHECK_INT(number_at(json_get(code, S("from"))), 1);
	CHECK_INT(json_count(json_get(code, S("lines"))), 3);
	CHECK_STR(text_at(json_at(json_get(code, S("lines")), 1)), S("    x = 1 < 2"));
	CHECK_INT(json_kind(json_get(json_at(findings, 1), S("code"))), JSON_KIND_NULL);
	code = json_get(json_at(findings, 2), S("code"));
	CHECK_STR(text_at(json_at(json_get(code, S("lines")), 0)), S("NAME = 'ann'"));
	CHECK_STR(text_at(json_at(json_get(code, S("lines")), 1)),
	          S("PASSWORD = (hidden: a secret)"));
	CHECK(str_find(buf_str(&page), S("correct horse")) < 0);
	CHECK(str_find(buf_str(&page), S("MIIEvQ")) < 0);
	CHECK(!json_get(json_at(findings, 4), S("code")));
	project_fini(&audit.project);
}

TEST(html_shows_lines_of_files_beside_the_sources_but_none_from_elsewhere)
{
	static const FindingRule ours = { .id = "PY999", .name = "unpinned", .why = "w" };
	static const struct {
		Str path;
		bool ours, shown;
	} cases[] = {
		{ S("locks.txt"), true, true },        { S("locks.txt"), false, false },
		{ S("link.txt"), true, false },        { S("../outside.txt"), true, false },
		{ S("app/../locks.txt"), true, true }, { S("none.txt"), true, false },
		{ S("/etc/hostname"), true, false },
	};
	Str folder = str_fmt(a, "%s/shop", unit_dir());

	mkdir(str_z(a, folder), 0777);
	write_text(a, str_of(unit_dir()), "outside.txt", "not yours\n");
	write_text(a, folder, "locks.txt", "django\n");
	CHECK_INT(symlink("../outside.txt", str_fmt(a, "%.*s/link.txt", STR_ARG(folder)).at), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf page = { 0 };
		Audit audit = project_of_four(a, folder);
		const Json *data;

		finding_add(a, &audit.findings,
		            &(Finding){ .rule = cases[i].ours ? &ours : &rules_of_test[0],
		                        .path = cases[i].path,
		                        .line = 1 });
		data = page_of(a, &audit, folder, S("{}"), HTML_LIMITS, &page);
		CHECK_INT(json_get(json_at(json_get(data, S("findings")), 0), S("code")) != NULL,
		          cases[i].shown);
		project_fini(&audit.project);
	}
}

TEST(html_has_the_scorecard_of_the_root)
{
	AUTO(buf_fini) Buf page = { 0 };
	AUTO(buf_fini) Buf odd = { 0 };
	Str folder = str_of(unit_dir());
	Audit audit = project_of_four(a, folder);
	const Json *data, *now;

	write_text(a, folder, "banyan-scorecard.json",
	           "{\"version\":1,\"taken\":\"2026-01-31T00:00:00Z\",\"scores\":{\"users\":"
	           "{\"value\":500,\"source\":\"configured\",\"from\":\"\"}}}\n");
	data = page_of(a, &audit, folder, S("{}"), HTML_LIMITS, &page);
	CHECK_INT(number_at(json_get(json_get(json_get(json_get(data, S("before")), S("scores")),
	                                      S("users")),
	                             S("value"))),
	          500);
	now = json_get(json_get(json_get(data, S("now")), S("scores")), S("lines"));
	CHECK_INT(number_at(json_get(now, S("value"))), 11);
	write_text(a, folder, "banyan-scorecard.json", "{\"version\":1,");
	CHECK(!json_get(page_of(a, &audit, folder, S("{}"), HTML_LIMITS, &odd), S("before")));
	project_fini(&audit.project);
}

TEST(html_cuts_what_is_too_much_and_says_so)
{
	AUTO(buf_fini) Buf page = { 0 };
	Str folder = str_of(unit_dir());
	Audit audit = project_of_four(a, folder);
	const Json *data, *files, *cut;
	int64_t lines = 0;

	for (uint32_t i = 0; i < 200; i++)
		found(a, &audit, 0, S("a.py"), 1);
	found(a, &audit, 1, S("app/b.py"), 1);
	data = page_of(a, &audit, folder, S("{}"), (HtmlLimits){ 2, 0, 60, 9 }, &page);
	CHECK_INT(json_count(json_get(data, S("findings"))), 60);
	CHECK_STR(text_at(json_get(json_at(json_get(data, S("findings")), 59), S("path"))),
	          S("app/b.py")); /* the one of its rule, although it weighs least */
	CHECK_INT(number_at(json_get(json_at(json_get(data, S("rules")), 0), S("count"))), 200);
	files = json_get(data, S("files"));
	CHECK_INT(json_count(json_get(files, S("path"))), 3);
	CHECK_STR(text_at(json_at(json_get(files, S("path")), 1)), S("app/(other code files)"));
	CHECK_INT(number_at(json_at(json_get(files, S("folded")), 1)), 2);
	for (size_t i = 0; i < 3; i++)
		lines += number_at(json_at(json_get(files, S("sloc")), i));
	CHECK_INT(lines, 11);
	cut = json_get(json_get(data, S("page")), S("cut"));
	CHECK_INT(json_count(cut), 3);
	CHECK_STR(text_at(json_get(json_at(cut, 0), S("list"))), S("files"));
	CHECK_INT(number_at(json_get(json_at(cut, 0), S("of"))), 4);
	project_fini(&audit.project);
}

/* --- the page's formula is the program's ---------------------------------------------------------------------------------------------- */

enum { MONEY_CASES = 3000 };

static void check_node(Str command)
{
	char said[2000] = "";
	FILE *node = popen(command.at, "r");

	CHECK(node != NULL);
	said[fread(said, 1, sizeof(said) - 1, node)] = '\0';
	if (pclose(node) != 0 || !str_ends(str_of(said), S(" compared\n")))
		unit_fail(__FILE__, __LINE__, "%s", said);
}

static double chance(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (double)(*seed >> 33) / (double)(1U << 31);
}

static Range some_range(uint64_t *seed, double most)
{
	double likely = chance(seed) < 0.1 ? 0 : chance(seed) * most;

	if (chance(seed) < 0.4)
		return (Range){ likely, likely, likely };
	return (Range){ likely * chance(seed), likely, likely * (1 + chance(seed)) };
}

static MoneyCase some_case(uint64_t *seed, MoneyPhase *phase)
{
	static const double most[] = {
		[AMOUNT_HOURS] = 2000, [AMOUNT_MONEY] = 3e5, [AMOUNT_SHARE] = 1, [AMOUNT_YEARS] = 6
	};
	MoneyCase c = { .currency = S("$") };

	for (MoneyIn in = 0; in < MONEY_INPUTS; in++)
		if (in == MONEY_YEARS || chance(seed) < 0.7)
			c.in[in] = (MoneyInput){ some_range(seed, most[money_row(in)->unit]),
				                 MONEY_CONFIGURED, S("") };
	phase->cost = some_range(seed, 3e6);
	if (chance(seed) < 0.8) {
		c.phases = phase;
		c.phase_count = 1;
	}
	return c;
}

static void put_money_table(JsonWriter *w)
{
	static const Str units[] = { [AMOUNT_HOURS] = S("h"),
		                     [AMOUNT_MONEY] = S("m"),
		                     [AMOUNT_SHARE] = S("s"),
		                     [AMOUNT_YEARS] = S("y") };

	json_begin_array(w);
	for (MoneyIn in = 0; in < MONEY_INPUTS; in++) {
		const MoneyInRow *row = money_row(in);

		json_begin_object(w);
		json_put_str(w, "key", str_of(row->key));
		json_put_str(w, "unit", units[row->unit]);
		json_put_str(w, "per", str_of(row->per));
		json_put_real(w, "most", row->most);
		json_put_bool(w, "assumed", row->assumed);
		json_end(w);
	}
	json_end(w);
}

static void put_amount(Buf *b, double amount)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(b);

	money_amount_put(&text, S("$"), amount);
	json_begin_array(&w);
	json_add_real(&w, amount);
	json_add_str(&w, buf_str(&text));
	json_end(&w);
	buf_putc(b, '\n');
}

static void put_case(Arena *a, Buf *b, uint64_t *seed)
{
	JsonWriter w = json_writer(b);
	MoneyPhase phase = { 0 };
	MoneyCase c = some_case(seed, &phase);
	MoneyResult r;

	money_reckon(a, &c, &r);
	money_put_json(&w, &c, &r);
	buf_putc(b, '\n');
	if (r.net.known)
		put_amount(b, r.net.is.likely);
}

TEST(html_money_of_the_page_is_that_of_the_program)
{
	static const double amounts[] = { 0,       0.004, 0.5,     -0.001,  12,
		                          999.4,   999.6, 1000,    1690000, -40000,
		                          31250.5, 312.5, 1.005e9, 99950,   100500 };
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str path = str_fmt(a, "%s/cases", unit_dir());
	uint64_t seed = 1;

	put_money_table(&w);
	buf_putc(&b, '\n');
	for (size_t i = 0; i < COUNT(amounts); i++)
		put_amount(&b, amounts[i]);
	for (int i = 0; i < MONEY_CASES; i++)
		put_case(a, &b, &seed);
	buf_putc(&b, '\0');
	write_text(a, str_of(unit_dir()), "cases", b.at);
	check_node(str_fmt(a, "node tests/page_money.js %.*s", STR_ARG(path)));
}

TEST(html_layout_of_the_page_is_sound)
{
	check_node(S("node tests/page_layout.js"));
}
