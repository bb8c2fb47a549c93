/* SPDX-License-Identifier: Apache-2.0 */
#include "user/user_domain.c"

#include "unit.h"

TEST(an_account_goes_these_ways_and_no_other)
{
	static const struct {
		UserStatus from, to;
	} ways[] = {
		{ USER_INVITED, USER_ACTIVE },   { USER_INVITED, USER_ERASED },
		{ USER_ACTIVE, USER_SUSPENDED }, { USER_ACTIVE, USER_ERASED },
		{ USER_SUSPENDED, USER_ACTIVE }, { USER_SUSPENDED, USER_ERASED },
	};
	UserStatus read;

	for (size_t from = 0; from < COUNT(statuses); from++) {
		CHECK(user_status_read(statuses[from], &read) && read == from);
		for (size_t to = 0; to < COUNT(statuses); to++) {
			bool want = false;

			for (size_t i = 0; i < COUNT(ways); i++)
				want |= ways[i].from == from && ways[i].to == to;
			NOTE("%zu to %zu", from, to);
			CHECK_INT(user_may_become((UserStatus)from, (UserStatus)to), want);
		}
	}
	CHECK(!user_status_read(S("Active"), &read));
}

TEST(words_have_their_forms)
{
	static const struct {
		Str text;
		bool role, locale, external;
	} cases[] = {
		{ S("admin"), true, false, false },
		{ S("de"), true, true, false },
		{ S("en-GB"), false, true, false },
		{ S("zh-Hant-TW"), false, true, false },
		{ S("sl-rozaj-biske-1994"), true, true, false },
		{ S("e"), true, false, false },
		{ S("d-"), true, false, false },
		{ S("1-a"), false, false, false },
		{ S("de-123456789"), true, false, false },
		{ S("x.y_z-1"), true, false, false },
		{ S("Admin"), false, false, false },
		{ S("ad min"), false, false, false },
		{ S(""), false, false, false },
		{ S("shop:42"), false, false, true },
		{ S("shop:a:b"), false, false, true },
		{ S("shop:"), false, false, false },
		{ S(":42"), false, false, false },
		{ S("shop:4/2"), false, false, false },
		{ S("shop:4 2"), false, false, false },
		{ S("shop:\xc3\xa4"), false, false, false },
		{ S("shop:\0"), false, false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_INT(role_is(cases[i].text), cases[i].role);
		CHECK_INT(locale_is(cases[i].text), cases[i].locale);
		CHECK_INT(external_is(cases[i].text), cases[i].external);
	}
}

TEST(roles_are_kept_sorted_and_once)
{
	static const Str given[] = { S("editor"), S("admin"), S("editor") };
	const Str *read;
	size_t count;
	Str text = roles_text(a, given, COUNT(given));

	CHECK_STR(text, S("admin editor"));
	read = roles_read(a, text, &count);
	CHECK_INT(count, 2);
	CHECK_STR(read[1], S("editor"));
	roles_read(a, S(""), &count);
	CHECK_INT(count, 0);
}

TEST(scopes_are_those_there_are)
{
	Str unknown;

	CHECK(scopes_known(S("users:read audit:read"), &unknown));
	CHECK(!scopes_known(S("users:read root"), &unknown));
	CHECK_STR(unknown, S("root"));
	CHECK(!scopes_known(S(""), &unknown));
}

TEST(a_session_ends_idle_or_old)
{
	static const SessionRule rule = {
		.idle_us = 100, .most_us = 250, .half_us = 30, .fresh_us = 50
	};
	Session s = { .level = 1, .proved_us = 1000 };

	session_dates(&s, &rule, 1000);
	CHECK(!session_is_over(&s, 1099));
	CHECK(session_is_over(&s, 1100));
	CHECK(!session_touch(&s, &rule, 1009)); /* not worth a write */
	CHECK(session_touch(&s, &rule, 1090));
	CHECK_INT(s.idle_until_us, 1190);
	CHECK(session_touch(&s, &rule, 1180));
	CHECK_INT(s.idle_until_us, 1250); /* it does not outlive itself */
	CHECK(!session_is_over(&s, 1249));
	CHECK(session_is_over(&s, 1250));
	CHECK(session_is_fresh(&s, &rule, 1049));
	CHECK(!session_is_fresh(&s, &rule, 1050));
}

TEST(half_a_login_is_short_and_stays_so)
{
	static const SessionRule rule = {
		.idle_us = 100, .most_us = 250, .half_us = 30, .fresh_us = 50
	};
	Session s = { .level = 0, .proved_us = 1000 };

	session_dates(&s, &rule, 1000);
	CHECK(!session_touch(&s, &rule, 1029));
	CHECK(session_is_over(&s, 1030));
	CHECK(!session_is_fresh(&s, &rule, 1001));
}

TEST(passwords_are_asked_for_their_length_and_not_to_be_a_name)
{
	static const PasswordRule rule = { .least = 8, .most = 64 };
	static const Str own[] = { S("ann@shop.test"), S("") };
	static const struct {
		Str password;
		const char *code;
	} cases[] = {
		{ S("correct horse"), NULL },
		{ S("12345678"), NULL },
		{ S("1234567"), "too_short" },
		{ S(""), "too_short" },
		{ S("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"),
		  "too_short" }, /* four of them, eight bytes */
		{ S("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"), NULL },
		{ S("0123456789012345678901234567890123456789012345678901234567890123"), NULL },
		{ S("01234567890123456789012345678901234567890123456789012345678901234"),
		  "too_long" },
		{ S("Ann@Shop.test"), "own_name" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *code = password_fault(&rule, cases[i].password, own, COUNT(own));

		NOTE("%.*s", STR_ARG(cases[i].password));
		CHECK_INT(code != NULL, cases[i].code != NULL);
		if (code)
			CHECK_STR(str_of(code), str_of(cases[i].code));
	}
}
