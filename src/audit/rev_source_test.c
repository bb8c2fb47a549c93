/* SPDX-License-Identifier: Apache-2.0
 *
 * A repository made by hand: what a commit's tree has, whatever lies on the disk. */
#include "audit/rev_source.c"

#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* libgit2 1.5 does not free PCRE2's match data when a pattern does not match, as when it looks for a repository's extensions. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

typedef struct Made {
	Arena *a;
	Str root;
	git_repository *repo;
	git_oid head;
} Made;

typedef struct Text {
	const char *path, *text;
	git_filemode_t mode;
} Text;

static void stage(git_repository *repo, const Text *files, size_t count, git_oid *tree)
{
	git_index *index;

	CHECK_INT(git_repository_index(&index, repo), 0);
	CHECK_INT(git_index_clear(index), 0);
	for (size_t i = 0; i < count; i++) {
		git_index_entry entry = { .mode = files[i].mode ? files[i].mode : GIT_FILEMODE_BLOB,
			                  .path = files[i].path };

		CHECK_INT(git_index_add_from_buffer(index, &entry, files[i].text,
		                                    str_of(files[i].text).len),
		          0);
	}
	CHECK_INT(git_index_write_tree(tree, index), 0);
	CHECK_INT(git_index_write(index), 0);
	git_index_free(index);
}

static void commit(Made *m, const Text *files, size_t count)
{
	git_commit *parent = NULL;
	git_signature *by;
	git_tree *tree;
	git_oid id;

	stage(m->repo, files, count, &id);
	CHECK_INT(git_tree_lookup(&tree, m->repo, &id), 0);
	CHECK_INT(git_signature_new(&by, "ada", "ada@shop.test", 86400, 0), 0);
	if (!git_oid_is_zero(&m->head))
		CHECK_INT(git_commit_lookup(&parent, m->repo, &m->head), 0);
	CHECK_INT(git_commit_create(&m->head, m->repo, "HEAD", by, by, NULL, "a change", tree,
	                            parent ? 1 : 0, (const git_commit **)&parent),
	          0);
	git_commit_free(parent);
	git_signature_free(by);
	git_tree_free(tree);
}

