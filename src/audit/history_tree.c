/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing trees by hand. Two sorted lists are read side by side as git stores them (mode, name, NUL, 20 bytes of id), without making objects of
 * their lines: most lines of most folders are the same and are passed over by one comparison of bytes. Only folders whose ids differ are opened,
 * and no blob is ever asked for, which a partial clone would not have. A list that is damaged counts as one that is missing. */
#include "audit/history_int.h"

#include "base/arena.h"

#include <string.h>

typedef struct Compare {
	Arena *a;
	git_odb *odb;
	Changes *out;
	char path[CHANGE_PATH];
	size_t seen; /* paths and folders */
	bool missing;
} Compare;

typedef struct Entry {
	Str name;
	git_oid id;
	size_t bytes; /* of the line; 0: there is none */
	bool folder;
} Entry;

static void object_freep(git_odb_object **object)
{
	git_odb_object_free(*object);
}

static git_odb_object *open_tree(Compare *c, const git_oid *id)
{
	git_odb_object *object = NULL;

	if (!id)
		return NULL;
	if (git_odb_read(&object, c->odb, id) != 0 ||
	    git_odb_object_type(object) != GIT_OBJECT_TREE)
		c->missing = true;
	return object;
}

static Str lines_of(git_odb_object *object)
{
	return object ? (Str){ git_odb_object_data(object), git_odb_object_size(object) }
	              : (Str){ NULL, 0 };
}

static Entry first_entry(Compare *c, Str lines)
{
	ptrdiff_t blank = str_find_char(lines, ' '), end = str_find_char(lines, '\0');
	Entry e = { 0 };

	if (!lines.len)
		return e;
	if (blank < 0 || end < blank || lines.len - (size_t)end - 1 < GIT_OID_RAWSZ) {
		c->missing = true;
		return e;
	}
	e.name = str_sub(lines, (size_t)blank + 1, (size_t)end);
	e.folder = str_eq(str_sub(lines, 0, (size_t)blank), S("40000"));
	git_oid_fromraw(&e.id, (const unsigned char *)lines.at + end + 1);
	e.bytes = (size_t)end + 1 + GIT_OID_RAWSZ;
	return e;
}

/* Git's order: folders as if their names ended in /. */
static int entry_cmp(const Entry *x, const Entry *y)
{
	size_t least = MIN(x->name.len, y->name.len);
	int order = memcmp(x->name.at, y->name.at, least);
	unsigned char p, q;

	if (order)
		return order;
	p = least < x->name.len ? (unsigned char)x->name.at[least] : x->folder ? '/' : 0;
	q = least < y->name.len ? (unsigned char)y->name.at[least] : y->folder ? '/' : 0;
	return (p > q) - (p < q);
}

static void add_change(Compare *c, size_t len, const Entry *was, const Entry *is)
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
		list->at[list->count].was = was->id;
	if (is)
		list->at[list->count].is = is->id;
	list->count++;
}

static void compare(Compare *c, const git_oid *was_id, const git_oid *is_id, size_t len,
                    unsigned depth);

/* One name; at most one of the two is NULL, and both are folders or neither is. */
static void compare_entry(Compare *c, const Entry *was, const Entry *is, size_t len, unsigned depth)
{
	const Entry *either = is ? is : was;

	if (!either || (was && is && git_oid_equal(&was->id, &is->id)))
		return;
	if (++c->seen > CHANGES_MOST) {
		c->out->too_many = c->missing = true;
		return;
	}
	if (len + either->name.len + 2 > sizeof(c->path))
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): an empty name takes no bytes */
	memcpy(c->path + len, either->name.at, either->name.len);
	len += either->name.len;
	if (!either->folder) {
		add_change(c, len, was, is);
		return;
	}
	c->path[len++] = '/';
	compare(c, was ? &was->id : NULL, is ? &is->id : NULL, len, depth + 1);
}

static void compare(Compare *c, const git_oid *was_id, const git_oid *is_id, size_t len,
                    unsigned depth)
{
	AUTO(object_freep) git_odb_object *was = NULL;
	AUTO(object_freep) git_odb_object *is = NULL;
	Str x, y;

	if (depth > CHANGE_DEPTH)
		return;
	was = open_tree(c, was_id);
	is = open_tree(c, is_id);
	x = lines_of(was);
	y = lines_of(is);
	while (!c->missing && (x.len || y.len)) {
		Entry p = first_entry(c, x), q;
		int order;

		if (p.bytes && p.bytes <= y.len && memcmp(x.at, y.at, p.bytes) == 0) {
			x = str_sub(x, p.bytes, x.len);
			y = str_sub(y, p.bytes, y.len);
			continue;
		}
		q = first_entry(c, y);
		if (c->missing)
			return;
		order = !p.bytes ? 1 : !q.bytes ? -1 : entry_cmp(&p, &q);
		compare_entry(c, order <= 0 ? &p : NULL, order >= 0 ? &q : NULL, len, depth);
		x = order <= 0 ? str_sub(x, p.bytes, x.len) : x;
		y = order >= 0 ? str_sub(y, q.bytes, y.len) : y;
	}
}

/* The id of the folder `name` in the tree *id, to *id; false: there is none, or the tree is missing. */
static bool go_into(Compare *c, git_oid *id, Str name)
{
	AUTO(object_freep) git_odb_object *tree = open_tree(c, id);
	Str lines = lines_of(tree);

	while (!c->missing && lines.len) {
		Entry e = first_entry(c, lines);

		if (e.folder && str_eq(e.name, name)) {
			*id = e.id;
			return true;
		}
		lines = str_sub(lines, e.bytes, lines.len);
	}
	return false;
}

/* The id of the folder `base`, kept in *keep; NULL: there is none. */
static const git_oid *folder_of(Compare *c, const git_oid *id, Str base, git_oid *keep)
{
	Str name;

	if (!id)
		return NULL;
	*keep = *id;
	while (str_split(&base, '/', &name))
		if (name.len && !go_into(c, keep, name))
			return NULL;
	return keep;
}

bool tree_changes(Arena *a, git_odb *odb, const git_oid *tree, const git_oid *parent, Str base,
                  Changes *out)
{
	Compare c = { .a = a, .odb = odb, .out = out };
	git_oid was_keep, is_keep;
	const git_oid *was = folder_of(&c, parent, base, &was_keep);
	const git_oid *is = folder_of(&c, tree, base, &is_keep);

	if (!c.missing && !(was && is && git_oid_equal(was, is)))
		compare(&c, was, is, 0, 0);
	return !c.missing;
}
