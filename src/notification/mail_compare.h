/* SPDX-License-Identifier: Apache-2.0
 *
 * Are the mails that are handed in now those that were sent before? Two sets of mails, compared kind by kind. Pure. */
#pragma once
#include "base/str.h"

typedef struct JsonWriter JsonWriter;
typedef struct MailCompare MailCompare;

MailCompare *mail_compare_new(Arena *a) RETURNS_NONNULL; /* lives as long as the arena */
/* One mail of what was sent before, or of what is handed in now. Copied, as far as it is needed. */
void mail_compare_add(MailCompare *c, bool before, Str message);
/* Every mail of an mbox (">From " undone), or the text as one mail. */
void mail_compare_add_box(MailCompare *c, bool before, Str text);

typedef struct MailKind {
	Str name; /* its subject, with # for what varies */
	size_t before, now;
	const Str *missing,
		*added; /* fields ("header Reply-To: x") and lines that all had before, or none */
	size_t missing_count, added_count;
} MailKind;
/* Kinds that both have, and that differ or not; those that one side lacks have 0 there. In the order of their names. */
size_t mail_compare_kinds(MailCompare *c, const MailKind **out);
/* Nothing is missing or added in kinds that both have. A kind that was not seen now, or is new, is told and is no difference. */
bool mail_compare_same(MailCompare *c);
void mail_compare_put(MailCompare *c, JsonWriter *w);
