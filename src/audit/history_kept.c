/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept is the walk's outcome before anything was made of it, and the beginnings of all commits' ids, so that the next walk knows where to stop.
 * It hangs on HEAD, and on the three files that say what counts (.mailmap, .git-blame-ignore-revs, git's own list of a shallow clone's ends): when one
 * of these has changed, all is walked again. So it is when HEAD no longer stands on what it stood on, and when names changed on a branch that is older
 * than what is kept, or in what is kept, of files that such a branch changed: whose name was whose then hangs on the order of the walk.
 *
 * Putting both together: a file of the older part is the newer part's file that went by its name at the time. */
#include "audit/history_kept.h"

#include "audit/audit_cache.h"
#include "audit/history_int.h"
#include "audit/pack.h"
#include "audit/repo.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 16 << 20 };

typedef struct Kept {
	git_oid head;
	History h;
	uint64_t *ids; /* the first eight bytes of each commit's, rising */
	size_t id_count;
} Kept;

static const PackField file_fields[] = { PACK_TEXT(HistoryFile, path) };
static const PackType file_type = { PACK_FIELDS(HistoryFile, file_fields) };
static const PackField author_fields[] = { PACK_TEXT(HistoryAuthor, name),
	                                   PACK_TEXT(HistoryAuthor, email) };
static const PackType author_type = { PACK_FIELDS(HistoryAuthor, author_fields) };
static const PackField rename_fields[] = { PACK_TEXT(HistoryRename, older),
	                                   PACK_TEXT(HistoryRename, newer) };
static const PackType rename_type = { PACK_FIELDS(HistoryRename, rename_fields) };
static const PackType index_type = { PACK_PLAIN(uint32_t) };
static const PackField set_fields[] = { PACK_ARRAY(ChangeSet, files, count, &index_type) };
static const PackType set_type = { PACK_FIELDS(ChangeSet, set_fields) };
static const PackType id_type = { PACK_PLAIN(uint64_t) };
static const PackField kept_fields[] = {
	PACK_TEXT(Kept, h.why_not),
	PACK_ARRAY(Kept, h.files, h.file_count, &file_type),
	PACK_ARRAY(Kept, h.authors, h.author_count, &author_type),
	PACK_ARRAY(Kept, h.sets, h.set_count, &set_type),
	PACK_ARRAY(Kept, h.renames, h.rename_count, &rename_type),
	PACK_ARRAY(Kept, ids, id_count, &id_type),
};
static const PackType kept_type = { PACK_FIELDS(Kept, kept_fields) };

/* One walk, and where it stops. */
typedef struct Reading {
	Arena *a;
	const AuditRules *rules;
	const Kept *kept; /* NULL: it goes to the end */
	bool met;         /* the kept HEAD, */
	int64_t oldest_s; /* of what is new */
	uint64_t *ids;
	size_t id_count, id_room;
	uint32_t *file_of, *author_of; /* by the kept part's numbers: those of both */
	History *out;
} Reading;

static uint64_t id_of(const git_oid *id)
{
	uint64_t first;

	memcpy(&first, id->id, sizeof(first));
	return first;
}

static int rising(const void *x, const void *y)
{
	uint64_t p = *(const uint64_t *)x, q = *(const uint64_t *)y;

	return (p > q) - (p < q);
}

static bool is_known(void *arg, const git_oid *id)
{
	Reading *r = arg;
	uint64_t first = id_of(id);

	if (!r->kept->id_count ||
	    !bsearch(&first, r->kept->ids, r->kept->id_count, sizeof(first), rising))
		return false;
	r->met = r->met || git_oid_equal(id, &r->kept->head);
	return true;
}

static void add_id(Reading *r, uint64_t id)
{
	if (r->id_count == r->id_room) {
		size_t room = r->id_room ? 2 * r->id_room : 1024;
		uint64_t *more = ARENA_ARRAY(r->a, uint64_t, room);

		if (r->id_count)
			memcpy(more, r->ids, r->id_count * sizeof(*more));
		r->ids = more;
		r->id_room = room;
	}
	r->ids[r->id_count++] = id;
}

static void note_commit(void *arg, const WalkCommit *commit)
{
	Reading *r = arg;

	r->oldest_s = r->id_count ? MIN(r->oldest_s, commit->time_s) : commit->time_s;
	add_id(r, id_of(commit->id));
}

/* --- both parts together ----------------------------------------------------------------------------------------------------------------------------- */

