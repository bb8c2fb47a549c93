/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/smtp_client.c"

#include "base/time.h"
#include "rt/listen.h"
#include "unit.h"

/* A mail server that follows a script: before each line it says what stands there, after it has heard as many lines as were asked for.
 *
 *   "220 hi"            said at once
 *   "> 2"               two lines are heard
 *   "dot"               lines are heard up to a dot
 *   "hang up" "reset"   the end */
typedef struct Script {
	const char *const *lines;
	Stream stream;
	Buf heard;
	bool done;
} Script;

static Err *hear_line(Script *s, Str *line)
{
	char c = 0;
	size_t from = s->heard.len, got;

	while (c != '\n') {
		TRY(stream_read(&s->stream, &c, 1, &got));
		if (!got)
			return &gone;
		buf_putc(&s->heard, c);
	}
	*line = str_sub(buf_str(&s->heard), from, s->heard.len);
	return NULL;
}

static Err *follow(Script *s, Str step, bool *over)
{
	uint64_t count = 0;
	Str line = S("");

	if (str_eq(step, S("hang up"))) {
		*over = true;
		return NULL;
	}
	if (str_eq(step, S("dot"))) {
		while (!str_eq(line, S(".\r\n")))
			TRY(hear_line(s, &line));
		return NULL;
	}
	if (step.at[0] != '>') {
		TRY(stream_write(&s->stream, step));
		return stream_write(&s->stream, S("\r\n"));
	}
	str_to_u64(str_sub(step, 2, step.len), &count);
	while (count--)
		TRY(hear_line(s, &line));
	return NULL;
}

static void serve(void *arg)
{
	Script *s = arg;
	bool over = false;

	for (size_t i = 0; s->lines[i] && !over; i++)
		if (follow(s, str_of(s->lines[i]), &over))
			break;
	stream_close(&s->stream);
	s->done = true;
}

static void accepted(void *arg, int fd, const Addr *peer)
{
	Script *s = arg;

	(void)peer;
	CHECK_OK(stream_open(&s->stream, fd));
	CHECK_OK(fiber_start(serve, s, "script"));
}

typedef struct Case {
	const char *name;
	const char *lines[24];
	SmtpPlace place;
	const char *open; /* what opening fails with */
	const char *sent; /* what sending fails with */
	Str to[3];
	SmtpFate fates[3];
	bool own[3];       /* the reply is about that recipient */
	const char *heard; /* is somewhere in what was heard */
	Str message, from;
} Case;

#define EHLO "220 hi", "> 1"
#define ALL "250-hi", "250-PIPELINING", "250-SIZE 1000", "250 8BITMIME"

