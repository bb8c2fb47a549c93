/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/dkim.c"

#include "unit.h"

/* RFC 8463, appendix A. */
static const Str brisbane = S("-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                              "-----END PRIVATE KEY-----\n");

TEST(the_record_of_the_rfc)
{
	DkimKey *key;

	CHECK_OK(dkim_key_new(a, S("football.example.com"), S("brisbane"), brisbane, &key));
	CHECK_STR(dkim_record(key, a),
	          S("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
	CHECK_STR(dkim_place(key, a), S("brisbane._domainkey.football.example.com"));
}

TEST(the_body_hash_of_the_rfc)
{
	static const Str body =
		S("Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n");
	AUTO(buf_fini) Buf b = { 0 };

	put_body(&b, body);
	CHECK_STR(b64(a, sha256(a, buf_str(&b))),
	          S("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="));
}

TEST(bodies_in_one_form)
{
	static const struct {
		Str body, want;
	} cases[] = {
		{ S(""), S("") },
		{ S("\r\n\r\n"), S("") },
		{ S(" \t\r\n"), S("") },
		{ S("a"), S("a\r\n") },
		{ S("a \t b  \r\n\r\n\r\n"), S("a b\r\n") },
		{ S(" a\r\n\r\nb\r\n"), S(" a\r\n\r\nb\r\n") },
		{ S("a\r\n \r\nb"), S("a\r\n\r\nb\r\n") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		put_body(&b, cases[i].body);
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}

TEST(fields_in_one_form)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_field(&b, S("SubJect"), S("a\r\n\tb   c \t"));
	CHECK_STR(buf_str(&b), S("subject:a b c"));
}

/* What is there twice is signed twice, and what must not be added is named once more. */
TEST(which_fields_are_signed)
{
	AUTO(buf_fini) Buf names = { 0 }, text = { 0 };

	put_signed(a, S("X: y\r\nReply-To: one\r\nFrom: a\r\nreply-to: two\r\n"), &names, &text);
	CHECK_STR(buf_str(&names), S("From:From:To:Subject:Date:Reply-To:Reply-To"));
	CHECK_STR(buf_str(&text), S("from:a\r\nreply-to:two\r\nreply-to:one\r\n"));
}

/* A sender that stands behind a hundred fields of servers on the way is a sender. */
TEST(fields_behind_many_others_are_signed)
{
	AUTO(buf_fini) Buf head = { 0 }, names = { 0 }, text = { 0 };

	for (int i = 0; i < 100; i++)
		buf_put(&head, S("Received: x\r\n"));
	buf_put(&head, S("From: a\r\n"));
	put_signed(a, buf_str(&head), &names, &text);
	CHECK_STR(buf_str(&text), S("from:a\r\n"));
}

TEST(keys_that_are_none)
{
	static const Str pems[] = {
		S(""), S("x"), S("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		S("-----BEGIN EC PRIVATE KEY-----\n"
		  "MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49\n"
		  "AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q\n"
		  "EKTcWGekdmdDPsHloRNtsiCa697B2O9IFA==\n-----END EC PRIVATE KEY-----\n")
	};
	DkimKey *key;

	for (size_t i = 0; i < COUNT(pems); i++)
		CHECK_ERR(dkim_key_new(a, S("x.test"), S("s"), pems[i], &key), "mail.dkim_key");
}

TEST(a_mail_without_a_sender_is_not_signed)
{
	DkimKey *key;
	Str field;

	CHECK_OK(dkim_key_new(a, S("x.test"), S("s"), brisbane, &key));
	CHECK_ERR(dkim_sign(key, a, S("Subject: x\r\n\r\ny\r\n"), 0, &field), "mail.dkim_message");
	CHECK_OK(dkim_sign(key, a, S("From: x\r\n\r\ny\r\n"), 0, &field));
	CHECK(str_starts(field,
	                 S("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=x.test;")));
	CHECK(str_ends(field, S("==\r\n")));
}
