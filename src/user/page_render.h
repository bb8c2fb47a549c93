/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages: HTML files with names in them, filled so that no value can be more than a value.
 *
 *   {{name}}             a value; what it must be escaped for is known from where it stands
 *   {{t KEY}}            a text in the reader's language (page_text.h), {name} in it a value
 *   {{#name}}...{{/}}    once when the value is not empty; of a list once for each row
 *   {{^name}}...{{/}}    when it is empty
 *   {{>FILE}}            another file
 *
 * A value may stand in text and in an attribute in double quotes; in href, src and action only as an address of ours or of
 * http(s). Anywhere else (in a tag, a script, a comment) a page does not render: a test renders them all. */
#pragma once
#include "base/buf.h"
#include "user/page_text.h"

typedef struct PageFile {
	Str name; /* "login.html" */
	Str bytes;
} PageFile;

typedef struct PageData PageData; /* names and values; lives as long as the arena */

PageData *page_data(Arena *a) RETURNS_NONNULL;
void page_put(PageData *data, const char *name, Str value); /* borrowed */
/* One more row of a list; names that it does not have are looked for around it. */
PageData *page_add(PageData *data, const char *list) RETURNS_NONNULL;

/* A text with its values in it, as it is: to be put as a value. Fails with "page.text", "page.name". */
Err *page_say(Arena *a, const char *key, PageLanguage language, const PageData *data, Str *out)
	MUST_USE;

/* Fails with INTERNAL "page.file" (no such file), "page.syntax", "page.context", "page.name" (a name that nobody put: {{^}} and {{#}}
 * may), "page.text". */
Err *page_render(Arena *a, const PageFile *files, size_t count, const char *file,
                 PageLanguage language, const PageData *data, Buf *out) MUST_USE;