static const Case cases[] = {
	{ "one by one",
	  { EHLO, "250 hi", "> 1", "250 ok", "> 1", "250 ok", "> 1", "354 go", "dot",
	    "250 2.0.0 mine" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_TAKEN },
	  .heard = "MAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n" },
	{ "in one packet",
	  { EHLO, ALL, "> 4", "250 ok", "250 ok", "250 ok", "354 go", "dot", "250 mine" },
	  .to = { S("a@x.test"), S("b@x.test") },
	  .fates = { SMTP_TAKEN, SMTP_TAKEN },
	  .heard = "MAIL FROM:<s@x.test> SIZE=" },
	{ "one at a time though more is offered",
	  { EHLO, ALL, "> 1", "250 ok", "> 1", "250 ok", "> 1", "354 go", "dot", "250 mine" },
	  .place = { .no_pipelining = true },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_TAKEN } },
	{ "each has its own fate",
	  { EHLO, ALL, "> 5", "250 ok", "250 ok", "550 5.1.1 no", "450 4.2.0 later", "354 go",
	    "dot", "250 mine" },
	  .to = { S("a@x.test"), S("b@x.test"), S("c@x.test") },
	  .own = { false, true, true },
	  .fates = { SMTP_TAKEN, SMTP_NEVER, SMTP_LATER } },
	{ "nobody is taken, and DATA is refused",
	  { EHLO, ALL, "> 3", "250 ok", "550 no", "554 nobody", "> 1", "250 reset" },
	  .to = { S("a@x.test") },
	  .own = { true },
	  .fates = { SMTP_NEVER } },
	{ "nobody is taken, and DATA is not refused",
	  { EHLO, ALL, "> 3", "250 ok", "550 no", "354 go", "dot", "554 nobody" },
	  .to = { S("a@x.test") },
	  .own = { true },
	  .fates = { SMTP_NEVER },
	  .heard = "DATA\r\n.\r\n" },
	{ "the sender is refused",
	  { EHLO, ALL, "> 3", "550 5.7.1 not you", "503 no", "503 no", "> 1", "250 reset" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_NEVER } },
	{ "the mail is refused for now",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "354 go", "dot", "451 4.3.0 later" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_LATER } },
	{ "the mail is refused",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "354 go", "dot", "552 5.3.4 no" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_NEVER } },
	{ "the end after RCPT",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "hang up" },
	  .sent = "smtp.closed",
	  .to = { S("a@x.test") },
	  .fates = { SMTP_LATER } },
	{ "silence between the replies of one packet",
	  { EHLO, ALL, "> 3", "250 ok", "> 1" },
	  .place = { .command_us = 50 * US_PER_MS },
	  .sent = "rt.deadline",
	  .to = { S("a@x.test") },
	  .fates = { SMTP_LATER } },
	{ "the end after the dot",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "354 go", "dot", "hang up" },
	  .sent = "smtp.closed",
	  .to = { S("a@x.test"), S("") },
	  .fates = { SMTP_UNKNOWN } },
	{ "half an answer after the dot",
	  { EHLO, ALL, "> 4", "250 ok", "250 ok", "550 no", "354 go", "dot", "250-mi", "hang up" },
	  .sent = "smtp.closed",
	  .to = { S("a@x.test"), S("b@x.test") },
	  .own = { false, true },
	  .fates = { SMTP_UNKNOWN, SMTP_NEVER } },
	{ "no SMTP after the dot",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "354 go", "dot", "hello" },
	  .sent = "smtp.reply",
	  .to = { S("a@x.test") },
	  .fates = { SMTP_UNKNOWN } },
	{ "too large",
	  { EHLO, "250-hi", "250 SIZE 10", "> 1" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_NEVER } },
	{ "eight bits for one who has seven",
	  { EHLO, "250 hi", "> 1" },
	  .message = S("Subject: x\r\n\r\n\xc3\xbc\r\n"),
	  .to = { S("a@x.test") },
	  .fates = { SMTP_NEVER } },
	{ "eight bits",
	  { EHLO, ALL, "> 3", "250 ok", "250 ok", "354 go", "dot", "250 mine" },
	  .message = S("Subject: x\r\n\r\n\xc3\xbc\r\n"),
	  .to = { S("a@x.test") },
	  .fates = { SMTP_TAKEN },
	  .heard = " BODY=8BITMIME\r\n" },
	{ "an address that is not ASCII",
	  { EHLO, ALL, "> 1" },
	  .to = { S("\xc3\xbc@x.test") },
	  .fates = { SMTP_NEVER } },
	{ "the same where it may be",
	  { EHLO, "250-hi", "250 SMTPUTF8", "> 1", "250 ok", "> 1", "250 ok", "> 1", "354 go",
	    "dot", "250 ok" },
	  .to = { S("\xc3\xbc@x.test") },
	  .fates = { SMTP_TAKEN },
	  .heard = "MAIL FROM:<s@x.test> SMTPUTF8\r\n" },
	{ "no sender",
	  { EHLO, "250 hi", "> 1", "250 ok", "> 1", "250 ok", "> 1", "354 go", "dot", "250 ok" },
	  .from = S("<>"),
	  .to = { S("a@x.test") },
	  .fates = { SMTP_TAKEN },
	  .heard = "MAIL FROM:<>\r\n" },
	{ "HELO for the old",
	  { EHLO, "502 what", "> 1", "250 hi", "> 1", "250 ok", "> 1", "250 ok", "> 1", "354 go",
	    "dot", "250 ok" },
	  .to = { S("a@x.test") },
	  .fates = { SMTP_TAKEN },
	  .heard = "HELO me.test\r\n" },
	{ "no time", { "554 go away" }, .open = "smtp.refused" },
	{ "no time for EHLO", { EHLO, "421 busy" }, .open = "smtp.refused" },
	{ "no SMTP", { "HTTP/1.1 400 Bad Request" }, .open = "smtp.reply" },
	{ "the end at once", { "hang up" }, .open = "smtp.closed" },
	{ "no TLS where it must be",
	  { EHLO, ALL },
	  .place = { .tls = SMTP_TLS_REQUIRED },
	  .open = "smtp.tls" },
	{ "PLAIN",
	  { EHLO, "250-hi", "250 AUTH LOGIN PLAIN", "> 1", "235 in", "> 1" },
	  .place = { .user = S("shop"), .password = S("secret") },
	  .heard = "AUTH PLAIN AHNob3AAc2VjcmV0\r\n" },
	{ "LOGIN",
	  { EHLO, "250-hi", "250 AUTH LOGIN", "> 1", "334 VXNlcm5hbWU6", "> 1", "334 UGFzc3dvcmQ6",
	    "> 1", "235 in", "> 1" },
	  .place = { .user = S("shop"), .password = S("secret") },
	  .heard = "AUTH LOGIN\r\nc2hvcA==\r\nc2VjcmV0\r\n" },
	{ "XOAUTH2",
	  { EHLO, "250-hi", "250 AUTH XOAUTH2", "> 1", "235 in", "> 1" },
	  .place = { .user = S("shop"), .password = S("t"), .auth = SMTP_AUTH_XOAUTH2 },
	  .heard = "AUTH XOAUTH2 dXNlcj1zaG9wAWF1dGg9QmVhcmVyIHQBAQ==\r\n" },
	{ "a token that is refused",
	  { EHLO, "250-hi", "250 AUTH XOAUTH2", "> 1", "334 e30=", "> 1", "535 5.7.8 no" },
	  .place = { .user = S("shop"), .password = S("t"), .auth = SMTP_AUTH_XOAUTH2 },
	  .open = "smtp.auth" },
	{ "a password that is wrong",
	  { EHLO, "250-hi", "250 AUTH PLAIN", "> 1", "535 5.7.8 no" },
	  .place = { .user = S("shop"), .password = S("x") },
	  .open = "smtp.auth" },
	{ "no login to be had now",
	  { EHLO, "250-hi", "250 AUTH PLAIN", "> 1", "454 4.7.0 later" },
	  .place = { .user = S("shop"), .password = S("x") },
	  .open = "smtp.refused" },
	{ "no way to log in",
	  { EHLO, "250-hi", "250 AUTH GSSAPI" },
	  .place = { .user = S("shop"), .password = S("x") },
	  .open = "smtp.auth" },
};

