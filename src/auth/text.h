/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that people type: one form to compare by, one to show. All refuse what is not UTF-8, controls (NUL too), surrogates,
 * noncharacters, private characters and marks that turn the direction of text; addresses and user names also what Unicode 14
 * does not know. None parks. Errors are INVALID with a sentence for the person who typed it. */
#pragma once
#include "base/err.h"

typedef struct TextEmail {
	Str shown;  /* as typed, NFC, the domain in lower case */
	Str norm;   /* to compare: NFKC, all in lower case, the domain as A-labels ("xn--...") */
	Str domain; /* of norm */
} TextEmail;
/* RFC 5321 and 6531: dot-atom (no quoted local part), 64 bytes before the @, 254 in all, a domain of two labels or more that
 * IDNA 2008 allows. "text.email". */
Err *text_email(Arena *a, Str typed, TextEmail *out) MUST_USE;

typedef struct TextName {
	Str shown; /* as typed, NFC */
	Str norm;  /* to compare */
} TextName;
/* The user name profile of RFC 8265 (UsernameCaseMapped): width and case mapped, NFC, the identifier class of RFC 8264, the
 * bidi rule; 1 to 64 characters, no space. Of one script, or of those that are written together (Latin with Japanese, Chinese
 * or Korean). "text.username". */
Err *text_username(Arena *a, Str typed, TextName *out) MUST_USE;
/* A login name that another system gave: what Django's and Flask's rules let through stays usable. NFKC and case folded to
 * compare; 1 to 254 bytes, any characters but those refused above. "text.login". */
Err *text_login(Arena *a, Str typed, TextName *out) MUST_USE;
/* A name to show ("display name"): NFC, runs of spaces made one, trimmed, 1 to `most` characters. "text.name". */
Err *text_display(Arena *a, Str typed, size_t most, Str *out) MUST_USE;

/* Names that look alike have the same (after UTS 39, for the letters people are fooled with): for a second unique column. */
Str text_skeleton(Arena *a, Str norm);
