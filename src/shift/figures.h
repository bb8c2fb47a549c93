/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of a state that was kept as JSON: false when one is missing or cannot be what it should. */
#pragma once
#include "base/json.h"

bool figures_get_u64(const Json *object, const char *key, uint64_t *out);
bool figures_get_i64(const Json *object, const char *key, int64_t *out);
bool figures_get_real(const Json *object, const char *key, double *out);  /* finite */
bool figures_get_share(const Json *object, const char *key, double *out); /* 0 to 1 */
/* Members of a struct, by the words they are kept under. */
typedef enum FigureKind {
	FIGURE_U32,
	FIGURE_U64,
	FIGURE_I64,
	FIGURE_REAL,
	FIGURE_SHARE
} FigureKind;
typedef struct Figure {
	const char *key;
	FigureKind kind;
	size_t at;
} Figure;

void figures_put(JsonWriter *w, const Figure *rows, size_t count,
                 const void *from); /* members of an object */
bool figures_get(const Json *object, const Figure *rows, size_t count, void *into);
/* INVALID "shift.state", naming what could not be read. */
Err *figures_wrong(Arena *a, const char *what) MUST_USE RETURNS_NONNULL;
