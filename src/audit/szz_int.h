/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the parts of SZZ: what a walk collects (szz_walk.c), one file's lines through all its versions (szz_lines.c), and the sums (szz.c). */
#pragma once
#include "audit/history_int.h"
#include "audit/szz.h"

enum { SZZ_UNKNOWN = UINT32_MAX };

typedef struct SzzCommit {
	int64_t time_s;
	uint32_t files;
	bool fix, merge;
	bool ignored; /* of .git-blame-ignore-revs: its lines are of those they took the place of */
	bool code;    /* it has a version of a file that is wanted */
} SzzCommit;

typedef struct SzzVersion {
	uint32_t file, commit;
	git_oid was, is, other;
} SzzVersion;

/* Lines that a fix mended in one file and that one commit wrote (SZZ_UNKNOWN: it is not known which). */
typedef struct SzzLink {
	uint32_t file, fix, by, lines;
} SzzLink;
typedef struct SzzLinks {
	SzzLink *at;
	size_t count, room;
} SzzLinks;

typedef struct SzzWalk {
	Arena *a;
	History history; /* the walk's own: numbers of files are its */
	SzzCommit *commits;
	size_t commit_count, commit_room;
	SzzVersion *versions; /* by file; of each the oldest first */
	size_t version_count, version_room;
	size_t *first; /* by file: where its versions begin; and the end */
} SzzWalk;

/* All versions of files; *why_not is empty, or says why there are none. */
void szz_walk(SzzWalk *w, const AuditRules *rules, Str *why_not);

/* One file, from its oldest version on: adds links for its fixes. Lives with one thread. */
typedef struct SzzReader SzzReader;
SzzReader *szz_reader_new(Str root, const SzzWalk *walk) RETURNS_NONNULL;
void szz_reader_free(SzzReader *r);
void szz_follow(SzzReader *r, uint32_t file, Arena *a, SzzLinks *links);
uint64_t szz_reader_diffs(const SzzReader *r);