/* Numbers of the older part's files in both; those that have none yet get the next ones. */
static void number_files(void *arg, const Map *names)
{
	Reading *r = arg;
	AUTO(map_fini) Map used = { 0 };
	const History *old = &r->kept->h;
	uint32_t next = (uint32_t)r->out->file_count;

	r->file_of = ARENA_ARRAY(r->a, uint32_t, old->file_count + 1);
	for (size_t i = 0; i < old->file_count; i++) {
		uintptr_t now = (uintptr_t)map_get(names, old->files[i].path);

		/* A second file of the name is an earlier one, whatever became of the first. */
		if (map_put(&used, old->files[i].path, r) || !now)
			r->file_of[i] = next++;
		else
			r->file_of[i] = (uint32_t)now - 1;
	}
}

static void join_authors(Reading *r)
{
	AUTO(map_fini) Map known = { 0 };
	const History *old = &r->kept->h;
	History *out = r->out;
	HistoryAuthor *all =
		ARENA_ARRAY(r->a, HistoryAuthor, out->author_count + old->author_count + 1);

	for (size_t i = 0; i < out->author_count; i++) {
		all[i] = out->authors[i];
		map_put(&known, all[i].email, (void *)(uintptr_t)(i + 1));
	}
	out->authors = all;
	r->author_of = ARENA_ARRAY(r->a, uint32_t, old->author_count + 1);
	for (size_t i = 0; i < old->author_count; i++) {
		uintptr_t now = (uintptr_t)map_get(&known, old->authors[i].email);

		if (!now) {
			all[out->author_count] = old->authors[i];
			now = ++out->author_count;
		}
		if (old->authors[i].last_s > all[now - 1].last_s)
			all[now - 1].name = old->authors[i].name;
		all[now - 1].last_s = MAX(all[now - 1].last_s, old->authors[i].last_s);
		r->author_of[i] = (uint32_t)now - 1;
	}
}

static void join_files(Reading *r)
{
	const History *old = &r->kept->h;
	History *out = r->out;
	HistoryFile *all = ARENA_ARRAY(r->a, HistoryFile, out->file_count + old->file_count + 1);

	if (out->file_count)
		memcpy(all, out->files, out->file_count * sizeof(*all));
	out->files = all;
	for (size_t i = 0; i < old->file_count; i++) {
		const HistoryFile *from = &old->files[i];
		HistoryFile *to = &all[r->file_of[i]];

		if (r->file_of[i] >= out->file_count) {
			to->path = from->path;
			out->file_count = r->file_of[i] + 1;
		}
		if (from->creator && !(to->creator && to->created_s < from->created_s)) {
			to->creator = r->author_of[from->creator - 1] + 1;
			to->created_s = from->created_s;
		}
	}
}

