/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing two trees: what history.c asks of history_tree.c; and the walk with eyes, for those who keep it or look into contents. */
#pragma once
#include "audit/history.h"

#include <git2.h>

enum { CHANGE_PATH = 4096, CHANGE_DEPTH = 200, CHANGES_MOST = 1 << 20 };

typedef struct Change {
	Str path;        /* from the folder compared */
	git_oid was, is; /* zero: it was not there, it is not there */
} Change;

typedef struct Changes {
	Change *at;
	size_t count, room;
	bool too_many; /* more paths and folders than CHANGES_MOST */
} Changes;

/* What differs between the folder `base` ("" or "a/b/") of two commits' trees, by git's order of paths; parent NULL: all is new. Appends to *out, in
 * the arena. False: a tree is not in this clone, or there are too many. Paths longer than CHANGE_PATH and folders deeper than CHANGE_DEPTH are passed over. */
bool tree_changes(Arena *a, git_odb *odb, const git_oid *tree, const git_oid *parent, Str base,
                  Changes *out);

/* A file's text before and after a commit. Of a merge: of a file that differs from both its parents', `other` being the second's. */
typedef struct WalkVersion {
	uint32_t file; /* index of History.files */
	git_oid was, is, other;
} WalkVersion;

typedef struct WalkCommit {
	const git_oid *id;
	SetKind kind;
	int64_t time_s;
	uint32_t files;
	bool fix;
} WalkCommit;

/* All functions may be NULL. */
typedef struct WalkHooks {
	void *arg;
	bool (*known)(void *arg, const git_oid *id); /* then it and all before it are not walked */
	void (*version)(void *arg, const WalkVersion *version);
	void (*commit)(void *arg, const WalkCommit *commit); /* after its versions */
	void (*names)(void *arg,
	              const Map *files); /* at the end: by the oldest names, index and 1 */
	void (*progress)(void *arg, const char *what, size_t done, size_t of);
	void *progress_arg;
} WalkHooks;

/* history_read, with eyes. */
void history_walk(Arena *a, Str root, const WalkHooks *hooks, History *out);
/* After a walk: counts of files and people, and the index by path. Those that were there are made anew. */
void history_add_up(Arena *a, History *h);

/* Pairs of files that are counted, in one table of numbers. */
typedef struct Pair {
	uint64_t key; /* one, other, and 1; 0: free */
	uint32_t shared;
} Pair;

typedef struct Pairs {
	Arena *a;
	Pair *at;
	size_t count, cap; /* cap: a power of two, or 0 */
} Pairs;
void pairs_add(Pairs *p, uint32_t one, uint32_t other);

/* logs[n] = ln(n!), for all up to `most`. */
const double *history_logs(Arena *a, size_t most);
/* Fisher's exact test, one-sided: the chance of at least `shared` sets with both, when `one` and `other` of `all` sets are chosen independently. */
double history_chance(const double *logs, uint32_t all, uint32_t one, uint32_t other,
                      uint32_t shared);
