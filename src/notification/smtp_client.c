/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of SMTP.
 *
 * With PIPELINING the commands of a mail go out in one packet: MAIL, every RCPT, DATA, and their replies are read in order. Where a
 * RCPT is refused the DATA is on its way already: a server that took none of them refuses DATA (554) or says 354, and then an empty
 * mail is sent to nobody, as RFC 2920 asks.
 *
 * What may be believed: until the last dot has gone to the kernel the mail is provably not taken, whatever happens. From then until
 * the reply it is unknown. That is what SmtpFate tells, and no more than that.
 *
 * After STARTTLS nothing that was said before counts: bytes that came in clear after its reply end the session (they would be read as
 * if they had been said under TLS), and EHLO is said anew. */
#include "notification/smtp_client.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_US (30 * US_PER_S)
#define COMMAND_US (60 * US_PER_S)
#define DATA_US (300 * US_PER_S)
enum { CHUNK = 16 << 10, INPUT_MOST = 64 << 10, SAID = 120, PIPE_RCPTS = 100 };

struct SmtpSession {
	const SmtpPlace *place;
	Stream stream;
	Buf in; /* what was read and not looked at yet */
	bool encrypted, broken;
	bool local; /* this machine */
	bool pipelining, eight, utf8, starttls, auth_plain, auth_login, auth_xoauth2;
	uint64_t size_most; /* 0: not said */
	size_t sent;
	int64_t idle_since;
	size_t said_len;
	char said[SAID];
};

static Err gone = ERR_STATIC(UPSTREAM, "smtp.closed", "the mail server ended the conversation");

/* --- replies ------------------------------------------------------------------------------------------------------------ */

static void note_said(SmtpSession *s, const SmtpReply *reply)
{
	ptrdiff_t end = str_find_char(reply->text, '\n');
	Str line = end < 0 ? reply->text : str_sub(reply->text, 0, (size_t)end);
	int len = snprintf(s->said, sizeof(s->said), "%u %.*s%s%.*s", reply->code,
	                   STR_ARG(reply->status), reply->status.len ? " " : "", STR_ARG(line));

	s->said_len = len < 0 ? 0 : MIN((size_t)len, sizeof(s->said) - 1);
}

static Err *read_reply(SmtpSession *s, Arena *a, SmtpReply *out)
{
	for (;;) {
		size_t used, got;
		SmtpRead state = smtp_reply_read(a, buf_str(&s->in), out, &used);
		char *room;

		if (state == SMTP_DONE) {
			buf_drop(&s->in, used);
			note_said(s, out);
			return NULL;
		}
		s->broken = true; /* until it is read whole */
		room = state == SMTP_BAD ? NULL : buf_room(&s->in, CHUNK);
		if (!room)
			return err_new(a, ERR_UPSTREAM, "smtp.reply",
			               "what the mail server says is no SMTP: %.*s",
			               STR_ARG(str_quote(a, buf_str(&s->in))));
		TRY(stream_read(&s->stream, room, CHUNK, &got));
		if (!got)
			return &gone;
		buf_wrote(&s->in, got);
		s->broken = false;
	}
}

static Err *refused(Arena *a, const char *slug, const char *what, const SmtpReply *reply)
{
	return err_new(a, strcmp(slug, "smtp.auth") == 0 ? ERR_DENIED : ERR_UPSTREAM, slug,
	               "%s: %u %.*s%s%.*s", what, reply->code, STR_ARG(reply->status),
	               reply->status.len ? " " : "", STR_ARG(str_sub(reply->text, 0, 200)));
}

static Err *say(SmtpSession *s, Arena *a, Str line, SmtpReply *out)
{
	AUTO(deadline_end) Deadline limit =
		deadline_begin(s->place->command_us ? s->place->command_us : COMMAND_US);

	TRY(stream_write(&s->stream, line));
	return read_reply(s, a, out);
}

static Err *expect(SmtpSession *s, Arena *a, Str line, const char *what, SmtpReply *out)
{
	TRY(say(s, a, line, out));
	return out->code / 100 == 2 ? NULL : refused(a, "smtp.refused", what, out);
}

/* --- the beginning ------------------------------------------------------------------------------------------------------ */

