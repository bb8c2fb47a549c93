/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of other tools, as texts: what is made of each, and of several together. */
#include "audit/outside.c"

#include "unit.h"

#include <stdio.h>

static const char *const paths[] = { "apps/shop/models.py", "shop/models.py", "shop/views.py",
	                             "tests/test_order.py" };

typedef struct Made {
	Gathering g;
	Project p;
	AuditFile files[COUNT(paths)];
	OutsideConf conf;
	Outside out;
} Made;

static void made_fini(void *made)
{
	gathering_fini(&((Made *)made)->g);
}

static Made *make(Arena *a)
{
	Made *m = ARENA_NEW(a, Made);

	m->p = (Project){ .files = m->files, .count = COUNT(paths) };
	m->g = (Gathering){
		.arena = a, .conf = &m->conf, .project = &m->p, .root = S("/w"), .out = &m->out
	};
	m->out.today = S("2026-01-31");
	arena_defer(a, made_fini, m);
	for (size_t i = 0; i < COUNT(paths); i++) {
		m->files[i] = (AuditFile){ .path = str_of(paths[i]), .measures.lines.lloc = 1 };
		map_put(&m->g.paths, m->files[i].path, &m->files[i]);
	}
	return m;
}

/* --- coverage ------------------------------------------------------------------------------------------------------------------------- */

#define COBERTURA(source, file, lines) \
	"<?xml version='1.0'?>\n<!DOCTYPE coverage SYSTEM 'http://x/coverage-04.dtd'>\n<coverage timestamp='1700000000000'><sources><source>" source \
	"</source></sources><packages><package><classes><class filename='" file \
	"'><methods/><lines>" lines "</lines></class></classes></package></packages></coverage>"

TEST(coverage_of_several_reports_is_put_together_by_line)
{
	Made *m = make(a);
	Str one = S(COBERTURA(
		"/ci/x/shop", "views.py",
		"<line number='1' hits='1'/><line number='2' hits='0' branch='true' condition-coverage='50% (1/2)'/><line number='3' hits='0'/>"));
	Str other = S(
		"TN:\nSF:/home/me/shop/views.py\nDA:2,4\nDA:3,0\nBRDA:2,0,0,1\nBRDA:2,0,1,-\nend_of_record\nSF:elsewhere.py\nDA:1,1\nend_of_record\n");
	const CoverageFile *f;

	CHECK(coverage_is(one) && coverage_is(other) && !coverage_is(S("<testsuite/>")));
	CHECK_OK(coverage_read(&m->g, S("a"), one));
	CHECK_OK(coverage_read(&m->g, S("b"), other));
	coverage_end(&m->g);
	CHECK_INT(m->out.coverage.count, 1);
	f = coverage_of(&m->out.coverage, 2);
	CHECK_INT(f->lines, 3);
	CHECK_INT(f->covered, 2);
	CHECK_INT(f->branches, 2);
	CHECK_INT(f->taken, 1);
	CHECK_INT(m->out.coverage.elsewhere, 1);
	CHECK_INT(m->out.coverage.time_s, 1700000000);
	CHECK_INT(m->out.coverage.unmeasured, 3);
	CHECK_NEAR(coverage_percent(&m->out.coverage), 66.7, 0.1);
}

TEST(coverage_finds_whose_file_is_meant)
{
	static const struct {
		const char *source, *file;
		int want; /* -1: none */
	} cases[] = {
		{ "", "shop/models.py", 1 },
		{ "/b/apps", "shop/models.py", 0 },
		{ "/b/apps/", "./shop/models.py", 0 },
		{ "/b/shop", "models.py", 1 },
		{ "/b", "models.py", -1 },
		{ "/b/other", "models.py", -1 },
		{ "/b", "/x/y/apps/shop/models.py", 0 },
		{ "C:\\w\\shop", "views.py", 2 },
		{ "", "a/b/views.py", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a);

		CHECK_OK(coverage_read(
			&m->g, S("a"),
			str_fmt(a,
		                "<coverage><sources><source>%s</source></sources><class filename='%s'><line number='1' hits='1'/></class></coverage>",
		                cases[i].source, cases[i].file)));
		coverage_end(&m->g);
		CHECK_INT(m->out.coverage.count ? (int)m->out.coverage.files[0].file : -1,
		          cases[i].want);
	}
}

