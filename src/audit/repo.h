/* SPDX-License-Identifier: Apache-2.0
 *
 * The git repository that a folder lies in, opened as an audit needs it: whole, shallow and partial clones alike. Nothing is ever written. */
#pragma once
#include "base/str.h"

typedef struct git_repository git_repository;

/* True: *out is the caller's (repo_freep), *base is where root lies in it ("" or "apps/shop/"). False: out is untouched and *why_not, unless NULL,
 * says why, as an end to "history was not read: ". Blocks; any thread. */
bool repo_open(Arena *a, Str root, git_repository **out, Str *base, Str *why_not);
void repo_freep(git_repository **repo); /* for AUTO */

/* Is it left out by a .gitignore? What is tracked is not, whatever patterns say; nor is a folder that holds something tracked. A folder's path, from
 * the working folder, ends in a slash. */
bool repo_ignores(git_repository *repo, const char *path);
