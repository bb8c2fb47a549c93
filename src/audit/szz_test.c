/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines followed to who wrote them, in repositories made by hand: every number below can be counted on the texts. */
#include "audit/szz.c"

#include "git_made.h"
#include "unit.h"

static void write_shop(Made *m, int day, const char *who, const char *text, const char *message)
{
	stage_text(m, "shop.py", text);
	commit(m, day, who, "", message);
}

/* SZZ of shop.py, or of another. */
static Szz read_as(const Made *m, const char *path)
{
	AuditFile *file = ARENA_NEW(m->a, AuditFile);
	Audit audit = { .project = { .files = file, .count = 1 } };
	AuditRules rules = { .root = str_of(m->root) };
	Szz out;

	file->path = str_of(path);
	history_read(m->a, rules.root, &audit.history);
	szz_read(m->a, &rules, &audit, &out);
	return out;
}

static Szz read_shop(const Made *m)
{
	return read_as(m, "shop.py");
}

TEST(szz_leads_from_a_mended_line_to_who_wrote_it)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\nc = 3\n# note\n", "first");
	write_shop(&m, 11, "bob", "a = 1\nb = 20\nc = 3\n# note\n", "b is larger");
	write_shop(&m, 12, "ann", "a = 1\nb = 20\nc = 3\nd = 4\n# note\n", "d");
	write_shop(&m, 31, "ann", "a = 1\nb = 21\nc = 3\nd = 4\n", "Fix b");
	Szz z = read_shop(&m);

	CHECK_STR(z.why_not, S(""));
	CHECK_INT(z.fixes, 1);
	CHECK_INT(z.traced, 1);
	CHECK_INT(z.commits, 1);
	CHECK_INT(z.of, 4);
	CHECK_INT(z.count, 1);
	CHECK_INT(z.files[0].brought, 1);
	CHECK_INT(z.files[0].lines, 1); /* the comment that went too is no code */
	CHECK_NEAR(z.days, 20, 1e-9);   /* from bob's day 11, not from ann's day 1 */
	CHECK_INT(z.diffs, 3);
}

TEST(szz_counts_every_writer_once_and_takes_the_median_of_lines)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\nc = 3\n", "first");
	write_shop(&m, 11, "bob", "a = 1\nb = 2\nc = 30\n", "c");
	write_shop(&m, 21, "ann", "a = 9\nb = 9\nc = 9\n", "Fix all");
	write_shop(&m, 26, "ann", "a = 8\nb = 9\nc = 9\n", "Fix again");
	Szz z = read_shop(&m);

	CHECK_INT(z.fixes, 2);
	CHECK_INT(z.traced, 2);
	CHECK_INT(z.commits, 3); /* first, c, and the first fix */
	CHECK_INT(z.files[0].traced, 2);
	CHECK_INT(z.files[0].lines, 4);
	CHECK_NEAR(z.days, 10, 1e-9); /* of 5, 10, 20, 20 the second */
}

TEST(szz_counts_a_writer_once_however_often_it_is_mended)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\n", "first");
	write_shop(&m, 2, "ann", "a = 9\nb = 2\n", "Fix a");
	write_shop(&m, 3, "ann", "a = 9\nb = 9\n", "Fix b");
	Szz z = read_shop(&m);

	CHECK_INT(z.files[0].brought, 1);
	CHECK_INT(z.files[0].traced, 2);
	CHECK_INT(z.commits, 1);
}

TEST(szz_says_what_leads_nowhere)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\n", "first");
	write_shop(&m, 2, "ann", "a = 1\nb = 2\nc = 3\n", "Fix: c was forgotten");
	write_shop(&m, 3, "ann", "if x:\n    a = 1\nb = 2\nc = 3\n", "Fix the indentation");
	write_shop(&m, 4, "ann", "b = 2\nc = 3\nif x:\n    a = 1\n", "Fix the order");
	Szz z = read_shop(&m);

	CHECK_INT(z.fixes, 3);
	CHECK_INT(z.added, 3);
	CHECK_INT(z.traced, 0);
	CHECK_INT(z.count, 0);
	CHECK(z.days < 0);
}

TEST(szz_of_a_text_that_is_not_there_is_lost)
{
	AUTO(made_fini) Made m = { 0 };
	git_oid blob;

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\n", "first");
	write_shop(&m, 2, "bob", "a = 2\n", "second");
	write_shop(&m, 3, "ann", "a = 3\n", "Fix a");
	write_shop(&m, 4, "ann", "a = 4\n", "Fix a again");
	CHECK_INT(git_odb_hash(&blob, "a = 2\n", 6, GIT_OBJECT_BLOB), 0);
	lose(&m, &blob);
	Szz z = read_shop(&m);

	CHECK_INT(z.fixes, 2);
	CHECK_INT(z.lost, 2); /* and nobody is known to have written what stood on the lost one */
	CHECK_INT(z.traced, 0);
}

