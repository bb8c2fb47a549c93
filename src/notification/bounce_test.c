/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/bounce.c"

#include "unit.h"

#include <string.h>

#define REPORT(fields) \
	S("From: MAILER-DAEMON@mx.test\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b\"\r\n\r\n" \
	  "--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n" fields \
	  "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@shop.test>\r\nSubject: x\r\n\r\nbody\r\n--b--\r\n")

TEST(reports)
{
	static const struct {
		Str message;
		BounceKind kind;
		Str address, status;
	} cases[] = {
		{ REPORT("Final-Recipient: rfc822; ann@shop.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no"),
		  BOUNCE_HARD, S("ann@shop.test"), S("5.1.1") },
		{ REPORT("Final-Recipient: rfc822;x@y.test\r\nOriginal-Recipient: rfc822;ann@shop.test\r\nAction: failed\r\nStatus: 5.2.2 (full)"),
		  BOUNCE_SOFT, S("ann@shop.test"), S("5.2.2") },
		{ REPORT("Final-Recipient: rfc822;ann@shop.test\r\nAction: failed\r\nStatus: 4.4.7"),
		  BOUNCE_SOFT, S("ann@shop.test"), S("4.4.7") },
		{ REPORT("Final-Recipient: rfc822;ann@shop.test\r\nAction: failed\r\nStatus: 5.7.1"),
		  BOUNCE_SOFT, S("ann@shop.test"), S("5.7.1") },
		{ REPORT("Final-Recipient: rfc822;ann@shop.test\r\nAction: delayed\r\nStatus: 4.4.1"),
		  BOUNCE_DELAYED, S("ann@shop.test"), S("4.4.1") },
		{ REPORT("Final-Recipient: rfc822;ann@shop.test\r\nAction: delivered\r\nStatus: 2.0.0"),
		  BOUNCE_DELIVERED, S("ann@shop.test"), S("2.0.0") },
		{ REPORT("Final-Recipient: rfc822;\r\nAction: failed\r\nStatus: 5.1.1"),
		  BOUNCE_HARD, S(""), S("5.1.1") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Bounce b;

		NOTE("row %zu", i);
		CHECK(bounce_read(a, cases[i].message, &b));
		CHECK_INT(b.count, 1);
		CHECK_INT(b.rows[0].kind, cases[i].kind);
		CHECK_STR(b.rows[0].address, cases[i].address);
		CHECK_STR(b.rows[0].status, cases[i].status);
		CHECK_STR(b.message_id, S("1@shop.test"));
	}
}

TEST(several_recipients_in_one_report)
{
	Bounce b;

	CHECK(bounce_read(
		a,
		REPORT("Final-Recipient: rfc822;a@shop.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
	               "Final-Recipient: rfc822;b@shop.test\r\nAction: delayed\r\nStatus: 4.2.2"),
		&b));
	CHECK_INT(b.count, 2);
	CHECK_STR(b.rows[1].address, S("b@shop.test"));
}

TEST(complaints_and_exim)
{
	Bounce b;

	CHECK(bounce_read(
		a,
		S("Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n"
	          "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Rcpt-To: <ann@shop.test>\r\n"
	          "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <2@shop.test>\r\n--b--\r\n"),
		&b));
	CHECK_INT(b.rows[0].kind, BOUNCE_COMPLAINT);
	CHECK_STR(b.rows[0].address, S("ann@shop.test"));
	CHECK_STR(b.message_id, S("2@shop.test"));
	CHECK(bounce_read(
		a, S("X-Failed-Recipients: a@shop.test, nobody,\r\n b@shop.test\r\n\r\nsorry"),
		&b));
	CHECK_INT(b.count, 2);
	CHECK_STR(b.rows[1].address, S("b@shop.test"));
}

TEST(what_people_write_is_no_report)
{
	static const Str messages[] = {
		S(""),
		S("Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nStatus: 5.1.1\r\nAction: failed\r\n"),
		S("Subject: Undeliverable: hello\r\n\r\n550 5.1.1 no such user <ann@shop.test>\r\n"),
		REPORT("Final-Recipient: rfc822;a@shop.test\r\nStatus: 5.1.1"),
		REPORT("Action: exploded\r\nStatus: 5.1.1"),
	};
	Bounce b;

	for (size_t i = 0; i < COUNT(messages); i++) {
		NOTE("row %zu", i);
		CHECK(!bounce_read(a, messages[i], &b));
	}
}

TEST(codes_of_a_server)
{
	static const struct {
		unsigned code;
		Str status;
		BounceKind want;
	} cases[] = {
		{ 250, S(""), BOUNCE_DELIVERED }, { 450, S(""), BOUNCE_SOFT },
		{ 550, S(""), BOUNCE_HARD },      { 552, S(""), BOUNCE_SOFT },
		{ 550, S("5.1.1"), BOUNCE_HARD }, { 550, S("5.7.1"), BOUNCE_SOFT },
		{ 552, S("5.2.2"), BOUNCE_SOFT }, { 550, S("5.1.10"), BOUNCE_HARD },
		{ 554, S(""), BOUNCE_SOFT },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(bounce_of_status(cases[i].code, cases[i].status), cases[i].want);
}

TEST(addresses_say_which_mail)
{
	Uuid id = uuid_new(), read;
	Str base = S("bounces@mail.shop.test"), address = verp_make(a, base, id, S("secret")),
	    other;

	CHECK(address.len - smtp_domain(address).len - 1 <= SMTP_LOCAL_MOST);
	CHECK(smtp_address_is(address));
	CHECK(verp_read(address, base, S("secret"), &read) && uuid_eq(read, id));
	other = str_dup(a, address); /* some servers change the case */
	for (size_t i = 0; i < other.len; i++)
		if (other.at[i] >= 'a' && other.at[i] <= 'z')
			((char *)other.at)[i] &= ~0x20;
	CHECK(verp_read(other, base, S("secret"), &read) && uuid_eq(read, id));
	CHECK(!verp_read(address, base, S("other"), &read));
	CHECK(!verp_read(address, S("bounces@shop.test"), S("secret"), &read));
	CHECK(!verp_read(base, base, S("secret"), &read));
	CHECK(!verp_read(S(""), base, S("secret"), &read));
	for (size_t i = 8; i < 8 + 45; i++) {
		other = str_dup(a, address);
		((char *)other.at)[i] = other.at[i] == '0' ? '1' : '0';
		CHECK(!verp_read(other, base, S("secret"), &read));
	}
}
