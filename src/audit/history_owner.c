/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows from the history for the files that are there now: where change and complexity meet, who knows what, how much had to be mended.
 *
 * Who knows a file is guessed from commits alone: who reviews, or has forgotten, is not in them. */
#include "audit/history.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

/* Avelino et al. 2016: the constants of the degree of authorship, and from when on it makes an author. */
static const double doa_base = 3.293, doa_made = 1.098, doa_own = 0.164, doa_others = 0.321,
		    doa_share = 0.75;
static const double year_s = 365.25 * 86400;

/* --- hotspots --------------------------------------------------------------------------------------------------------------------------------- */

static int rising(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

/* The share of the others that have less; alone: all of none, taken as 1. */
static double rank_of(const uint32_t *sorted, size_t count, uint32_t value)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (sorted[mid] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return count > 1 ? (double)low / (double)(count - 1) : 1;
}

static int hotter_first(const void *x, const void *y)
{
	const Hotspot *p = x, *q = y;

	if (p->score != q->score)
		return p->score < q->score ? 1 : -1;
	if (p->revs != q->revs)
		return p->revs < q->revs ? 1 : -1;
	return str_cmp(p->file->path, q->file->path);
}

Hotspots history_hotspots(Arena *a, const History *h, const Project *p)
{
	uint32_t *revs = ARENA_ARRAY(a, uint32_t, p->count + 1);
	uint32_t *cognitive = ARENA_ARRAY(a, uint32_t, p->count + 1);
	Hotspots out = { .at = ARENA_ARRAY(a, Hotspot, p->count + 1) };
	size_t all = 0;

	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *file = history_file(h, p->files[i].path);

		if (p->files[i].kind != SOURCE_CODE)
			continue;
		revs[all] = file ? file->recent : 0;
		cognitive[all] = (uint32_t)p->files[i].measures.cognitive;
		if (revs[all])
			out.at[out.count++] = (Hotspot){ &p->files[i], revs[all], 0, 0, 0 };
		all++;
	}
	qsort(revs, all, sizeof(*revs), rising);
	qsort(cognitive, all, sizeof(*cognitive), rising);
	for (size_t i = 0; i < out.count; i++) {
		Hotspot *hot = &out.at[i];

		hot->revs_rank = rank_of(revs, all, hot->revs);
		hot->cognitive_rank =
			rank_of(cognitive, all, (uint32_t)hot->file->measures.cognitive);
		hot->score = 10 * hot->revs_rank * hot->cognitive_rank;
	}
	qsort(out.at, out.count, sizeof(*out.at), hotter_first);
	return out;
}

/* --- who knows what ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct Own {
	uint32_t file, author, sets;
} Own;

typedef struct Knowledge {
	const History *h;
	Own *rows; /* by file and author */
	size_t count;
	uint32_t *experts; /* of all files, one after another */
	size_t *first;     /* where each file's begin, and at the end the end */
} Knowledge;

static int by_file_and_author(const void *x, const void *y)
{
	const Own *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	return (p->author > q->author) - (p->author < q->author);
}

static void read_rows(Arena *a, Knowledge *k)
{
	const History *h = k->h;
	size_t all = 0, unique = 0;

	for (size_t i = 0; i < h->set_count; i++)
		all += h->sets[i].count;
	k->rows = ARENA_ARRAY(a, Own, all + 1);
	for (size_t i = 0; i < h->set_count; i++)
		for (uint32_t j = 0; j < h->sets[i].count; j++)
			k->rows[k->count++] = (Own){ h->sets[i].files[j], h->sets[i].author, 1 };
	qsort(k->rows, k->count, sizeof(*k->rows), by_file_and_author);
	for (size_t i = 0; i < k->count; i++)
		if (unique && by_file_and_author(&k->rows[unique - 1], &k->rows[i]) == 0)
			k->rows[unique - 1].sets++;
		else
			k->rows[unique++] = k->rows[i];
	k->count = unique;
}

static const Own *rows_of(const Knowledge *k, uint32_t file, size_t *count)
{
	size_t low = 0, high = k->count, end;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (k->rows[mid].file < file)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < k->count && k->rows[end].file == file;)
		end++;
	*count = end - low;
	return k->rows + low;
}

static double doa(uint32_t own, uint32_t all, bool made)
{
	return doa_base + (made ? doa_made : 0) + doa_own * own - doa_others * log1p(all - own);
}

static bool is_expert(double value, double best)
{
	return value >= doa_base && value > doa_share * best;
}

