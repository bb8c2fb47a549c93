/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel email: a rendered message as a mail, signed, to a mail server of the configuration.
 *
 * What identifies a mail is made of its delivery, so that each attempt sends the same: the Message-ID, and the address that bounces come
 * to. What a server says is told exactly: "no such user" is the address's fault (HARD), "refused by policy" or "too large" is this
 * server's or this mail's (REFUSED: another server may be asked), "come later" is SOFT or THROTTLED, and what broke after the last byte
 * is UNKNOWN. */
#include "base/arena.h"
#include "base/time.h"
#include "notification/bounce.h"
#include "notification/mail_int.h"
#include "notification/mime.h"
#include "notification/mime_read.h"

#define THROTTLE_US (60 * US_PER_S)
enum { MESSAGE_MOST = 32 << 20 };

void mail_reply_words(Arena *a, const SmtpReply *reply, Str *code, Str *detail)
{
	ptrdiff_t end = str_find_char(reply->text, '\n');

	*code = reply->code ? str_fmt(a, "%u%s%.*s", reply->code, reply->status.len ? " " : "",
	                              STR_ARG(reply->status))
	                    : S("");
	*detail = smtp_clean(a, str_sub(reply->text, 0, end < 0 ? reply->text.len : (size_t)end),
	                     200);
}

static Str name_of(Str text)
{
	ptrdiff_t end = str_find_char(text, '<');
	Str name = end > 0 ? str_trim(str_sub(text, 0, (size_t)end)) : S("");

	if (name.len >= 2 && name.at[0] == '"' && name.at[name.len - 1] == '"')
		name = str_sub(name, 1, name.len - 1);
	return name;
}

/* --- the mail ----------------------------------------------------------------------------------------------------------- */

static Err *build(const Mail *mail, Arena *a, const Message *m, Str from, Str *out)
{
	MailAddress to = { m->to_name, m->to };
	MailHeader *headers = ARENA_ARRAY(a, MailHeader, m->header_count + 1);
	Uuid id = uuid_is_nil(m->delivery) ? uuid_new() : m->delivery;
	MailDraft draft = {
		.from = { m->from.len ? m->from_name : name_of(mail->conf->from), from },
		.reply_to = { S(""), m->reply_to },
		.to = &to,
		.to_count = 1,
		.subject = m->subject,
		.text = m->text,
		.html = m->html,
		.message_id =
			str_fmt(a, "%.*s@%.*s", STR_ARG(uuid_text(a, id)), STR_ARG(mail->hostname)),
		.date_us = uuid_is_nil(m->delivery) ? time_utc_us() : uuid_time_us(m->delivery),
		.unsubscribe_url = m->unsubscribe,
		.headers = headers,
		.header_count = m->header_count
	};

	for (size_t i = 0; i < m->header_count; i++)
		headers[i] = (MailHeader){ m->headers[i].name, m->headers[i].value };
	return mime_build(a, &draft, MESSAGE_MOST, out);
}

/* One that is whole already: what it lacks is put before it. */
static Err *complete(const Mail *mail, Arena *a, const Message *m, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str head, body, found;

	(void)mail;
	mime_split(m->raw, &head, &body);
	if (m->unsubscribe.len && !mime_header(a, head, "List-Unsubscribe", &found)) {
		TRY(mime_put_header(&b, a, S("List-Unsubscribe"),
		                    str_fmt(a, "<%.*s>", STR_ARG(m->unsubscribe))));
		TRY(mime_put_header(&b, a, S("List-Unsubscribe-Post"),
		                    S("List-Unsubscribe=One-Click")));
	}
	buf_put(&b, m->raw);
	*out = str_dup(a, buf_str(&b));
	return NULL;
}

