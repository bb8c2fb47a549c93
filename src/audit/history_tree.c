/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing trees by hand. Two sorted lists are read side by side, and only folders whose ids differ are opened: no blob is ever asked for, which
 * a partial clone would not have. libgit2's own diff does more (modes, blobs' sizes, patterns) and takes several times as long. */
#include "audit/history_int.h"

#include "base/arena.h"

#include <string.h>

typedef struct Compare {
	Arena *a;
	git_repository *repo;
	Changes *out;
	char path[CHANGE_PATH];
	bool missing;
} Compare;

static void tree_freep(git_tree **tree)
{
	git_tree_free(*tree);
}

static bool is_folder(const git_tree_entry *e)
{
	return e && git_tree_entry_type(e) == GIT_OBJECT_TREE;
}

static void add_change(Compare *c, size_t len, const git_tree_entry *was, const git_tree_entry *is)
{
	Changes *list = c->out;

	if (list->count == list->room) {
		Change *more = ARENA_ARRAY(c->a, Change, list->room ? list->room * 2 : 64);

		if (list->count)
			memcpy(more, list->at, list->count * sizeof(*more));
		list->at = more;
		list->room = list->room ? list->room * 2 : 64;
	}
	list->at[list->count] = (Change){ .path = str_dup(c->a, (Str){ c->path, len }) };
	if (was)
		git_oid_cpy(&list->at[list->count].was, git_tree_entry_id(was));
	if (is)
		git_oid_cpy(&list->at[list->count].is, git_tree_entry_id(is));
	list->count++;
}

static void compare(Compare *c, const git_oid *was, const git_oid *is, size_t len, unsigned depth);

/* One name; at most one of the two is NULL, and both are folders or neither is. */
static void compare_entry(Compare *c, const git_tree_entry *was, const git_tree_entry *is,
                          size_t len, unsigned depth)
{
	const git_tree_entry *either = is ? is : was;
	size_t bytes = strlen(git_tree_entry_name(either));

	if (was && is && git_oid_equal(git_tree_entry_id(was), git_tree_entry_id(is)))
		return;
	if (len + bytes + 2 > sizeof(c->path))
		return;
	memcpy(c->path + len, git_tree_entry_name(either), bytes);
	len += bytes;
	if (!is_folder(either)) {
		add_change(c, len, was, is);
		return;
	}
	c->path[len++] = '/';
	compare(c, was ? git_tree_entry_id(was) : NULL, is ? git_tree_entry_id(is) : NULL, len,
	        depth + 1);
}

static git_tree *open_tree(Compare *c, const git_oid *id)
{
	git_tree *tree = NULL;

	if (id && git_tree_lookup(&tree, c->repo, id) != 0)
		c->missing = true;
	return tree;
}

static void compare(Compare *c, const git_oid *was_id, const git_oid *is_id, size_t len,
                    unsigned depth)
{
	AUTO(tree_freep) git_tree *was = NULL;
	AUTO(tree_freep) git_tree *is = NULL;
	size_t i = 0, j = 0, was_count, is_count;

	if (depth > CHANGE_DEPTH)
		return;
	was = open_tree(c, was_id);
	is = open_tree(c, is_id);
	was_count = was ? git_tree_entrycount(was) : 0;
	is_count = is ? git_tree_entrycount(is) : 0;
	while (!c->missing && (i < was_count || j < is_count)) {
		const git_tree_entry *x = i < was_count ? git_tree_entry_byindex(was, i) : NULL;
		const git_tree_entry *y = j < is_count ? git_tree_entry_byindex(is, j) : NULL;
		int order = !x ? 1 : !y ? -1 : git_tree_entry_cmp(x, y);

		if (order == 0 && is_folder(x) != is_folder(y))
			order = -1;
		compare_entry(c, order <= 0 ? x : NULL, order >= 0 ? y : NULL, len, depth);
		i += order <= 0;
		j += order >= 0;
	}
}

/* The id of the folder `base`; NULL when there is none, or its trees are missing. */
static const git_oid *folder_of(Compare *c, const git_oid *id, Str base, git_oid *keep)
{
	git_tree_entry *entry = NULL;
	AUTO(tree_freep) git_tree *tree = NULL;

	if (!id || !base.len)
		return id;
	tree = open_tree(c, id);
	if (!tree ||
	    git_tree_entry_bypath(&entry, tree, str_z(c->a, str_sub(base, 0, base.len - 1))) != 0)
		return NULL;
	git_oid_cpy(keep, git_tree_entry_id(entry));
	id = is_folder(entry) ? keep : NULL;
	git_tree_entry_free(entry);
	return id;
}

bool tree_changes(Arena *a, git_repository *repo, const git_oid *tree, const git_oid *parent,
                  Str base, Changes *out)
{
	Compare c = { .a = a, .repo = repo, .out = out };
	git_oid was_keep, is_keep;
	const git_oid *was = folder_of(&c, parent, base, &was_keep);
	const git_oid *is = folder_of(&c, tree, base, &is_keep);

	if (!c.missing && !(was && is && git_oid_equal(was, is)))
		compare(&c, was, is, 0, 0);
	return !c.missing;
}
