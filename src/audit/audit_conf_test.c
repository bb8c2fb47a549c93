/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_conf.c"

#include "unit.h"

static void write_file(Arena *a, const char *folder, const char *name, const char *text)
{
	FILE *file = fopen(str_fmt(a, "%s/%s", folder, name).at, "w");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static AuditArgs args_of(Arena *a, const char *const *roots, size_t count)
{
	AuditArgs args = { .cache = S("none") };

	args.roots.at = ARENA_ARRAY(a, Str, count + 1);
	args.roots.count = count;
	for (size_t i = 0; i < count; i++)
		args.roots.at[i] = str_of(roots[i]);
	return args;
}

TEST(audit_table_is_in_order)
{
	CHECK_OK(conf_check_table(a, audit_table()));
}

TEST(audit_rules_are_of_the_folder_s_file_and_of_the_command_line)
{
	const char *folder = unit_dir();
	AuditArgs args = args_of(a, &folder, 1);
	const MoneyConf *money;
	AuditRules rules;

	write_file(a, folder, "banyan.yaml",
	           "routes: [ { anything: else } ]\n"
	           "audit:\n"
	           "  exclude: [ 'old/**' ]\n"
	           "  off: [ PY101, print-call, bandit:B101 ]\n"
	           "  capacity: 640\n"
	           "  groups: { orders: { paths: 'shop/orders/**' }, rest: { paths: [ a, b ] } }\n"
	           "  money: { rate: 75 }\n");
	args.exclude.at = &(Str){ S("*_x.py").at, 6 };
	args.exclude.count = 1;
	CHECK_OK(audit_rules(a, &args, &rules));
	CHECK_STR(rules.root, str_of(folder));
	CHECK_INT(rules.root_count, 0);
	CHECK_INT(rules.exclude_count, 2);
	CHECK_STR(rules.exclude[0], S("old/**"));
	CHECK_STR(rules.exclude[1], S("*_x.py"));
	CHECK(audit_rule_is_off(&rules, "PY101", "x") &&
	      audit_rule_is_off(&rules, "PY1", "print-call"));
	CHECK(!audit_rule_is_off(&rules, "PY1", "x"));
	CHECK_INT(rules.conf->groups.count, 2);
	CHECK_STR(rules.conf->groups.at[1].name, S("rest"));
	CHECK_INT(rules.conf->groups.at[1].paths.count, 2);
	money = audit_section(&rules, money_table());
	CHECK_STR(money->in[MONEY_RATE].amount, S("75"));
	CHECK_NULL(rules.cache);
}

TEST(audit_rules_without_a_file_are_defaults)
{
	const char *folder = unit_dir();
	AuditArgs args = args_of(a, &folder, 1);
	const MoneyConf *money;
	AuditRules rules;

	CHECK_OK(audit_rules(a, &args, &rules));
	CHECK_STR(rules.file, S(""));
	money = audit_section(&rules, money_table());
	CHECK_STR(money->currency, S("$"));
	args.config = str_fmt(a, "%s/none.yaml", folder);
	CHECK_ERR(audit_rules(a, &args, &rules), "base.file");
}

TEST(audit_rules_name_what_is_wrong_in_their_part)
{
	const char *folder = unit_dir();
	AuditArgs args = args_of(a, &folder, 1);
	AuditRules rules;

	write_file(a, folder, "banyan.yaml", "audit: { exclud: [ x ] }\n");
	CHECK_ERR(audit_rules(a, &args, &rules), "conf.invalid");
	write_file(a, folder, "banyan.yaml", "audit: { money: { rate: none } }\n");
	CHECK_ERR(audit_rules(a, &args, &rules), "conf.invalid");
}

TEST(audit_roots_have_the_folder_above_them_all)
{
	const char *folder = unit_dir();
	const char *roots[] = { str_fmt(a, "%s/a/x", folder).at, str_fmt(a, "%s/b", folder).at,
		                str_fmt(a, "%s/a/x/y", folder).at, str_fmt(a, "%s/b/", folder).at };
	AuditArgs args = args_of(a, roots, COUNT(roots));
	AuditRules rules;
	Str real;

	mkdir(str_fmt(a, "%s/a", folder).at, 0700);
	mkdir(roots[0], 0700);
	mkdir(roots[1], 0700);
	mkdir(roots[2], 0700);
	CHECK_OK(real_of(a, str_of(folder), &real));
	CHECK_OK(audit_rules(a, &args, &rules));
	CHECK_STR(rules.root, real);
	CHECK_INT(rules.root_count, 2);
	CHECK_STR(rules.roots[0], S("a/x"));
	CHECK_STR(rules.roots[1], S("b"));
	args.roots.at[1] = S("/nowhere/at/all");
	CHECK_ERR(audit_rules(a, &args, &rules), "audit.root");
}

TEST(audit_roots_of_a_file_are_from_its_folder)
{
	const char *folder = unit_dir();
	AuditArgs args = args_of(a, &folder, 1);
	AuditRules rules;
	Str real;

	mkdir(str_fmt(a, "%s/src", folder).at, 0700);
	write_file(a, folder, "banyan.yaml", "audit: { roots: src }\n");
	CHECK_OK(real_of(a, str_of(folder), &real));
	CHECK_OK(audit_rules(a, &args, &rules));
	CHECK_STR(rules.root, real);
	CHECK_INT(rules.root_count, 1);
	CHECK_STR(rules.roots[0], S("src"));
}

TEST(audit_folders_have_each_other)
{
	CHECK(has(S("/a"), S("/a/b")) && has(S("/a"), S("/a")) && has(S("/"), S("/x")));
	CHECK(!has(S("/a"), S("/ab")) && !has(S("/a/b"), S("/a")));
	CHECK_STR(above(S("/a/b")), S("/a"));
	CHECK_STR(above(S("/a")), S("/"));
	CHECK_STR(below(S("/"), S("/a/b")), S("a/b"));
	CHECK_STR(below(S("/a"), S("/a")), S(""));
	CHECK_STR(folder_of(S("banyan.yaml")), S("."));
	CHECK_STR(folder_of(S("x/banyan.yaml")), S("x"));
}

TEST(audit_rules_that_are_none_are_slips)
{
	CHECK_OK(verify_rule(a, S("PY101")));
	CHECK_OK(verify_rule(a, S("bandit:B101")));
	CHECK_ERR(verify_rule(a, S("PY999")), "audit.rule");
	CHECK_ERR(verify_rule(a, S("print-cal")), "audit.rule");
}
