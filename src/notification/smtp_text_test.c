/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/smtp_text.c"

#include "unit.h"

TEST(replies_are_read_whole)
{
	static const struct {
		Str bytes;
		unsigned code;
		Str status, text;
		size_t left;
	} cases[] = {
		{ S("250 ok\r\n"), 250, S(""), S("ok"), 0 },
		{ S("250\r\n"), 250, S(""), S(""), 0 },
		{ S("250 2.1.0 fine\r\n354 go"), 250, S("2.1.0"), S("fine"), 6 },
		{ S("550-5.1.1 no such\r\n550 5.1.1 user\r\n"), 550, S("5.1.1"), S("no such\nuser"),
		  0 },
		{ S("250-mx.shop.test\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"), 250, S(""),
		  S("mx.shop.test\nSIZE 1000\nPIPELINING"), 0 },
		{ S("421 4.3 not one\n"), 421, S(""), S("4.3 not one"), 0 },
		{ S("550 4.1.1 another class\r\n"), 550, S(""), S("4.1.1 another class"), 0 },
	};
	SmtpReply reply;
	size_t used;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_INT(smtp_reply_read(a, cases[i].bytes, &reply, &used), SMTP_DONE);
		CHECK_INT(reply.code, cases[i].code);
		CHECK_STR(reply.status, cases[i].status);
		CHECK_STR(reply.text, cases[i].text);
		CHECK_INT(cases[i].bytes.len - used, cases[i].left);
	}
}

TEST(what_is_no_reply)
{
	static const struct {
		Str bytes;
		SmtpRead want;
	} cases[] = {
		{ S(""), SMTP_MORE },
		{ S("250 ok"), SMTP_MORE },
		{ S("250-one\r\n250-two\r\n"), SMTP_MORE },
		{ S("hello\r\n"), SMTP_BAD },
		{ S("25 ok\r\n"), SMTP_BAD },
		{ S("250ok\r\n"), SMTP_BAD },
		{ S("150 ok\r\n"), SMTP_BAD },
		{ S("650 ok\r\n"), SMTP_BAD },
		{ S("250-one\r\n251 two\r\n"), SMTP_BAD },
		{ S("\r\n"), SMTP_BAD },
	};
	AUTO(buf_fini) Buf endless = { 0 };
	SmtpReply reply;
	size_t used;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_INT(smtp_reply_read(a, cases[i].bytes, &reply, &used), cases[i].want);
	}
	for (size_t i = 0; i <= SMTP_REPLY_LINES; i++)
		buf_put(&endless, S("250-more\r\n"));
	CHECK_INT(smtp_reply_read(a, buf_str(&endless), &reply, &used), SMTP_BAD);
	buf_clear(&endless);
	for (size_t i = 0; i <= SMTP_LINE_MOST; i++)
		buf_putc(&endless, '2');
	CHECK_INT(smtp_reply_read(a, buf_str(&endless), &reply, &used), SMTP_BAD);
}

TEST(verbs)
{
	Str argument;

	CHECK_INT(smtp_verb_read(S("EHLO shop.test "), &argument), SMTP_EHLO);
	CHECK_STR(argument, S("shop.test"));
	CHECK_INT(smtp_verb_read(S("mail from:<a@b.test>"), &argument), SMTP_MAIL);
	CHECK_STR(argument, S("from:<a@b.test>"));
	CHECK_INT(smtp_verb_read(S("quit"), &argument), SMTP_QUIT);
	CHECK_INT(smtp_verb_read(S("QUITE"), &argument), SMTP_NONE);
	CHECK_INT(smtp_verb_read(S("GET / HTTP/1.1"), &argument), SMTP_NONE);
	CHECK_INT(smtp_verb_read(S(""), &argument), SMTP_NONE);
}

TEST(paths)
{
	static const struct {
		Str argument, address;
		uint64_t size;
		bool eight, utf8;
	} cases[] = {
		{ S("FROM:<ann@shop.test>"), S("ann@shop.test"), 0, false, false },
		{ S("from: <ann@shop.test>  SIZE=120 BODY=8BITMIME SMTPUTF8"), S("ann@shop.test"),
		  120, true, true },
		{ S("FROM:<>"), S(""), 0, false, false },
		{ S("FROM:<> AUTH=<>"), S(""), 0, false, false },
		{ S("FROM:<@relay.test,@other.test:ann@shop.test>"), S("ann@shop.test"), 0, false,
		  false },
		{ S("FROM:<\"ann>b\"@shop.test>"), S(""), 1, false,
		  false }, /* refused: see below */
		{ S("FROM:<j\xc3\xb6rg@k\xc3\xb6ln.test>"), S("j\xc3\xb6rg@k\xc3\xb6ln.test"), 0,
		  false, false },
	};
	SmtpPath path;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *wrong = smtp_path_read(cases[i].argument, S("FROM:"), &path);

		NOTE("row %zu", i);
		if (cases[i].size == 1) {
			CHECK(wrong && str_starts(str_of(wrong), S("501 5.1.3")));
			continue;
		}
		CHECK_NULL(wrong);
		CHECK_STR(path.address, cases[i].address);
		CHECK_INT(path.size, cases[i].size);
		CHECK(path.eight == cases[i].eight && path.utf8 == cases[i].utf8);
	}
}

