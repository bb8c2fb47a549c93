/* SPDX-License-Identifier: Apache-2.0
 *
 * Mustache: the templates of messages. No code in them, nothing but values, sections ({{#x}}, {{^x}}), comments and other
 * delimiters ({{=<% %>=}}), as mustache(5) has them. No partials, no lambdas.
 *
 * A value is escaped for the very place where it stands. Of HTML that is text, an attribute in quotes, or a URL in such an attribute (whole:
 * its scheme is one that leads nowhere dangerous; a part of one: percent-encoded); elsewhere (tags, names, style, script, event handlers,
 * comments, attributes without quotes) a template with a value is refused when it is read. A section must end in the kind of place
 * where it began. {{{x}}} and {{&x}} are taken as they are, in text of HTML and where nothing is escaped.
 *
 * Pure; any thread. */
#pragma once
#include "base/buf.h"
#include "base/json.h"

enum { MUSTACHE_DEPTH = 32, MUSTACHE_STEPS = 200000, MUSTACHE_TEXT_MOST = 256 << 10 };

typedef enum MustacheKind {
	MUSTACHE_TEXT, /* control characters but line breaks and tabs are left out */
	MUSTACHE_LINE, /* as text, on one line: a subject */
	MUSTACHE_HTML,
	MUSTACHE_JSON, /* in a string: its text; elsewhere a JSON value */
	MUSTACHE_URL,  /* first: a whole URL; else a part of one */
	MUSTACHE_KINDS
} MustacheKind;

typedef struct Mustache
	Mustache; /* as read; lives as long as the arena and the text; never changed */

/* Fails with INVALID "template.syntax", "template.place" (a value where it cannot be escaped), TOO_LARGE "template.too_large";
 * the sentence has line and column. */
Err *mustache_read(Arena *a, Str text, MustacheKind kind, const Mustache **out) MUST_USE;
/* Puts it with an object's members. What is not there is nothing. Fails with TOO_LARGE "template.output" when out is full or after
 * MUSTACHE_STEPS. */
Err *mustache_put(const Mustache *m, Arena *a, const Json *data, Buf *out) MUST_USE;
/* Both: at most `most` bytes. */
Err *mustache_render(Arena *a, Str text, MustacheKind kind, const Json *data, size_t most, Str *out)
	MUST_USE;
/* Names of the values and sections that it asks for, each once, in order: for previews. */
Str *mustache_names(const Mustache *m, Arena *a, size_t *count);
