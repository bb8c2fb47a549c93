/* SPDX-License-Identifier: Apache-2.0
 *
 * SMTP client: one conversation with a mail server, used for one mail after another (RFC 5321; STARTTLS 3207, AUTH 4954, PIPELINING
 * 2920, SIZE 1870, 8BITMIME 6152, SMTPUTF8 6531). One fiber's at a time; everything parks. */
#pragma once
#include "base/buf.h"
#include "notification/smtp_text.h"
#include "rt/tls.h"

typedef enum SmtpTls {
	SMTP_TLS_NONE,
	SMTP_TLS_TRY, /* STARTTLS where the server offers it; then whoever it is */
	SMTP_TLS_REQUIRED, /* STARTTLS, and a certificate for its name; else no mail and no password goes there */
	SMTP_TLS_DIRECT, /* from the first byte (port 465) */
} SmtpTls;

typedef enum SmtpAuth {
	SMTP_AUTH_BEST, /* PLAIN, else LOGIN, as offered */
	SMTP_AUTH_PLAIN,
	SMTP_AUTH_LOGIN,
	SMTP_AUTH_XOAUTH2, /* the password is a token */
} SmtpAuth;

/* Where and how. Immutable, outlives its sessions. */
typedef struct SmtpPlace {
	Str host; /* a name, an address, or "unix:/path" */
	uint16_t port;
	SmtpTls tls;
	TlsContext *context; /* NULL: no TLS is possible */
	SmtpAuth auth;
	Str user, password;                      /* user empty: none */
	Str helo;                                /* our name */
	int64_t connect_us, command_us, data_us; /* 0: 30 s, 1 min, 5 min */
	bool no_pipelining;                      /* one command at a time, whatever is offered */
	bool plain_password; /* may the password go without TLS? To this machine it always may */
} SmtpPlace;

typedef struct SmtpSession SmtpSession;

typedef enum SmtpFate {
	SMTP_TAKEN,
	SMTP_LATER,   /* 4xx, or no conversation: it was provably not taken */
	SMTP_NEVER,   /* 5xx */
	SMTP_UNKNOWN, /* the conversation broke after the whole mail was on its way */
} SmtpFate;

typedef struct SmtpRecipient {
	Str address;
	SmtpFate fate;
	SmtpReply reply; /* of RCPT, or of the mail; code 0: of nobody */
	bool own; /* its own RCPT was refused: what is said is about this address, not the sender or the mail */
} SmtpRecipient;

typedef struct SmtpMail {
	Str from;    /* empty: the null path */
	Str message; /* CR LF, whole; eight-bit where the server takes it (else SMTP_NEVER 5.6.3) */
	SmtpRecipient *to; /* in: addresses; out: what became of each */
	size_t count;      /* 1 at least */
} SmtpMail;

/* A session that has said EHLO, with TLS and logged in as the place says. Fails as stream_connect and dns_resolve do, and with
 * UPSTREAM "smtp.refused" (the server's reply), "smtp.reply" (what it says is no SMTP), "smtp.tls" (none to be had where it must be),
 * DENIED "smtp.auth". The errors are of the arena. */
Err *smtp_open(Arena *a, const SmtpPlace *place, SmtpSession **out) MUST_USE;
/* QUIT when that costs no waiting, then gone. NULL is fine. */
void smtp_close(SmtpSession *s);
void smtp_closep(SmtpSession **s);

/* One mail. What became of it stands in mail->to, also when this fails; an error says that the session is of no use any more. Replies in `a`. */
Err *smtp_send(SmtpSession *s, Arena *a, SmtpMail *mail) MUST_USE;

/* Is it good for another mail? (Nothing unexpected was said, the server is there.) Does not park. */
bool smtp_is_fine(SmtpSession *s);
bool smtp_encrypted(const SmtpSession *s);
Str smtp_said(const SmtpSession *s); /* its last reply's first line, for people; until the next */
size_t smtp_sent(const SmtpSession *s);        /* mails so far */
int64_t smtp_idle_since(const SmtpSession *s); /* loop_now_us */
