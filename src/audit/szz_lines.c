/* SPDX-License-Identifier: Apache-2.0
 *
 * Who wrote which line. Instead of asking for the past of a line whenever it is mended, a file's versions are gone through once, from the oldest on:
 * of each text it is known which commit wrote each line, and the next version takes that over for all lines that stay. So a file costs one comparison
 * a version, whatever the number of its fixes.
 *
 * The lines of the last texts are kept by the texts' ids, since versions of branches come mixed. Where a text is not known (not in this clone, or too
 * long ago), nobody is known to have written it. */
#include "audit/szz_int.h"

#include "audit/repo.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = 64, HUNKS_FIRST = 64 };

typedef struct Lines {
	git_oid id;
	uint32_t *by; /* commits */
	uint32_t count, room;
	uint64_t used;
} Lines;

typedef struct Hunk {
	uint32_t old_at, old_count, new_at, new_count; /* from 0 */
} Hunk;

/* A text, cut to lines. */
typedef struct Text {
	git_odb_object *object;
	Str bytes;
	uint32_t *from; /* of each line, and the end */
	uint32_t count, room;
} Text;

struct SzzReader {
	const SzzWalk *walk;
	Arena *scratch;
	git_repository *repo;
	git_odb *odb;
	Lines kept[KEPT];
	Text old, new, other;
	Hunk *hunks;
	size_t hunk_count, hunk_room;
	uint64_t clock, diffs;
};

static void *grown(void *at, size_t count, size_t each)
{
	void *more = realloc(at, count * each);

	if (!more)
		abort();
	return more;
}

SzzReader *szz_reader_new(Str root, const SzzWalk *walk)
{
	SzzReader *r = grown(NULL, 1, sizeof(*r));
	Str base;

	*r = (SzzReader){ 0 };
	r->walk = walk;
	r->scratch = arena_new(0);
	if (repo_open(r->scratch, root, &r->repo, &base, NULL) &&
	    git_repository_odb(&r->odb, r->repo) != 0)
		r->odb = NULL;
	return r;
}

static void text_fini(Text *t)
{
	git_odb_object_free(t->object);
	free(t->from);
	*t = (Text){ 0 };
}

void szz_reader_free(SzzReader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < KEPT; i++)
		free(r->kept[i].by);
	text_fini(&r->old);
	text_fini(&r->new);
	text_fini(&r->other);
	free(r->hunks);
	git_odb_free(r->odb);
	git_repository_free(r->repo);
	arena_free(r->scratch);
	free(r);
}

uint64_t szz_reader_diffs(const SzzReader *r)
{
	return r->diffs;
}

/* --- texts ------------------------------------------------------------------------------------------------------------------------------------------- */

static void cut_lines(Text *t)
{
	uint32_t at = 0, len = (uint32_t)t->bytes.len;

	t->count = 0;
	while (at < len) {
		const char *end = memchr(t->bytes.at + at, '\n', len - at);

		if (t->count + 2 > t->room) {
			t->room = t->room ? 2 * t->room : 1024;
			t->from = grown(t->from, t->room, sizeof(*t->from));
		}
		t->from[t->count++] = at;
		at = end ? (uint32_t)(end - t->bytes.at) + 1 : len;
		t->from[t->count] = at;
	}
}

/* False: it is not in this clone, no text, or too large. */
static bool text_read(SzzReader *r, Text *t, const git_oid *id)
{
	git_odb_object_free(t->object);
	t->object = NULL;
	if (!r->odb || git_odb_read(&t->object, r->odb, id) != 0)
		return false;
	t->bytes = (Str){ git_odb_object_data(t->object), git_odb_object_size(t->object) };
	if (git_odb_object_type(t->object) != GIT_OBJECT_BLOB || t->bytes.len > SZZ_BYTES ||
	    (t->bytes.len && memchr(t->bytes.at, 0, t->bytes.len)))
		return false;
	cut_lines(t);
	return t->count <= SZZ_LINES;
}

static Str line_of(const Text *t, uint32_t i)
{
	return str_sub(t->bytes, t->from[i], t->from[i + 1]);
}

/* --- comparing --------------------------------------------------------------------------------------------------------------------------------------- */

static int take_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *arg)
{
	SzzReader *r = arg;

	(void)delta;
	if (r->hunk_count == r->hunk_room) {
		r->hunk_room = r->hunk_room ? 2 * r->hunk_room : HUNKS_FIRST;
		r->hunks = grown(r->hunks, r->hunk_room, sizeof(*r->hunks));
	}
	/* Of nothing, the line before it is said. */
	r->hunks[r->hunk_count++] = (Hunk){ (uint32_t)hunk->old_start - (hunk->old_lines > 0),
		                            (uint32_t)hunk->old_lines,
		                            (uint32_t)hunk->new_start - (hunk->new_lines > 0),
		                            (uint32_t)hunk->new_lines };
	return 0;
}

