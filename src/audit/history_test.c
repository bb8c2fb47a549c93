/* SPDX-License-Identifier: Apache-2.0
 *
 * Repositories made by hand, one commit a line. Ids of blobs are those of their texts; times are days. */
#include "audit/history.c"

#include "git_made.h"
#include "unit.h"

#include <sys/stat.h>

static History read_made(const Made *m, const char *sub)
{
	History h;

	history_read(m->a, str_fmt(m->a, "%s%s", m->root, sub), &h);
	return h;
}

static uint32_t revs(const History *h, const char *path)
{
	const HistoryFile *file = history_file(h, str_of(path));

	return file ? file->revs : 0;
}

TEST(history_counts_change_sets_and_says_what_it_left_out)
{
	AUTO(made_fini) Made m = { 0 };
	char many[1024] = "";
	size_t len = 0;

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1 b.py=1", "first");
	commit(&m, 2, "bob", "a.py=2", "Fix a");
	commit(&m, 3, "dependabot[bot]", "b.py=2", "bump");
	commit(&m, 4, "ann", "a.py=3 b.py=3", "black");
	put_text(&m, ".git-blame-ignore-revs",
	         str_fmt(a, "# formatted\n%s\nnonsense\n", hex(&m, &m.head)).at);
	for (int i = 0; i < 31; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "%sm/%d.py=%d",
		                        i ? " " : "", i, i);
	commit(&m, 5, "ann", many, "31 files");
	commit(&m, 400, "ann", "a.py=4 m/1.py=x", "one more");
	commit_with(&m, 401, "ann", "b.py=9", "merge", &m.ids[1]);
	History h = read_made(&m, "");

	CHECK_INT(h.why_not.len, 0);
	CHECK_INT(h.commits, 7);
	CHECK_INT(h.set_count, 3);
	CHECK_INT(h.kinds[SET_COUNTS], 3);
	CHECK_INT(h.kinds[SET_BOT], 1);
	CHECK_INT(h.kinds[SET_FORMAT], 1);
	CHECK_INT(h.kinds[SET_BIG], 1);
	CHECK_INT(h.kinds[SET_MERGE], 1);
	CHECK_INT(h.missing, 0);
	CHECK_INT(h.first_s, 86400);
	CHECK_INT(h.last_s, 401 * 86400);
	CHECK_INT(h.sets[0].time_s, 400 * 86400);
	CHECK_INT(revs(&h, "a.py"), 3);
	CHECK_INT(revs(&h, "b.py"), 1);
	CHECK_INT(revs(&h, "m/1.py"), 1);
	CHECK_INT(history_file(&h, S("a.py"))->recent, 1);
	CHECK_INT(history_file(&h, S("a.py"))->fixes, 1);
	CHECK_INT(history_file(&h, S("a.py"))->soc, 2); /* 1 + 0 + 1 */
	CHECK_STR(h.authors[history_file(&h, S("m/2.py"))->creator - 1].name, S("ann"));
	CHECK_INT(h.author_count, 3);
}

TEST(history_of_a_folder_is_that_of_its_files)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1 shop/x.py=1", "first");
	commit(&m, 2, "ann", "a.py=2", "outside");
	commit(&m, 3, "ann", "shop/x.py=2 shop/in/y.py=2", "inside");
	CHECK_INT(mkdir(str_fmt(a, "%s/shop", m.root).at, 0700), 0);
	History h = read_made(&m, "/shop");

	CHECK_INT(h.commits, 3);
	CHECK_INT(h.set_count, 2);
	CHECK_INT(h.kinds[SET_ELSEWHERE], 1);
	CHECK_INT(revs(&h, "x.py"), 2);
	CHECK_INT(revs(&h, "in/y.py"), 1);
	CHECK_INT(revs(&h, "a.py"), 0);
}

TEST(history_follows_a_file_over_its_names)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "old.py=1 __init__.py=", "first");
	commit(&m, 2, "bob", "old.py=2", "change");
	commit(&m, 3, "bob", "-old.py new/name.py=2 -__init__.py new/__init__.py=", "move");
	commit(&m, 4, "bob", "new/name.py=3", "change again");
	commit(&m, 5, "bob", "old.py=other", "another file of the old name");
	History h = read_made(&m, "");

	CHECK_INT(h.rename_count, 1); /* empty files are all alike */
	CHECK_INT(revs(&h, "new/name.py"), 4);
	CHECK_INT(revs(&h, "old.py"), 1);
	CHECK_INT(revs(&h, "__init__.py"), 2);
	CHECK_STR(h.authors[history_file(&h, S("new/name.py"))->creator - 1].name, S("ann"));
}

