/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening repositories. libgit2 refuses those whose configuration names extensions that it does not know; a partial clone's only says that objects
 * may be missing, which the audit bears, so it is declared known. Hashes of objects that are read are not computed again: this halves the time of a
 * walk, and a damaged object shows itself by not being readable. */
#include "audit/repo.h"

#include "base/arena.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

enum { TREE_BYTES = 64 << 10, CACHE_BYTES = 48 << 20 };

static void repo_start(void)
{
	const char *extensions[] = { "partialclone", "worktreeconfig" };

	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, COUNT(extensions));
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, (size_t)TREE_BYTES);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ptrdiff_t)CACHE_BYTES);
}

void repo_freep(git_repository **repo)
{
	git_repository_free(*repo);
}

static void freep(char **text)
{
	free(*text);
}

bool repo_open(Arena *a, Str root, git_repository **out, Str *base, Str *why_not)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	AUTO(freep) char *real = realpath(str_z(a, root), NULL);
	const char *workdir;
	Str path, none;

	why_not = why_not ? why_not : &none;
	repo_start();
	if (!real || git_repository_open_ext(&repo, real, 0, NULL) != 0) {
		const git_error *last = real ? git_error_last() : NULL;

		*why_not = str_fmt(a, "no git repository could be opened (%s)",
		                   last ? last->message : "no such folder");
		return false;
	}
	workdir = git_repository_workdir(repo);
	path = str_fmt(a, "%s/", real);
	if (!workdir || !str_starts(path, str_of(workdir))) {
		*why_not = S("the folder is no part of a checked out repository");
		return false;
	}
	*base = str_sub(path, strlen(workdir), path.len);
	*out = TAKE(repo);
	return true;
}