static int by_number(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

static ChangeSet renumbered(const Reading *r, const ChangeSet *from)
{
	uint32_t *files = ARENA_ARRAY(r->a, uint32_t, from->count + 1);
	ChangeSet set = *from;

	for (uint32_t i = 0; i < from->count; i++)
		files[i] = r->file_of[from->files[i]];
	qsort(files, from->count, sizeof(*files), by_number);
	set.files = files;
	set.author = r->author_of[from->author];
	return set;
}

/* Both are newest first already. */
static void join_sets(Reading *r)
{
	const History *old = &r->kept->h;
	History *out = r->out;
	ChangeSet *all = ARENA_ARRAY(r->a, ChangeSet, out->set_count + old->set_count + 1);
	size_t i = 0, k = 0;

	while (i < out->set_count || k < old->set_count)
		if (k == old->set_count ||
		    (i < out->set_count && out->sets[i].time_s >= old->sets[k].time_s)) {
			all[i + k] = out->sets[i];
			i++;
		} else {
			all[i + k] = renumbered(r, &old->sets[k]);
			k++;
		}
	out->sets = all;
	out->set_count = i + k;
}

static void join_renames(Reading *r)
{
	const History *old = &r->kept->h;
	History *out = r->out;
	HistoryRename *all =
		ARENA_ARRAY(r->a, HistoryRename, out->rename_count + old->rename_count + 1);

	if (out->rename_count)
		memcpy(all, out->renames, out->rename_count * sizeof(*all));
	if (old->rename_count)
		memcpy(all + out->rename_count, old->renames, old->rename_count * sizeof(*all));
	out->renames = all;
	out->rename_count += old->rename_count;
}

static void join(Reading *r)
{
	const History *old = &r->kept->h;
	History *out = r->out;

	join_authors(r);
	join_files(r);
	join_sets(r);
	join_renames(r);
	out->commits += old->commits;
	out->missing += old->missing;
	for (size_t i = 0; i < SET_KINDS; i++)
		out->kinds[i] += old->kinds[i];
	if (!out->first_s || (old->first_s && old->first_s < out->first_s))
		out->first_s = old->first_s;
	out->last_s = MAX(out->last_s, old->last_s);
	for (size_t i = 0; i < r->kept->id_count; i++)
		add_id(r, r->kept->ids[i]);
}

/* --- an order of its own ------------------------------------------------------------------------------------------------------------------------------ */

typedef struct Named {
	Str name;
	uint32_t number;
} Named;

static int by_name(const void *x, const void *y)
{
	const Named *p = x, *q = y;
	int order = str_cmp(p->name, q->name);

	return order ? order : (p->number > q->number) - (p->number < q->number);
}

/* By the old number, the new one. */
static uint32_t *places_of(Arena *a, Named *rows, size_t count)
{
	uint32_t *places = ARENA_ARRAY(a, uint32_t, count + 1);

	if (count)
		qsort(rows, count, sizeof(*rows), by_name);
	for (size_t i = 0; i < count; i++)
		places[rows[i].number] = (uint32_t)i;
	return places;
}

static const uint32_t *order_authors(Arena *a, History *h)
{
	Named *rows = ARENA_ARRAY(a, Named, h->author_count + 1);
	HistoryAuthor *ordered = ARENA_ARRAY(a, HistoryAuthor, h->author_count + 1);
	uint32_t *places;

	for (size_t i = 0; i < h->author_count; i++)
		rows[i] = (Named){ h->authors[i].email, (uint32_t)i };
	places = places_of(a, rows, h->author_count);
	for (size_t i = 0; i < h->author_count; i++)
		ordered[places[i]] = h->authors[i];
	h->authors = ordered;
	return places;
}

static const uint32_t *order_files(Arena *a, History *h)
{
	Named *rows = ARENA_ARRAY(a, Named, h->file_count + 1);
	HistoryFile *ordered = ARENA_ARRAY(a, HistoryFile, h->file_count + 1);
	uint32_t *places;

	for (size_t i = 0; i < h->file_count; i++)
		rows[i] = (Named){ h->files[i].path, (uint32_t)i };
	places = places_of(a, rows, h->file_count);
	for (size_t i = 0; i < h->file_count; i++)
		ordered[places[i]] = h->files[i];
	h->files = ordered;
	return places;
}

/* Numbers by names, so that nothing that hangs on them (who is first of two with as many changes) hangs on the walk. An older life of a name stays
 * behind the newer. */
static void history_order(Arena *a, History *h)
{
	const uint32_t *authors = order_authors(a, h), *files = order_files(a, h);

	for (size_t i = 0; i < h->file_count; i++)
		if (h->files[i].creator)
			h->files[i].creator = authors[h->files[i].creator - 1] + 1;
	for (size_t i = 0; i < h->set_count; i++) {
		uint32_t *numbers = ARENA_ARRAY(a, uint32_t, h->sets[i].count + 1);

		for (uint32_t k = 0; k < h->sets[i].count; k++)
			numbers[k] = files[h->sets[i].files[k]];
		qsort(numbers, h->sets[i].count, sizeof(*numbers), by_number);
		h->sets[i].files = numbers;
		h->sets[i].author = authors[h->sets[i].author];
	}
	history_add_up(a, h);
}

/* --- the cache ---------------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(Arena *a, Str path)
{
	Str text;

	return file_read_plain(a, path, LIST_BYTES, &text) ? 0 : hash_stable(text, 0x68697374, 1);
}

/* Where the root lies, and what else says what counts. */
static Str key_of(Arena *a, git_repository *repo, Str base)
{
	const char *work = git_repository_workdir(repo);

	return str_fmt(a, "%.*s %" PRIx64 " %" PRIx64 " %" PRIx64, STR_ARG(base),
	               hash_of(a, str_fmt(a, "%s.mailmap", work)),
	               hash_of(a, str_fmt(a, "%s.git-blame-ignore-revs", work)),
	               hash_of(a, str_fmt(a, "%s/shallow", git_repository_commondir(repo))));
}

Str history_key(Arena *a, const AuditRules *rules)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	git_oid head;
	Str base;

	if (!rules->cache || !repo_open(a, rules->root, &repo, &base, NULL) ||
	    git_reference_name_to_id(&head, repo, "HEAD") != 0)
		return S("");
	return str_fmt(a, "%s %.*s", git_oid_tostr_s(&head), STR_ARG(key_of(a, repo, base)));
}

