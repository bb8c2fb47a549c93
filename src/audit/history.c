/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk. Commits are taken from a heap, newest first, as git log does; the walk of libgit2 ends early in a shallow clone, so it is done by hand:
 * the commits that .git/shallow lists have parents that are not there, and what they changed cannot be known. A commit or tree that is missing
 * (partial clones, damaged ones) is counted and passed over. So is a commit that changes more than CHANGES_MOST paths: a few small trees that hold
 * each other many times stand for more files than there can be; after some of those the walk ends.
 *
 * Names: since the walk goes back in time, a file is known by its newest name. Where a commit takes away a path and adds another with the same
 * blob, the older name stands for the same file from there on back (Walk.alias). Empty blobs are all alike and tell nothing. */
#include "audit/history.h"

#include "audit/history_int.h"
#include "audit/repo.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RENAME_WORK = 1000000, LIST_BYTES = 16 << 20, HEX = 40, TELL_EACH = 1024, DAY_S = 86400 };
enum { TOO_LARGE_MOST = 8 };

typedef struct Due {
	int64_t time_s;
	const git_oid *id;
} Due;

typedef struct Walk {
	Arena *a, *scratch; /* of one commit */
	git_repository *repo;
	git_odb *odb;
	git_mailmap *mailmap;
	Str base;
	const WalkHooks *hooks;
	History *out;
	Map seen, shallow, format; /* by id */
	Map alias, authors;        /* by path, by address; the index and 1 */
	Due *heap;
	size_t due, heap_room, file_room, author_room, set_room, rename_room;
	int64_t now_s;
	uint32_t too_large; /* commits whose trees were */
} Walk;

/* At least one more of `each` bytes; lists double, the arena keeps the old halves. */
static void *room_for(Arena *a, void *at, size_t count, size_t *room, size_t each)
{
	void *more;

	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 256;
	more = arena_alloc_array(a, each, *room);
	if (count)
		memcpy(more, at, count * each);
	return more;
}

static Str id_str(const git_oid *id)
{
	return (Str){ (const char *)id->id, sizeof(id->id) };
}

/* --- the heap ----------------------------------------------------------------------------------------------------------------------------- */

