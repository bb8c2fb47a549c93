/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/signed_session.c"

#include "unit.h"

/* Made by Django 3.2 and Flask 2.2, at 1700000000 s. */
#define DJANGO \
	"eyJfYXV0aF91c2VyX2lkIjoiNyIsIm4iOjF9:1r31eq:j8sV4gBy0WtxhzmaAEIss_AjtndhJLufh9K3NoBN0cs"
#define DJANGO_PACKED \
	".eJyrVopPLC3JiC8tTi2Kz0xRslIyV9JRSk4sKlGyilZKLCjISQXyR-nhSMfWAgCOUKCl:1r31eq:" \
	"tMZBSat6ylLDiq6yqGMl150wYnMoQteCQUoyn14X9UI"
#define DJANGO_SHA1 "eyJfYXV0aF91c2VyX2lkIjoiNyIsIm4iOjF9:1r31eq:4Uer3ILnJecSSaL2UdwLNbGy0fI"
#define FLASK "eyJfdXNlcl9pZCI6IjciLCJuIjoxfQ.ZVPxAA.mlE6TEa5vkjPb3xP9mKIxxysd0M"
#define FLASK_PACKED \
	".eJyrVoovLU4tis9MUbJSMlfSUUpOLCpRsopWSiwoyEkF8kfp4UjH1gIAdYmelA.ZVPxAA.5rMK6SGllXhpqO_Rup9M2lLYsAk"

#define NOW_US (INT64_C(1700000000) * US_PER_S)

typedef Err *Read(Arena *a, Str cookie, const SignedRules *rules, int64_t now_us, const Json **out);

static void check_user(const Json *session, const char *name)
{
	Str user;

	CHECK(json_to_str(json_get(session, str_of(name)), &user));
	CHECK_STR(user, S("7"));
}

TEST(sessions_of_django)
{
	static const Str secrets[] = { S("the next one"), S("django-secret") };
	SignedRules rules = { secrets, 2, S("django.contrib.sessions.backends.signed_cookies"),
		              3600 * US_PER_S, false };
	const Json *session;

	CHECK_OK(django_session_read(a, S(DJANGO), &rules, NOW_US, &session));
	check_user(session, "_auth_user_id");
	CHECK_OK(django_session_read(a, S(DJANGO_PACKED), &rules, NOW_US, &session));
	CHECK_INT(json_count(json_get(session, S("cart"))), 60);
	CHECK_ERR(django_session_read(a, S(DJANGO_SHA1), &rules, NOW_US, &session),
	          "session.signature");
	rules.sha1 = true;
	CHECK_OK(django_session_read(a, S(DJANGO_SHA1), &rules, NOW_US, &session));
	CHECK_ERR(django_session_read(a, S(DJANGO), &rules, NOW_US + 3601 * US_PER_S, &session),
	          "session.expired");
	CHECK_ERR(django_session_read(a, S(DJANGO), &rules, NOW_US - 61 * US_PER_S, &session),
	          "session.expired");
	rules.salt = S("django.core.signing");
	CHECK_ERR(django_session_read(a, S(DJANGO), &rules, NOW_US, &session), "session.signature");
	rules = (SignedRules){ secrets, 1, S("django.contrib.sessions.backends.signed_cookies"),
		               3600 * US_PER_S, false };
	CHECK_ERR(django_session_read(a, S(DJANGO), &rules, NOW_US, &session), "session.signature");
}

TEST(sessions_of_flask)
{
	static const Str secret = S("flask-secret");
	const SignedRules rules = { &secret, 1, S("cookie-session"), 3600 * US_PER_S, false };
	const Json *session;

	CHECK_OK(flask_session_read(a, S(FLASK), &rules, NOW_US, &session));
	check_user(session, "_user_id");
	CHECK_OK(flask_session_read(a, S(FLASK_PACKED), &rules, NOW_US, &session));
	CHECK_INT(json_count(json_get(session, S("cart"))), 60);
	CHECK_ERR(flask_session_read(a, S(FLASK), &rules, NOW_US + 3601 * US_PER_S, &session),
	          "session.expired");
}

static void try_all(Arena *a, Read *read, Str cookie, const SignedRules *rules)
{
	for (size_t i = 0; i < cookie.len; i++) {
		Str changed = str_dup(a, cookie);
		const Json *session;

		((char *)changed.at)[i] = changed.at[i] == 'A' ? 'B' : 'A';
		NOTE("byte %zu", i);
		CHECK(read(a, changed, rules, NOW_US, &session));
		CHECK(read(a, str_sub(cookie, 0, i), rules, NOW_US, &session));
	}
}

TEST(a_cookie_that_was_changed_anywhere_is_refused)
{
	static const Str django = S("django-secret"), flask = S("flask-secret");
	const SignedRules d = { &django, 1, S("django.contrib.sessions.backends.signed_cookies"),
		                3600 * US_PER_S, false };
	const SignedRules f = { &flask, 1, S("cookie-session"), 3600 * US_PER_S, false };

	try_all(a, django_session_read, S(DJANGO), &d);
	try_all(a, django_session_read, S(DJANGO_PACKED), &d);
	try_all(a, flask_session_read, S(FLASK), &f);
	try_all(a, flask_session_read, S(FLASK_PACKED), &f);
}