TEST(history_takes_an_earlier_file_of_a_name_for_another)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "x.py=earlier y.py=1", "first");
	commit(&m, 2, "ann", "-x.py", "away");
	commit(&m, 3, "bob", "-y.py x.py=1", "another takes the name");
	History h = read_made(&m, "");

	CHECK_INT(h.rename_count, 1);
	CHECK_INT(h.file_count, 2);
	CHECK_INT(revs(&h, "x.py"), 2);
	CHECK_INT(h.files[1].revs, 2);
	CHECK_STR(h.files[1].path, S("x.py"));
}

TEST(history_of_a_shallow_clone_ends_where_git_says)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "beyond");
	commit(&m, 2, "ann", "a.py=2", "where it ends");
	commit(&m, 3, "ann", "a.py=3", "newest");
	put_text(&m, ".git/shallow", str_fmt(a, "%s\n", hex(&m, &m.ids[1])).at);
	lose(&m, &m.ids[0]);
	History h = read_made(&m, "");

	CHECK(h.shallow);
	CHECK_INT(h.commits, 2);
	CHECK_INT(h.kinds[SET_SHALLOW], 1);
	CHECK_INT(h.missing, 0);
	CHECK_INT(revs(&h, "a.py"), 1);
}

TEST(history_passes_over_what_is_not_in_the_clone)
{
	AUTO(made_fini) Made m = { 0 };
	git_commit *third;

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "lost");
	commit(&m, 2, "ann", "a.py=2", "its parent is lost");
	commit(&m, 3, "ann", "a.py=3", "its tree is lost");
	commit(&m, 4, "ann", "a.py=4", "so is its parent's");
	commit(&m, 5, "ann", "a.py=5", "whole");
	CHECK_INT(git_commit_lookup(&third, m.repo, &m.ids[2]), 0);
	lose(&m, git_commit_tree_id(third));
	git_commit_free(third);
	lose(&m, &m.ids[0]);
	History h = read_made(&m, "");

	CHECK_INT(h.commits, 4);
	CHECK_INT(h.missing, 1);
	CHECK_INT(h.kinds[SET_MISSING], 3);
	CHECK_INT(h.set_count, 1);
	CHECK_INT(revs(&h, "a.py"), 1);
}

TEST(history_reads_a_partial_clone)
{
	AUTO(made_fini) Made m = { 0 };
	git_oid blob;

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "first");
	commit(&m, 2, "ann", "a.py=2", "second");
	CHECK_INT(git_odb_hash(&blob, "1", 1, GIT_OBJECT_BLOB), 0);
	lose(&m, &blob);
	put_text(
		&m, ".git/config",
		"[core]\nrepositoryformatversion = 1\nbare = false\n[extensions]\npartialClone = origin\n");
	History h = read_made(&m, "");

	CHECK_STR(h.why_not, S(""));
	CHECK_INT(h.set_count, 2);
	CHECK_INT(revs(&h, "a.py"), 2);
}

TEST(history_says_why_there_is_none)
{
	AUTO(made_fini) Made m = { 0 };
	History h;

	make_begin(a, &m);
	CHECK_STR(read_made(&m, "").why_not, S("the repository has no commits yet"));
	h = read_made(&m, "/nowhere");
	CHECK_STR(h.why_not, S("no git repository could be opened (no such folder)"));
	history_read(a, S("/proc/self"), &h);
	CHECK(str_starts(h.why_not, S("no git repository could be opened")));
}

TEST(history_takes_people_as_mailmap_has_them)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	put_text(&m, ".mailmap", "Ann Lee <ann@shop.test> <annie@shop.test>\n");
	commit(&m, 1, "ann", "a.py=1", "first");
	commit(&m, 2, "annie", "a.py=2", "second");
	commit(&m, 3, "ANN", "a.py=3", "third");
	History h = read_made(&m, "");

	CHECK_INT(h.author_count, 1);
	CHECK_INT(h.authors[0].sets, 3);
	CHECK_INT(h.authors[0].last_s, 3 * 86400);
}

