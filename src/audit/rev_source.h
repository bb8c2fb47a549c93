/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of another revision, read from git's objects instead of the disk: nothing is checked out, nothing is written. */
#pragma once
#include "audit/project.h"

typedef struct RevSource RevSource;

/* Opens the repository that root lies in, at a revision ("main", "HEAD~3", "v1.2", a commit's name); with `fork` where HEAD left it (their newest
 * common commit; the revision itself when there is none). Fails with NOT_FOUND "audit.revision". Lives in the arena. Blocks. */
Err *rev_source_open(Arena *a, Str root, Str rev, bool fork, RevSource **out) MUST_USE;
Str rev_source_id(const RevSource *source); /* the first 12 digits of the commit's name */
/* For AuditRules.from; texts may be asked for from any thread. What .gitignore of today names is left out here too. */
const ProjectSource *rev_source_files(RevSource *source);

/* Paths from root of what differs between the revision and the disk, files that git does not know yet among them. By path. Fails with IO
 * "audit.git". */
Err *rev_source_changed(Arena *a, RevSource *source, Str **paths, size_t *count) MUST_USE;