static void write_file(Made *m, const char *path, const char *text)
{
	FILE *file = fopen(str_fmt(m->a, "%.*s/%s", STR_ARG(m->root), path).at, "w");

	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void made_fini(Made *m)
{
	git_repository_free(m->repo);
	CHECK_INT(system(str_fmt(m->a, "rm -rf %.*s", STR_ARG(m->root)).at), 0);
}

static const Text first[] = {
	{ "shop/a.py", "x = 1\n", 0 },
	{ "shop/link.py", "../lib/b.py", GIT_FILEMODE_LINK },
	{ "shop/far.py", "../shop/link.py", GIT_FILEMODE_LINK }, /* by way of another */
	{ "shop/round.py", "round.py", GIT_FILEMODE_LINK },
	{ "shop/out.py", "../../etc/passwd", GIT_FILEMODE_LINK },
	{ "shop/deep", "../lib", GIT_FILEMODE_LINK },
	{ "shop/page.html", "<p>", 0 },
	{ "shop/note.ipynb", "{}", 0 },
	{ "shop/legacy/old.py", "y = 1\n", 0 },
	{ "shop/venv/z.py", "z = 1\n", 0 },
	{ "shop/made/m.py", "m = 1\n", 0 },
	{ "shop/own/pyvenv.cfg", "", 0 },
	{ "shop/own/lib.py", "l = 1\n", 0 },
	{ "lib/b.py", "b = 1\n", 0 },
};
static const Text second[] = { { "shop/a.py", "x = 2\n", 0 }, { "lib/b.py", "b = 1\n", 0 } };

static void make(Arena *a, Made *m)
{
	char name[] = "/tmp/banyan-rev-XXXXXX";

	*m = (Made){ .a = a };
	CHECK(mkdtemp(name) != NULL);
	m->root = str_dup(a, str_of(name));
	git_libgit2_init();
	CHECK_INT(git_repository_init(&m->repo, str_z(a, m->root), 0), 0);
	commit(m, first, COUNT(first));
	commit(m, second, COUNT(second));
	CHECK_INT(mkdir(str_fmt(a, "%s/shop", name).at, 0755), 0);
	write_file(m, ".gitignore", "made/\n");
	write_file(m, "shop/a.py", "x = 3\n");
	write_file(m, "shop/new.py", "n = 1\n");
}

TEST(a_revision_is_read_by_the_rules_of_the_disk)
{
	static const Str want[] = { S("a.py"), S("far.py"), S("link.py") },
			 texts[] = { S("x = 1\n"), S("b = 1\n"), S("b = 1\n") };
	const Str exclude = S("legacy/");
	const SourceRules rules = { .exclude = &exclude, .exclude_count = 1 };
	AUTO(made_fini) Made m;
	AUTO(arena_freep) Arena *own = arena_new(0); /* the repository is closed with it */
	const ProjectSource *from;
	RevSource *rev;
	Sources sources;

	make(a, &m);
	CHECK_OK(rev_source_open(own, str_fmt(a, "%.*s/shop", STR_ARG(m.root)), S("HEAD~1"), false,
	                         &rev));
	CHECK_INT(rev_source_id(rev).len, ID_DIGITS);
	from = rev_source_files(rev);
	CHECK_OK(from->find(from->arg, a, &rules, &sources));
	CHECK_INT(sources.count, COUNT(want));
	for (size_t i = 0; i < sources.count; i++) {
		Str text;

		CHECK_STR(sources.files[i].path, want[i]);
		CHECK_OK(from->bytes(from->arg, a, &sources.files[i], &text));
		CHECK_STR(text, texts[i]);
		CHECK_INT(sources.files[i].bytes, text.len);
	}
	CHECK_INT(sources.skipped[SKIP_EXCLUDED], 1);
	CHECK_INT(sources.skipped[SKIP_ENVIRONMENT], 2);
	CHECK_INT(sources.skipped[SKIP_IGNORED], 1);
	CHECK_INT(sources.skipped[SKIP_NOTEBOOK], 1);
	CHECK_INT(sources.skipped[SKIP_SYMLINK], 1);
	memset(sources.files[0].oid, 1, SOURCE_OID);
	CHECK_ERR(from->bytes(from->arg, a, &sources.files[0], &(Str){ 0 }), "audit.object");
}

TEST(what_changed_since_a_revision_is_told_with_what_git_does_not_know)
{
	AUTO(made_fini) Made m;
	AUTO(arena_freep) Arena *own = arena_new(0);
	RevSource *rev;
	Str *paths;
	size_t count;

	make(a, &m);
	CHECK_OK(rev_source_open(own, str_fmt(a, "%.*s/shop", STR_ARG(m.root)), S("HEAD"), false,
	                         &rev));
	CHECK_OK(rev_source_changed(a, rev, &paths, &count));
	CHECK_INT(count, 2);
	CHECK_STR(paths[0], S("a.py"));
	CHECK_STR(paths[1], S("new.py"));
}

TEST(a_revision_that_is_not_there_is_said)
{
	AUTO(made_fini) Made m;
	AUTO(arena_freep) Arena *own = arena_new(0);
	RevSource *rev;

	make(a, &m);
	CHECK_ERR(rev_source_open(own, m.root, S("nowhere"), false, &rev), "audit.revision");
	CHECK_ERR(rev_source_open(own, m.root, S(""), false, &rev), "audit.revision");
	CHECK_ERR(rev_source_open(own, S("/proc"), S("HEAD"), false, &rev), "audit.revision");
	CHECK_OK(rev_source_open(own, m.root, S("HEAD~1"), true, &rev));
}

TEST(links_stay_in_the_tree)
{
	static const struct {
		Str from, to, want; /* empty: it leads out */
	} cases[] = {
		{ S("a/b.py"), S("c.py"), S("a/c.py") },
		{ S("a/b.py"), S("../c/./d.py"), S("c/d.py") },
		{ S("b.py"), S("../c.py"), S("") },
		{ S("b.py"), S("/etc/passwd"), S("") },
		{ S("a/b.py"), S(".."), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str got = S("");

		CHECK_INT(link_path(a, cases[i].from, cases[i].to, &got), cases[i].want.len > 0);
		if (cases[i].want.len)
			CHECK_STR(got, cases[i].want);
	}
}

/* A few kilobytes that stand for more folders than there is memory. */
TEST(a_revision_of_trees_that_hold_each_other_comes_to_an_end)
{
	const SourceRules rules = { .all = true };
	AUTO(made_fini) Made m;
	AUTO(arena_freep) Arena *own = arena_new(0);
	const ProjectSource *from;
	git_signature *by;
	git_oid id;
	git_tree *tree;
	RevSource *rev;
	Sources sources;

	make(a, &m);
	CHECK_INT(git_blob_create_from_buffer(&id, m.repo, "x", 1), 0);
	for (int level = 0; level < 8; level++) {
		git_treebuilder *builder;

		CHECK_INT(git_treebuilder_new(&builder, m.repo, NULL), 0);
		for (int i = 0; i < (level ? 30 : 1); i++)
			CHECK_INT(git_treebuilder_insert(NULL, builder, str_fmt(a, "%d.py", i).at,
			                                 &id,
			                                 level ? GIT_FILEMODE_TREE
			                                       : GIT_FILEMODE_BLOB),
			          0);
		CHECK_INT(git_treebuilder_write(&id, builder), 0);
		git_treebuilder_free(builder);
	}
	CHECK_INT(git_tree_lookup(&tree, m.repo, &id), 0);
	CHECK_INT(git_signature_now(&by, "bob", "bob@shop.test"), 0);
	CHECK_INT(git_commit_create_v(&id, m.repo, "refs/heads/bomb", by, by, NULL, "bomb", tree,
	                              0),
	          0);
	git_signature_free(by);
	git_tree_free(tree);
	CHECK_OK(rev_source_open(own, m.root, S("bomb"), false, &rev));
	from = rev_source_files(rev);
	CHECK_OK(from->find(from->arg, a, &rules, &sources));
	CHECK(sources.count > 0 && sources.count <= TWINS_MOST);
	CHECK(sources.skipped[SKIP_MANY] > 0);
}
