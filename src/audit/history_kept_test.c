/* SPDX-License-Identifier: Apache-2.0
 *
 * A history that was kept, and went on, is that of a whole walk. */
#include "audit/history_kept.c"

#include "git_made.h"
#include "unit.h"

/* Everything that does not hang on numbers, as one text. */
static Str told(Arena *a, const History *h)
{
	Str all =
		str_fmt(a,
	                "%" PRIu64 " commits %" PRIi64 "..%" PRIi64 " renames %zu missing %" PRIu64,
	                h->commits, h->first_s / MADE_DAY, h->last_s / MADE_DAY, h->rename_count,
	                h->missing);

	for (size_t i = 0; i < SET_KINDS; i++)
		all = str_fmt(a, "%.*s %" PRIu64, STR_ARG(all), h->kinds[i]);
	for (size_t i = 0; i < h->set_count; i++) {
		all = str_fmt(a, "%.*s\n%" PRIi64 " %.*s%s", STR_ARG(all),
		              h->sets[i].time_s / MADE_DAY,
		              STR_ARG(h->authors[h->sets[i].author].name),
		              h->sets[i].fix ? " fix" : "");
		for (uint32_t k = 0; k < h->sets[i].count; k++)
			all = str_fmt(a, "%.*s %.*s", STR_ARG(all),
			              STR_ARG(h->files[h->sets[i].files[k]].path));
	}
	for (size_t i = 0; i < h->file_count; i++) {
		const HistoryFile *f = &h->files[i];

		Str by = f->creator ? h->authors[f->creator - 1].name : S("?");

		all = str_fmt(a, "%.*s\n%.*s %u %u %u %" PRIu64 " by %.*s", STR_ARG(all),
		              STR_ARG(f->path), f->revs, f->recent, f->fixes, f->soc, STR_ARG(by));
	}
	for (size_t i = 0; i < h->author_count; i++)
		all = str_fmt(a, "%.*s\n%.*s %u %" PRIi64, STR_ARG(all),
		              STR_ARG(h->authors[i].name), h->authors[i].sets,
		              h->authors[i].last_s / MADE_DAY);
	return all;
}

typedef struct Keeper {
	char folder[64];
	uint64_t found;
} Keeper;

static void keeper_fini(Keeper *k)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", k->folder);
	CHECK_INT(system(command), 0);
}

/* As one run of the program; and the same without a cache. */
static History run_with(const Made *m, Keeper *k)
{
	AuditRules rules = { .root = str_of(m->root),
		             .cache = audit_cache_open(m->a, str_of(k->folder), str_of(m->root)) };
	History kept, whole;

	history_read_kept(m->a, &rules, &kept);
	k->found = audit_cache_figures(rules.cache).found;
	audit_cache_store(rules.cache);
	history_read(m->a, rules.root, &whole);
	history_order(m->a, &whole);
	CHECK_STR(told(m->a, &kept), told(m->a, &whole));
	return kept;
}

TEST(a_kept_history_goes_on_where_it_ended)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "a.py=1 old.py=2 z.py=3", "first");
	commit(&m, 2, "bob", "a.py=2 gone.py=4", "more");
	commit(&m, 3, "bob", "-gone.py z.py=5", "less");
	run_with(&m, &k);
	CHECK_INT(k.found, 0);
	run_with(&m, &k);
	CHECK_INT(k.found, 1);
	commit(&m, 10, "cat", "-old.py new.py=2", "move");
	commit(&m, 11, "ann", "new.py=3 old.py=other gone.py=6", "Fix new, an old name again");
	History h = run_with(&m, &k);
	CHECK_INT(k.found, 1);
	CHECK_INT(history_file(&h, S("new.py"))->revs, 3);
	CHECK_INT(h.set_count, 5);
	commit(&m, 12, "ann", "a.py=9", "and on");
	commit(&m, 500, "ann", "a.py=10", "much later");
	run_with(&m, &k);
	run_with(&m, &k);
	CHECK_INT(k.found, 1);
}

