/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON cut to a size that a page can hold: copied as text, long lists to their first rows, named members not at all. Pure. */
#pragma once
#include "base/buf.h"

/* A path is the members' names from the outside in, "history.couplings"; what stands in a list's rows has the list's before its own. */
typedef struct PruneRow {
	Str path;
	size_t rows; /* 0: the member is left out as a whole */
	bool last;   /* of a list that is cut: its last row stays, after the first ones */
} PruneRow;

typedef struct PruneRules {
	size_t rows; /* of every list that has no rule of its own */
	const PruneRow *own;
	size_t own_count;
} PruneRules;

/* A list that was cut; those of one path (of a list's rows) are one. */
typedef struct Cut {
	Str path;
	uint64_t shown, of;
} Cut;
typedef struct Cuts {
	Cut *at;
	size_t count, room;
} Cuts;
void cuts_add(Arena *a, Cuts *cuts, Str path, uint64_t shown, uint64_t of);

/* Copies an object. Fails with INVALID "audit.json" when the text is none, is cut off, or is deeper than JSON_MAX_DEPTH; what else is not JSON is
 * copied as it is. */
Err *prune_json(Arena *a, Str json, const PruneRules *rules, Buf *out, Cuts *cuts) MUST_USE;