TEST(history_knows_a_fix_and_a_bot_by_their_words)
{
	static const struct {
		Str message;
		bool fix;
	} fixes[] = {
		{ S("Fix the basket"), true },
		{ S("prefix of names"), false },
		{ S("fixture for tests"), false },
		{ S("Revert \"x\""), true },
		{ S("orders: hotfix"), true },
		{ S("Fix typo"), false },
		{ S("Fix lint"), false },
		{ S("Add x\n\nFixes #12"), true },
		{ S("Add x\n\nCloses: #7"), true },
		{ S("Add x\n\nCloses the door"), false },
		{ S("Add x\n\nfix later"), false },
		{ S(""), false },
		{ S("Add x\n\nresolves #"), false },
		{ S("A bug, no more"), true },
	};
	static const struct {
		Str name, email;
		bool bot;
	} people[] = {
		{ S("dependabot[bot]"), S("x@y"), true },
		{ S("Abbott"), S("abbott@y"), false },
		{ S("release-bot"), S("x@y"), true },
		{ S("Ann"), S("noreply@github.com"), false },
		{ S("Weblate"), S("x@y"), true },
	};

	for (size_t i = 0; i < COUNT(fixes); i++)
		CHECK_INT(history_is_fix(fixes[i].message) * 100 + (int)i,
		          fixes[i].fix * 100 + (int)i);
	for (size_t i = 0; i < COUNT(people); i++)
		CHECK_INT(history_is_bot(people[i].name, people[i].email) * 100 + (int)i,
		          people[i].bot * 100 + (int)i);
}

TEST(history_is_not_misled_by_clocks_that_were_wrong)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 0, "ann", "a.py=1", "a clock that began with 1970");
	commit(&m, 18000, "ann", "a.py=2", "2019");
	commit(&m, 47000, "ann", "a.py=3", "2098");
	commit(&m, 18100, "ann", "a.py=4", "2019 again");
	History h = read_made(&m, "");

	CHECK_INT(h.commits, 4);
	CHECK_INT(h.first_s, INT64_C(18000) * 86400);
	CHECK_INT(h.last_s, INT64_C(18100) * 86400);
	CHECK_INT(history_file(&h, S("a.py"))->recent, 3);
}

/* A tree that holds another one `many` times. */
static git_oid tree_of(const Made *m, const git_oid *each, git_filemode_t mode, int many)
{
	git_treebuilder *builder;
	git_oid id;

	CHECK_INT(git_treebuilder_new(&builder, m->repo, NULL), 0);
	for (int i = 0; i < many; i++)
		CHECK_INT(git_treebuilder_insert(NULL, builder, str_fmt(m->a, "%d", i).at, each,
		                                 mode),
		          0);
	CHECK_INT(git_treebuilder_write(&id, builder), 0);
	git_treebuilder_free(builder);
	return id;
}

TEST(history_passes_over_trees_that_hold_each_other_too_often)
{
	AUTO(made_fini) Made m = { 0 };
	git_signature *by;
	git_tree *tree;
	git_oid id;

	make_begin(a, &m);
	CHECK_INT(git_blob_create_from_buffer(&id, m.repo, "x", 1), 0);
	id = tree_of(&m, &id, GIT_FILEMODE_BLOB, 100);
	for (int i = 0; i < 8; i++) /* ten thousand million million paths of a few kilobytes */
		id = tree_of(&m, &id, GIT_FILEMODE_TREE, 100);
	CHECK_INT(git_tree_lookup(&tree, m.repo, &id), 0);
	CHECK_INT(git_signature_new(&by, "bob", "bob@shop.test", 2 * MADE_DAY, 0), 0);
	CHECK_INT(git_commit_create_v(&m.head, m.repo, "HEAD", by, by, NULL, "bomb", tree, 0), 0);
	git_signature_free(by);
	git_tree_free(tree);
	History h = read_made(&m, "");

	CHECK_INT(h.commits, 1);
	CHECK_INT(h.kinds[SET_MISSING], 1);
}

TEST(history_does_not_wait_at_pipes)
{
	static const char *const names[] = { ".mailmap", ".git-blame-ignore-revs" };
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "first");
	for (size_t i = 0; i < COUNT(names); i++)
		CHECK_INT(mkfifo(str_fmt(a, "%s/%s", m.root, names[i]).at, 0600), 0);
	CHECK_INT(read_made(&m, "").set_count, 1);
}

TEST(history_without_its_newest_commit_is_none)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	commit(&m, 1, "ann", "a.py=1", "first");
	lose(&m, &m.head);
	CHECK_STR(read_made(&m, "").why_not,
	          S("the newest commit is not in this clone, or damaged"));
}
