/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening repositories of every shape. That a partial clone's loses no memory is for the leak checker to see. */
#include "audit/repo.c"

#include "git_made.h"
#include "unit.h"

static Str opened(const Made *m, const char *sub)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	Str base, why_not = S("");

	if (!repo_open(m->a, str_fmt(m->a, "%s%s", m->root, sub), &repo, &base, &why_not))
		return why_not;
	return str_fmt(m->a, "[%.*s]", STR_ARG(base));
}

TEST(repositories_open_from_any_folder_of_theirs)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	CHECK_INT(mkdir(str_fmt(a, "%s/shop", m.root).at, 0700), 0);
	CHECK_INT(mkdir(str_fmt(a, "%s/shop/orders", m.root).at, 0700), 0);
	CHECK_STR(opened(&m, ""), S("[]"));
	CHECK_STR(opened(&m, "/"), S("[]"));
	CHECK_STR(opened(&m, "/shop/orders"), S("[shop/orders/]"));
	CHECK_STR(opened(&m, "/gone"), S("no git repository could be opened (no such folder)"));
	CHECK(str_starts(opened(&m, "/../../proc"),
	                 S("no git repository could be opened (neither")));
}

TEST(repositories_open_from_further_worktrees)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(repo_freep) git_repository *repo = NULL;
	git_worktree *tree = NULL;
	git_oid head;
	Str base;

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "first");
	CHECK_INT(git_worktree_add(&tree, m.repo, "other", str_fmt(a, "%s/other", m.root).at, NULL),
	          0);
	git_worktree_free(tree);
	CHECK_STR(opened(&m, "/other"), S("[]"));
	CHECK(repo_open(a, str_fmt(a, "%s/other", m.root), &repo, &base, NULL));
	CHECK_INT(git_reference_name_to_id(&head, repo, "HEAD"), 0);
	CHECK(git_oid_equal(&head, &m.head));
	CHECK(git_ignore_path_is_ignored(&(int){ 0 }, repo, "x.py") == 0);
}

TEST(repositories_of_formats_that_are_not_read_say_so)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	put_text(
		&m, ".git/config",
		"[core]\nrepositoryformatversion = 1\nbare = false\n[extensions]\npartialClone = origin\nnoop = x\n");
	CHECK_STR(opened(&m, ""), S("[]"));
	put_text(&m, ".git/config",
	         "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n");
	CHECK_STR(opened(&m, ""), S("its extensions.objectformat is sha256, which is not read"));
	CHECK_INT(unlink(str_fmt(a, "%s/.git/HEAD", m.root).at), 0);
	CHECK(str_starts(opened(&m, ""), S("no git repository could be opened (")));
}

TEST(repositories_whose_own_files_are_pipes_are_not_waited_for)
{
	AUTO(made_fini) Made m = { 0 };
	const char *config;

	make_begin(a, &m);
	config = str_fmt(a, "%s/.git/config", m.root).at;
	CHECK_INT(unlink(config), 0);
	CHECK_INT(mkfifo(config, 0600), 0);
	CHECK_STR(opened(&m, ""), S("no git repository could be opened (its config is no file)"));
}

TEST(repositories_ignore_no_tracked_file)
{
	static const struct {
		const char *path;
		bool want;
	} cases[] = {
		{ "made/", false },     { "made/a.py", false }, { "made/new.py", true },
		{ "other/", true },     { "b.py", false },      { "old.py", true },
		{ "made/deep/", true }, { "plain.py", false },
	};
	AUTO(made_fini) Made m = { 0 };
	AUTO(repo_freep) git_repository *repo = NULL;
	git_index *index;
	Str base;

	make_begin(a, &m);
	commit(&m, 1, "ann", "made/a.py=1 b.py=2 plain.py=3", "by force");
	put_text(&m, ".gitignore", "made/\nother/\nb.py\nold.py\n");
	CHECK_INT(git_repository_index(&index, m.repo), 0);
	CHECK_INT(git_index_write(index), 0);
	git_index_free(index);
	CHECK(repo_open(a, str_of(m.root), &repo, &base, NULL));
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].path);
		CHECK_INT(repo_ignores(repo, cases[i].path), cases[i].want);
	}
}

TEST(repositories_that_are_none_are_not_the_one_above)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	CHECK_INT(mkdir(str_fmt(a, "%s/in", m.root).at, 0700), 0);
	CHECK_INT(mkdir(str_fmt(a, "%s/in/.git", m.root).at, 0700), 0);
	CHECK(str_starts(opened(&m, "/in"), S("no git repository could be opened (")));
}