TEST(paths_that_are_none)
{
	static const struct {
		Str argument;
		const char *code;
	} cases[] = {
		{ S("ann@shop.test"), "501" },       { S("TO:ann@shop.test"), "501" },
		{ S("TO:<ann@shop.test"), "501" },   { S("TO:<ann>"), "501" },
		{ S("TO:<ann@shop.test>x"), "501" }, { S("TO:<ann@shop.test> SIZE=x"), "501" },
		{ S("TO:<a@b@c.test>"), "501" },     { S("TO:<ann@shop.test> HOLDFOR=1"), "555" },
		{ S("TO:<ann @shop.test>"), "501" }, { S("TO:<ann@shop..test>"), "501" },
	};
	SmtpPath path;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *wrong = smtp_path_read(cases[i].argument, S("TO:"), &path);

		NOTE("row %zu", i);
		CHECK(wrong && str_starts(str_of(wrong), str_of(cases[i].code)));
	}
}

TEST(addresses)
{
	static const Str good[] = { S("ann@shop.test"),        S("a.b+c@shop.test"),
		                    S("\"a b\"@shop.test"),    S("ann@localhost"),
		                    S("ann@[127.0.0.1]"),      S("j\xc3\xb6rg@shop.test"),
		                    S("ann@k\xc3\xb6ln.test"), S("o'neil@shop.test"),
		                    S("\"a\\\"b\"@shop.test") };
	static const Str bad[] = {
		S(""),
		S("ann"),
		S("@shop.test"),
		S("ann@"),
		S("ann@shop.test\r\nRCPT TO:<x@y.test>"),
		S("ann@shop.test\n"),
		S("an\tn@shop.test"),
		S("<ann@shop.test>"),
		S("ann@shop.test, bob@shop.test"),
		S("ann@.test"),
		S("ann@test."),
		S("\"a\"b\"@shop.test"),
		S("ann@shop\xff.test"),
		S("ann\xe2\x80\xa8@shop.test"),
		S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@shop.test")
	};

	for (size_t i = 0; i < COUNT(good); i++) {
		NOTE("good %zu", i);
		CHECK(smtp_address_is(good[i]) == !str_starts(good[i], S("\"a b")));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		NOTE("bad %zu", i);
		CHECK(!smtp_address_is(bad[i]));
	}
	CHECK_STR(smtp_domain(S("a@b@c.test")), S("c.test"));
}

static Str dotted(Arena *a, Str message)
{
	AUTO(buf_fini) Buf b = { 0 };

	smtp_put_data(&b, message);
	return str_dup(a, buf_str(&b));
}

TEST(messages_are_dotted)
{
	CHECK_STR(dotted(a, S("a\r\n")), S("a\r\n.\r\n"));
	CHECK_STR(dotted(a, S("a")), S("a\r\n.\r\n"));
	CHECK_STR(dotted(a, S("")), S(".\r\n"));
	CHECK_STR(dotted(a, S(".\r\n.a\n..\r\n")), S("..\r\n..a\r\n...\r\n.\r\n"));
	CHECK_STR(dotted(a, S("a\nb\rc\r\n")), S("a\r\nb\r\nc\r\n.\r\n"));
	CHECK_STR(dotted(a, S("a\n\nb")), S("a\r\n\r\nb\r\n.\r\n"));
}

static SmtpTaker take_all(Buf *into, Str bytes, size_t pace)
{
	SmtpTaker t = { .into = into };

	buf_clear(into);
	for (size_t at = 0; at < bytes.len && !t.done; at += pace)
		smtp_take(&t, str_sub(bytes, at, at + pace));
	return t;
}

TEST(messages_come_back_as_they_were)
{
	static const Str messages[] = { S("a: b\r\n\r\n.\r\n..\r\n.x\r\n"), S("\r\n"), S(""),
		                        S("a\r\n") };
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(messages); i++)
		for (size_t pace = 1; pace < 9; pace++) {
			SmtpTaker t = take_all(&b, dotted(a, messages[i]), pace);

			CHECK(t.done && !t.lone);
			CHECK_STR(buf_str(&b), messages[i]);
		}
}

/* What others take for the end of a message is none. */
TEST(no_mail_is_smuggled_in_another)
{
	static const Str ends[] = { S("\n.\n"),   S("\n.\r\n"),     S("\r\n.\n"),     S("\r.\r\n"),
		                    S("\r\n.\r"), S("\r\n\0.\r\n"), S("\r\n.\r\r\n"), S("\r.\r") };
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(ends); i++) {
		Str bytes = str_fmt(a, "a%.*sMAIL FROM:<x@y.test>\r\n.\r\n", STR_ARG(ends[i]));

		for (size_t pace = 1; pace < 5; pace++) {
			SmtpTaker t = take_all(&b, bytes, pace);

			NOTE("row %zu pace %zu", i, pace);
			CHECK(t.done && str_find(buf_str(&b), S("MAIL FROM")) > 0);
			CHECK(t.lone || i == 5);
		}
	}
}

TEST(what_follows_the_dot_is_not_taken)
{
	AUTO(buf_fini) Buf b = { .limit = 4 };
	SmtpTaker t = { .into = &b };
	Str bytes = S("abcdefgh\r\n.\r\nQUIT\r\n");

	CHECK_INT(smtp_take(&t, bytes), 13);
	CHECK(t.done && b.broken);
	CHECK_INT(t.bytes, 10);
}
