/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pg_url.c"

#include "unit.h"

static Str option(const PgTarget *target, const char *keyword)
{
	for (size_t i = 0; target->keywords[i]; i++)
		if (!strcmp(target->keywords[i], keyword))
			return str_of(target->values[i]);
	return (Str){ 0 };
}

TEST(pg_url_says_where_and_who)
{
	static const struct {
		Str url, shown, user, password, host, port;
	} cases[] = {
		{ S("postgresql://ann:s%40crt@db.example:6543/shop"), S("db.example:6543/shop"),
		  S("ann"), S("s@crt"), S("db.example"), S("6543") },
		{ S("postgres://db/shop"), S("db/shop"), S(""), S(""), S("db"), S("") },
		{ S("postgresql://[::1]:5432/x"), S("::1:5432/x"), S(""), S(""), S("::1"),
		  S("5432") },
		{ S("postgresql:///shop?host=/run/pg"), S("/run/pg/shop"), S(""), S(""),
		  S("/run/pg"), S("") },
		{ S("postgresql://"), S("socket"), S(""), S(""), S(""), S("") },
		{ S("postgresql:///x?hostaddr=10.0.0.1"), S("10.0.0.1/x"), S(""), S(""),
		  S("10.0.0.1"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		PgTarget target;

		NOTE("%.*s", STR_ARG(cases[i].url));
		CHECK_OK(pg_target_read(a, cases[i].url, true, &target));
		CHECK_STR(target.shown, cases[i].shown);
		CHECK_STR(option(&target, "user"), cases[i].user);
		CHECK_STR(option(&target, "password"), cases[i].password);
		CHECK_STR(option(&target, "host"), S(""));
		CHECK_STR(option(&target, "hostaddr"), S(""));
		CHECK_STR(option(&target, "gssencmode"), S("disable"));
		CHECK_INT(target.host_count, 1);
		CHECK_STR(target.hosts[0].name, cases[i].host);
		CHECK_STR(target.hosts[0].port, cases[i].port);
	}
}

TEST(pg_url_of_several_hosts)
{
	PgTarget target;

	CHECK_OK(pg_target_read(a, S("postgresql://a:1,b:2,/c?target_session_attrs=any"), true,
	                        &target));
	CHECK_INT(target.host_count, 3);
	CHECK_STR(target.hosts[1].name, S("b"));
	CHECK_STR(target.hosts[1].port, S("2"));
	CHECK_STR(target.hosts[2].port, S(""));
	CHECK_STR(option(&target, "target_session_attrs"), S("any"));
	CHECK_OK(pg_target_read(a, S("postgresql://a,b/x?port=7"), true, &target));
	CHECK_STR(target.hosts[0].port, S("7"));
	CHECK_STR(target.hosts[1].port, S("7"));
}

TEST(pg_url_what_a_session_goes_by)
{
	PgTarget target;

	CHECK_OK(pg_target_read(a, S("postgresql://h/x?options=-c%20a%3D1&gssencmode=prefer"), true,
	                        &target));
	CHECK(str_starts(option(&target, "options"), S("-c timezone=UTC")));
	CHECK(str_ends(option(&target, "options"), S(" -c a=1"))); /* last, so that it counts */
	CHECK_STR(option(&target, "gssencmode"), S("disable"));
	CHECK_STR(option(&target, "application_name"), S("banyan"));
	CHECK_INT(target.connect_us, 5 * US_PER_S);
	CHECK_OK(pg_target_read(a, S("postgresql://h/x?application_name=y&connect_timeout=2"),
	                        false, &target));
	CHECK_STR(option(&target, "options"), S(""));
	CHECK_STR(option(&target, "application_name"), S("y"));
	CHECK_STR(option(&target, "connect_timeout"), S(""));
	CHECK_INT(target.connect_us, 2 * US_PER_S);
}

TEST(pg_url_mistakes_are_named_and_passwords_are_not)
{
	static const struct {
		Str url, said;
	} cases[] = {
		{ S("mysql://h/x"), S("expected postgresql://") },
		{ S("host=h dbname=x"), S("expected postgresql://") },
		{ S("postgresql://u:secret@h/x?colour=red"), S("colour") },
		{ S("postgresql://u:secret@[::1/x"), S("expected postgresql://") },
		{ S("postgresql://u:secret%zz@h/x"), S("invalid percent-encoded token") },
		{ S("postgresql://h:0/x"), S("a port is a number") },
		{ S("postgresql://u:p@secret:secret@h/x"), S("a port is a number") },
		{ S("postgresql://h:99999/x"), S("a port is a number") },
		{ S("postgresql://a:1,b:2,c:3/x?port=1,2"), S("2 ports for 3 hosts") },
		{ S("postgresql://a,b,c,d,e,f,g,h,i/x"), S("at most 8 hosts") },
		{ S("postgresql://a/x?hostaddr=10.0.0.1"), S("hostaddr beside a host") },
		{ S("postgresql://a/x?connect_timeout=0"), S("connect_timeout") },
		{ S("postgresql://a/x?connect_timeout=soon"), S("connect_timeout") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		PgTarget target;
		Err *err = pg_target_read(a, cases[i].url, true, &target);

		NOTE("%.*s: %.*s", STR_ARG(cases[i].url), err ? (int)err->text.len : 0,
		     err ? err->text.at : "");
		CHECK_ERR(err, "db.url");
		CHECK(str_find(err->text, cases[i].said) >= 0);
		CHECK(str_find(err->text, S("secret")) < 0);
	}
}
