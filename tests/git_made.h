/* SPDX-License-Identifier: Apache-2.0
 *
 * Repositories made by hand for tests, one commit a line; times are days. */
#pragma once
#include "base/arena.h"
#include "unit.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE_HEX = 40, MADE_DAY = 86400 };

typedef struct Made {
	Arena *a;
	char root[64];
	git_repository *repo;
	git_oid head, ids[64];
	size_t count;
} Made;

static void made_fini(Made *m)
{
	char command[128];

	git_repository_free(m->repo);
	snprintf(command, sizeof(command), "rm -rf %s", m->root);
	CHECK_INT(system(command), 0);
}

static void make_begin(Arena *a, Made *m)
{
	*m = (Made){ .a = a, .root = "/tmp/banyan-history-XXXXXX" };
	CHECK(mkdtemp(m->root));
	git_libgit2_init();
	CHECK_INT(git_repository_init(&m->repo, m->root, 0), 0);
}

/* "a.py=1 b/c.py=two -d.py" */
static void stage(Made *m, git_index *index, const char *files)
{
	Str rest = str_of(files), word, path;

	while (str_split(&rest, ' ', &word)) {
		git_index_entry entry = { .mode = GIT_FILEMODE_BLOB };

		if (!word.len)
			continue;
		if (str_starts(word, S("-"))) {
			entry.path = str_z(m->a, str_sub(word, 1, word.len));
			CHECK_INT(git_index_remove(index, entry.path, 0), 0);
			continue;
		}
		str_split(&word, '=', &path);
		entry.path = str_z(m->a, path);
		CHECK_INT(git_index_add_from_buffer(index, &entry, word.len ? word.at : "",
		                                    word.len),
		          0);
	}
}

/* One file whose text has blanks and lines. */
UNUSED static void stage_text(Made *m, const char *path, const char *text)
{
	git_index_entry entry = { .mode = GIT_FILEMODE_BLOB, .path = path };
	git_index *index;

	CHECK_INT(git_repository_index(&index, m->repo), 0);
	CHECK_INT(git_index_add_from_buffer(index, &entry, text, strlen(text)), 0);
	git_index_free(index);
}

/* A commit on the newest, and on `other` if that is not NULL. */
static void commit_with(Made *m, int day, const char *who, const char *files, const char *message,
                        const git_oid *other)
{
	git_commit *parents[2] = { NULL };
	git_signature *by;
	git_index *index;
	git_tree *tree;
	git_oid id;
	size_t count = 0;

	CHECK_INT(git_repository_index(&index, m->repo), 0);
	stage(m, index, files);
	CHECK_INT(git_index_write_tree(&id, index), 0);
	CHECK_INT(git_tree_lookup(&tree, m->repo, &id), 0);
	CHECK_INT(git_signature_new(&by, who, str_fmt(m->a, "%s@shop.test", who).at,
	                            (git_time_t)day * MADE_DAY, 0),
	          0);
	if (m->count)
		CHECK_INT(git_commit_lookup(&parents[count++], m->repo, &m->head), 0);
	if (other)
		CHECK_INT(git_commit_lookup(&parents[count++], m->repo, other), 0);
	CHECK_INT(git_commit_create(&m->head, m->repo, "HEAD", by, by, NULL, message, tree, count,
	                            (const git_commit **)parents),
	          0);
	git_oid_cpy(&m->ids[m->count++], &m->head);
	git_commit_free(parents[0]);
	git_commit_free(parents[1]);
	git_signature_free(by);
	git_index_free(index);
	git_tree_free(tree);
}

UNUSED static void commit(Made *m, int day, const char *who, const char *files, const char *message)
{
	commit_with(m, day, who, files, message, NULL);
}

UNUSED static void put_text(const Made *m, const char *name, const char *text)
{
	FILE *f = fopen(str_fmt(m->a, "%s/%s", m->root, name).at, "w");

	CHECK(f);
	fputs(text, f);
	fclose(f);
}

UNUSED static const char *hex(const Made *m, const git_oid *id)
{
	char text[MADE_HEX + 1];

	return str_z(m->a, str_of(git_oid_tostr(text, sizeof(text), id)));
}

UNUSED static void lose(const Made *m, const git_oid *id)
{
	const char *name = hex(m, id);

	CHECK_INT(unlink(str_fmt(m->a, "%s/.git/objects/%.2s/%s", m->root, name, name + 2).at), 0);
}
