/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: a name, its versions that never change, and of each the parts: one for a channel and a language. */
#pragma once
#include "notification/channel.h"
#include "notification/mustache.h"
#include "store/db.h"

typedef struct PartRow PartRow;

/* What a part gives. */
typedef struct Rendered {
	Str subject, text, html, url, icon, data;
} Rendered;

enum { RENDERED_MOST = 512 << 10 /* bytes of each text */ };

/* The part for a channel in the best language there is. version: 0: the current one; *version: which it was. Fails with NOT_FOUND
 * "template.unknown", "template.part" (none for that channel). */
Err *template_part(Db *db, Arena *a, Str name, int64_t *version, Channel channel, Str locale,
                   Str fallback, PartRow **out) MUST_USE;
/* Can each text of it be read? Fails as mustache_read, the sentence with the text's name; INVALID "template.part" when what the channel
 * needs is not there. */
Err *part_check(Arena *a, Channel channel, const PartRow *part) MUST_USE;
/* Fails as mustache_put; INVALID "template.data" when its data are no JSON object then. */
Err *part_render(Arena *a, Channel channel, const PartRow *part, const Json *data, Rendered *out)
	MUST_USE;
