/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/mail_channel.c"

#include "unit.h"

TEST(what_a_server_says_and_what_is_told)
{
	static const struct {
		SmtpFate fate;
		unsigned code;
		Str status;
		SendOutcome want;
		bool of_all; /* of MAIL or DATA, not of its RCPT */
	} cases[] = {
		{ SMTP_TAKEN, 250, S("2.0.0"), SEND_ACCEPTED },
		{ SMTP_UNKNOWN, 0, S(""), SEND_UNKNOWN },
		{ SMTP_NEVER, 550, S("5.1.1"), SEND_HARD },
		{ SMTP_NEVER, 550, S(""), SEND_HARD },
		{ SMTP_NEVER, 550, S("5.7.1"), SEND_REFUSED },
		{ SMTP_NEVER, 552, S("5.3.4"), SEND_REFUSED },
		{ SMTP_NEVER, 554, S(""), SEND_REFUSED },
		{ SMTP_NEVER, 550, S("5.1.0"), SEND_REFUSED, true },
		{ SMTP_NEVER, 550, S(""), SEND_REFUSED, true },
		{ SMTP_LATER, 450, S("4.2.0"), SEND_SOFT },
		{ SMTP_LATER, 421, S(""), SEND_THROTTLED },
		{ SMTP_LATER, 451, S("4.7.1"), SEND_THROTTLED },
		{ SMTP_LATER, 451, S("4.7.1"), SEND_THROTTLED, true },
		{ SMTP_LATER, 0, S(""), SEND_SOFT },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		SmtpRecipient to = { .fate = cases[i].fate,
			             .own = !cases[i].of_all,
			             .reply = { cases[i].code, cases[i].status, S("text") } };
		SendResult out;

		NOTE("row %zu", i);
		tell(a, &to, NULL, S("1@x.test"), &out);
		CHECK_INT(out.outcome, cases[i].want);
		CHECK(out.alone == (cases[i].code == 451 && !cases[i].of_all));
		CHECK(out.bad_address == (cases[i].want == SEND_HARD));
	}
}

TEST(no_conversation_is_told_with_its_reason)
{
	static Err refused = ERR_STATIC(DENIED, "smtp.auth", "the login was refused");
	static Err away = ERR_STATIC(UPSTREAM, "rt.refused", "it said \xe4h\r\n");
	SmtpRecipient to = { .fate = SMTP_LATER };
	SendResult out;

	tell(a, &to, &refused, S("1@x.test"), &out);
	CHECK_INT(out.outcome, SEND_REFUSED);
	CHECK_STR(out.code, S("smtp.auth"));
	tell(a, &to, &away, S("1@x.test"), &out);
	CHECK_INT(out.outcome, SEND_SOFT);
	CHECK_STR(out.detail, S("it said ?h??"));
	CHECK(!out.id.len);
}

/* A mail that nobody can make says nothing about who was to get it. */
TEST(a_mail_that_cannot_be_made_is_not_its_reader_s_fault)
{
	MailConf conf = { .from = S("shop@shop.test") };
	Mail mail = { .conf = &conf, .hostname = S("mail.shop.test") };
	MailServer server = { .mail = &mail };
	Message m = { .delivery = uuid_new(),
		      .to = S("ann@shop.test"),
		      .subject = S("a\nb"),
		      .text = S("x") };
	SendResult out;

	CHECK_OK(send_one(&server, a, &m, &out));
	CHECK_INT(out.outcome, SEND_HARD);
	CHECK_STR(out.code, S("mail.header"));
	CHECK(!out.bad_address);
}

/* The same in every attempt: id, date, return path. */
TEST(what_is_made_of_a_delivery)
{
	MailConf conf = { .from = S("Pine & Anvil <shop@shop.test>"),
		          .bounces = S("bounces@shop.test") };
	Mail mail = { .conf = &conf, .hostname = S("mail.shop.test"), .secret = S("secret") };
	Message m = {
		.delivery = uuid_new(), .to = S("ann@shop.test"), .subject = S("x"), .text = S("y")
	};
	Str one, two, from = sender_of(&mail, a, &m);

	CHECK_STR(from, S("shop@shop.test"));
	CHECK_OK(build(&mail, a, &m, from, &one));
	CHECK_OK(build(&mail, a, &m, from, &two));
	CHECK_STR(one, two);
	CHECK(str_find(one, S("From: Pine & Anvil <shop@shop.test>\r\n")) > 0);
	CHECK(str_find(one, str_fmt(a, "Message-ID: <%.*s@mail.shop.test>",
	                            STR_ARG(uuid_text(a, m.delivery)))) > 0);
	CHECK_STR(return_path(&mail, a, &m, from),
	          verp_make(a, conf.bounces, m.delivery, mail.secret));
	conf.bounces = S("");
	CHECK_STR(return_path(&mail, a, &m, from), from);
}

TEST(mails_that_are_whole_already)
{
	MailConf conf = { .from = S("shop@shop.test") };
	Mail mail = { .conf = &conf };
	Message m = { .raw = S("From: X <x@other.test>\r\nSubject: y\r\n\r\nz\r\n"),
		      .raw_from = S("env@other.test"),
		      .unsubscribe = S("https://shop.test/u/1") };
	Str out;

	CHECK_STR(sender_of(&mail, a, &m), S("x@other.test"));
	CHECK_STR(return_path(&mail, a, &m, S("x@other.test")), S("env@other.test"));
	CHECK_OK(complete(&mail, a, &m, &out));
	CHECK(str_starts(
		out,
		S("List-Unsubscribe: <https://shop.test/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFrom:")));
	m.raw = S("List-Unsubscribe: <mailto:x@y.test>\r\nFrom: x@y.test\r\n\r\nz\r\n");
	CHECK_OK(complete(&mail, a, &m, &out));
	CHECK_STR(out, m.raw);
}
