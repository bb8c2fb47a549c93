/* SPDX-License-Identifier: Apache-2.0
 *
 * MIME, read: heads, headers, the parts of a message and their text. Never fails: what is malformed is given as it stands. Views into
 * the message where nothing had to be decoded. Pure, bounded: at most MIME_PARTS parts, MIME_DEPTH deep. */
#pragma once
#include "base/buf.h"

enum { MIME_PARTS = 64, MIME_DEPTH = 8 };

/* At the first empty line; without one all of it is head. */
void mime_split(Str message, Str *head, Str *body);
/* One field after another, from *rest on: its name, and its value as it stands (folded, without the blanks around it). Lines that are
 * no field are passed over. */
bool mime_next(Str *rest, Str *name, Str *value);
/* The first field of that name; false: there is none. Unfolded. */
bool mime_header(Arena *a, Str head, const char *name, Str *value);
/* The same for people: encoded words as UTF-8. Empty: there is none. */
Str mime_header_text(Arena *a, Str head, const char *name);
Str mime_unfold(Arena *a, Str value);
Str mime_words(Arena *a,
               Str value); /* RFC 2047: UTF-8, US-ASCII and ISO-8859-1 are decoded, others stay */
/* A parameter of a Content-Type or the like; false: there is none. */
bool mime_parameter(Arena *a, Str value, const char *name, Str *out);
/* The first address in a From or To: what stands in <>, or the first word with an @. Empty: there is none. */
Str mime_address(Str value);

typedef struct MimePart {
	Str type;       /* "text/plain", lower case */
	Str head, body; /* body as it stands */
	Str name;       /* of a file; or empty */
	unsigned depth;
} MimePart;
/* Leaves in their order; a part of message/rfc822 is a leaf. */
size_t mime_parts(Arena *a, Str message, MimePart *parts, size_t most);
/* Its bytes: Base64 and quoted-printable undone. */
Str mime_part_bytes(Arena *a, const MimePart *part);
/* A text part as UTF-8 with LF line ends. */
Str mime_part_text(Arena *a, const MimePart *part);
