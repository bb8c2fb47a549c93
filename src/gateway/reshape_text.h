/* SPDX-License-Identifier: Apache-2.0
 *
 * A JSON text as a tree whose leaves are the text itself, so that what is moved in it and written again is what it was,
 * digit by digit: 12.50 stays 12.50, and no integer is too large. */
#pragma once
#include "base/buf.h"

typedef struct ReshapePath ReshapePath; /* gateway/conf_reshape.h */

typedef enum TextKind {
	TEXT_GONE,
	TEXT_OBJECT,
	TEXT_ARRAY,
	TEXT_STRING,
	TEXT_NUMBER,
	TEXT_WORD
} TextKind;

typedef struct TextNode TextNode;
struct TextNode {
	TextKind kind;
	union {
		Str text; /* as written; of a string, with its quotes */
		struct {
			TextNode *first, *last; /* what is in an object or array */
		};
	};
	Str key;  /* of a member, as written, with its quotes */
	Str name; /* the same, decoded */
	TextNode *next;
};

enum { TEXT_DEPTH = 64 };

/* The tree borrows the text. Strict (RFC 8259), but for keys that come twice. Fails with INVALID "json.syntax" or
 * "json.too_deep". */
Err *reshape_text_read(Arena *a, Str text, TextNode **out) MUST_USE;
void reshape_text_put(Buf *b, const TextNode *node); /* compact */

/* Are all numbers such as pass through a double unharmed: integers up to 2^53, reals whose digits come back? Else the
 * first that is not is in *which. */
bool reshape_text_is_double(const TextNode *node, Str *which);

/* From one place to another, see ReshapeMoveConf. */
typedef struct TextMove {
	const ReshapePath *from, *to;
} TextMove;

/* All values are taken first, then all are put, in place of what stands there; objects on the way are made. What is not
 * there does not move; of a key that comes twice the last counts, and the others go with it. *count grows by the values
 * that moved. Fails with INVALID "shift.reshape_place" where something that is no object is in the way. */
Err *reshape_text_move(Arena *a, TextNode *root, const TextMove *moves, size_t move_count,
                       size_t *count) MUST_USE;
/* *count grows by the values that went. */
void reshape_text_remove(TextNode *root, const ReshapePath *path, size_t *count);