TEST(xml_that_is_broken_deep_or_declares_entities_is_refused)
{
	Made *m = make(a);
	AUTO(buf_fini) Buf b = { 0 };

	CHECK_ERR(coverage_read(&m->g, S("a"), S("<coverage><line number='1'")), "xml.syntax");
	CHECK_ERR(coverage_read(&m->g, S("a"),
	                        S("<!DOCTYPE coverage [<!ENTITY x 'y'>]><coverage>&x;</coverage>")),
	          "xml.syntax");
	buf_put(&b, S("<coverage>"));
	for (int i = 0; i < 100000; i++)
		buf_put(&b, S("<a>"));
	CHECK_ERR(coverage_read(&m->g, S("a"), buf_str(&b)), "xml.syntax");
}

/* --- tests and builds -------------------------------------------------------------------------------------------------------------------- */

TEST(tests_are_counted_case_by_case)
{
	Made *m = make(a);
	const Tests *t = &m->out.tests;

	CHECK(tests_is(S("<?xml version='1.0'?><testsuites/>")));
	CHECK_OK(tests_read(
		&m->g, S("a"),
		S("<testsuites tests='99'><testsuite tests='99'><testcase classname='t.A' name='x' time='1.5'/>"
	          "<testcase name='y' time='nan'><failure message='no&#10;more'>z</failure></testcase>"
	          "<testcase name='z' time='-3'><error/></testcase><testcase name='s'><skipped/></testcase></testsuite></testsuites>")));
	tests_end(&m->g);
	CHECK_INT(t->tests, 4);
	CHECK_INT(t->failures, 1);
	CHECK_INT(t->errors, 1);
	CHECK_INT(t->skipped, 1);
	CHECK_NEAR(t->seconds, 1.5, 1e-9);
	CHECK_STR(t->slowest[0].name, S("t.A.x"));
	CHECK_INT(t->failed_count, 2);
	CHECK_STR(t->failed[0].why, S("no"));
}

TEST(tests_that_took_longer_than_time_itself_have_a_sum)
{
	Made *m = make(a);

	CHECK_OK(tests_read(
		&m->g, S("a"),
		S("<testsuite><testcase name='x' time='1e308'/><testcase name='y' time='1e308'/></testsuite>")));
	tests_end(&m->g);
	CHECK_NEAR(m->out.tests.seconds, 2e9, 1);
}

TEST(builds_last_from_the_first_time_to_the_last)
{
	static const struct {
		const char *text;
		double seconds;
		const char *what, *step;
		double step_seconds;
	} cases[] = {
		{ "\xef\xbb\xbf"
		  "2024-01-31T23:59:00.5000000Z a\n2024-01-31T23:59:10.0Z ##[group]Run make\n2024-02-01T00:00:00.5Z b\n",
		  60, "GitHub log", "make", 50.5 },
		{ "x section_start:1700000000:build_script[collapsed=true]\r\x1b[0K\nsection_end:1700000090:build_script\r\x1b[0Ksection_start:1700000090:after_script\r\n"
		  "section_end:1700000100:after_script\r\n",
		  100, "GitLab log", "build_script", 90 },
		{ "[12:00:00] a\n[12:10:00] b\n", 600, "log with times", NULL, 0 },
		{ "23:59:00 a\n00:01:00 b\n", 120, "log with times", NULL, 0 },
		{ "2024-02-28 23:00:00,250 a\nnothing\n2024-02-29 01:00:00 b", 7199.75,
		  "log with times", NULL, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a);
		const Builds *b = &m->out.builds;

		CHECK_OK(builds_read(&m->g, S("a"), str_of(cases[i].text)));
		builds_end(&m->g);
		CHECK_NEAR(b->median, cases[i].seconds, 1e-6);
		CHECK_STR(str_of(((OutsideFile *)(void *)m->g.files.at)->what),
		          str_of(cases[i].what));
		CHECK_INT(b->step_count > 0, cases[i].step != NULL);
		if (cases[i].step) {
			CHECK_STR(b->steps[0].name, str_of(cases[i].step));
			CHECK_NEAR(b->steps[0].seconds, cases[i].step_seconds, 1e-6);
		}
	}
	CHECK_ERR(builds_read(&make(a)->g, S("a"), S("no times\n2024-13-01 00:00\n")),
	          "audit.outside");
}

