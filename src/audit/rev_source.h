/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of another revision, read from git's objects instead of the disk: nothing is checked out, nothing is written. */
#pragma once
#include "audit/project.h"

typedef struct RevSource RevSource;

/* Opens the repository that root lies in, at a revision ("main", "HEAD~3", "v1.2", a commit's name). Fails with NOT_FOUND "audit.revision". Lives in
 * the arena; its texts may be asked for from any thread. Blocks. */
Err *rev_source_open(Arena *a, Str root, Str rev, RevSource **out) MUST_USE;
Str rev_source_id(const RevSource *source); /* 12 digits */

/* Paths from root that differ between the revision and what is on the disk, those that git does not know yet with them. By path. Fails with IO
 * "audit.git". */
Err *rev_source_changed(Arena *a, RevSource *source, const Str **paths, size_t *count) MUST_USE;
