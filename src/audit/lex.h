/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of Python text, 2.7 to 3.14, for what is counted by lines and by tokens (sizes, clones). No grammar: whatever is between tokens
 * is skipped, and what is none is a token of its own, so that a broken file still has lines. Pure. */
#pragma once
#include "base/str.h"

typedef enum LexKind {
	LEX_END,
	LEX_NAME, /* and keywords */
	LEX_NUMBER,
	LEX_STRING, /* prefix, quotes and all; of f-strings too */
	LEX_OP,
	LEX_COMMENT,
	LEX_NEWLINE, /* the end of a logical line, or of a line that has nothing, or within brackets (nl) */
	LEX_ODD /* a character that Python has not, an open string */
} LexKind;

typedef struct Lexeme {
	LexKind kind;
	bool nl;        /* of NEWLINE: no logical line ends here */
	uint32_t line;  /* from 1 */
	uint32_t lines; /* line breaks inside of it: of a string */
	Str text;
} Lexeme;

typedef struct Lex {
	Str text;
	size_t at;
	uint32_t line;
	uint32_t depth; /* of brackets */
	bool filled;    /* something stands in this logical line */
} Lex;

Lex lex_new(Str text);
/* The next; after the last it is LEX_END, again and again. Lines end as Python's str.splitlines has them in code: LF, CR, CRLF, and as
 * form feed is a blank. A backslash before a line's end is a blank. */
Lexeme lex_next(Lex *lex);

/* Lines of a file by what is on them, as radon counts them (its `raw`): sloc + multi + single_comments + blank == loc. */
typedef struct LineCounts {
	uint32_t loc, lloc, sloc, comments, multi, blank, single_comments;
} LineCounts;
LineCounts lex_count(Str text);