/* --- packages --------------------------------------------------------------------------------------------------------------------------------- */

static Str listed(Arena *a, const Made *m)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < m->out.packages.count; i++) {
		const Package *p = &m->out.packages.at[i];

		buf_fmt(&b, "%s%.*s=%.*s%s%s", i ? " " : "", STR_ARG(p->name),
		        STR_ARG(p->version.len ? p->version : S("?")), p->direct ? "!" : "",
		        p->dev ? "(dev)" : "");
	}
	return str_dup(a, buf_str(&b));
}

TEST(packages_of_all_sorts_of_files)
{
	static const struct {
		const char *path, *text, *want;
	} cases[] = {
		{ "/w/requirements.txt",
		  "# x\nDjango==3.2.1 # y\nzope.interface [a,b] (>=1,<2) ; python_version > '3'\n\nsix \\\n  ==1.0 \\\n  --hash=sha256:aa --hash=sha256:bb\n"
		  "-i https://x\nurl @ https://x/y.whl ; a == 'b'\n-e git+https://x/y.git#egg=Egg_Name&subdirectory=z\n./local\n",
		  "django=3.2.1! egg-name=?! six=1.0! url=?! zope-interface=?!" },
		{ "/w/requirements-dev.txt",
		  "asgiref==3.7\n    # via django\ndjango==4.2\n    # via -r requirements.in\nsqlparse==1  # via django\n",
		  "asgiref=3.7(dev) django=4.2!(dev) sqlparse=1(dev)" },
		{ "/w/poetry.lock",
		  "[[package]]\nname = \"django\"\nversion = \"3.2\"\ncategory = \"main\"\n[package.dependencies]\nasgiref = \">=3\"\nPytz = \"*\"\n"
		  "[[package]]\nname = \"pytest\"\nversion = \"7\"\ngroups = [\"dev\"]\n[metadata]\npython-versions = \"^3.8\"\n",
		  "django=3.2 pytest=7(dev)" },
		{ "/w/uv.lock",
		  "requires-python = \">=3.12\"\n[[package]]\nname = \"shop\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"django\" }]\n"
		  "[package.dev-dependencies]\ndev = [{ name = \"ruff\" }]\n"
		  "[[package]]\nname = \"django\"\nversion = \"5.2\"\ndependencies = [{ name = \"asgiref\" }]\n[[package]]\nname = \"asgiref\"\nversion = \"3.8\"\n"
		  "[[package]]\nname = \"ruff\"\nversion = \"0.5\"\n",
		  "asgiref=3.8 django=5.2! ruff=0.5!" },
		{ "/w/Pipfile.lock",
		  "{\"_meta\":{\"requires\":{\"python_version\":\"3.9\"}},\"default\":{\"Django\":{\"version\":\"==3.2\",\"hashes\":[\"sha256:x\"]}},"
		  "\"develop\":{\"own\":{\"git\":\"https://x\"}}}",
		  "django=3.2 own=?(dev)" },
		{ "/w/pyproject.toml",
		  "[project]\nrequires-python = '>=3.10'\ndependencies = ['django>=4', 'x==1']\n[project.optional-dependencies]\nt = ['pytest']\n"
		  "[dependency-groups]\nd = ['mypy', {include-group = 't'}]\n",
		  "django=?! mypy=?!(dev) pytest=?!(dev) x=1!" },
		{ "/w/pyproject.toml",
		  "[tool.poetry.dependencies]\npython = '^3.9'\ndjango = '^3.2'\nx = { version = '1.2', extras = ['a'] }\n[tool.poetry.group.d.dependencies]\ny='*'\n",
		  "django=?! x=1.2! y=?!(dev)" },
		{ "/w/setup.cfg",
		  "[metadata]\nname = x\n[options]\npython_requires = >=3.6\ninstall_requires =\n    django>=2\n    six==1\nzip_safe = no\n[options.extras_require]\ntest = pytest; x\n",
		  "django=?! pytest=?!(dev) six=1!" },
		{ "/w/Pipfile",
		  "[packages]\nDjango = '==3.2'\nx = { version = '*' }\n[dev-packages]\ny = '~=1.0'\n[requires]\npython_version = '3.8'\n",
		  "django=3.2! x=?! y=?!(dev)" },
		{ "/w/setup.py",
		  "setup(name='x', # y\n install_requires=[\n  'django>=2', \"six==1\", # z\n ], python_requires='>=3')\n",
		  "django=?! six=1!" },
		{ "/w/setup.py", "setup(install_requires=read('requirements'))\n", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a);

		CHECK(packages_is(str_of(cases[i].path)));
		CHECK_OK(packages_read(&m->g, str_of(cases[i].path), str_of(cases[i].text)));
		packages_end(&m->g);
		CHECK_STR(listed(a, m), str_of(cases[i].want));
	}
}