typedef struct Talk {
	const Case *c;
	Script script;
	Arena *a;
} Talk;

static Err *run_case(void *arg)
{
	Talk *t = arg;
	const Case *c = t->c;
	SmtpRecipient to[3] = { { c->to[0] }, { c->to[1] }, { c->to[2] } };
	SmtpMail mail = { .from = c->from.len ? S("") : S("s@x.test"),
		          .to = to,
		          .message = S("Subject: x\r\n\r\ntext\r\n") };
	AUTO(smtp_closep) SmtpSession *s = NULL;
	SmtpPlace place = c->place;
	Listener *listener;
	Addr addr;

	CHECK_OK(addr_parse(t->a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(t->a, &addr, &listener));
	listener_start(listener, accepted, &t->script);
	place.host = S("127.0.0.1");
	place.port = ntohs(listener_addr(listener)->in.sin_port);
	place.helo = S("me.test");
	CHECK_ERR(smtp_open(t->a, &place, &s), c->open);
	while (mail.count < 3 && to[mail.count].address.len)
		mail.count++;
	if (c->message.len)
		mail.message = c->message;
	if (s && mail.count) {
		CHECK_ERR(smtp_send(s, t->a, &mail), c->sent);
		for (size_t i = 0; i < mail.count; i++)
			CHECK_INT(to[i].fate, c->fates[i]);
		for (size_t i = 0; i < mail.count; i++)
			CHECK(to[i].own == c->own[i]);
		CHECK(!c->sent || !smtp_is_fine(s));
	}
	smtp_close(TAKE(s));
	while (!t->script.done)
		TRY(fiber_yield());
	listener_close(listener);
	return NULL;
}

TEST(conversations)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		Talk talk = { .c = &cases[i],
			      .script = { .lines = cases[i].lines, .stream = STREAM_CLOSED },
			      .a = a };

		NOTE("%s", cases[i].name);
		CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, run_case, &talk));
		if (cases[i].heard)
			CHECK(str_find(buf_str(&talk.script.heard), str_of(cases[i].heard)) >= 0);
		buf_fini(&talk.script.heard);
	}
}

static Err *no_password_in_clear(void *arg)
{
	SmtpPlace place = { .host = S("mx.test"), .user = S("shop"), .password = S("x") };
	SmtpSession s = { .place = &place, .auth_plain = true };

	CHECK_ERR(log_in(&s, arg), "smtp.auth");
	return NULL;
}

TEST(no_password_goes_to_another_machine_in_clear)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, no_password_in_clear, a));
}
