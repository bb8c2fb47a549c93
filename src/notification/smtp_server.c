/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's side of SMTP, in one fiber a connection.
 *
 * Commands are answered one after another; replies are held back while there are more commands in what was read (PIPELINING), so that a
 * client's MAIL, RCPT, RCPT, DATA are one packet each way. What a client says before TLS counts for nothing after it, and bytes behind
 * STARTTLS in the same packet end the conversation.
 *
 * Strict where a second server would read something else: a message with a lone CR or LF is refused (it may hide another mail's
 * commands), and so is a line that is too long. An HTTP request that a browser was talked into sending here ends with its first line. */
#include "notification/smtp_server.h"

#include "auth/b64.h"
#include "base/arena.h"
#include "base/time.h"

#include <string.h>

enum {
	CHUNK = 16 << 10,
	KEPT = 64 << 10,
	ERRORS_MOST = 20,
	LOGINS_MOST = 3,
	NAME_MOST = 255,
	MAIL_MOST = 4 << 20
};
#define LOGIN_PAUSE_US US_PER_S

typedef struct Talk {
	const SmtpServerConf *conf;
	Stream *stream;
	Arena *lasting; /* of the conversation */
	Arena *a;       /* of one mail */
	Buf in, out, message;
	bool encrypted, greeted, over;
	Str helo, user;
	char helo_bytes[NAME_MOST];
	SmtpEnvelope mail;
	Str *to;
	bool in_mail;
	uint32_t errors, logins, mails;
	Str ip;
} Talk;

static Err ended = ERR_STATIC(CLOSED, "smtp.closed", "the client ended the conversation");

/* --- talking ------------------------------------------------------------------------------------------------------------ */

static Err *flush(Talk *t)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(t->conf->idle_us);
	Err *err = t->out.len ? stream_write(t->stream, buf_str(&t->out)) : NULL;

	buf_clear(&t->out);
	return err;
}

static void reply(Talk *t, const char *line)
{
	buf_put(&t->out, str_of(line));
	buf_put(&t->out, S("\r\n"));
	if (line[0] == '5')
		t->errors++;
}

static Err *fill(Talk *t, int64_t within_us)
{
	size_t got;
	char *room;

	TRY(flush(t));
	room = buf_room(&t->in, CHUNK);
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(within_us);

		TRY(stream_read(t->stream, room, CHUNK, &got));
	}
	if (!got)
		return &ended;
	buf_wrote(&t->in, got);
	return NULL;
}

/* One line without its end. NULL line.at: it was too long, which has been answered. */
static Err *read_line(Talk *t, Str *line)
{
	bool dropped = false;

	for (;;) {
		ptrdiff_t end = str_find_char(buf_str(&t->in), '\n');

		if (end >= 0 && !dropped && end <= SMTP_LINE_MOST) {
			*line = str_dup(t->a, str_sub(buf_str(&t->in), 0, (size_t)end));
			if (line->len && line->at[line->len - 1] == '\r')
				line->len--;
			buf_drop(&t->in, (size_t)end + 1);
			return NULL;
		}
		if (end >= 0) {
			buf_drop(&t->in, (size_t)end + 1);
			reply(t, "500 5.5.6 that line is too long");
			*line = (Str){ 0 };
			return NULL;
		}
		if (t->in.len > SMTP_LINE_MOST) {
			dropped = true;
			buf_drop(&t->in, t->in.len);
		}
		TRY(fill(t, t->conf->idle_us));
	}
}

static void mail_reset(Talk *t)
{
	t->in_mail = false;
	t->mail = (SmtpEnvelope){ 0 };
	t->to = NULL;
	arena_clear(t->a);
}

/* --- before a mail ------------------------------------------------------------------------------------------------------ */

static Str clean_name(char into[NAME_MOST], Str name)
{
	size_t len = 0;

	for (size_t i = 0; i < name.len && len < NAME_MOST; i++)
		if (name.at[i] > ' ' && name.at[i] < 0x7f && !strchr("()<>\\\"", name.at[i]))
			into[len++] = name.at[i];
	return (Str){ into, len };
}

