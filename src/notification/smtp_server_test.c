/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/smtp_server.c"

#include "smtp_sink.h"
#include "unit.h"

typedef struct Case {
	const char *said;  /* by the client, all at once */
	const char *codes; /* of the answers after the greeting, with blanks between them */
	int mails;
} Case;

#define MAIL "MAIL FROM:<a@x.test>\r\n"
#define RCPT "RCPT TO:<b@x.test>\r\n"
#define END "QUIT\r\n"

static const Case cases[] = {
	{ END, "221", 0 },
	{ "EHLO x\r\n" MAIL RCPT "DATA\r\nS: x\r\n\r\ny\r\n.\r\n" END, "250 250 250 354 250 221",
	  1 },
	{ "helo x\r\nmail from: <a@x.test>\r\nrcpt to:<b@x.test>\r\ndata\r\n.\r\n" END,
	  "250 250 250 354 250 221", 1 },
	{ "EHLO x\r\n" MAIL RCPT "DATA\r\n.\r\n" MAIL RCPT "DATA\r\n.\r\n" END,
	  "250 250 250 354 250 250 250 354 250 221", 2 },
	{ MAIL RCPT "DATA\r\n" END, "503 503 503 221", 0 },
	{ "EHLO x\r\n" RCPT "DATA\r\n" MAIL "DATA\r\n" MAIL END, "250 503 503 250 554 503 221", 0 },
	{ "EHLO x\r\n" MAIL RCPT "RSET\r\nDATA\r\n" END, "250 250 250 250 503 221", 0 },
	{ "EHLO x\r\n" MAIL RCPT "EHLO y\r\nDATA\r\n" END, "250 250 250 250 503 221", 0 },
	{ "NOOP\r\nVRFY x\r\nHELP\r\nEXPN x\r\n" END, "250 252 214 500 221", 0 },
	{ "EHLO x\r\nMAIL FROM:<a@x.test> SIZE=2000000\r\nMAIL FROM:a\r\nMAIL FROM:<a@x.test> X=1\r\n" END,
	  "250 552 501 555 221", 0 },
	{ "EHLO x\r\n" MAIL "RCPT TO:<>\r\nRCPT TO:<b>\r\n" RCPT "DATA\r\n.\r\n" END,
	  "250 250 501 501 250 354 250 221", 1 },
	{ "EHLO x\r\nSTARTTLS\r\nAUTH PLAIN AAAA\r\n" END, "250 503 502 221", 0 },
	{ "EHLO x\r\n" MAIL RCPT "DATA\r\nx\ny\r\n.\r\n" END, "250 250 250 354 550 221", 0 },
	{ "GET / HTTP/1.1\r\nEHLO x\r\n" MAIL RCPT, "500", 0 },
	{ "EHLO x\r\nHost: x\r\n" MAIL, "250 500", 0 },
	{ "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\nk\r\nl\r\nm\r\nn\r\no\r\np\r\nq\r\nr\r\ns\r\nt\r\nu\r\nv\r\n" END,
	  "500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 500 421",
	  0 },
};

/* Codes of the last line of each answer, up to the end. */
static Err *hear_codes(Stream *s, Buf *codes)
{
	AUTO(buf_fini) Buf heard = { 0 };
	Str rest, line;
	size_t got = 1;

	while (got) {
		char *room = buf_room(&heard, 4096);

		TRY(stream_read(s, room, 4096, &got));
		buf_wrote(&heard, got);
	}
	rest = buf_str(&heard);
	str_split(&rest, '\n', &line); /* the greeting */
	while (rest.len && str_split(&rest, '\n', &line))
		if (line.len > 3 && line.at[3] == ' ') {
			if (codes->len)
				buf_putc(codes, ' ');
			buf_put(codes, str_sub(line, 0, 3));
		}
	return NULL;
}

typedef struct Run {
	Arena *a;
	Str said;
	Buf codes;
	int mails;
	bool cut; /* the server may end it while we speak */
	bool was_cut;
} Run;

static Err *converse_with(void *arg)
{
	Run *run = arg;
	Stream s = STREAM_CLOSED;
	Sink sink;
	Err *err;

	sink_open(&sink, run->a);
	TRY(stream_connect(&s, listener_addr(sink.listener)));
	err = stream_write(&s, run->said);
	if (!err)
		err = hear_codes(&s, &run->codes);
	CHECK(run->cut || !err);
	run->was_cut = err || str_ends(buf_str(&run->codes), S(" 421"));
	stream_close(&s);
	sink_close(&sink);
	run->mails = sink.mails;
	return NULL;
}

TEST(conversations_with_clients)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		Run run = { .a = a, .said = str_of(cases[i].said) };

		NOTE("row %zu", i);
		CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, converse_with, &run));
		CHECK_STR(buf_str(&run.codes), str_of(cases[i].codes));
		CHECK_INT(run.mails, cases[i].mails);
		buf_fini(&run.codes);
	}
}

/* Commands are answered for ever, but not kept for ever. */
TEST(one_mail_does_not_take_all_memory)
{
	AUTO(buf_fini) Buf said = { 0 };
	Run run = { .a = a, .cut = true };

	buf_put(&said, S("EHLO x\r\n" MAIL));
	for (int i = 0; i < 1500; i++) {
		buf_put(&said, S("RCPT TO:<b@x.test> AUTH="));
		for (int j = 0; j < 4000; j++)
			buf_putc(&said, 'x');
		buf_put(&said, S("\r\n"));
	}
	buf_put(&said, S(END));
	run.said = buf_str(&said);
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, converse_with, &run));
	CHECK(run.was_cut);
	buf_fini(&run.codes);
}

TEST(lines_that_are_too_long)
{
	AUTO(buf_fini) Buf said = { 0 };
	Run run = { .a = a };

	for (int i = 0; i < 100000; i++)
		buf_putc(&said, 'x');
	buf_put(&said, S("\r\nNOOP\r\n" END));
	run.said = buf_str(&said);
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, converse_with, &run));
	CHECK_STR(buf_str(&run.codes), S("500 250 221"));
	buf_fini(&run.codes);
}