static bool has_word(Str list, Str word)
{
	Str one;

	while (str_split(&list, ' ', &one))
		if (str_eq_nocase(one, word))
			return true;
	return false;
}

static void read_extensions(SmtpSession *s, Str text)
{
	Str line, word;

	s->pipelining = s->eight = s->utf8 = s->starttls = false;
	s->auth_plain = s->auth_login = s->auth_xoauth2 = false;
	s->size_most = 0;
	str_split(&text, '\n', &line); /* its name */
	while (text.at && str_split(&text, '\n', &line)) {
		Str rest = line;

		str_split(&rest, ' ', &word);
		s->pipelining |= str_eq_nocase(word, S("PIPELINING"));
		s->eight |= str_eq_nocase(word, S("8BITMIME"));
		s->utf8 |= str_eq_nocase(word, S("SMTPUTF8"));
		s->starttls |= str_eq_nocase(word, S("STARTTLS"));
		if (str_eq_nocase(word, S("SIZE")))
			str_to_u64(str_trim(rest), &s->size_most);
		if (str_eq_nocase(word, S("AUTH"))) {
			s->auth_plain |= has_word(rest, S("PLAIN"));
			s->auth_login |= has_word(rest, S("LOGIN"));
			s->auth_xoauth2 |= has_word(rest, S("XOAUTH2"));
		}
	}
	s->pipelining &= !s->place->no_pipelining;
}

static Err *hello(SmtpSession *s, Arena *a)
{
	Str name = s->place->helo.len ? s->place->helo : S("localhost");
	SmtpReply reply;

	TRY(say(s, a, str_fmt(a, "EHLO %.*s\r\n", STR_ARG(name)), &reply));
	if (reply.code / 100 == 2) {
		read_extensions(s, reply.text);
		return NULL;
	}
	if (reply.code / 100 != 5)
		return refused(a, "smtp.refused", "the mail server does not greet", &reply);
	read_extensions(s, S(""));
	return expect(s, a, str_fmt(a, "HELO %.*s\r\n", STR_ARG(name)),
	              "the mail server does not greet", &reply);
}

static Err *encrypt(SmtpSession *s, Arena *a)
{
	const SmtpPlace *place = s->place;
	bool must = place->tls == SMTP_TLS_REQUIRED;
	SmtpReply reply;

	if (!place->context || !s->starttls)
		return must ? err_new(a, ERR_UPSTREAM, "smtp.tls",
		                      "%.*s offers no STARTTLS, and none goes without",
		                      STR_ARG(place->host))
		            : NULL;
	TRY(say(s, a, S("STARTTLS\r\n"), &reply));
	if (reply.code != 220)
		return must ? refused(a, "smtp.tls", "STARTTLS", &reply) : NULL;
	if (s->in.len)
		return err_new(a, ERR_UPSTREAM, "smtp.tls", "%.*s said more before TLS than it may",
		               STR_ARG(place->host));
	TRY(stream_tls_connect(&s->stream, place->context, place->host));
	s->encrypted = true;
	return hello(s, a);
}

static Err *login_plain(SmtpSession *s, Arena *a, SmtpReply *reply)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_putc(&b, 0);
	buf_put(&b, s->place->user);
	buf_putc(&b, 0);
	buf_put(&b, s->place->password);
	return say(s, a, str_fmt(a, "AUTH PLAIN %.*s\r\n", STR_ARG(b64(a, buf_str(&b)))), reply);
}

static Err *login_login(SmtpSession *s, Arena *a, SmtpReply *reply)
{
	TRY(say(s, a, S("AUTH LOGIN\r\n"), reply));
	if (reply->code == 334)
		TRY(say(s, a, str_fmt(a, "%.*s\r\n", STR_ARG(b64(a, s->place->user))), reply));
	if (reply->code == 334)
		TRY(say(s, a, str_fmt(a, "%.*s\r\n", STR_ARG(b64(a, s->place->password))), reply));
	return NULL;
}