static Err *on_hello(Talk *t, Str argument, bool extended)
{
	const SmtpServerConf *conf = t->conf;

	t->greeted = true;
	t->helo = clean_name(t->helo_bytes, argument);
	mail_reset(t);
	if (!extended) {
		buf_fmt(&t->out, "250 %.*s\r\n", STR_ARG(conf->name));
		return NULL;
	}
	buf_fmt(&t->out, "250-%.*s\r\n250-PIPELINING\r\n250-SIZE %" PRIu64 "\r\n",
	        STR_ARG(conf->name), conf->message_most);
	if (conf->tls && !t->encrypted)
		buf_put(&t->out, S("250-STARTTLS\r\n"));
	if (conf->auth && (t->encrypted || conf->auth_clear))
		buf_put(&t->out, S("250-AUTH PLAIN LOGIN\r\n"));
	buf_put(&t->out, S("250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"));
	return NULL;
}

static Err *on_starttls(Talk *t, Str argument)
{
	if (!t->conf->tls || t->encrypted || argument.len) {
		reply(t, "503 5.5.1 there is no TLS to begin");
		return NULL;
	}
	if (t->in.len) {
		t->over = true;
		reply(t, "503 5.5.1 nothing may follow STARTTLS at once");
		return NULL;
	}
	reply(t, "220 2.0.0 go on");
	TRY(flush(t));
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(t->conf->idle_us);

		TRY(stream_tls_accept(t->stream, t->conf->tls));
	}
	t->encrypted = true;
	t->greeted = false;
	t->helo = t->user = (Str){ 0 };
	mail_reset(t);
	return NULL;
}

/* --- logins ------------------------------------------------------------------------------------------------------------- */

/* A line of Base64, asked for. *gone: the client would rather not, or it was none. */
static Err *ask(Talk *t, const char *prompt, Str *out, bool *gone)
{
	Str line;

	buf_put(&t->out, S("334 "));
	buf_put(&t->out, str_of(prompt));
	buf_put(&t->out, S("\r\n"));
	TRY(read_line(t, &line));
	*gone = !line.at || str_eq(line, S("*")) || !b64_read(t->a, line, out);
	return NULL;
}

static bool read_plain(Str text, Str *user, Str *password)
{
	Str rest = text, as;

	return str_split(&rest, 0, &as) && str_split(&rest, 0, user) &&
	       str_split(&rest, 0, password) && !rest.at && user->len;
}

static Err *check_login(Talk *t, Str user, Str password)
{
	bool good = false;
	Err *err = t->conf->login(t->conf->arg, t->a, user, password, &good);

	if (err && err->kind == ERR_CANCELLED)
		return err;
	if (err) {
		reply(t, "454 4.7.0 nobody could be asked");
		return NULL;
	}
	if (good) {
		t->user = str_dup(t->lasting, user);
		reply(t, "235 2.7.0 welcome");
		return NULL;
	}
	TRY(flush(t));
	TRY(fiber_sleep(LOGIN_PAUSE_US));
	t->over = ++t->logins >= LOGINS_MOST;
	reply(t, "535 5.7.8 that name or password is wrong");
	return NULL;
}

static Err *on_auth(Talk *t, Str argument)
{
	Str kind, user = { 0 }, password = { 0 }, text = { 0 };
	bool gone = false;

	if (!t->conf->auth || (!t->encrypted && !t->conf->auth_clear)) {
		reply(t, t->conf->auth ? "538 5.7.11 not without TLS"
		                       : "502 5.5.1 there are no logins here");
		return NULL;
	}
	if (t->user.len || t->in_mail) {
		reply(t, "503 5.5.1 not now");
		return NULL;
	}
	str_split(&argument, ' ', &kind);
	if (str_eq_nocase(kind, S("PLAIN"))) {
		if (argument.len)
			gone = !b64_read(t->a, argument, &text);
		else
			TRY(ask(t, "", &text, &gone));
		gone = gone || !read_plain(text, &user, &password);
	} else if (str_eq_nocase(kind, S("LOGIN"))) {
		if (argument.len)
			gone = !b64_read(t->a, argument, &user);
		else
			TRY(ask(t, "VXNlcm5hbWU6", &user, &gone));
		if (!gone)
			TRY(ask(t, "UGFzc3dvcmQ6", &password, &gone));
	} else {
		reply(t, "504 5.5.4 that way of logging in is not known");
		return NULL;
	}
	if (gone) {
		reply(t, "501 5.5.2 that is no login");
		return NULL;
	}
	return check_login(t, user, password);
}

