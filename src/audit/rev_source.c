/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree as a project. Folders are taken from a list, not by recursion, by the rules that the disk is read by (source.c), so that what differs
 * between both is the code and not the way of reading. Objects are read under a lock: inflating is a small part of what a file costs, and the cache of
 * libgit2 is then nobody else's. A link leads to what it names in the same tree, by way of a few others; one that leads out of it is not followed.
 * Trees that hold each other many times stand for more folders than can be read, so there is a bound to all, and to those that are there already under
 * another name. */
#include "audit/rev_source.h"

#include "audit/repo.h"
#include "base/arena.h"
#include "base/map.h"

#include <git2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXAMPLES = 5,
	ID_DIGITS = 12,
	LINK_BYTES = 4096,
	LINKS_MOST = 8,
	ENTRIES_MOST = SOURCE_FILES,
	TWINS_MOST = 50000
};

struct RevSource {
	git_repository *repo;
	git_odb *odb;
	git_tree *tree;
	Str root, base;
	char id[ID_DIGITS + 1];
	pthread_mutex_t reading;
	ProjectSource files;
};

typedef struct Folder {
	git_oid id;
	Str path; /* from root */
	unsigned depth;
} Folder;

typedef struct Walk {
	Arena *a;
	RevSource *from;
	const SourceRules *rules;
	Sources *out;
	Folder *folders;
	size_t folder_count, folder_room, file_room;
	Map seen;              /* folders, by id */
	size_t entries, twins; /* all; folders that hold what an earlier one holds */
} Walk;

static void object_freep(git_object **object)
{
	git_object_free(*object);
}

static void tree_freep(git_tree **tree)
{
	git_tree_free(*tree);
}

static void entry_freep(git_tree_entry **entry)
{
	git_tree_entry_free(*entry);
}

static void blob_freep(git_odb_object **blob)
{
	git_odb_object_free(*blob);
}

/* --- the folders ------------------------------------------------------------------------------------------------------------------------------ */

/* At least one more of `each` bytes. */
static void *room_for(Arena *a, void *at, size_t count, size_t *room, size_t each)
{
	void *more;

	if (count < *room)
		return at;
	*room = *room ? 2 * *room : 256;
	more = arena_alloc_array(a, each, *room);
	if (count)
		memcpy(more, at, count * each);
	return more;
}

static void skip(Walk *w, Str path, SkipWhy why)
{
	Sources *out = w->out;

	if (out->skipped[why]++ < EXAMPLES)
		out->examples[out->example_count++] = (SkippedPath){ path, why };
}

static bool is_excluded(const Walk *w, Str path)
{
	for (size_t i = 0; i < w->rules->exclude_count; i++)
		if (path_matches(path, w->rules->exclude[i]))
			return true;
	return false;
}

static bool is_ignored(const Walk *w, Str path, bool folder)
{
	return !w->rules->all &&
	       repo_ignores(w->from->repo, str_fmt(w->a, "%.*s%.*s%s", STR_ARG(w->from->base),
	                                           STR_ARG(path), folder ? "/" : "")
	                                           .at);
}

static void push(Walk *w, const git_oid *id, Str path, unsigned depth)
{
	w->folders =
		room_for(w->a, w->folders, w->folder_count, &w->folder_room, sizeof(*w->folders));
	w->folders[w->folder_count++] = (Folder){ *id, path, depth };
}

static bool is_one_too_many(Walk *w, const git_oid *id)
{
	Str key = { (const char *)id->id, sizeof(id->id) };

	if (map_get(&w->seen, key))
		return ++w->twins > TWINS_MOST;
	map_put(&w->seen, str_dup(w->a, key), w);
	return false;
}

static void take_folder(Walk *w, const git_oid *id, Str path, Str name, unsigned depth)
{
	if (!w->rules->all && source_is_environment(name))
		skip(w, path, SKIP_ENVIRONMENT);
	else if (is_excluded(w, path))
		skip(w, path, SKIP_EXCLUDED);
	else if (is_ignored(w, path, true))
		skip(w, path, SKIP_IGNORED);
	else if (depth >= SOURCE_DEPTH)
		skip(w, path, SKIP_DEEP);
	else if (is_one_too_many(w, id))
		skip(w, path, SKIP_MANY);
	else
		push(w, id, path, depth + 1);
}

