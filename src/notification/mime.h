/* SPDX-License-Identifier: Apache-2.0
 *
 * MIME: a mail built from its parts (RFC 5322, 2045-2047, 2231). Nothing that a caller gives can add a header line: a control
 * character in a value is refused, never dropped. Pure. */
#pragma once
#include "base/buf.h"

typedef struct MailAddress {
	Str name;    /* "Pine & Anvil", UTF-8; may be empty */
	Str address; /* "shop@pineandanvil.example" */
} MailAddress;

typedef struct MailHeader {
	Str name, value; /* value: UTF-8, encoded where it must be */
} MailHeader;

typedef struct MailFile {
	Str name; /* "invoice.pdf" */
	Str type; /* "application/pdf"; empty: application/octet-stream */
	Str bytes;
	Str id; /* not empty: shown in the HTML as cid:ID */
} MailFile;

typedef struct MailDraft {
	MailAddress from, reply_to; /* reply_to without an address: none */
	const MailAddress *to;
	size_t to_count;
	Str subject;
	Str text, html; /* one of them, or both as alternatives; UTF-8 */
	Str message_id; /* "018f...@mail.shop.example", without brackets; the same at every attempt */
	int64_t date_us;
	Str unsubscribe_url; /* https: List-Unsubscribe with one click (RFC 8058); empty: none */
	const MailHeader *headers; /* more of them; none of those above */
	size_t header_count;
	const MailFile *files;
	size_t file_count;
} MailDraft;

/* The whole message, lines ended by CR LF, 7-bit but for addresses that are not (SMTPUTF8). Fails with INVALID "mail.header",
 * "mail.address", "mail.empty"; TOO_LARGE "base.buffer_full" above `most` bytes (0: no limit). */
Err *mime_build(Arena *a, const MailDraft *draft, size_t most, Str *out) MUST_USE;

/* One header line, folded, with its CR LF: what is not ASCII as encoded words. Fails with INVALID "mail.header". */
Err *mime_put_header(Buf *b, Arena *a, Str name, Str value) MUST_USE;
/* A domain in ASCII (IDNA 2008); false: it is none. What is ASCII already stays as it is. */
bool mime_domain_ascii(Arena *a, Str domain, Str *out);