TEST(packages_that_a_lock_pins_are_pinned_whoever_asks_for_them)
{
	Made *m = make(a);

	CHECK_OK(packages_read(&m->g, S("/w/pyproject.toml"),
	                       S("[project]\ndependencies = ['Django>=3,<4', 'left']\n")));
	CHECK_OK(packages_read(
		&m->g, S("/w/poetry.lock"),
		S("[[package]]\nname='django'\nversion='3.2'\n[package.dependencies]\nasgiref='*'\n[[package]]\nname='asgiref'\nversion='3'\n")));
	CHECK_OK(packages_read(&m->g, S("/w/requirements.txt"), S("django==2.2\n")));
	packages_end(&m->g);
	CHECK_STR(listed(a, m), S("asgiref=3 django=2.2! django=3.2! left=?!"));
	CHECK_INT(m->out.packages.unpinned, 1);
	CHECK_STR(m->out.packages.at[1].wanted, S(">=3,<4"));
}

/* --- holes and ends ------------------------------------------------------------------------------------------------------------------------------ */

#define ADVISORY(more) \
	"{\"id\":\"G-1\",\"aliases\":[\"CVE-1\"],\"summary\":\"s\",\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"Django\"}," more \
	"}]}"
#define RANGE(events) "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" events "]}]"