static void take_file(Walk *w, const git_oid *id, Str path)
{
	Sources *out = w->out;
	SourceFile file = { .path = path, .kind = source_kind(path), .has_oid = true };
	git_object_t type;
	size_t bytes = 0;

	(void)git_odb_read_header(&bytes, &type, w->from->odb, id);
	file.bytes = (int64_t)bytes;
	memcpy(file.oid, id->id, sizeof(file.oid));
	if (is_excluded(w, path)) {
		skip(w, path, SKIP_EXCLUDED);
	} else if (is_ignored(w, path, false)) {
		skip(w, path, SKIP_IGNORED);
	} else if (file.bytes > SOURCE_BYTES) {
		skip(w, path, SKIP_LARGE);
	} else {
		out->files =
			room_for(w->a, out->files, out->count, &w->file_room, sizeof(*out->files));
		out->files[out->count++] = file;
	}
}

/* "../lib/x.py" of "app/y.py" is "lib/x.py"; false: it leads out of the tree. */
static bool link_path(Arena *a, Str from, Str to, Str *out)
{
	ptrdiff_t slash = str_rfind_char(from, '/');
	Str path = slash < 0 ? S("") : str_sub(from, 0, (size_t)slash), part;

	if (str_starts(to, S("/")))
		return false;
	while (str_split(&to, '/', &part)) {
		if (!part.len || str_eq(part, S(".")))
			continue;
		if (!str_eq(part, S(".."))) {
			path = str_fmt(a, "%.*s%s%.*s", STR_ARG(path), path.len ? "/" : "",
			               STR_ARG(part));
			continue;
		}
		if (!path.len)
			return false;
		slash = str_rfind_char(path, '/');
		path = slash < 0 ? S("") : str_sub(path, 0, (size_t)slash);
	}
	*out = path;
	return path.len > 0;
}

/* What a link in the tree names; NULL: it leads out of it, or to nothing. Yours to free. */
static git_tree_entry *follow(Walk *w, const git_oid *id, Str *path)
{
	AUTO(blob_freep) git_odb_object *blob = NULL;
	git_tree_entry *entry = NULL;
	Str to;

	if (git_odb_read(&blob, w->from->odb, id) != 0 || git_odb_object_size(blob) > LINK_BYTES)
		return NULL;
	to = (Str){ git_odb_object_data(blob), git_odb_object_size(blob) };
	if (!link_path(w->a, *path, to, path) ||
	    git_tree_entry_bypath(&entry, w->from->tree, str_z(w->a, *path)) != 0)
		return NULL;
	return entry;
}

static void take_link(Walk *w, const git_oid *id, Str path)
{
	AUTO(entry_freep) git_tree_entry *entry = NULL;
	Str to = str_fmt(w->a, "%.*s%.*s", STR_ARG(w->from->base), STR_ARG(path));

	for (int i = 0; i < LINKS_MOST; i++) {
		git_tree_entry *next = follow(w, id, &to);

		git_tree_entry_free(entry);
		entry = next;
		if (!entry || git_tree_entry_filemode(entry) != GIT_FILEMODE_LINK)
			break;
		id = git_tree_entry_id(entry);
	}
	if (!entry || git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return;
	if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
		skip(w, path, SKIP_SYMLINK);
	else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB && source_is_python(path))
		take_file(w, git_tree_entry_id(entry), path);
}

static void take(Walk *w, const Folder *folder, const git_tree_entry *entry)
{
	Str name = str_of(git_tree_entry_name(entry));
	Str path = str_fmt(w->a, "%.*s%s%.*s", STR_ARG(folder->path), folder->path.len ? "/" : "",
	                   STR_ARG(name));
	const git_oid *id = git_tree_entry_id(entry);
	git_filemode_t mode = git_tree_entry_filemode(entry);

	if (mode == GIT_FILEMODE_TREE)
		take_folder(w, id, path, name, folder->depth);
	else if (mode == GIT_FILEMODE_LINK)
		take_link(w, id, path);
	else if (mode == GIT_FILEMODE_COMMIT)
		return; /* a module of its own, in another repository */
	else if (source_is_python(name))
		take_file(w, id, path);
	else if (str_ends(name, S(".ipynb")))
		skip(w, path, SKIP_NOTEBOOK);
	else
		w->out->others++;
}