static void push_due(Walk *w, Due item)
{
	size_t i = w->due;

	w->heap = room_for(w->a, w->heap, w->due, &w->heap_room, sizeof(*w->heap));
	w->due++;
	for (; i && w->heap[(i - 1) / 2].time_s < item.time_s; i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = item;
}

static Due pop_due(Walk *w)
{
	Due first = w->heap[0], last = w->heap[--w->due];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->due) {
		if (child + 1 < w->due && w->heap[child + 1].time_s > w->heap[child].time_s)
			child++;
		if (w->heap[child].time_s <= last.time_s)
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

/* Commits that are not there are counted once. */
static void want(Walk *w, const git_oid *id)
{
	git_commit *commit = NULL;
	const git_oid *kept;

	if (map_get(&w->seen, id_str(id)) ||
	    (w->hooks->known && w->hooks->known(w->hooks->arg, id)))
		return;
	kept = (const git_oid *)(const void *)str_dup(w->a, id_str(id)).at;
	map_put(&w->seen, id_str(kept), w);
	if (git_commit_lookup(&commit, w->repo, id) != 0) {
		w->out->missing++;
		return;
	}
	push_due(w, (Due){ git_commit_time(commit), kept });
	git_commit_free(commit);
}

/* --- who, and which file ------------------------------------------------------------------------------------------------------------------- */

static uint32_t author_of(Walk *w, git_commit *commit)
{
	const git_signature *by = git_commit_author(commit);
	const char *name = by->name, *email = by->email;
	History *h = w->out;
	uintptr_t known;
	Str key;

	if (w->mailmap)
		git_mailmap_resolve(&name, &email, w->mailmap, by->name, by->email);
	key = str_lower(w->scratch, str_of(*email ? email : name));
	known = (uintptr_t)map_get(&w->authors, key);
	if (known)
		return (uint32_t)known - 1;
	h->authors =
		room_for(w->a, h->authors, h->author_count, &w->author_room, sizeof(*h->authors));
	h->authors[h->author_count] =
		(HistoryAuthor){ .name = str_dup(w->a, str_of(name)),
		                 .email = str_dup(w->a, key),
		                 .bot = history_is_bot(str_of(name), str_of(email)) };
	map_put(&w->authors, h->authors[h->author_count].email,
	        (void *)(uintptr_t)(h->author_count + 1));
	return (uint32_t)h->author_count++;
}

static uint32_t file_of(Walk *w, Str path)
{
	uintptr_t known = (uintptr_t)map_get(&w->alias, path);
	History *h = w->out;

	if (known)
		return (uint32_t)known - 1;
	h->files = room_for(w->a, h->files, h->file_count, &w->file_room, sizeof(*h->files));
	h->files[h->file_count] = (HistoryFile){ .path = str_dup(w->a, path) };
	map_put(&w->alias, h->files[h->file_count].path, (void *)(uintptr_t)(h->file_count + 1));
	return (uint32_t)h->file_count++;
}

static Str name_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return str_sub(path, (size_t)(slash + 1), path.len);
}

/* From here on back, the older name is the file of the newer. */
static void rename_file(Walk *w, const Change *older, const Change *newer, int64_t time_s)
{
	uint32_t file = file_of(w, newer->path);
	HistoryRename row = { time_s, str_dup(w->a, older->path), str_dup(w->a, newer->path) };
	History *h = w->out;

	map_remove(&w->alias, newer->path);
	map_put(&w->alias, row.older, (void *)(uintptr_t)(file + 1));
	h->renames =
		room_for(w->a, h->renames, h->rename_count, &w->rename_room, sizeof(*h->renames));
	h->renames[h->rename_count++] = row;
}

/* What went away with the blob that `added` came with, one of the same name before others; NULL: none. */
static Change *went_as(const Changes *changes, const Change *added, const bool *used)
{
	Change *found = NULL;

	for (size_t i = 0; i < changes->count; i++) {
		Change *gone = &changes->at[i];

		if (used[i] || !git_oid_is_zero(&gone->is) ||
		    !git_oid_equal(&gone->was, &added->is))
			continue;
		if (str_eq(name_of(gone->path), name_of(added->path)))
			return gone;
		found = found ? found : gone;
	}
	return found;
}

static bool is_empty_blob(const git_oid *id)
{
	git_oid empty;

	git_oid_fromstr(&empty, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	return git_oid_equal(id, &empty);
}

/* --- one commit ------------------------------------------------------------------------------------------------------------------------------ */

static int ascending(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

static void show_version(const Walk *w, uint32_t file, const Change *c, const git_oid *other)
{
	WalkVersion version = { .file = file, .was = c->was, .is = c->is };

	if (!w->hooks->version)
		return;
	if (other)
		version.other = *other;
	w->hooks->version(w->hooks->arg, &version);
}

/* Who took the place of whom, to from[]; used[]: those whose place was taken. */
static void pair_names(const Changes *changes, bool *used, const Change **from)
{
	if (changes->count * changes->count > RENAME_WORK)
		return;
	for (size_t i = 0; i < changes->count; i++) {
		const Change *c = &changes->at[i];

		if (git_oid_is_zero(&c->was) && !is_empty_blob(&c->is))
			from[i] = went_as(changes, c, used);
		if (from[i])
			used[from[i] - changes->at] = true;
	}
}

static void note_creator(HistoryFile *file, const ChangeSet *set)
{
	if (file->creator && file->created_s < set->time_s)
		return;
	file->creator = set->author + 1;
	file->created_s = set->time_s;
}

/* The files of one commit, by id, each once; renames are noted after all names have been looked up. */
static size_t files_of(Walk *w, const Changes *changes, const ChangeSet *set, uint32_t *files)
{
	bool *used = ARENA_ARRAY(w->scratch, bool, changes->count);
	const Change **from = ARENA_ARRAY(w->scratch, const Change *, changes->count);
	size_t count = 0, unique = 0;

	pair_names(changes, used, from);
	for (size_t i = 0; i < changes->count; i++) {
		if (used[i])
			continue;
		files[count] = file_of(w, changes->at[i].path);
		if (git_oid_is_zero(&changes->at[i].was) && !from[i])
			note_creator(&w->out->files[files[count]], set);
		if (!from[i])
			show_version(w, files[count], &changes->at[i], NULL);
		count++;
	}
	for (size_t i = 0; i < changes->count; i++)
		if (from[i])
			rename_file(w, from[i], &changes->at[i], set->time_s);
	if (count)
		qsort(files, count, sizeof(*files), ascending);
	for (size_t i = 0; i < count; i++)
		if (!unique || files[unique - 1] != files[i])
			files[unique++] = files[i];
	return unique;
}

/* False: an object is missing. */
static bool changes_of(Walk *w, git_commit *commit, unsigned nth, Changes *out)
{
	git_commit *parent = NULL;
	bool known;

	if (git_commit_parentcount(commit) && git_commit_parent(&parent, commit, nth) != 0)
		return false;
	known = tree_changes(w->scratch, w->odb, git_commit_tree_id(commit),
	                     parent ? git_commit_tree_id(parent) : NULL, w->base, out);
	git_commit_free(parent);
	w->too_large += out->too_many;
	return known;
}

/* Files that a merge put together itself: they are neither parent's. */
static void show_merged(Walk *w, git_commit *commit)
{
	AUTO(map_fini) Map others = { 0 };
	Changes first = { 0 }, second = { 0 };

	if (!w->hooks->version || !changes_of(w, commit, 0, &first) ||
	    !changes_of(w, commit, 1, &second))
		return;
	for (size_t i = 0; i < second.count; i++)
		map_put(&others, second.at[i].path, &second.at[i]);
	for (size_t i = 0; i < first.count; i++) {
		const Change *c = &first.at[i], *other = map_get(&others, c->path);
		uintptr_t file = (uintptr_t)map_get(&w->alias, c->path);

		if (file && other && !git_oid_is_zero(&c->is))
			show_version(w, (uint32_t)file - 1, c, &other->was);
	}
}

static SetKind kind_of(Walk *w, git_commit *commit, ChangeSet *set)
{
	Changes changes = { 0 };
	uint32_t *files;

	if (map_get(&w->shallow, id_str(git_commit_id(commit))))
		return SET_SHALLOW;
	if (git_commit_parentcount(commit) > 1) {
		show_merged(w, commit);
		return SET_MERGE;
	}
	if (!changes_of(w, commit, 0, &changes))
		return SET_MISSING;
	files = ARENA_ARRAY(w->scratch, uint32_t, changes.count + 1);
	set->author = author_of(w, commit);
	w->out->authors[set->author].last_s = MAX(w->out->authors[set->author].last_s, set->time_s);
	set->files = files;
	set->count = (uint32_t)files_of(w, &changes, set, files);
	if (w->out->authors[set->author].bot)
		return SET_BOT;
	if (map_get(&w->format, id_str(git_commit_id(commit))))
		return SET_FORMAT;
	if (!set->count)
		return SET_ELSEWHERE;
	return set->count > HISTORY_SET_FILES ? SET_BIG : SET_COUNTS;
}

static void keep_set(Walk *w, const ChangeSet *set)
{
	uint32_t *files = ARENA_ARRAY(w->a, uint32_t, set->count);
	History *h = w->out;

	memcpy(files, set->files, set->count * sizeof(*files));
	h->sets = room_for(w->a, h->sets, h->set_count, &w->set_room, sizeof(*h->sets));
	h->sets[h->set_count] = *set;
	h->sets[h->set_count++].files = files;
}

static void show_commit(const Walk *w, git_commit *commit, SetKind kind, const ChangeSet *set)
{
	const WalkHooks *hooks = w->hooks;

	if (hooks->commit)
		hooks->commit(hooks->arg, &(WalkCommit){ git_commit_id(commit), kind, set->time_s,
		                                         set->count, set->fix });
	if (hooks->progress && w->out->commits % TELL_EACH == 0)
		hooks->progress(hooks->progress_arg, "commits", w->out->commits, 0);
}

/* Clocks that were wrong say nothing of when the history began and where it is now: one date in the future would make all other changes old ones. */
static void note_time(const Walk *w, int64_t time_s)
{
	History *h = w->out;

	if (time_s <= 0 || time_s > w->now_s)
		return;
	h->first_s = h->first_s ? MIN(h->first_s, time_s) : time_s;
	h->last_s = MAX(h->last_s, time_s);
}

static void take_commit(Walk *w, git_commit *commit)
{
	ChangeSet set = { .time_s = git_commit_time(commit) };
	History *h = w->out;
	SetKind kind = kind_of(w, commit, &set);

	note_time(w, set.time_s);
	h->commits++;
	h->kinds[kind]++;
	if (kind != SET_SHALLOW)
		for (unsigned i = 0; i < git_commit_parentcount(commit); i++)
			want(w, git_commit_parent_id(commit, i));
	if (kind == SET_COUNTS) {
		set.fix = history_is_fix(str_of(git_commit_message(commit)));
		keep_set(w, &set);
	}
	show_commit(w, commit, kind, &set);
}

static void walk_all(Walk *w)
{
	while (w->due && !w->out->cut) {
		Mark mark = arena_mark(w->scratch);
		Due due = pop_due(w);
		git_commit *commit = NULL;

		if (git_commit_lookup(&commit, w->repo, due.id) != 0) {
			w->out->missing++;
			continue;
		}
		take_commit(w, commit);
		git_commit_free(commit);
		arena_reset(w->scratch, mark);
		w->out->cut = (w->out->commits == HISTORY_COMMITS && w->due) ||
		              w->too_large > TOO_LARGE_MOST;
	}
}

/* --- before and after -------------------------------------------------------------------------------------------------------------------------- */

/* Lines that begin with an id; comments and others are passed over. A file that is not there is an empty list. */
static void read_ids(Walk *w, Str path, Map *out)
{
	Str text, line;

	if (file_read_plain(w->a, path, LIST_BYTES, &text) != NULL)
		return;
	while (str_split(&text, '\n', &line)) {
		git_oid *id = ARENA_NEW(w->a, git_oid);

		if (line.len >= HEX && git_oid_fromstrn(id, line.at, HEX) == 0)
			map_put(out, id_str(id), w);
	}
}

/* Is it there, and no file? Libgit2 would wait at a pipe. */
static bool is_odd(const Walk *w, const char *name)
{
	struct stat about;

	return stat(str_fmt(w->a, "%s%s", git_repository_workdir(w->repo), name).at, &about) == 0 &&
	       !S_ISREG(about.st_mode);
}

static void count_sets(History *h)
{
	for (size_t i = 0; i < h->file_count; i++)
		h->files[i].revs = h->files[i].recent = h->files[i].fixes = 0;
	for (size_t i = 0; i < h->file_count; i++)
		h->files[i].soc = 0;
	for (size_t i = 0; i < h->author_count; i++)
		h->authors[i].sets = 0;
	for (size_t i = 0; i < h->set_count; i++) {
		const ChangeSet *set = &h->sets[i];

		h->authors[set->author].sets++;
		for (uint32_t j = 0; j < set->count; j++) {
			HistoryFile *file = &h->files[set->files[j]];

			file->revs++;
			file->recent += set->time_s > h->last_s - HISTORY_RECENT_S;
			file->fixes += set->fix;
			file->soc += set->count - 1;
		}
	}
}

static void by_path_fini(void *map)
{
	map_fini(map);
}

/* An older life of the same name comes later in the list and does not take its place. */
void history_add_up(Arena *a, History *h)
{
	count_sets(h);
	h->by_path = ARENA_NEW(a, Map);
	arena_defer(a, by_path_fini, h->by_path);
	for (size_t i = 0; i < h->file_count; i++)
		if (!map_get(h->by_path, h->files[i].path))
			map_put(h->by_path, h->files[i].path, &h->files[i]);
}

static void walk_fini(Walk *w)
{
	map_fini(&w->seen);
	map_fini(&w->shallow);
	map_fini(&w->format);
	map_fini(&w->alias);
	map_fini(&w->authors);
	git_mailmap_free(w->mailmap);
	git_odb_free(w->odb);
	git_repository_free(w->repo);
	arena_free(w->scratch);
}

void history_walk(Arena *a, Str root, const WalkHooks *hooks, History *out)
{
	AUTO(walk_fini)
	Walk w = { .a = a,
		   .scratch = arena_new(0),
		   .hooks = hooks,
		   .out = out,
		   .now_s = time_utc_us() / US_PER_S + DAY_S };
	int64_t from_us = time_mono_us();
	git_oid head;

	*out = (History){ 0 };
	if (!repo_open(a, root, &w.repo, &w.base, &out->why_not))
		return;
	if (git_repository_odb(&w.odb, w.repo) != 0 ||
	    git_reference_name_to_id(&head, w.repo, "HEAD") != 0) {
		out->why_not = S("the repository has no commits yet");
		return;
	}
	if (!is_odd(&w, ".mailmap"))
		git_mailmap_from_repository(&w.mailmap, w.repo);
	read_ids(&w, str_fmt(a, "%s/shallow", git_repository_commondir(w.repo)), &w.shallow);
	read_ids(&w, str_fmt(a, "%s.git-blame-ignore-revs", git_repository_workdir(w.repo)),
	         &w.format);
	out->shallow = w.shallow.count > 0;
	want(&w, &head);
	if (!w.due) {
		out->why_not = S("the newest commit is not in this clone, or damaged");
		return;
	}
	walk_all(&w);
	if (hooks->names)
		hooks->names(hooks->arg, &w.alias);
	history_add_up(a, out);
	out->taken_us = time_mono_us() - from_us;
}

void history_read(Arena *a, Str root, History *out)
{
	static const WalkHooks none = { 0 };

	history_walk(a, root, &none, out);
}

const HistoryFile *history_file(const History *h, Str path)
{
	return h->by_path ? map_get(h->by_path, path) : NULL;
}