static Str sender_of(const Mail *mail, Arena *a, const Message *m)
{
	Str head, body, value;

	if (m->raw.len) {
		mime_split(m->raw, &head, &body);
		value = mime_header(a, head, "From", &value) ? mime_address(value) : S("");
		if (smtp_address_is(value))
			return value;
	}
	return m->from.len ? m->from : mime_address(mail->conf->from);
}

static Str return_path(const Mail *mail, Arena *a, const Message *m, Str from)
{
	Str base = mime_address(mail->conf->bounces);

	if (base.len && !uuid_is_nil(m->delivery))
		return verp_make(a, base, m->delivery, mail->secret);
	return m->raw.len && m->raw_from.len ? m->raw_from : from;
}

/* --- what came of it ---------------------------------------------------------------------------------------------------- */

static SendOutcome outcome_of(const SmtpRecipient *to)
{
	switch (to->fate) {
	case SMTP_TAKEN:
		return SEND_ACCEPTED;
	case SMTP_UNKNOWN:
		return SEND_UNKNOWN;
	case SMTP_NEVER:
		return bounce_of_status(to->reply.code, to->reply.status) == BOUNCE_HARD
		               ? SEND_HARD
		               : SEND_REFUSED;
	case SMTP_LATER:
		break;
	}
	return to->reply.code == 421 || str_starts(to->reply.status, S("4.7.")) ? SEND_THROTTLED
	                                                                        : SEND_SOFT;
}

static void tell(Arena *a, const SmtpRecipient *to, const Err *err, Str id, SendResult *out)
{
	*out = (SendResult){ .outcome = outcome_of(to) };
	mail_reply_words(a, &to->reply, &out->code, &out->detail);
	if (out->outcome == SEND_ACCEPTED)
		out->id = id;
	if (out->outcome == SEND_THROTTLED)
		out->retry_after_us = THROTTLE_US;
	if (!err || to->reply.code)
		return;
	out->code = str_of(err->slug);
	out->detail = str_sub(err->text, 0, 200);
	if (err_is(err, "smtp.auth"))
		out->outcome = SEND_REFUSED;
}

static Str message_id_of(Arena *a, Str message)
{
	Str head, body, id;

	mime_split(message, &head, &body);
	return mime_header(a, head, "Message-ID", &id) ? mime_address(id) : S("");
}

/* The domain as mail servers know it. */
static Str recipient_of(Arena *a, Str address)
{
	Str domain = smtp_domain(address), ascii;

	if (smtp_is_ascii(domain) || !mime_domain_ascii(a, domain, &ascii))
		return address;
	return str_fmt(a, "%.*s@%.*s", (int)(address.len - domain.len - 1), address.at,
	               STR_ARG(ascii));
}

static Err *send_one(void *state, Arena *a, const Message *m, SendResult *out)
{
	const MailServer *server = state;
	const Mail *mail = server->mail;
	Str from = sender_of(mail, a, m), message;
	SmtpRecipient to = { .address = recipient_of(a, m->to) };
	SmtpMail wire = { .from = return_path(mail, a, m, from), .to = &to, .count = 1 };
	Err *err = m->raw.len ? complete(mail, a, m, &message) : build(mail, a, m, from, &message);

	if (err && err->kind == ERR_INVALID) { /* no server will have it */
		*out = (SendResult){ .outcome = SEND_HARD,
			             .code = str_of(err->slug),
			             .detail = err->text };
		return NULL;
	}
	TRY(err);
	TRY(mail_sign(mail, a, from, message, &wire.message));
	err = smtp_pool_send(server->pool, a, &wire);
	if (err && err->kind == ERR_CANCELLED && to.fate == SMTP_LATER && !to.reply.code)
		return err;
	tell(a, &to, err, message_id_of(a, message), out);
	return NULL;
}

const ProviderKind *mail_provider_kind(void)
{
	static const ProviderKind kind = {
		.name = "smtp",
		.channel = CHANNEL_EMAIL,
		.send = send_one,
		.help = "a mail server, by SMTP",
	};

	return &kind;
}
