/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's syntax as rows, in the order of the text: a node, then all that is in it, then what follows. So an analysis is one loop over an
 * array, a whole subtree is skipped by going to its end, and no nesting is too deep for anybody's stack.
 *
 *	for (uint32_t i = body; i < s->at[body].end; i++) {
 *		if (s->at[i].kind == PY_FUNCTION_DEFINITION) { i = s->at[i].end - 1; continue; }
 *		...
 *	}
 *
 * What the grammar calls things is kept; of its tokens without a name only operators are there. Text that is not Python gives
 * PY_ERROR nodes around as little as possible, and the rest is read. */
#pragma once
#include "audit/syntax_words.h"
#include "base/str.h"

typedef enum PyKind {
	PY_OTHER,    /* named, and nothing that is looked for */
	PY_OPERATOR, /* a token without a name in the field `operator` or `operators` */
	PY_ASYNC,    /* the word, of a function, for or with */
#define X(kind, name) PY_##kind,
	PY_KINDS(X)
#undef X
		PY_KIND_COUNT
} PyKind;

typedef enum PyField {
	PY_F_NONE,
#define X(field, name) PY_F_##field,
	PY_FIELDS(X)
#undef X
		PY_F_COUNT
} PyField;

typedef struct PyNode {
	uint8_t kind;            /* PyKind */
	uint8_t field;           /* PyField: what it is to its parent */
	uint32_t from, to;       /* bytes of the text */
	uint32_t line, end_line; /* from 1 */
	uint32_t parent;         /* of the first one: itself */
	uint32_t end;            /* the row after all that is in it */
} PyNode;

enum { SYNTAX_NONE = 0 /* no child of anything */ };

typedef struct Syntax {
	Str text;
	const PyNode *at; /* at[0] is the module */
	uint32_t count;
	uint32_t errors;     /* places that are not Python, as far as the grammar goes */
	uint32_t error_line; /* of the first */
	bool cut;            /* it took longer than it may: only the beginning was read */
} Syntax;

typedef struct SyntaxReader SyntaxReader; /* memory for one file at a time; one thread uses one */
SyntaxReader *syntax_reader_new(void) RETURNS_NONNULL;
void syntax_reader_free(SyntaxReader *reader); /* NULL is fine */
/* Reads UTF-8 (other bytes are errors in strings and names). Good until the next read or the reader's end; text is borrowed. */
const Syntax *syntax_read(SyntaxReader *reader, Str text) RETURNS_NONNULL;

/* The child that is this to a node; SYNTAX_NONE: there is none. */
uint32_t syntax_child(const Syntax *s, uint32_t node, PyField field);
/* The n-th child, comments passed over. */
uint32_t syntax_nth(const Syntax *s, uint32_t node, uint32_t n);
/* The first of this kind among the children. */
uint32_t syntax_find(const Syntax *s, uint32_t node, PyKind kind);
static inline Str syntax_text(const Syntax *s, uint32_t node)
{
	return str_sub(s->text, s->at[node].from, s->at[node].to);
}
const char *py_kind_name(PyKind kind);