static void keep(const Reading *r, Str key, const git_oid *head)
{
	AUTO(buf_fini) Buf bytes = { 0 };
	Kept now = { .head = *head, .h = *r->out, .ids = r->ids, .id_count = r->id_count };

	now.h.by_path = NULL;
	now.h.why_not = (Str){ 0 };
	if (r->id_count)
		qsort(r->ids, r->id_count, sizeof(*r->ids), rising);
	pack_write(&bytes, &kept_type, &now);
	audit_cache_put(r->rules->cache, "history", key, buf_str(&bytes));
}

/* No number leads outside of its list, and no list is longer than a walk makes it, whoever wrote the bytes. */
static bool is_sound(const History *h)
{
	for (size_t i = 0; i < h->file_count; i++)
		if (h->files[i].creator > h->author_count)
			return false;
	for (size_t i = 0; i < h->set_count; i++) {
		if (h->sets[i].author >= h->author_count || h->sets[i].count > HISTORY_SET_FILES)
			return false;
		for (uint32_t k = 0; k < h->sets[i].count; k++)
			if (h->sets[i].files[k] >= h->file_count)
				return false;
	}
	return true;
}

static const Kept *find_kept(Arena *a, const AuditRules *rules, Str key)
{
	void *kept;
	Str bytes;

	if (!audit_cache_find(rules->cache, "history", key, &bytes) ||
	    !pack_read(a, &kept_type, &bytes, &kept) || !is_sound(&((const Kept *)kept)->h))
		return NULL;
	return kept;
}

static void walk(Reading *r)
{
	const WalkHooks hooks = { .arg = r,
		                  .known = r->kept ? is_known : NULL,
		                  .names = r->kept ? number_files : NULL,
		                  .commit = note_commit,
		                  .progress = r->rules->progress,
		                  .progress_arg = r->rules->progress_arg };

	history_walk(r->a, r->rules->root, &hooks, r->out);
}

static void walk_whole(Reading *r)
{
	walk(r);
	if (!r->out->why_not.len)
		history_order(r->a, r->out);
}

/* Does something new touch a name of a kept change of names that is younger? Whose it is, the order of the walk says. */
static bool names_cross(const Reading *r)
{
	const History *old = &r->kept->h;

	for (size_t i = 0; i < old->rename_count; i++)
		if (old->renames[i].time_s > r->oldest_s &&
		    (history_file(r->out, old->renames[i].older) ||
		     history_file(r->out, old->renames[i].newer)))
			return true;
	return false;
}

static bool can_be_joined(const Reading *r)
{
	const History *old = &r->kept->h;

	return r->met && !r->out->cut && !old->cut &&
	       r->out->commits + old->commits <= HISTORY_COMMITS &&
	       (!r->out->rename_count || r->oldest_s >= old->last_s) && !names_cross(r);
}

/* What is new after the kept part; all if that is no beginning of it. */
static void read_on(Reading *r, const Kept *kept)
{
	Reading afresh = *r;

	r->kept = kept;
	if (kept)
		walk(r);
	if (kept && can_be_joined(r)) {
		join(r);
		history_order(r->a, r->out);
		return;
	}
	*r = afresh;
	walk_whole(r);
}

void history_read_kept(Arena *a, const AuditRules *rules, History *out)
{
	AUTO(repo_freep) git_repository *repo = NULL;
	Reading r = { .a = a, .rules = rules, .out = out };
	int64_t from_us = time_mono_us();
	Str base, key;
	const Kept *kept;
	git_oid head;

	if (!rules->cache || !repo_open(a, rules->root, &repo, &base, NULL) ||
	    git_reference_name_to_id(&head, repo, "HEAD") != 0) {
		walk_whole(&r);
		return;
	}
	key = key_of(a, repo, base);
	kept = find_kept(a, rules, key);
	if (kept && git_oid_equal(&kept->head, &head)) {
		*out = kept->h;
		history_add_up(a, out);
		out->taken_us = time_mono_us() - from_us;
		return;
	}
	read_on(&r, kept);
	if (!out->why_not.len)
		keep(&r, key, &head);
	out->taken_us = time_mono_us() - from_us;
}
