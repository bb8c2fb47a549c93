/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of a scenario with {NAME} in them; "{{" and "}}" are braces. Taken apart once, filled in for each request. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

typedef struct Text Text;

/* NULL, or INVALID "load.text": a brace without its other, or an empty name. */
Err *text_mistake(Arena *a, Str source);
/* Of a source without mistakes; borrows it; lives as long as the arena. */
Text *text_new(Arena *a, Str source);
bool text_is_plain(const Text *text); /* nothing to fill in */

/* The value of a name: false when there is none, which leaves it empty. */
typedef bool TextLookup(void *arg, Str name, Buf *out);
void text_put(Buf *out, const Text *text, TextLookup *lookup, void *arg);
/* The same, the whole result escaped as a part of a form (application/x-www-form-urlencoded). */
void text_put_form(Buf *out, const Text *text, TextLookup *lookup, void *arg);
/* Each name in it, for checks. */
void text_names(const Text *text, void (*visit)(void *arg, Str name), void *arg);
