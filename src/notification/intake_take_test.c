/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/intake_take.c"

#include "unit.h"

static Str kept(Arena *a, Str message)
{
	static const MailConf conf = { 0 };
	Mail mail = { .conf = &conf, .hostname = S("mail.test") };
	SmtpEnvelope env = { .message = message, .helo = S("me.test"), .ip = S("127.0.0.1") };
	Str out;

	CHECK_OK(add_fields(&mail, a, &env, (Uuid){ { 1 } }, &out));
	CHECK(str_starts(
		out,
		S("Received: from me.test ([127.0.0.1])\r\n\tby mail.test with ESMTP id 01000000-")));
	return str_sub(out, (size_t)str_find(out, S("+0000\r\n")) + 7, out.len);
}

TEST(what_a_mail_gets_and_what_it_loses)
{
	static const Str all = S("Message-ID: <1@x.test>\r\nDate: today\r\n");
	static const struct {
		Str message, want;
	} cases[] = {
		{ S("Subject: x\r\n\r\nBcc: stays\r\n"), S("Subject: x\r\n\r\nBcc: stays\r\n") },
		{ S("bcc: a@x.test,\r\n b@x.test\r\nSubject: x\r\n\r\ny\r\n"),
		  S("Subject: x\r\n\r\ny\r\n") },
		{ S("Subject: x\r\nReturn-Path: <a>\r\nTo: y\r\n\r\n"),
		  S("Subject: x\r\nTo: y\r\n\r\n") },
		{ S("Subject: x\r\n"), S("Subject: x\r\n") },
		{ S("Bcc: x"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_STR(kept(a, str_fmt(a, "%.*s%.*s", STR_ARG(all), STR_ARG(cases[i].message))),
		          str_fmt(a, "%.*s%.*s", STR_ARG(all), STR_ARG(cases[i].want)));
	}
}

TEST(a_mail_without_a_name_gets_one)
{
	Str text = kept(a, S("Subject: x\r\n\r\n"));

	CHECK(str_starts(text, S("Message-ID: <01000000-")));
	CHECK(str_find(text, S("@mail.test>\r\nDate: ")) > 0);
	CHECK(str_ends(text, S(" +0000\r\nSubject: x\r\n\r\n")));
}

TEST(a_mail_that_goes_in_a_circle)
{
	AUTO(buf_fini) Buf b = { 0 };
	Mail mail = { .hostname = S("mail.test") };
	SmtpEnvelope env = { 0 };
	Str out;

	for (int i = 0; i <= RECEIVED_MOST; i++)
		buf_put(&b, S("Received: x\r\n"));
	env.message = buf_str(&b);
	CHECK_ERR(add_fields(&mail, a, &env, (Uuid){ { 1 } }, &out), "mail.loop");
}

/* Named twice, one gets one; reports go where they belong. */
TEST(recipients_are_divided)
{
	MailConf conf = { .bounces = S("bounces@shop.test") };
	Mail mail = { .conf = &conf, .secret = S("secret") };
	Uuid id = uuid_new();
	Str to[] = { S("ann@Shop.test"), verp_make(a, conf.bounces, id, mail.secret),
		     S("bob@shop.test"), S("ann@shop.TEST") };
	SmtpEnvelope env = { .to = to, .count = COUNT(to) };
	Taking t = { .mail = &mail };

	divide(&t, a, &env);
	CHECK_INT(t.in.count, 2);
	CHECK_STR(t.in.to[0], S("ann@shop.test"));
	CHECK_STR(t.in.to[1], S("bob@shop.test"));
	CHECK_INT(t.report.count, 1);
	CHECK(uuid_eq(t.deliveries[0], id));
}
