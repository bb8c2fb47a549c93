/* SPDX-License-Identifier: Apache-2.0
 *
 * SMTP as text (RFC 5321, 2034, 6531): replies and commands, addresses, and a message as it stands between DATA and the dot. Pure;
 * both sides of a conversation read with it. */
#pragma once
#include "base/buf.h"

enum {
	SMTP_LINE_MOST =
		4096, /* of a command or one line of a reply: RFC 5321 asks for 512, AUTH for more */
	SMTP_REPLY_LINES = 128,
	SMTP_ADDRESS_MOST = 254, /* RFC 5321 4.5.3.1, less its brackets */
	SMTP_LOCAL_MOST = 64,
};

typedef enum SmtpRead { SMTP_MORE, SMTP_DONE, SMTP_BAD } SmtpRead;

typedef struct SmtpReply {
	unsigned code; /* 200 to 599; 0: there was none */
	Str status;    /* "5.1.1" (RFC 3463), or empty */
	Str text;      /* its lines without numbers, a line feed between them */
} SmtpReply;

/* The first whole reply in `bytes`; *used of them. What is said stays within the limits above, else SMTP_BAD. */
SmtpRead smtp_reply_read(Arena *a, Str bytes, SmtpReply *out, size_t *used);

typedef enum SmtpVerb {
	SMTP_NONE, /* none that we know */
	SMTP_HELO,
	SMTP_EHLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_AUTH,
	SMTP_STARTTLS,
	SMTP_VRFY,
	SMTP_HELP,
} SmtpVerb;

SmtpVerb smtp_verb_read(Str line, Str *argument); /* the argument without blanks around it */

/* What stands after MAIL or RCPT. */
typedef struct SmtpPath {
	Str address;   /* local@domain; empty: the null path of MAIL FROM:<> */
	uint64_t size; /* SIZE=, 0: not said */
	bool eight;    /* BODY=8BITMIME */
	bool utf8;     /* SMTPUTF8 */
} SmtpPath;
/* word: "FROM:" or "TO:". NULL, or a reply that says what is wrong: "501 5.1.3 that is no address". */
const char *smtp_path_read(Str argument, Str word, SmtpPath *out);

/* May it stand in an envelope? One @ with something on both sides (a quoted local part may have more), UTF-8, no blank, control
 * character or bracket, within the limits. "postmaster" alone is none. */
bool smtp_address_is(Str address);
Str smtp_domain(Str address); /* after the last @; empty: there is none */
bool smtp_is_ascii(Str text);
/* Any bytes as one line of UTF-8, for people and databases: what is none, or a control character, becomes a ?. At most so many bytes. */
Str smtp_clean(Arena *a, Str text, size_t most);

/* A message as DATA sends it: lines end in CR LF (a lone CR or LF becomes one), a dot at the start of a line is doubled, the last
 * line is a dot. */
void smtp_put_data(Buf *b, Str message);

/* And back, from bytes as they come. The end is CR LF . CR LF and nothing else (what others take for one is how mails are smuggled). */
typedef struct SmtpTaker {
	Buf *into; /* its limit: more is counted but not kept */
	uint64_t bytes;
	bool lone; /* a CR without its LF, or an LF without its CR, was there: not to be trusted */
	bool done;
	uint8_t at; /* where in a line: of smtp_text.c; zero at the start */
} SmtpTaker;
size_t smtp_take(SmtpTaker *taker, Str bytes); /* so many of them belonged to it */