static Err *login_xoauth2(SmtpSession *s, Arena *a, SmtpReply *reply)
{
	Str token = str_fmt(a, "user=%.*s\1auth=Bearer %.*s\1\1", STR_ARG(s->place->user),
	                    STR_ARG(s->place->password));

	TRY(say(s, a, str_fmt(a, "AUTH XOAUTH2 %.*s\r\n", STR_ARG(b64(a, token))), reply));
	if (reply->code == 334) /* it says why in JSON, and waits */
		TRY(say(s, a, S("\r\n"), reply));
	return NULL;
}

static Err *log_in(SmtpSession *s, Arena *a)
{
	const SmtpPlace *place = s->place;
	SmtpReply reply = { 0 };

	if (!place->user.len)
		return NULL;
	if (!s->encrypted && !s->local && !place->plain_password)
		return err_new(a, ERR_DENIED, "smtp.auth", "no password goes to %.*s without TLS",
		               STR_ARG(place->host));
	if (place->auth == SMTP_AUTH_XOAUTH2 && s->auth_xoauth2)
		TRY(login_xoauth2(s, a, &reply));
	else if (place->auth == SMTP_AUTH_PLAIN || (place->auth == SMTP_AUTH_BEST && s->auth_plain))
		TRY(login_plain(s, a, &reply));
	else if (place->auth == SMTP_AUTH_LOGIN || (place->auth == SMTP_AUTH_BEST && s->auth_login))
		TRY(login_login(s, a, &reply));
	else
		return err_new(a, ERR_DENIED, "smtp.auth",
		               "%.*s offers no way to log in that we know", STR_ARG(place->host));
	if (reply.code / 100 == 4)
		return refused(a, "smtp.refused", "the mail server takes no login now", &reply);
	return reply.code == 235
	               ? NULL
	               : refused(a, "smtp.auth", "the mail server refused the login", &reply);
}

static Err *greet(SmtpSession *s, Arena *a)
{
	SmtpReply reply;

	TRY(read_reply(s, a, &reply));
	if (reply.code != 220)
		return refused(a, "smtp.refused", "the mail server has no time", &reply);
	TRY(hello(s, a));
	if (s->place->tls == SMTP_TLS_TRY || s->place->tls == SMTP_TLS_REQUIRED)
		TRY(encrypt(s, a));
	return log_in(s, a);
}

