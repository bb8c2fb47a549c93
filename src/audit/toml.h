/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML 1.0 as a tree, for pyproject.toml and lock files. Numbers, booleans and dates stay the text they are written as. A key given twice is
 * kept twice (the first is what is found); who writes the file has it checked by others. */
#pragma once
#include "base/err.h"

enum { TOML_BYTES = 64 << 20, TOML_DEPTH = 64, TOML_NODES = 4000000 };

typedef enum TomlKind {
	TOML_TEXT,
	TOML_WORD /* number, boolean, date */,
	TOML_ARRAY,
	TOML_TABLE
} TomlKind;

typedef struct Toml Toml;
struct Toml {
	TomlKind kind;
	uint32_t line;
	Str key;  /* in a table */
	Str text; /* of a text: what it means; of a word: as it is written */
	uint32_t count;
	Toml *first, *last,
		*next; /* an array's items, a table's values, in the order of the text */
};

/* `name` is what messages call the text. Fails with INVALID "toml.syntax" ("NAME:LINE: sentence"), TOO_LARGE "toml.too_large". */
Err *toml_read(Arena *a, Str name, Str text, const Toml **out) MUST_USE;
const Toml *toml_get(const Toml *table, Str key);   /* NULL: none, or no table */
const Toml *toml_path(const Toml *table, Str path); /* "tool.poetry.dependencies" */
Str toml_text(const Toml *table, Str key);          /* of a text; empty: there is none */
#define TOML_EACH(parent, var) \
	for (const Toml *var = (parent) ? (parent)->first : NULL; var; var = var->next)