TEST(a_kept_history_takes_in_branches)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "a.py=1 b.py=2", "first");
	git_oid first = m.head;
	commit(&m, 9, "ann", "a.py=2", "main");
	git_oid main_line = m.head;
	run_with(&m, &k);
	/* A branch that is older than what is kept, first without, then with a change of names. */
	CHECK_INT(git_repository_set_head_detached(m.repo, &first), 0);
	m.head = first;
	commit(&m, 5, "bob", "a.py=1 c.py=7", "branch");
	git_oid branch = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &main_line), 0);
	m.head = main_line;
	commit_with(&m, 10, "ann", "a.py=2", "merge", &branch);
	History h = run_with(&m, &k);
	CHECK_INT(h.set_count, 3);
	git_oid merged = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &branch), 0);
	m.head = branch;
	commit(&m, 6, "bob", "-c.py d.py=7", "other name");
	git_oid renamed = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &merged), 0);
	m.head = merged;
	commit_with(&m, 11, "ann", "", "merge", &renamed);
	run_with(&m, &k);
	/* Back to where it was before, and to another end. */
	CHECK_INT(git_repository_set_head_detached(m.repo, &main_line), 0);
	h = run_with(&m, &k);
	CHECK_INT(h.set_count, 2);
}

TEST(a_kept_history_knows_two_lives_of_a_name)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "x.py=earlier y.py=1", "first");
	commit(&m, 2, "ann", "-x.py", "away");
	commit(&m, 3, "bob", "-y.py x.py=1", "another takes the name");
	run_with(&m, &k);
	commit(&m, 4, "bob", "x.py=2", "on");
	History h = run_with(&m, &k);
	CHECK_INT(history_file(&h, S("x.py"))->revs, 3);
}

/* Its order in time is what tells whose name it was: this one must be walked anew. */
TEST(a_kept_history_is_left_when_an_older_branch_has_other_names)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "c.py=1", "first");
	git_oid first = m.head;
	commit(&m, 9, "ann", "c.py=2", "main");
	git_oid main_line = m.head;
	run_with(&m, &k);
	CHECK_INT(git_repository_set_head_detached(m.repo, &first), 0);
	m.head = first;
	commit(&m, 4, "bob", "c.py=1", "the index as it was");
	commit(&m, 5, "bob", "-c.py d.py=1", "other name");
	git_oid branch = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &main_line), 0);
	m.head = main_line;
	commit_with(&m, 10, "ann", "", "merge", &branch);
	run_with(&m, &k);
}

TEST(a_kept_history_is_of_what_says_what_counts)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "a.py=1", "first");
	commit(&m, 2, "annie", "a.py=2", "second");
	run_with(&m, &k);
	put_text(&m, ".mailmap", "Ann <ann@shop.test> <annie@shop.test>\n");
	History h = run_with(&m, &k);
	CHECK_INT(k.found, 0);
	CHECK_INT(h.author_count, 1);
}

TEST(a_kept_history_walks_only_what_is_new)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };
	AuditRules rules;
	History h;

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "a.py=1", "first");
	commit(&m, 2, "ann", "a.py=2", "second");
	run_with(&m, &k);
	commit(&m, 3, "ann", "a.py=3", "third");
	lose(&m, &m.ids[0]); /* a walk to the end would miss it */
	rules = (AuditRules){ .root = str_of(m.root),
		              .cache = audit_cache_open(a, str_of(k.folder), str_of(m.root)) };
	history_read_kept(a, &rules, &h);
	CHECK_INT(h.commits, 3);
	CHECK_INT(h.missing, 0);
	CHECK_INT(h.set_count, 3);
}

/* The kept part knows the file by its new name alone; the branch goes on with the old one. */
TEST(a_kept_history_is_left_when_an_older_branch_goes_by_a_kept_files_old_name)
{
	AUTO(made_fini) Made m = { 0 };
	AUTO(keeper_fini) Keeper k = { "/tmp/banyan-kept-XXXXXX", 0 };

	make_begin(a, &m);
	CHECK(mkdtemp(k.folder));
	commit(&m, 1, "ann", "old.py=1", "first");
	git_oid first = m.head;
	commit(&m, 9, "ann", "-old.py new.py=1", "move");
	git_oid main_line = m.head;
	run_with(&m, &k);
	CHECK_INT(git_repository_set_head_detached(m.repo, &first), 0);
	m.head = first;
	commit(&m, 5, "bob", "-new.py old.py=2", "branch");
	git_oid branch = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &main_line), 0);
	m.head = main_line;
	commit_with(&m, 10, "ann", "-old.py new.py=2", "merge", &branch);
	History h = run_with(&m, &k);
	CHECK_INT(history_file(&h, S("new.py"))->revs, 3);
	CHECK(!history_file(&h, S("old.py")));
}