static bool is_local(const Addr *addr)
{
	if (addr->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
	return addr->sa.sa_family == AF_UNIX || ntohl(addr->in.sin_addr.s_addr) >> 24 == 127;
}

static Err *connect_to(SmtpSession *s, const Addr *addr, int64_t within_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(within_us);

	s->local = is_local(addr);
	TRY(stream_connect(&s->stream, addr));
	if (s->place->tls != SMTP_TLS_DIRECT)
		return NULL;
	TRY(stream_tls_connect(&s->stream, s->place->context, s->place->host));
	s->encrypted = true;
	return NULL;
}

static Err *addresses_of(Arena *a, const SmtpPlace *place, Addr **addrs, size_t *count)
{
	if (!str_starts(place->host, S("unix:")))
		return dns_resolve(a, place->host, place->port, addrs, count);
	*addrs = ARENA_NEW(a, Addr);
	*count = 1;
	return addr_parse(a, place->host, *addrs);
}

Err *smtp_open(Arena *a, const SmtpPlace *place, SmtpSession **out)
{
	AUTO(smtp_closep) SmtpSession *s = calloc(1, sizeof(*s));
	int64_t most_us = place->connect_us ? place->connect_us : CONNECT_US;
	AUTO(deadline_end) Deadline limit = deadline_begin(most_us);
	Err *err = NULL;
	Addr *addrs;
	size_t count;

	if (!s)
		abort();
	*s = (SmtpSession){ .place = place,
		            .stream = STREAM_CLOSED,
		            .in = { .limit = INPUT_MOST } };
	if (place->tls == SMTP_TLS_DIRECT && !place->context)
		return err_new(a, ERR_UPSTREAM, "smtp.tls", "TLS is not set up");
	TRY(addresses_of(a, place, &addrs, &count));
	for (size_t i = 0; i < count; i++) {
		err = connect_to(s, &addrs[i],
		                 most_us / (int64_t)count); /* one that is silent is not the last */
		if (!err)
			break;
		stream_close(&s->stream);
		if (err->kind == ERR_CANCELLED)
			break;
	}
	TRY(err);
	TRY(greet(s, a));
	s->idle_since = loop_now_us();
	*out = TAKE(s);
	return NULL;
}

void smtp_close(SmtpSession *s)
{
	size_t sent;

	if (!s)
		return;
	if (stream_is_open(&s->stream) && !s->broken) {
		Err *err = stream_try_write(&s->stream, S("QUIT\r\n"), &sent);

		(void)err;
	}
	stream_close(&s->stream);
	buf_fini(&s->in);
	free(s);
}

void smtp_closep(SmtpSession **s)
{
	smtp_close(*s);
}

/* --- a mail ------------------------------------------------------------------------------------------------------------- */

static void all_become(SmtpMail *mail, SmtpFate fate, const SmtpReply *reply)
{
	for (size_t i = 0; i < mail->count; i++) {
		mail->to[i].fate = fate;
		mail->to[i].reply = reply ? *reply : (SmtpReply){ 0 };
	}
}

static SmtpFate fate_of(const SmtpReply *reply)
{
	if (reply->code / 100 == 2)
		return SMTP_TAKEN;
	return reply->code / 100 == 5 ? SMTP_NEVER : SMTP_LATER;
}

/* Can this server take such a mail at all? What would be its own reply, if not. */
static bool fits(const SmtpSession *s, SmtpMail *mail, bool *utf8, bool *eight)
{
	SmtpReply reply = { .code = 554,
		            .status = S("5.6.3"),
		            .text = S("the server takes no mail of eight bits") };

	*utf8 = !smtp_is_ascii(mail->from);
	for (size_t i = 0; i < mail->count; i++)
		*utf8 |= !smtp_is_ascii(mail->to[i].address);
	*eight = !smtp_is_ascii(mail->message);
	if (*utf8 && !s->utf8)
		reply = (SmtpReply){ 553, S("5.6.7"),
			             S("the server takes no addresses but ASCII") };
	else if (s->size_most && mail->message.len > s->size_most)
		reply = (SmtpReply){ 552, S("5.3.4"),
			             S("the mail is larger than the server takes") };
	else if (!*eight || s->eight)
		return true;
	all_become(mail, SMTP_NEVER, &reply);
	return false;
}

static Str mail_line(const SmtpSession *s, Arena *a, const SmtpMail *mail, bool utf8, bool eight)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_fmt(&b, "MAIL FROM:<%.*s>", STR_ARG(mail->from));
	if (s->size_most)
		buf_fmt(&b, " SIZE=%zu", mail->message.len);
	if (eight)
		buf_put(&b, S(" BODY=8BITMIME"));
	if (utf8)
		buf_put(&b, S(" SMTPUTF8"));
	buf_put(&b, S("\r\n"));
	return str_dup(a, buf_str(&b));
}

static void put_recipient(Buf *b, Str address)
{
	buf_fmt(b, "RCPT TO:<%.*s>\r\n", STR_ARG(address));
}

static bool rcpt_became(SmtpRecipient *to, const SmtpReply *reply)
{
	to->reply = *reply;
	to->fate = fate_of(reply);
	return to->fate == SMTP_TAKEN;
}

/* MAIL, RCPTs and DATA one by one. */
static Err *envelope_slowly(SmtpSession *s, Arena *a, SmtpMail *mail, Str first, size_t *taken,
                            SmtpReply *data)
{
	AUTO(buf_fini) Buf b = { 0 };
	SmtpReply reply;

	TRY(say(s, a, first, &reply));
	if (reply.code / 100 != 2) {
		all_become(mail, fate_of(&reply), &reply);
		return NULL;
	}
	for (size_t i = 0; i < mail->count; i++) {
		buf_clear(&b);
		put_recipient(&b, mail->to[i].address);
		TRY(say(s, a, buf_str(&b), &reply));
		*taken += rcpt_became(&mail->to[i], &reply);
	}
	return *taken ? say(s, a, S("DATA\r\n"), data) : NULL;
}

