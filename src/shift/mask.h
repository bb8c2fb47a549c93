/* SPDX-License-Identifier: Apache-2.0
 *
 * Mask: what must not be kept of an answer or a request is replaced by "***" before anything is kept. It errs on the side of
 * hiding: a value goes when its name says that it is a secret, when its path is listed, or when it looks like an e-mail
 * address, a card number (13 to 19 digits, Luhn) or a signed token (JWT), wherever it stands. Any thread; nothing here parks. */
#pragma once
#include "base/conf.h"

#define MASKED S("***")

typedef CONF_LIST_OF(Str) MaskStrs;

typedef struct MaskRules {
	MaskStrs
		names; /* more names of keys, fields and parameters, beside the ones that are always masked */
	MaskStrs
		paths; /* of values in JSON and HTML, as compare.h writes them; all that is below too */
} MaskRules;

/* Does a key, field, parameter or attribute of that name hold a secret? By its words (userPassword, x-api-key,
 * card[number]): those that are always masked, and the rules'. rules may be NULL. */
bool mask_name(const MaskRules *rules, Str name);
/* Is one of those words anywhere in this text? */
bool mask_named_in(const MaskRules *rules, Str text);

/* Is there anything in the text that looks like a secret, whatever it is called? */
bool mask_has_shape(Str text);
/* Does the text hold anything that mask_put_text would hide? */
bool mask_sees(const MaskRules *rules, Str text);

/* A text without its secrets: all of it is hidden when it names one ("your password is ..."), else what looks like one. What
 * is no printable UTF-8 comes as \n, \x1b, \u2028; at most `limit` bytes, then "..." follows. */
void mask_put_text(Buf *b, const MaskRules *rules, Str text, size_t limit);
/* A request line ("GET /a?b=c"), a target or an address: values of parameters with such a name, what follows such a word in the
 * path, user and password before the host, and what looks like a secret, percent-encoded too. */
void mask_put_target(Buf *b, const MaskRules *rules, Str target, size_t limit);
