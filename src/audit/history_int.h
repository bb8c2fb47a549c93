/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two trees: what history.c asks of history_tree.c. */
#pragma once
#include "base/str.h"

#include <git2.h>

enum { CHANGE_PATH = 4096, CHANGE_DEPTH = 200 };

typedef struct Change {
	Str path;        /* from the folder compared */
	git_oid was, is; /* zero: it was not there, it is not there */
} Change;

typedef struct Changes {
	Change *at;
	size_t count, room;
} Changes;

/* What differs between the folder `base` ("" or "a/b/") of two commits' trees, by git's order of paths; parent NULL: all is new. Appends to *out, in
 * the arena. False: a tree is not in this clone. Paths longer than CHANGE_PATH and folders deeper than CHANGE_DEPTH are passed over. */
bool tree_changes(Arena *a, git_odb *odb, const git_oid *tree, const git_oid *parent, Str base,
                  Changes *out);
