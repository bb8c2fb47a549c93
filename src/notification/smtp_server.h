/* SPDX-License-Identifier: Apache-2.0
 *
 * SMTP server: one conversation with who hands in mails (RFC 5321, 6409; STARTTLS, AUTH, PIPELINING, SIZE, 8BITMIME, SMTPUTF8). What is
 * done with a mail is the caller's: it is theirs when `take` returned NULL, and only then the client is told 250. */
#pragma once
#include "notification/smtp_text.h"
#include "rt/tls.h"

typedef struct SmtpEnvelope {
	Str from; /* empty: the null path */
	const Str *to;
	size_t count;
	Str message; /* CR LF, whole, as it came */
	Str helo, user,
		ip; /* what the client calls itself, who it logged in as (empty: nobody), where it is */
	bool encrypted;
} SmtpEnvelope;

/* Durable, or an error: INVALID and TOO_LARGE are told as 554, all others as 451. *reply, of the arena: what 250 goes on with. Parks. */
typedef Err *SmtpTake(void *arg, Arena *a, const SmtpEnvelope *mail, Str *reply);
/* *good: it is. Parks. */
typedef Err *SmtpLogin(void *arg, Arena *a, Str user, Str password, bool *good);
/* NULL: mails for it are taken; else a reply: "550 5.7.1 no relaying". Does not park. */
typedef const char *SmtpMay(void *arg, const SmtpEnvelope *sofar, Str recipient);

typedef struct SmtpServerConf {
	Str name;        /* ours */
	TlsContext *tls; /* NULL: no STARTTLS */
	bool tls_first;  /* from the first byte */
	bool auth;       /* logins are offered */
	bool auth_clear; /* without TLS too */
	uint64_t message_most;
	uint32_t recipients_most;
	uint32_t mails_most; /* of one connection */
	int64_t idle_us, data_us;
	SmtpTake *take;
	SmtpLogin *login;
	SmtpMay *may;
	void *arg;
} SmtpServerConf;

/* The whole conversation; the stream is closed after. An error says why it ended, where that was not QUIT: for a counter, in `a`. */
Err *smtp_serve(Arena *a, Stream *stream, Str ip, const SmtpServerConf *conf) MUST_USE;
