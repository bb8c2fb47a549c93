/* SPDX-License-Identifier: Apache-2.0 */
#include "user/account_names.c"

#include "unit.h"

TEST(a_login_is_an_address_or_a_name)
{
	static const struct {
		Str login, email, name;
	} cases[] = {
		{ S(" Ann@Shop.TEST "), S("ann@shop.test"), S("ann@shop.test") },
		{ S("Ann"), S(""), S("ann") },
		{ S("ann@"), S(""), S("ann@") },
		{ S(""), S(""), S("") },
		{ S("a\0b"), S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		LoginForms forms = login_forms(a, cases[i].login);

		NOTE("%.*s", STR_ARG(cases[i].login));
		CHECK_STR(forms.email, cases[i].email);
		CHECK_STR(forms.name, cases[i].name);
		CHECK(forms.any.len || !cases[i].login.len);
	}
}

TEST(names_chosen_here_are_strict_and_those_of_others_are_let_be)
{
	static const struct {
		Str username;
		bool own, given;
	} cases[] = {
		{ S("ann"), true, true },    { S("ann@shop.test"), false, true },
		{ S("ann b"), false, true }, { S("p\xd0\xb0ypal"), false, true }, /* a Cyrillic a */
		{ S("a\nb"), false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (int own = 0; own < 2; own++) {
			FieldMistakes wrong = { .arena = a };
			UserNames out, in = { .username = cases[i].username };

			NOTE("%.*s, own %d", STR_ARG(cases[i].username), own);
			names_read(a, &in, own, &out, &wrong);
			CHECK_INT(wrong.count == 0, own ? cases[i].own : cases[i].given);
			CHECK(wrong.count || out.username_norm.len);
		}
}