static bool compare(SzzReader *r, const Text *old, const Text *new)
{
	git_diff_options how = GIT_DIFF_OPTIONS_INIT;

	how.context_lines = 0;
	how.interhunk_lines = 0;
	how.flags = GIT_DIFF_FORCE_TEXT;
	r->hunk_count = 0;
	r->diffs++;
	return git_diff_buffers(old->bytes.at, old->bytes.len, NULL, new->bytes.at, new->bytes.len,
	                        NULL, &how, NULL, NULL, take_hunk, NULL, r) == 0;
}

/* --- who wrote what ---------------------------------------------------------------------------------------------------------------------------------- */

static const Lines *lines_of(SzzReader *r, const git_oid *id)
{
	for (size_t i = 0; i < KEPT; i++)
		if (r->kept[i].used && git_oid_equal(&r->kept[i].id, id)) {
			r->kept[i].used = ++r->clock;
			return &r->kept[i];
		}
	return NULL;
}

/* The place of a text's lines, all of them nobody's; that of the one longest unused. */
static Lines *lines_new(SzzReader *r, const git_oid *id, uint32_t count)
{
	Lines *lines = &r->kept[0];

	for (size_t i = 0; i < KEPT; i++)
		if (r->kept[i].used && git_oid_equal(&r->kept[i].id, id)) {
			lines = &r->kept[i];
			break;
		} else if (r->kept[i].used < lines->used) {
			lines = &r->kept[i];
		}
	if (count > lines->room) {
		lines->room = count;
		lines->by = grown(lines->by, count, sizeof(*lines->by));
	}
	lines->id = *id;
	lines->count = count;
	lines->used = ++r->clock;
	for (uint32_t i = 0; i < count; i++)
		lines->by[i] = SZZ_UNKNOWN;
	return lines;
}

/* Lines outside of the hunks are the old ones; where nobody is known yet. */
static void carry(const SzzReader *r, const Lines *old, Lines *new)
{
	uint32_t o = 0, n = 0;

	for (size_t i = 0; i <= r->hunk_count; i++) {
		const Hunk *hunk = i < r->hunk_count ? &r->hunks[i] : NULL;
		uint32_t until = hunk ? hunk->new_at : new->count;

		for (; n < until && n < new->count &&o < old->count; n++, o++)
			if (new->by[n] == SZZ_UNKNOWN)
				new->by[n] = old->by[o];
		if (hunk) {
			o = hunk->old_at + hunk->old_count;
			n = hunk->new_at + hunk->new_count;
		}
	}
}

/* Lines of the hunks are this commit's; of one that is looked through, those of the lines whose place they took. */
static void write_lines(const SzzReader *r, uint32_t commit, const Lines *old, Lines *new)
{
	bool through = r->walk->commits[commit].ignored;

	for (size_t i = 0; i < r->hunk_count; i++) {
		const Hunk *hunk = &r->hunks[i];

		for (uint32_t k = 0; k < hunk->new_count && hunk->new_at + k < new->count; k++) {
			uint32_t from = hunk->old_at + MIN(k, hunk->old_count - 1);
			bool over = through && hunk->old_count && old && from < old->count;

			new->by[hunk->new_at + k] = over ? old->by[from] : commit;
		}
	}
}

/* --- what a fix takes away --------------------------------------------------------------------------------------------------------------------------- */

/* Of a line without its blanks; 0: there is no code in it. */
static uint64_t code_hash(Str line)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	bool some = false;

	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f')
			continue;
		if (!some && c == '#')
			return 0;
		some = true;
		hash = (hash ^ c) * UINT64_C(0x100000001b3);
	}
	return some ? hash | 1 : 0;
}

static int rising_hash(const void *x, const void *y)
{
	uint64_t p = *(const uint64_t *)x, q = *(const uint64_t *)y;

	return (p > q) - (p < q);
}

