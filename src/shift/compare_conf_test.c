/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_conf.c"

#include "compare_base.h"
#include "unit.h"

TEST(compare_conf_rows_are_in_order)
{
	CHECK_OK(conf_check_table(a, compare_conf_table()));
}

TEST(compare_conf_fills_the_rules)
{
	CompareRules rules;
	const ConfPart part = { compare_conf_table(), &rules };
	Conf *conf = conf_new(a);
	Comparison found;

	CHECK_OK(conf_read(conf, S("test"),
	                   S("ignore: [.request_id, '..updated']\n"
	                     "unordered: .tags\n"
	                     "sets: .roles\n"
	                     "keyed: [.items, {path: .lines, by: .sku}]\n"
	                     "maps: .prices\n"
	                     "tolerances: {path: .total, absolute: 0.01}\n"
	                     "headers: [x-total]\n"
	                     "keep: csrf_fields\n"
	                     "mask: {names: iban2, paths: .user.name}\n"),
	                   &part, 1));
	CHECK_INT(rules.ignore.count, 2);
	CHECK_STR(rules.keyed.at[0].by, S(".id"));
	CHECK_STR(rules.keyed.at[1].by, S(".sku"));
	CHECK_INT(rules.form, COMPARE_BY_TYPE);
	CHECK_INT(rules.body_max, COMPARE_BODY_MAX);
	CHECK(rules.headers_given);
	CHECK_INT(rules.keep.at[0], COMPARE_CSRF_FIELDS);
	found = compare_typed(
		a, &rules, S("application/json"),
		S("{\"request_id\":1,\"tags\":[1,2],\"lines\":[{\"sku\":1,\"n\":1},{\"sku\":2,\"updated\":1}],\"total\":1}"),
		S("{\"request_id\":2,\"tags\":[2,1],\"lines\":[{\"sku\":2,\"updated\":2},{\"sku\":1,\"n\":2}],\"total\":1.005}"));
	CHECK_STR(compare_told(a, &found), S("value .lines[].n"));
}

TEST(compare_conf_defaults_are_a_zeroed_struct)
{
	CompareRules rules;
	const CompareRules zero = { .body_max = COMPARE_BODY_MAX };

	conf_defaults(a, compare_conf_table(), &rules);
	CHECK(conf_equal(compare_conf_table(), &rules, &zero));
	CHECK(!rules.headers_given);
}

TEST(compare_conf_refuses_what_is_no_path)
{
	static const Str cases[] = {
		S("ignore: [.a, 'b']"),
		S("unordered: '.a[0]'"),
		S("keyed: {path: .a, by: '.b[]'}"),

		S("maps: ['..']"),
		S("mask: {paths: x}"),
		S("tolerances: {path: .a, absolute: -1}"),
		S("form: xml"),
		S("body: 1"),
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CompareRules rules;
		const ConfPart part = { compare_conf_table(), &rules };
		Conf *conf = conf_new(a);

		NOTE("%.*s", STR_ARG(cases[i]));
		CHECK_ERR(conf_read(conf, S("test"), cases[i], &part, 1), "conf.invalid");
	}
}