/* Appends to k->experts at *at. Who made the file counts although none of the change sets may be that person's. */
static uint32_t find_experts(const Knowledge *k, const Own *rows, size_t count, uint32_t all,
                             uint32_t creator, size_t *at)
{
	bool maker = creator && !k->h->authors[creator - 1].bot;
	double best = maker ? doa(0, all, true) : 0;
	size_t from = *at;

	for (size_t i = 0; i < count; i++)
		best = MAX(best, doa(rows[i].sets, all, rows[i].author + 1 == creator));
	for (size_t i = 0; i < count; i++) {
		maker = maker && rows[i].author + 1 != creator;
		if (is_expert(doa(rows[i].sets, all, rows[i].author + 1 == creator), best))
			k->experts[(*at)++] = rows[i].author;
	}
	if (maker && is_expert(doa(0, all, true), best))
		k->experts[(*at)++] = creator - 1;
	return (uint32_t)(*at - from);
}

static Ownership own_file(const Knowledge *k, uint32_t file, size_t *at)
{
	size_t count, from = *at;
	const Own *rows = rows_of(k, file, &count);
	const HistoryFile *f = &k->h->files[file];
	Ownership own = { .file = file, .authors = (uint32_t)count };
	double squares = 0;

	for (size_t i = 0; i < count; i++) {
		double share = (double)rows[i].sets / f->revs;

		squares += share * share;
		if (rows[i].sets > own.main_sets) {
			own.main = rows[i].author;
			own.main_sets = rows[i].sets;
		}
	}
	own.fractal = 1 - squares;
	own.experts = find_experts(k, rows, count, f->revs, f->creator, at);
	own.left = own.experts > 0;
	for (size_t i = from; i < *at; i++)
		own.left = own.left &&
		           k->h->authors[k->experts[i]].last_s <= k->h->last_s - HISTORY_RECENT_S;
	return own;
}

/* The author whom most of the files that still have one would miss; author_count: no file has any. */
static uint32_t most_known(const Knowledge *k, size_t files, const bool *gone, uint32_t *tally,
                           size_t *alive)
{
	size_t authors = k->h->author_count;
	uint32_t best = (uint32_t)authors;

	*alive = 0;
	for (size_t i = 0; i < authors; i++)
		tally[i] = 0;
	for (size_t i = 0; i < files; i++) {
		bool known = false;

		for (size_t j = k->first[i]; j < k->first[i + 1]; j++) {
			tally[k->experts[j]] += !gone[k->experts[j]];
			known = known || !gone[k->experts[j]];
		}
		*alive += known;
	}
	for (size_t i = 0; i < authors; i++)
		if (tally[i] && (best == authors || tally[i] > tally[best]))
			best = (uint32_t)i;
	return best;
}

static void find_bus_factor(Arena *a, const Knowledge *k, Owners *out)
{
	bool *gone = ARENA_ARRAY(a, bool, k->h->author_count + 1);
	uint32_t *tally = ARENA_ARRAY(a, uint32_t, k->h->author_count + 1);
	size_t alive, next = most_known(k, out->count, gone, tally, &alive), whole = alive;

	while (next < k->h->author_count && alive * 2 >= whole) {
		gone[next] = true;
		if (out->bus_factor < COUNT(out->key))
			out->key[out->bus_factor] = (uint32_t)next;
		out->bus_factor++;
		next = most_known(k, out->count, gone, tally, &alive);
	}
}

Owners history_owners(Arena *a, const History *h, const Project *p)
{
	Knowledge k = { .h = h };
	Owners out = { .files = ARENA_ARRAY(a, Ownership, p->count + 1) };
	size_t at = 0;

	read_rows(a, &k);
	k.experts = ARENA_ARRAY(a, uint32_t, k.count + h->file_count + 1);
	k.first = ARENA_ARRAY(a, size_t, p->count + 1);
	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *file = history_file(h, p->files[i].path);

		if (p->files[i].kind != SOURCE_CODE || !file || !file->revs)
			continue;
		out.files[out.count] = own_file(&k, (uint32_t)(file - h->files), &at);
		out.orphans += out.files[out.count].left;
		k.first[++out.count] = at;
	}
	find_bus_factor(a, &k, &out);
	return out;
}

/* --- bugs ------------------------------------------------------------------------------------------------------------------------------------------ */

static bool touches_code(const ChangeSet *set, const bool *code)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (code[set->files[i]])
			return true;
	return false;
}

BugDensity history_bugs(Arena *a, const History *h, const Project *p)
{
	bool *code = ARENA_ARRAY(a, bool, h->file_count + 1);
	int64_t span_s = h->last_s - h->first_s;
	BugDensity out = { .years = (double)span_s / year_s, .density = -1 };

	for (size_t i = 0; i < p->count; i++) {
		const HistoryFile *file = history_file(h, p->files[i].path);

		if (p->files[i].kind != SOURCE_CODE)
			continue;
		out.kloc += p->files[i].measures.lines.sloc / 1000.0;
		if (file)
			code[file - h->files] = true;
	}
	for (size_t i = 0; i < h->set_count; i++)
		out.fixes += h->sets[i].fix && touches_code(&h->sets[i], code);
	if (span_s >= HISTORY_SHORT_S && out.kloc > 0)
		out.density = (double)out.fixes / out.kloc / out.years;
	return out;
}
