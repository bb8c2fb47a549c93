/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/intake.c"

#include "notification/bounce.h"

#include "unit.h"

static Peer peer(Arena *a, Str text)
{
	Addr addr;

	CHECK_OK(addr_parse(a, text, &addr));
	return peer_of(&addr);
}

TEST(who_is_trusted)
{
	static const struct {
		Str who;
		bool want;
	} cases[] = {
		{ S("127.0.0.1:1"), true },  { S("127.9.9.9:1"), true },
		{ S("[::1]:1"), true },      { S("10.1.2.3:1"), true },
		{ S("10.2.0.0:1"), false },  { S("192.0.2.7:1"), true },
		{ S("192.0.2.8:1"), false }, { S("[fd00::1]:1"), true },
		{ S("[fe00::1]:1"), false }, { S("[::ffff:10.1.0.1]:1"), true },
		{ S("[::2]:1"), false },     { S("8.8.8.8:1"), false },
	};
	static Str networks[] = { S("10.1.0.0/16"), S("192.0.2.7"), S("fd00::/8") };
	MailConf conf = { .intake = { .networks = { networks, COUNT(networks) } } };
	Mail mail = { .conf = &conf };
	Intake intake = { .mail = &mail };

	CHECK_OK(read_networks(&intake, a));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Peer p = peer(a, cases[i].who);

		NOTE("%.*s", STR_ARG(cases[i].who));
		CHECK_INT(is_trusted(&intake, &p), cases[i].want);
	}
}

TEST(networks_that_are_none)
{
	static const Str texts[] = { S(""),       S("x"),        S("10.0.0.0/33"), S("10.0.0.0/"),
		                     S("::/129"), S("10.0.0/8"), S("10.0.0.0/-1") };

	for (size_t i = 0; i < COUNT(texts); i++) {
		Str text = texts[i];
		MailConf conf = { .intake = { .networks = { &text, 1 } } };
		Mail mail = { .conf = &conf };
		Intake intake = { .mail = &mail };

		CHECK_ERR(read_networks(&intake, a), "mail.networks");
	}
}

TEST(strangers_leave_half_of_the_places)
{
	MailConf conf = { .intake = { .connections = 4 } };
	Mail mail = { .conf = &conf };
	Intake intake = { .mail = &mail };

	CHECK(place_take(&intake, false) && place_take(&intake, false));
	CHECK(!place_take(&intake, false));
	place_give(&intake, false);
	CHECK(place_take(&intake, true) && place_take(&intake, true));
	CHECK(!place_take(&intake, true));
	place_give(&intake, true);
	place_give(&intake, false);
	CHECK(!place_take(&intake, false) || intake.conns == 4);
}

/* A stranger reports about mails of ours; it hands in none for others. */
TEST(no_relay_for_strangers)
{
	MailConf conf = { .bounces = S("bounces@shop.test") };
	Mail mail = { .conf = &conf, .secret = S("secret") };
	Intake intake = { .mail = &mail };
	IntakeConn stranger = { .intake = &intake }, own = { .intake = &intake, .trusted = true };
	SmtpEnvelope nobody = { 0 }, somebody = { .user = S("shop") };
	Str address = verp_make(a, conf.bounces, uuid_new(), mail.secret);

	CHECK(may(&stranger, &nobody, S("ann@shop.test")) != NULL);
	CHECK(may(&stranger, &nobody, S("bounces@shop.test")) != NULL);
	CHECK(may(&stranger, &nobody, verp_make(a, conf.bounces, uuid_new(), S("another"))) !=
	      NULL);
	CHECK_NULL(may(&stranger, &nobody, address));
	CHECK_NULL(may(&stranger, &somebody, S("ann@shop.test")));
	CHECK_NULL(may(&own, &nobody, S("ann@shop.test")));
}

TEST(logins)
{
	static MailLoginConf users[] = { { S("shop"), S("open-sesame") },
		                         { S("other"), S("open-barley") } };
	static const struct {
		Str user, password;
		bool want;
	} cases[] = {
		{ S("shop"), S("open-sesame"), true },  { S("other"), S("open-barley"), true },
		{ S("shop"), S("open-barley"), false }, { S("shop"), S(""), false },
		{ S(""), S("open-sesame"), false },     { S("shop"), S("open-sesam"), false },
	};
	MailConf conf = { .intake = { .users = { users, COUNT(users) } } };
	Mail mail = { .conf = &conf };
	Intake intake = { .mail = &mail };
	IntakeConn conn = { .intake = &intake };

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool good = false;

		CHECK_OK(login(&conn, a, cases[i].user, cases[i].password, &good));
		CHECK_INT(good, cases[i].want);
	}
}
