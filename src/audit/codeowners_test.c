/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns and lines as GitHub's and GitLab's manuals have them. */
#include "audit/codeowners.c"

#include "unit.h"

TEST(owner_patterns_fit_as_github_says)
{
	static const struct {
		Str pattern, path;
		bool fits;
	} cases[] = {
		{ S("*"), S("a/b.py"), true },
		{ S("*.js"), S("deep/in/x.js"), true },
		{ S("*.js"), S("x.jsx"), false },
		{ S("/build/logs/"), S("build/logs/a/b.log"), true },
		{ S("/build/logs/"), S("x/build/logs/a.log"), false },
		{ S("docs/*"), S("docs/getting-started.md"), true },
		{ S("docs/*"), S("docs/build-app/troubleshooting.md"), false },
		{ S("apps/"), S("x/apps/y/z.py"), true },
		{ S("apps/"), S("apps"), false },
		{ S("/docs/"), S("docs/a/b.md"), true },
		{ S("/apps/github"), S("apps/github/x.py"), true },
		{ S("/apps/github"), S("apps/githubber"), false },
		{ S("**/logs"), S("build/logs/x"), true },
		{ S("**/logs"), S("logs"), true },
		{ S("**/logs"), S("mylogs"), false },
		{ S("shop/**/models.py"), S("shop/models.py"), true },
		{ S("shop/**/models.py"), S("shop/a/b/models.py"), true },
		{ S("shop/**/models.py"), S("shop/a/b/xmodels.py"), false },
		{ S("shop/**"), S("shop/a/b"), true },
		{ S("shop/**"), S("shop"), false },
		{ S("/*"), S("setup.py"), true },
		{ S("/*"), S("a/setup.py"), false },
		{ S("a?c"), S("x/abc"), true },
		{ S("a*c*e"), S("abcde"), true },
		{ S("a*c*e"), S("abcd"), false },
		{ S("orders"), S("shop/orders/x.py"), true },
		{ S("shop/orders"), S("x/shop/orders/y"), false },
		{ S("/"), S("a"), false },
		{ S(""), S("a"), false },
		{ S("**"), S("a/b"), true },
		{ S("**/**/x"), S("a/x"), true },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(owner_rule_fits(cases[i].pattern, cases[i].path, false) + 100 * (int)i,
		          cases[i].fits + 100 * (int)i);
}

TEST(owner_patterns_fit_as_gitlab_says)
{
	static const struct {
		Str pattern, path;
		bool fits;
	} cases[] = {
		{ S("README.md"), S("a/README.md"), true },
		{ S("/README.md"), S("a/README.md"), false },
		{ S("internal/README.md"), S("docs/internal/README.md"), true },
		{ S("/docs/"), S("docs/a/b"), true },
		{ S("/docs"), S("docs/a"), false },
		{ S("/docs/*"), S("docs/a"), true },
		{ S("/docs/*"), S("docs/a/b"), false },
		{ S("/docs/**/*"), S("docs/a/b"), true },
		{ S("/docs/**/index.md"), S("docs/index.md"), true },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(owner_rule_fits(cases[i].pattern, cases[i].path, true) + 100 * (int)i,
		          cases[i].fits + 100 * (int)i);
}

static Str owners(Arena *a, const OwnerRules *rules, const char *path, uint32_t section)
{
	const OwnerRule *rule = owner_rules_find(rules, str_of(path), section);
	Str all = rule ? S("") : S("none");

	for (uint32_t i = 0; rule && i < rule->count; i++)
		all = str_fmt(a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "",
		              STR_ARG(rule->owners[i]));
	return all;
}

TEST(owners_are_those_of_the_last_line_that_fits)
{
	OwnerRules rules;

	owner_rules_read(a,
	                 S("# owners\n*  @ann @shop/all  # everything\n\n/orders/ bob@shop.test\n"
	                   "/orders/old/\n!x @no\n[ab].py @no\r\n/my\\ file.py @cat\n"),
	                 false, &rules);
	CHECK(!rules.gitlab);
	CHECK_INT(rules.count, 4);
	CHECK_INT(rules.bad_line, 6);
	CHECK_STR(owners(a, &rules, "x.py", 0), S("@ann @shop/all"));
	CHECK_STR(owners(a, &rules, "orders/x.py", 0), S("bob@shop.test"));
	CHECK_STR(owners(a, &rules, "orders/old/x.py", 0), S(""));
	CHECK_STR(owners(a, &rules, "my file.py", 0), S("@cat"));
	CHECK_INT(owner_rules_find(&rules, S("orders/x.py"), 0)->line, 4);
}

TEST(owners_of_gitlab_have_sections)
{
	OwnerRules rules;

	owner_rules_read(a,
	                 S("* @all\n[Docs][2] @writers\n*.md\n/api/ @api\n^[Optional]\n*.py @py\n"
	                   "!/gen/ @nobody\n/gen/x.py @again\n[docs]\n/more.md @more\n"),
	                 false, &rules);
	CHECK(rules.gitlab);
	CHECK_INT(rules.sections, 3);
	CHECK_STR(owners(a, &rules, "a.md", 0), S("@all"));
	CHECK_STR(owners(a, &rules, "a.md", 1), S("@writers"));
	CHECK_STR(owners(a, &rules, "more.md", 1), S("@more"));
	CHECK_STR(owners(a, &rules, "x.py", 1), S("none"));
	CHECK_STR(owners(a, &rules, "x.py", 2), S("@py"));
	CHECK_STR(owners(a, &rules, "gen/x.py", 2), S("none")); /* out is out */
}