TEST(szz_looks_through_what_only_formats)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\n", "first");
	write_shop(&m, 11, "bot", "a  =  1\nb  =  2\n", "black");
	put_text(&m, ".git-blame-ignore-revs", str_fmt(a, "%s\n", hex(&m, &m.head)).at);
	write_shop(&m, 21, "ann", "a  =  3\nb  =  2\n", "Fix a");
	Szz z = read_shop(&m);

	CHECK_INT(z.traced, 1);
	CHECK_NEAR(z.days, 20, 1e-9);
	CHECK_INT(z.of, 2); /* the one that formats is not of them */
}

TEST(szz_follows_lines_over_merges_and_names)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n", "first");
	git_oid first = m.head;
	write_shop(&m, 11, "bob", "a = 10\nb = 2\nc = 3\nd = 4\ne = 5\n", "a");
	git_oid main_line = m.head;
	/* A branch from the first, whose commit is made apart from HEAD. */
	CHECK_INT(git_repository_set_head_detached(m.repo, &first), 0);
	m.head = first;
	write_shop(&m, 12, "cat", "a = 1\nb = 2\nc = 3\nd = 4\ne = 50\n", "e");
	git_oid branch = m.head;
	CHECK_INT(git_repository_set_head_detached(m.repo, &main_line), 0);
	m.head = main_line;
	stage_text(&m, "shop.py", "a = 10\nb = 2\nc = 3\nd = 4\ne = 50\n");
	commit_with(&m, 13, "ann", "", "merge", &branch);
	stage_text(&m, "till.py", "a = 10\nb = 2\nc = 3\nd = 4\ne = 50\n");
	commit(&m, 14, "ann", "-shop.py", "another name");
	stage_text(&m, "till.py", "a = 11\nb = 2\nc = 3\nd = 4\ne = 51\n");
	commit(&m, 32, "ann", "", "Fix a and e");
	Szz z = read_as(&m, "till.py");

	CHECK_INT(z.traced, 1);
	CHECK_INT(z.commits, 2);
	CHECK_INT(z.files[0].lines, 2);
	CHECK_NEAR(z.days, 20, 1e-9); /* of 20 (cat's) and 21 (bob's) */
	CHECK_INT(z.lost, 0);
}

TEST(szz_without_a_history_says_why)
{
	AuditRules rules = { .root = S("/proc/self") };
	Audit audit = { .history = { .why_not = S("--no-history") } };
	Szz z;

	szz_read(a, &rules, &audit, &z);
	CHECK_STR(z.why_not, S("--no-history"));
	audit.history.why_not = S("");
	szz_read(a, &rules, &audit, &z);
	CHECK(str_starts(z.why_not, S("no git repository could be opened")));
}

static git_commit *newest(const Made *m)
{
	git_commit *commit;

	CHECK_INT(git_commit_lookup(&commit, m->repo, &m->head), 0);
	arena_defer(m->a, (void (*)(void *))git_commit_free, commit);
	return commit;
}

TEST(szz_is_kept_by_head_and_by_what_is_code)
{
	AUTO(made_fini) Made m = { 0 };
	AuditFile files[2] = { { .path = S("shop.py") }, { .path = S("till.py") } };
	Audit audit = { .project = { .files = files, .count = 1 } };
	AuditRules rules;
	Szz z;

	make_begin(a, &m);
	write_shop(&m, 1, "ann", "a = 1\n", "first");
	write_shop(&m, 2, "ann", "a = 2\n", "Fix a");
	rules = (AuditRules){ .root = str_of(m.root),
		              .cache = audit_cache_open(a, str_fmt(a, "%s/kept", m.root),
		                                        str_of(m.root)) };
	history_read(a, rules.root, &audit.history);
	szz_read(a, &rules, &audit, &z);
	CHECK_INT(z.count, 1);
	audit_cache_store(rules.cache);
	rules.cache = audit_cache_open(a, str_fmt(a, "%s/kept", m.root), str_of(m.root));
	lose(&m, git_commit_tree_id(newest(&m))); /* what is kept needs no texts */
	szz_read(a, &rules, &audit, &z);
	CHECK_INT(z.count, 1);
	CHECK_INT(z.files[0].lines, 1);
	audit.project.count =
		2; /* another file is code now: all is read again, as far as it goes */
	szz_read(a, &rules, &audit, &z);
	CHECK_INT(z.count, 0);
}