static int rising(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

static uint64_t *added_hashes(const SzzReader *r, size_t *count)
{
	uint64_t *hashes;
	size_t room = 0;

	for (size_t i = 0; i < r->hunk_count; i++)
		room += r->hunks[i].new_count;
	hashes = ARENA_ARRAY(r->scratch, uint64_t, room + 1);
	*count = 0;
	for (size_t i = 0; i < r->hunk_count; i++)
		for (uint32_t k = 0; k < r->hunks[i].new_count; k++)
			hashes[(*count)++] = code_hash(line_of(&r->new, r->hunks[i].new_at + k));
	qsort(hashes, *count, sizeof(*hashes), rising_hash);
	return hashes;
}

static void add_link(Arena *a, SzzLinks *links, const SzzLink *link)
{
	if (links->count == links->room) {
		size_t room = links->room ? 2 * links->room : 256;
		SzzLink *more = ARENA_ARRAY(a, SzzLink, room);

		if (links->count)
			memcpy(more, links->at, links->count * sizeof(*more));
		links->at = more;
		links->room = room;
	}
	links->at[links->count++] = *link;
}

/* The writers of lines with code that are gone and stand nowhere else in what came. */
static uint32_t *writers(const SzzReader *r, const Lines *old, size_t *count)
{
	size_t added, room = 0;
	uint64_t *hashes = added_hashes(r, &added);
	uint32_t *by;

	for (size_t i = 0; i < r->hunk_count; i++)
		room += r->hunks[i].old_count;
	by = ARENA_ARRAY(r->scratch, uint32_t, room + 1);
	*count = 0;
	for (size_t i = 0; i < r->hunk_count; i++)
		for (uint32_t k = 0; k < r->hunks[i].old_count; k++) {
			uint32_t line = r->hunks[i].old_at + k;
			uint64_t hash = code_hash(line_of(&r->old, line));

			if (hash && !bsearch(&hash, hashes, added, sizeof(hash), rising_hash))
				by[(*count)++] =
					old && line < old->count ? old->by[line] : SZZ_UNKNOWN;
		}
	return by;
}

static void trace(SzzReader *r, const SzzVersion *v, const Lines *old, Arena *a, SzzLinks *links)
{
	Mark mark = arena_mark(r->scratch);
	size_t count, from = 0;
	uint32_t *by = writers(r, old, &count);

	qsort(by, count, sizeof(*by), rising);
	while (from < count) {
		size_t to = from;

		while (to < count && by[to] == by[from])
			to++;
		add_link(a, links,
		         &(SzzLink){ v->file, v->commit, by[from], (uint32_t)(to - from) });
		from = to;
	}
	arena_reset(r->scratch, mark);
}

/* --- one version ------------------------------------------------------------------------------------------------------------------------------------- */

/* A merge's lines that the second parent has are of that one's. */
static void carry_other(SzzReader *r, const SzzVersion *v, Lines *new)
{
	const Lines *other = git_oid_is_zero(&v->other) ? NULL : lines_of(r, &v->other);

	if (other && text_read(r, &r->other, &v->other) && compare(r, &r->other, &r->new))
		carry(r, other, new);
}

static bool old_text(SzzReader *r, const SzzVersion *v)
{
	Text last = r->new;

	/* Mostly it is the one that was new before. */
	if (last.object && git_oid_equal(git_odb_object_id(last.object), &v->was)) {
		r->new = r->old;
		r->old = last;
		return true;
	}
	return text_read(r, &r->old, &v->was);
}

static bool follow_version(SzzReader *r, const SzzVersion *v, Arena *a, SzzLinks *links)
{
	const SzzCommit *commit = &r->walk->commits[v->commit];
	bool fresh = git_oid_is_zero(&v->was);
	const Lines *old = fresh ? NULL : lines_of(r, &v->was);
	Lines *new;

	if (!fresh && !old_text(r, v))
		return false;
	if (!text_read(r, &r->new, &v->is))
		return false;
	if (fresh) {
		new = lines_new(r, &v->is, r->new.count);
		for (uint32_t i = 0; i < new->count; i++)
			new->by[i] = v->commit;
		return true;
	}
	if (!compare(r, &r->old, &r->new))
		return false;
	if (commit->fix)
		trace(r, v, old, a, links);
	new = lines_new(r, &v->is, r->new.count);
	if (!commit->merge)
		write_lines(r, v->commit, old, new);
	if (old && old != new)
		carry(r, old, new);
	if (commit->merge)
		carry_other(r, v, new);
	return true;
}

void szz_follow(SzzReader *r, uint32_t file, Arena *a, SzzLinks *links)
{
	size_t from = r->walk->first[file], to = r->walk->first[file + 1];

	for (size_t i = 0; i < KEPT; i++)
		r->kept[i].used = 0;
	if (to - from > SZZ_VERSIONS)
		from = to - SZZ_VERSIONS;
	for (size_t i = from; i < to; i++) {
		const SzzVersion *v = &r->walk->versions[i];

		if (git_oid_is_zero(&v->is))
			continue;
		if (!follow_version(r, v, a, links) && r->walk->commits[v->commit].fix)
			add_link(a, links, &(SzzLink){ file, v->commit, SZZ_UNKNOWN, 0 });
	}
}
