/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening repositories. Libgit2 refuses those whose configuration names extensions that it does not know, and looks for them by a pattern, in which
 * its 1.5 loses memory for every line that does not fit. Neither is needed: a partial clone's extension only says that objects may be missing, which
 * the audit bears, so what matters is asked by name. Nor is it asked whose the repository is: nothing that it says is run. Hashes of objects that are
 * read are not computed again: this halves the time of a walk, and a damaged object shows itself by not being readable. */
#include "audit/repo.h"

#include "base/arena.h"

#include <git2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TREE_BYTES = 64 << 10, CACHE_BYTES = 48 << 20 };

static pthread_once_t started = PTHREAD_ONCE_INIT;

/* For the whole program: threads open repositories of their own. */
static void repo_start(void)
{
	git_libgit2_init();
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

/* The nearest folder from here up that has a .git, be it a folder or a file that says where that is. */
static bool find_work(char *path)
{
	struct stat about;

	for (;;) {
		char *slash = path + strlen(path);

		memcpy(slash, "/.git", sizeof("/.git"));
		if (stat(path, &about) == 0) {
			slash[0] = '/';
			slash[1] = 0;
			return true;
		}
		*slash = 0;
		slash = strrchr(path, '/');
		if (!slash || !path[0])
			return false;
		*slash = 0;
	}
}

static bool is_tracked(git_repository *repo, const char *path)
{
	git_index *index = NULL;
	bool tracked = false;

	if (git_repository_index(&index, repo) == 0)
		tracked = str_ends(str_of(path), S("/"))
		                  ? git_index_find_prefix(NULL, index, path) == 0
		                  : git_index_get_bypath(index, path, 0) != NULL;
	git_index_free(index);
	return tracked;
}

bool repo_ignores(git_repository *repo, const char *path)
{
	int ignored = 0;

	return git_ignore_path_is_ignored(&ignored, repo, path) == 0 && ignored &&
	       !is_tracked(repo, path);
}

/* Of the files that libgit2 reads whole, the first that is none, such as a pipe, at which it would wait for ever; empty: there is none. */
static Str no_file(Arena *a, const char *git)
{
	static const char *const names[] = { "HEAD",    "config",       "packed-refs", "index",
		                             "shallow", "info/exclude", "commondir" };
	struct stat about;

	for (size_t i = 0; i < COUNT(names); i++)
		if (stat(str_fmt(a, "%s/%s", git, names[i]).at, &about) == 0 &&
		    !S_ISREG(about.st_mode))
			return str_of(names[i]);
	return S("");
}

/* What git's format says that libgit2 cannot read. */
static Str unreadable(Arena *a, git_repository *repo)
{
	static const struct {
		const char *key, *fine;
	} formats[] = { { "extensions.objectformat", "sha1" },
		        { "extensions.refstorage", "files" } };
	git_config *all = NULL, *config = NULL;
	Str what = S("");

	if (git_repository_config(&all, repo) == 0 && git_config_snapshot(&config, all) == 0)
		for (size_t i = 0; i < COUNT(formats); i++) {
			const char *value;

			if (git_config_get_string(&value, config, formats[i].key) == 0 &&
			    strcmp(value, formats[i].fine) != 0)
				what = str_fmt(a, "its %s is %s, which is not read", formats[i].key,
				               value);
		}
	git_config_free(config);
	git_config_free(all);
	return what;
}

/* Nothing above is looked at: the folder would be taken for the whole of another repository. */
static const char *folder_above(Arena *a, const char *work)
{
	ptrdiff_t slash = str_rfind_char(str_sub(str_of(work), 0, strlen(work) - 1), '/');

	return slash > 0 ? str_fmt(a, "%.*s", (int)slash, work).at : NULL;
}

/* Opened as one without a folder, which then gets its folder: so the extensions that its configuration names are nobody's business but ours. */
static bool open_work(Arena *a, const char *work, git_repository **out, Str *why_not)
{
	git_buf git = GIT_BUF_INIT;
	bool found = git_repository_discover(&git, work, 0, folder_above(a, work)) == 0;
	Str odd = found ? no_file(a, git.ptr) : S("");
	bool opened = found && !odd.len && git_repository_open_bare(out, git.ptr) == 0 &&
	              git_repository_set_workdir(*out, work, 0) == 0;
	const git_error *last = odd.len ? NULL : git_error_last();

	if (odd.len)
		*why_not = str_fmt(a, "no git repository could be opened (its %.*s is no file)",
		                   STR_ARG(odd));
	else if (!opened)
		*why_not = str_fmt(a, "no git repository could be opened (%s)",
		                   last ? last->message : "it is damaged");
	git_buf_dispose(&git);
	return opened;
}

bool repo_open(Arena *a, Str root, git_repository **out, Str *base, Str *why_not)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	AUTO(freep) char *real = realpath(str_z(a, root), NULL);
	char *work;
	Str path, none = { 0 };

	why_not = why_not ? why_not : &none;
	if (!real) {
		*why_not = S("no git repository could be opened (no such folder)");
		return false;
	}
	path = str_fmt(a, "%s/", strcmp(real, "/") != 0 ? real : "");
	work = (char *)str_fmt(a, "%s     ", real).at;
	work[strlen(real)] = 0;
	if (!find_work(work)) {
		*why_not = S(
			"no git repository could be opened (neither the folder nor one above has a .git)");
		return false;
	}
	pthread_once(&started, repo_start); /* it reads certificates, so not for nothing */
	if (!open_work(a, work, &repo, why_not))
		return false;
	*why_not = unreadable(a, repo);
	if (why_not->len)
		return false;
	*base = str_sub(path, strlen(work), path.len);
	*out = TAKE(repo);
	return true;
}
