/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rule.c"

#include "unit.h"

static bool part(const void *arg, Str name, Str *value)
{
	(void)arg;
	if (!str_eq(name, S("id")))
		return false;
	*value = S("7");
	return true;
}

static const Json *claims_of(Arena *a)
{
	const Json *claims;

	CHECK_OK(json_read(
		a,
		S("{\"sub\":\"7\",\"uid\":7,\"age\":17.5,\"roles\":[\"admin\",\"staff\",3],\"scope\":\"read "
	          "write\",\"ok\":true,\"no\":false,\"realm\":{\"roles\":[\"x\"]},\"method\":\"claimed\","
	          "\"https://id.test/tier\":\"gold\",\"a.b\":1,\"yes\":\"true\",\"none\":null}"),
		0, &claims));
	return claims;
}

TEST(rules_and_what_they_come_to)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "sub == path.id", true },
		{ "uid == path.id", true },
		{ "uid == \"07\"", false },
		{ "sub != path.id", false },
		{ "sub == path.other", false },
		{ "path.other == null", true },
		{ "sub == path.id or \"admin\" in roles", true },
		{ "\"admin\" in roles", true },
		{ "'root' in roles", false },
		{ "3 in roles", true },
		{ "null in roles", false },
		{ "\"admin\" not in roles", false },
		{ "\"write\" in scope", true },
		{ "\"writ\" in scope", false },
		{ "\"\" in scope", false },
		{ "\"x\" in realm.roles", true },
		{ "\"x\" in realm", false },
		{ "\"x\" in missing", false },
		{ "\"x\" not in missing", true },
		{ "method in ['GET', 'HEAD']", true },
		{ "method in []", false },
		{ "claim.method == 'claimed'", true },
		{ "https://id.test/tier == 'gold'", true },
		{ "a.b == 1", true },
		{ "path == '/users/7'", true },
		{ "ok", true },
		{ "no", false },
		{ "yes", false },
		{ "sub", false },
		{ "missing", false },
		{ "missing == path.other", false },
		{ "missing != path.other", true },
		{ "null == null", true },
		{ "missing == null and none == null", true },
		{ "not no and not missing", true },
		{ "not (ok and no)", true },
		{ "not ok or ok", true },
		{ "no or no or ok", true },
		{ "ok and ok and no", false },
		{ "no and no or ok", true },
		{ "ok or no and no", true },
		{ "age >= 17 and age < 18", true },
		{ "age > 18", false },
		{ "uid <= 7 and uid >= -7", true },
		{ "sub < 8", false },
		{ "missing < 8", false },
		{ "uid == 7 and uid != 8", true },
		{ "(uid == 7) == true", true },
		{ "(uid == 8) == ok", false },
		{ "true", true },
		{ "false", false },
		{ "roles == roles", false },
	};
	const RuleAsk ask = {
		.claims = claims_of(a), .method = S("GET"), .path = S("/users/7"), .part = part
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Rule *rule;

		NOTE("%s", cases[i].text);
		CHECK_OK(rule_read(a, str_of(cases[i].text), &rule));
		CHECK_INT(rule_holds(rule, &ask), cases[i].want);
	}
}

TEST(of_nobody_nothing_is_known)
{
	const Rule *rule;

	CHECK_OK(rule_read(a, S("sub == path.id or \"admin\" in roles or ok"), &rule));
	CHECK(!rule_holds(rule, &(RuleAsk){ .method = S("GET") }));
}

TEST(mistakes_are_told_with_their_column)
{
	static const struct {
		const char *text, *slug, *says;
	} cases[] = {
		{ "", "rule.syntax", "column 1: expected a value, and the rule ends" },
		{ "sub ==", "rule.syntax", "column 7: expected a value, and the rule ends" },
		{ "sub = 7", "rule.syntax", "column 5: \"=\" means nothing here" },
		{ "sub == 'x", "rule.syntax", "column 8: the text has no end" },
		{ "sub == 7 7", "rule.syntax",
		  "column 10: expected and, or, or the end, not \"7\"" },
		{ "(sub == 7", "rule.syntax", "column 10: expected \")\", and the rule ends" },
		{ "sub not 7", "rule.syntax", "column 9: expected in, not \"7\"" },
		{ "or", "rule.syntax", "column 1: expected a value, not \"or\"" },
		{ "7 in [1 2]", "rule.syntax", "column 9: expected \",\" or \"]\", not \"2\"" },
		{ "7 in [sub]", "rule.syntax", "column 7: a list has texts and numbers only" },
		{ "path. == 7", "rule.syntax", "column 1: path. wants a name after the dot" },
		{ "sub == 99999999999999999999", "rule.syntax",
		  "column 8: expected a number, not \"99999999999999999999\"" },
		{ "- == 1", "rule.syntax", "column 1: expected a number, not \"-\"" },
		{ "'x'", "rule.type",
		  "column 1: expected something that is true or false, not a text" },
		{ "ok and 'x'", "rule.type",
		  "column 8: expected something that is true or false, not a text" },
		{ "not method", "rule.type",
		  "column 5: expected something that is true or false, not a text" },
		{ "7 or ok", "rule.type",
		  "column 1: expected something that is true or false, not a number" },
		{ "sub < 'x'", "rule.type",
		  "column 7: only numbers are smaller or greater, and this is a text" },
		{ "path.id < 7", "rule.type",
		  "column 1: only numbers are smaller or greater, and this is a text" },
		{ "'x' in 7", "rule.type",
		  "column 8: `in` looks into a list or a text, not a number" },
		{ "'x' in (ok)", NULL, NULL },
		{ "'x' in (ok or no)", "rule.type",
		  "column 12: `in` looks into a list or a text, not true or false" },
		{ "sub == ['x']", "rule.type", "column 8: a list stands only after `in`" },
		{ "['x']", "rule.type", "column 1: a list stands only after `in`" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Rule *rule;
		Err *err = rule_read(a, str_of(cases[i].text), &rule);

		NOTE("%s", cases[i].text);
		if (!cases[i].slug) {
			CHECK_OK(err);
			continue;
		}
		CHECK_ERR(err, cases[i].slug);
		CHECK_STR(err->text, str_of(cases[i].says));
	}
}

TEST(rules_are_bounded)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Rule *rule;

	for (int i = 0; i < 40; i++)
		buf_put(&b, S("("));
	CHECK_ERR(rule_read(a, buf_str(&b), &rule), "rule.too_large");
	buf_clear(&b);
	for (int i = 0; i < 40; i++)
		buf_put(&b, S("not "));
	CHECK_ERR(rule_read(a, buf_str(&b), &rule), "rule.too_large");
	buf_clear(&b);
	for (int i = 0; i < 150; i++)
		buf_put(&b, S("ok or "));
	CHECK_ERR(rule_read(a, buf_str(&b), &rule), "rule.too_large");
	buf_clear(&b);
	for (int i = 0; i < 2001; i++)
		buf_put(&b, S(" "));
	CHECK_ERR(rule_read(a, buf_str(&b), &rule), "rule.too_large");
}

TEST(the_parts_that_a_rule_names)
{
	const Rule *rule;
	unsigned column;
	Str name;

	CHECK_OK(rule_read(a, S("sub == path.id and path.x != path"), &rule));
	CHECK(rule_part(rule, 0, &name, &column));
	CHECK_STR(name, S("id"));
	CHECK_INT(column, 8);
	CHECK(rule_part(rule, 1, &name, &column));
	CHECK_STR(name, S("x"));
	CHECK(!rule_part(rule, 2, &name, &column));
}