/* All at once, and then their replies. */
static Err *envelope_at_once(SmtpSession *s, Arena *a, SmtpMail *mail, Str first, size_t *taken,
                             SmtpReply *data)
{
	AUTO(buf_fini) Buf b = { 0 };
	SmtpReply from, reply;

	buf_put(&b, first);
	for (size_t i = 0; i < mail->count; i++)
		put_recipient(&b, mail->to[i].address);
	buf_put(&b, S("DATA\r\n"));
	TRY(say(s, a, buf_str(&b), &from));
	for (size_t i = 0; i < mail->count; i++) {
		TRY(read_reply(s, a, &reply));
		*taken += rcpt_became(&mail->to[i], &reply) && from.code / 100 == 2;
	}
	TRY(read_reply(s, a, data));
	if (from.code / 100 != 2)
		all_become(mail, fate_of(&from), &from);
	return NULL;
}

/* Those whom the server has taken get what became of the mail. */
static void taken_become(SmtpMail *mail, SmtpFate fate, const SmtpReply *reply)
{
	for (size_t i = 0; i < mail->count; i++)
		if (mail->to[i].fate == SMTP_TAKEN) {
			mail->to[i].fate = fate;
			mail->to[i].reply = *reply;
		}
}

/* The mail itself after 354, to its reply. */
static Err *hand_over(SmtpSession *s, Arena *a, SmtpMail *mail, bool empty)
{
	AUTO(deadline_end) Deadline limit =
		deadline_begin(s->place->data_us ? s->place->data_us : DATA_US);
	AUTO(buf_fini) Buf b = { 0 };
	SmtpReply reply = { 0 };
	Err *err;

	smtp_put_data(&b, empty ? S("") : mail->message);
	/* All but the end: what breaks here was not taken. */
	err = b.len > 3 ? stream_write_more(&s->stream, str_sub(buf_str(&b), 0, b.len - 3)) : NULL;
	if (err) {
		taken_become(mail, SMTP_LATER, &reply);
		return err;
	}
	err = stream_write(&s->stream, S(".\r\n"));
	if (!err)
		err = read_reply(s, a, &reply);
	if (!empty)
		taken_become(mail, err ? SMTP_UNKNOWN : fate_of(&reply), &reply);
	return err;
}

static Err *send_mail(SmtpSession *s, Arena *a, SmtpMail *mail)
{
	SmtpReply data = { 0 }, reply;
	size_t taken = 0;
	bool utf8, eight;
	Str first;

	if (!fits(s, mail, &utf8, &eight))
		return NULL;
	first = mail_line(s, a, mail, utf8, eight);
	if (s->pipelining && mail->count <= PIPE_RCPTS)
		TRY(envelope_at_once(s, a, mail, first, &taken, &data));
	else
		TRY(envelope_slowly(s, a, mail, first, &taken, &data));
	if (data.code == 354)
		return hand_over(s, a, mail, !taken);
	if (data.code && taken)
		taken_become(mail, fate_of(&data) == SMTP_TAKEN ? SMTP_LATER : fate_of(&data),
		             &data);
	if (data.code / 100 == 2)
		return err_new(a, ERR_UPSTREAM, "smtp.reply",
		               "the mail server answered DATA with %u", data.code);
	return say(s, a, S("RSET\r\n"), &reply);
}

Err *smtp_send(SmtpSession *s, Arena *a, SmtpMail *mail)
{
	Err *err;

	all_become(mail, SMTP_LATER, NULL);
	err = send_mail(s, a, mail);
	if (err) { /* a RCPT that was taken says nothing of the mail */
		SmtpReply none = { 0 };

		taken_become(mail, SMTP_LATER, &none);
		s->broken = true;
	}
	s->sent++;
	s->idle_since = loop_now_us();
	return err;
}

bool smtp_is_fine(SmtpSession *s)
{
	char byte;
	size_t got;
	bool more;

	if (s->broken || s->in.len || !stream_is_open(&s->stream) || s->said_len < 3 ||
	    strncmp(s->said, "421", 3) == 0)
		return false;
	return !stream_try_read(&s->stream, &byte, 1, &got, &more) && !got && more;
}

bool smtp_encrypted(const SmtpSession *s)
{
	return s->encrypted;
}

Str smtp_said(const SmtpSession *s)
{
	return (Str){ s->said, s->said_len };
}

size_t smtp_sent(const SmtpSession *s)
{
	return s->sent;
}

int64_t smtp_idle_since(const SmtpSession *s)
{
	return s->idle_since;
}