/* --- a mail ------------------------------------------------------------------------------------------------------------- */

static Err *on_mail(Talk *t, Str argument)
{
	const char *wrong;
	SmtpPath path;

	if (!t->greeted || t->in_mail) {
		reply(t, t->in_mail ? "503 5.5.1 there is a mail already"
		                    : "503 5.5.1 say EHLO first");
		return NULL;
	}
	wrong = smtp_path_read(argument, S("FROM:"), &path);
	if (!wrong && path.size > t->conf->message_most)
		wrong = "552 5.3.4 that mail is too large";
	if (!wrong && t->mails >= t->conf->mails_most)
		wrong = "452 4.5.3 enough for one connection";
	if (wrong) {
		reply(t, wrong);
		return NULL;
	}
	t->in_mail = true;
	t->mail = (SmtpEnvelope){ .from = path.address,
		                  .helo = t->helo,
		                  .user = t->user,
		                  .ip = t->ip,
		                  .encrypted = t->encrypted };
	t->to = ARENA_ARRAY(t->a, Str, t->conf->recipients_most);
	t->mail.to = t->to;
	reply(t, "250 2.1.0 fine");
	return NULL;
}

static Err *on_rcpt(Talk *t, Str argument)
{
	const char *wrong = NULL;
	SmtpPath path;

	if (!t->in_mail)
		wrong = "503 5.5.1 say MAIL first";
	else
		wrong = smtp_path_read(argument, S("TO:"), &path);
	if (!wrong && !path.address.len)
		wrong = "501 5.1.3 that is no address";
	if (!wrong && t->mail.count >= t->conf->recipients_most)
		wrong = "452 4.5.3 too many recipients";
	if (!wrong)
		wrong = t->conf->may(t->conf->arg, &t->mail, path.address);
	if (wrong) {
		reply(t, wrong);
		return NULL;
	}
	t->to[t->mail.count++] = path.address;
	reply(t, "250 2.1.5 fine");
	return NULL;
}

static Err *read_message(Talk *t, SmtpTaker *taker)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(t->conf->data_us);

	buf_clear(&t->message);
	while (!taker->done) {
		size_t used = smtp_take(taker, buf_str(&t->in));

		buf_drop(&t->in, used);
		if (!taker->done)
			TRY(fill(t, t->conf->idle_us));
	}
	return NULL;
}

static Err *take(Talk *t)
{
	Str said = S("2.0.0 taken");
	Err *err;

	t->mail.message = buf_str(&t->message);
	t->mails++;
	err = t->conf->take(t->conf->arg, t->a, &t->mail, &said);
	if (!err)
		buf_fmt(&t->out, "250 %.*s\r\n", STR_ARG(said));
	else if (err->kind == ERR_CANCELLED)
		return err;
	else if (err->kind == ERR_INVALID || err->kind == ERR_TOO_LARGE ||
	         err->kind == ERR_NOT_FOUND)
		buf_fmt(&t->out, "554 5.6.0 %.*s\r\n", STR_ARG(str_of(err->slug)));
	else
		reply(t, "451 4.3.0 not now, try again");
	return NULL;
}