TEST(holes_are_those_of_the_versions_that_osv_means)
{
	static const struct {
		const char *version, *text, *fixed; /* NULL: not affected */
	} cases[] = {
		{ "3.2.10",
		  ADVISORY(RANGE(
			  "{\"introduced\":\"2.2\"},{\"fixed\":\"2.2.28\"},{\"introduced\":\"3.2\"},{\"fixed\":\"3.2.13\"}")),
		  "3.2.13" },
		{ "3.2.13",
		  ADVISORY(RANGE(
			  "{\"introduced\":\"2.2\"},{\"fixed\":\"2.2.28\"},{\"introduced\":\"3.2\"},{\"fixed\":\"3.2.13\"}")),
		  NULL },
		{ "3.0",
		  ADVISORY(RANGE(
			  "{\"introduced\":\"2.2\"},{\"fixed\":\"2.2.28\"},{\"introduced\":\"3.2\"},{\"fixed\":\"3.2.13\"}")),
		  NULL },
		{ "3.2rc1", ADVISORY(RANGE("{\"introduced\":\"3.2\"}")), NULL },
		{ "1.0", ADVISORY(RANGE("{\"introduced\":\"0\"},{\"last_affected\":\"1.0\"}")),
		  "" },
		{ "1.0.1", ADVISORY(RANGE("{\"introduced\":\"0\"},{\"last_affected\":\"1.0\"}")),
		  NULL },
		{ "1.10", ADVISORY(RANGE("{\"fixed\":\"1.11\"},{\"introduced\":\"1.9\"}")),
		  "1.11" },
		{ "1.0.0", ADVISORY("\"versions\":[\"1.0\"]"), "" },
		{ "1.0",
		  ADVISORY("\"ranges\":[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}]"),
		  NULL },
		{ "1.0",
		  "{\"withdrawn\":\"2020\",\"id\":\"x\",\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"django\"},\"versions\":[\"1.0\"]}]}",
		  NULL },
		{ "1.0",
		  "{\"id\":\"x\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"django\"},\"versions\":[\"1.0\"]}]}",
		  NULL },
		{ "1.0", "{\"id\":\"x\",\"affected\":[]}\n" ADVISORY("\"versions\":[\"1.0\"]") "\n",
		  "" },
		{ "1.0", "{\"vulns\":[" ADVISORY("\"versions\":[\"1.0\"]") "]}", "" },
		{ "1.0",
		  "[" ADVISORY(
			  "\"versions\":[\"1.0\"]") ",{\"id\":\"CVE-1\",\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"django\"},\"versions\":[\"1.0\"]}]}]",
		  "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a);
		uint64_t count;

		CHECK_OK(packages_read(&m->g, S("/w/requirements.txt"),
		                       str_fmt(a, "django==%s\n", cases[i].version)));
		packages_end(&m->g);
		CHECK_OK(holes_take(&m->g, S("o"), str_of(cases[i].text), &count));
		holes_end(&m->g);
		CHECK_INT(m->out.packages.hole_count, cases[i].fixed != NULL);
		if (cases[i].fixed)
			CHECK_STR(m->out.packages.holes[0].fixed, str_of(cases[i].fixed));
	}
	{
		uint64_t count;

		CHECK_ERR(holes_take(&make(a)->g, S("o"), S("{\"a\":1}"), &count), "audit.outside");
		CHECK_ERR(holes_take(&make(a)->g, S("o"), S("no json"), &count), "json.syntax");
	}
}

TEST(ends_are_told_of_exact_versions_and_of_the_newest_that_a_range_allows)
{
	static const struct {
		const char *python, *django, *want;
	} cases[] = {
		{ "3.8.10", "django==3.2.1", "Django 3.2 -670, Python 3.8 -481" },
		{ ">=3.8", "django>=3.2,<4", "Django 3.2 -670, Python 3.14 1734" },
		{ ">=3.6,<3.9", "django", "Python 3.8 -481" },
		{ "2.7", "django~=1.11.3", "Python 2.7 -2222, Django 1.11 -2131" },
		{ "nonsense", "django==0.95", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a);
		AUTO(buf_fini) Buf b = { 0 };

		CHECK_OK(packages_read(&m->g, S("/w/requirements.txt"), str_of(cases[i].django)));
		packages_end(&m->g);
		python_add(&m->g, str_of(cases[i].python), S(".python-version"));
		keep_files(&m->g);
		ends_find(&m->g);
		for (size_t k = 0; k < m->out.packages.end_count; k++) {
			const End *e = &m->out.packages.ends[k];

			buf_fmt(&b, "%s%s %.*s %d", k ? ", " : "", e->product, STR_ARG(e->cycle),
			        e->days);
		}
		CHECK_STR(buf_str(&b), str_of(cases[i].want));
	}
}