static void read_folder(Walk *w, Folder folder)
{
	AUTO(tree_freep) git_tree *tree = NULL;

	if (git_tree_lookup(&tree, w->from->repo, &folder.id) != 0) {
		skip(w, folder.path, SKIP_UNREADABLE);
		return;
	}
	if (folder.depth && !w->rules->all && git_tree_entry_byname(tree, "pyvenv.cfg")) {
		skip(w, folder.path, SKIP_ENVIRONMENT);
		return;
	}
	for (size_t i = 0; i < git_tree_entrycount(tree); i++)
		if (w->entries++ < ENTRIES_MOST)
			take(w, &folder, git_tree_entry_byindex(tree, i));
		else
			skip(w, folder.path, SKIP_MANY);
}

/* Where a folder of the root is in the tree; false: it was not there. */
static bool folder_id(Walk *w, Str path, git_oid *out)
{
	AUTO(entry_freep) git_tree_entry *entry = NULL;
	Str whole = str_fmt(w->a, "%.*s%.*s", STR_ARG(w->from->base), STR_ARG(path));

	while (str_ends(whole, S("/")))
		whole.len--;
	if (!whole.len) {
		*out = *git_tree_id(w->from->tree);
		return true;
	}
	if (git_tree_entry_bypath(&entry, w->from->tree, str_z(w->a, whole)) != 0 ||
	    git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		return false;
	*out = *git_tree_entry_id(entry);
	return true;
}

static int by_path(const void *x, const void *y)
{
	return str_cmp(((const SourceFile *)x)->path, ((const SourceFile *)y)->path);
}

static Err *find(void *arg, Arena *a, const SourceRules *rules, Sources *out)
{
	RevSource *from = arg;
	Walk w = { .a = a, .from = from, .rules = rules, .out = out };
	git_oid id;

	*out = (Sources){ .root = from->root,
		          .git = true,
		          .examples = ARENA_ARRAY(a, SkippedPath, SKIPS * EXAMPLES) };
	for (size_t i = 0; i < MAX((size_t)1, rules->root_count); i++) {
		Str path = rules->root_count ? rules->roots[i] : S("");

		if (folder_id(&w, path, &id))
			push(&w, &id, path, 0);
	}
	while (w.folder_count)
		read_folder(&w, w.folders[--w.folder_count]);
	map_fini(&w.seen);
	if (out->count)
		qsort(out->files, out->count, sizeof(*out->files), by_path);
	return NULL;
}

static Err *bytes_of(void *arg, Arena *a, const SourceFile *file, Str *bytes)
{
	RevSource *from = arg;
	git_odb_object *blob = NULL;
	git_oid id;

	memcpy(id.id, file->oid, sizeof(file->oid));
	pthread_mutex_lock(&from->reading);
	if (git_odb_read(&blob, from->odb, &id) == 0)
		*bytes = str_dup(a, (Str){ git_odb_object_data(blob), git_odb_object_size(blob) });
	git_odb_object_free(blob);
	pthread_mutex_unlock(&from->reading);
	return blob ? NULL
	            : err_new(a, ERR_NOT_FOUND, "audit.object", "%.*s is not in this clone",
	                      STR_ARG(file->path));
}

/* --- the revision ------------------------------------------------------------------------------------------------------------------------------ */

static void rev_source_close(void *arg)
{
	RevSource *source = arg;

	git_tree_free(source->tree);
	git_odb_free(source->odb);
	git_repository_free(source->repo);
	pthread_mutex_destroy(&source->reading);
}

static Err *unknown(Arena *a, Str rev)
{
	const git_error *last = git_error_last();

	return err_new(a, ERR_NOT_FOUND, "audit.revision", "there is no revision %.*s (%s)",
	               STR_ARG(str_quote(a, rev)), last ? last->message : "no reason was given");
}

static void go_to_fork(git_repository *repo, git_oid *id)
{
	git_oid head, base;

	if (git_reference_name_to_id(&head, repo, "HEAD") == 0 &&
	    git_merge_base(&base, repo, &head, id) == 0)
		*id = base;
}

static Err *open_commit(Arena *a, RevSource *source, Str rev, bool fork)
{
	AUTO(object_freep) git_object *named = NULL;
	AUTO(object_freep) git_object *commit = NULL;
	AUTO(object_freep) git_object *at = NULL;
	AUTO(object_freep) git_object *tree = NULL;
	git_oid id;

	if (!rev.len || git_revparse_single(&named, source->repo, str_z(a, rev)) != 0 ||
	    git_object_peel(&commit, named, GIT_OBJECT_COMMIT) != 0)
		return unknown(a, rev);
	id = *git_object_id(commit);
	if (fork)
		go_to_fork(source->repo, &id);
	git_oid_tostr(source->id, sizeof(source->id), &id);
	if (git_object_lookup(&at, source->repo, &id, GIT_OBJECT_COMMIT) != 0 ||
	    git_object_peel(&tree, at, GIT_OBJECT_TREE) != 0 ||
	    git_repository_odb(&source->odb, source->repo) != 0)
		return unknown(a, rev);
	source->tree = (git_tree *)TAKE(tree);
	return NULL;
}

Err *rev_source_open(Arena *a, Str root, Str rev, bool fork, RevSource **out)
{
	RevSource *source = ARENA_NEW(a, RevSource);
	Str why_not;

	source->root = root;
	pthread_mutex_init(&source->reading, NULL);
	source->files = (ProjectSource){ .find = find, .bytes = bytes_of, .arg = source };
	arena_defer(a, rev_source_close, source);
	if (!repo_open(a, root, &source->repo, &source->base, &why_not))
		return err_new(a, ERR_NOT_FOUND, "audit.revision",
		               "there is no revision %.*s: %.*s", STR_ARG(str_quote(a, rev)),
		               STR_ARG(why_not));
	TRY(open_commit(a, source, rev, fork));
	*out = source;
	return NULL;
}

Str rev_source_id(const RevSource *source)
{
	return str_of(source->id);
}

const ProjectSource *rev_source_files(RevSource *source)
{
	return &source->files;
}

/* --- what changed ------------------------------------------------------------------------------------------------------------------------------ */

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

static void diff_freep(git_diff **diff)
{
	git_diff_free(*diff);
}

static void add_changed(Arena *a, const RevSource *source, const char *path, Str *paths,
                        size_t *count)
{
	Str whole = str_of(path);

	if (path && str_starts(whole, source->base))
		paths[(*count)++] = str_dup(a, str_sub(whole, source->base.len, whole.len));
}

Err *rev_source_changed(Arena *a, RevSource *source, Str **paths, size_t *count)
{
	AUTO(diff_freep) git_diff *diff = NULL;
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	size_t deltas, kept = 0;

	options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
	                GIT_DIFF_SKIP_BINARY_CHECK;
	options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
	if (git_diff_tree_to_workdir_with_index(&diff, source->repo, source->tree, &options) != 0)
		return err_new(a, ERR_IO, "audit.git",
		               "what changed since %s could not be told: %s", source->id,
		               git_error_last() ? git_error_last()->message : "?");
	deltas = git_diff_num_deltas(diff);
	*count = 0;
	*paths = ARENA_ARRAY(a, Str, 2 * deltas + 1);
	for (size_t i = 0; i < deltas; i++) {
		const git_diff_delta *delta = git_diff_get_delta(diff, i);

		add_changed(a, source, delta->old_file.path, *paths, count);
		add_changed(a, source, delta->new_file.path, *paths, count);
	}
	if (*count)
		qsort(*paths, *count, sizeof(Str), by_text);
	for (size_t i = 0; i < *count; i++)
		if (!kept || !str_eq((*paths)[kept - 1], (*paths)[i]))
			(*paths)[kept++] = (*paths)[i];
	*count = kept;
	return NULL;
}