static Err *on_data(Talk *t)
{
	SmtpTaker taker = { .into = &t->message };

	if (!t->in_mail || !t->mail.count) {
		reply(t, t->in_mail ? "554 5.5.1 there are no recipients"
		                    : "503 5.5.1 say MAIL first");
		return NULL;
	}
	reply(t, "354 the mail, then a dot");
	TRY(read_message(t, &taker));
	if (t->message.broken)
		reply(t, "552 5.3.4 that mail is too large");
	else if (taker.lone)
		reply(t, "550 5.6.0 lines end in CR LF");
	else
		TRY(take(t));
	if (t->message.cap > KEPT)
		buf_fini(&t->message); /* an idle connection holds no large mail */
	mail_reset(t);
	return NULL;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------- */

static Err *obey(Talk *t, SmtpVerb verb, Str argument)
{
	switch (verb) {
	case SMTP_EHLO:
	case SMTP_HELO:
		return on_hello(t, argument, verb == SMTP_EHLO);
	case SMTP_STARTTLS:
		return on_starttls(t, argument);
	case SMTP_AUTH:
		return on_auth(t, argument);
	case SMTP_MAIL:
		return on_mail(t, argument);
	case SMTP_RCPT:
		return on_rcpt(t, argument);
	case SMTP_DATA:
		return on_data(t);
	case SMTP_RSET:
		mail_reset(t);
		reply(t, "250 2.0.0 forgotten");
		return NULL;
	case SMTP_NOOP:
		reply(t, "250 2.0.0 fine");
		return NULL;
	case SMTP_VRFY:
		reply(t, "252 2.1.5 send it, and you will see");
		return NULL;
	case SMTP_HELP:
		reply(t, "214 2.0.0 RFC 5321");
		return NULL;
	case SMTP_QUIT:
		t->over = true;
		reply(t, "221 2.0.0 bye");
		return NULL;
	case SMTP_NONE:
		break;
	}
	reply(t, "500 5.5.2 that is no command");
	return NULL;
}

/* A browser that was made to speak to us (cross-protocol scripting): its lines would come after one that is HTTP. */
static bool is_http(Str line)
{
	return str_ends(line, S(" HTTP/1.1")) || str_ends(line, S(" HTTP/1.0")) ||
	       str_eq_nocase(str_sub(line, 0, 5), S("Host:"));
}

static Err *converse(Talk *t)
{
	Str line, argument;

	buf_fmt(&t->out, "220 %.*s ESMTP\r\n", STR_ARG(t->conf->name));
	while (!t->over) {
		SmtpVerb verb;

		TRY(read_line(t, &line));
		if (!line.at && !line.len && t->errors > ERRORS_MOST)
			break;
		if (!line.at)
			continue;
		verb = smtp_verb_read(line, &argument);
		t->over = is_http(line);
		TRY(obey(t, verb, argument));
		if (t->errors > ERRORS_MOST) {
			reply(t, "421 4.7.0 too many errors");
			t->over = true;
		}
		if (!t->in_mail)
			arena_clear(t->a);
		if (arena_used(t->a) > MAIL_MOST) { /* of commands alone */
			reply(t, "421 4.7.0 too many words for one mail");
			t->over = true;
		}
	}
	return flush(t);
}

/* The last word to one that waits too long, or when we end. */
static void take_leave(Talk *t, const Err *err)
{
	AUTO(shield_end) Shield shield = shield_begin(100 * US_PER_MS);
	size_t sent;

	if (err && (err->kind == ERR_CANCELLED || err_is(err, "rt.deadline")) &&
	    stream_is_open(t->stream)) {
		Err *write = stream_try_write(t->stream, S("421 4.3.2 ending now\r\n"), &sent);

		(void)write;
	}
	stream_close(t->stream);
}

Err *smtp_serve(Arena *a, Stream *stream, Str ip, const SmtpServerConf *conf)
{
	Talk t = { .conf = conf, .stream = stream, .lasting = a, .ip = ip };
	AUTO(arena_freep) Arena *mail = arena_new(0);
	Err *err = NULL;

	t.a = mail;
	t.message.limit = conf->message_most;
	if (conf->tls_first) {
		AUTO(deadline_end) Deadline limit = deadline_begin(conf->idle_us);

		err = stream_tls_accept(stream, conf->tls);
		t.encrypted = true;
	}
	if (!err)
		err = converse(&t);
	take_leave(&t, err);
	buf_fini(&t.in);
	buf_fini(&t.out);
	buf_fini(&t.message);
	return err_copy(a, err);
}
