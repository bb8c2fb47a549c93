/* SPDX-License-Identifier: Apache-2.0
 *
 * Areas with a history. A history of areas is a history like any other, whose files are the areas: so coupling is counted by the same hands.
 *
 * A change set of thirty files in three areas is one of three areas. Those that touch none stay, as change sets of nothing: by them chance is told. What is no Python is not counted: documents and settings are changed with
 * everything. */
#include "audit/history_area.h"

#include "audit/history_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static int ascending(const void *x, const void *y)
{
	uint32_t p = *(const uint32_t *)x, q = *(const uint32_t *)y;

	return (p > q) - (p < q);
}

/* By file of the history: its area, or AREA_NONE. */
static const uint32_t *parts_of_files(Arena *a, const History *h, const Areas *areas)
{
	uint32_t *of = ARENA_ARRAY(a, uint32_t, h->file_count + 1);

	for (size_t i = 0; i < h->file_count; i++)
		of[i] = str_ends(h->files[i].path, S(".py")) ? area_find(areas, h->files[i].path)
		                                             : AREA_NONE;
	return of;
}

static void map_set(Arena *a, const ChangeSet *from, const uint32_t *of, ChangeSet *to)
{
	uint32_t *files = ARENA_ARRAY(a, uint32_t, from->count + 1), all = 0, count = 0;

	for (uint32_t i = 0; i < from->count; i++)
		if (of[from->files[i]] != AREA_NONE)
			files[all++] = of[from->files[i]];
	qsort(files, all, sizeof(*files), ascending);
	for (uint32_t i = 0; i < all; i++)
		if (!count || files[count - 1] != files[i])
			files[count++] = files[i];
	*to = *from;
	to->files = files;
	to->count = count;
}

/* Files are all areas, in the order of their names; without a history their counts are 0. */
static History history_of_areas(Arena *a, const History *h, const Areas *areas)
{
	const uint32_t *of = parts_of_files(a, h, areas);
	History out = { .author_count = h->author_count,
		        .file_count = areas->count,
		        .commits = h->commits,
		        .first_s = h->first_s,
		        .last_s = h->last_s };

	out.files = ARENA_ARRAY(a, HistoryFile, areas->count + 1);
	for (uint32_t i = 0; i < areas->count; i++)
		out.files[i].path = areas->names[i];
	out.authors = ARENA_ARRAY(a, HistoryAuthor, h->author_count + 1);
	if (h->author_count)
		memcpy(out.authors, h->authors, h->author_count * sizeof(*out.authors));
	out.sets = ARENA_ARRAY(a, ChangeSet, h->set_count + 1);
	for (size_t i = 0; i < h->set_count; i++)
		map_set(a, &h->sets[i], of, &out.sets[i]);
	out.set_count = h->set_count;
	history_add_up(a, &out);
	return out;
}

/* --- who ------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Share {
	uint32_t area, author, sets;
} Share;

static int by_area_and_author(const void *x, const void *y)
{
	const Share *p = x, *q = y;

	if (p->area != q->area)
		return p->area < q->area ? -1 : 1;
	return (p->author > q->author) - (p->author < q->author);
}

static int by_area_and_sets(const void *x, const void *y)
{
	const Share *p = x, *q = y;

	if (p->area != q->area)
		return p->area < q->area ? -1 : 1;
	if (p->sets != q->sets)
		return p->sets < q->sets ? 1 : -1;
	return (p->author > q->author) - (p->author < q->author);
}

static Share *shares_of(Arena *a, const History *h, size_t *count)
{
	size_t all = 0, unique = 0;
	Share *rows;

	for (size_t i = 0; i < h->set_count; i++)
		all += h->sets[i].count;
	rows = ARENA_ARRAY(a, Share, all + 1);
	all = 0;
	for (size_t i = 0; i < h->set_count; i++)
		for (uint32_t j = 0; j < h->sets[i].count; j++)
			rows[all++] = (Share){ h->sets[i].files[j], h->sets[i].author, 1 };
	qsort(rows, all, sizeof(*rows), by_area_and_author);
	for (size_t i = 0; i < all; i++)
		if (unique && by_area_and_author(&rows[unique - 1], &rows[i]) == 0)
			rows[unique - 1].sets++;
		else
			rows[unique++] = rows[i];
	qsort(rows, unique, sizeof(*rows), by_area_and_sets);
	*count = unique;
	return rows;
}

/* Rows of one area, most first. */
static AreaOwner owner_of(const History *h, const Share *rows, size_t count)
{
	const HistoryFile *area = &h->files[rows->area];
	AreaOwner own = { .area = rows->area,
		          .sets = area->revs,
		          .recent = area->recent,
		          .fixes = area->fixes,
		          .people = (uint32_t)count,
		          .main = rows->author,
		          .main_sets = rows->sets,
		          .left = true };
	uint32_t sum = 0;
	double squares = 0;

	for (size_t i = 0; i < count; i++) {
		double share = (double)rows[i].sets / area->revs;

		squares += share * share;
		if (sum * 2 >= area->revs)
			continue;
		sum += rows[i].sets;
		own.bus_factor++;
		own.left = own.left &&
		           h->authors[rows[i].author].last_s <= h->last_s - HISTORY_RECENT_S;
	}
	own.fractal = 1 - squares;
	return own;
}

static void count_alone(const History *h, const uint32_t *owner_by_area, AreaOwner *owners)
{
	for (size_t i = 0; i < h->set_count; i++)
		if (h->sets[i].count == 1)
			owners[owner_by_area[h->sets[i].files[0]]].alone++;
}

void history_areas(Arena *a, const History *h, const Areas *areas, AreaHistory *out)
{
	uint32_t *owner = ARENA_ARRAY(a, uint32_t, areas->count + 1);
	size_t count, from = 0;
	Share *rows;

	*out = (AreaHistory){ .areas = *areas, .sets = history_of_areas(a, h, areas) };
	out->couplings = history_couplings(a, &out->sets, COUPLING_RULES);
	out->owners = ARENA_ARRAY(a, AreaOwner, areas->count + 1);
	rows = shares_of(a, &out->sets, &count);
	while (from < count) {
		size_t to = from;

		while (to < count && rows[to].area == rows[from].area)
			to++;
		owner[rows[from].area] = (uint32_t)out->count;
		out->owners[out->count++] = owner_of(&out->sets, rows + from, to - from);
		from = to;
	}
	count_alone(&out->sets, owner, out->owners);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------------- */

static void put_couplings(JsonWriter *w, const AreaHistory *h)
{
	json_key(w, S("couplings"));
	json_begin_array(w);
	for (size_t i = 0; i < h->couplings.count; i++) {
		const Coupling *c = &h->couplings.at[i];

		json_begin_object(w);
		json_put_str(w, "one", h->sets.files[c->one].path);
		json_put_str(w, "other", h->sets.files[c->other].path);
		json_put_u64(w, "degree", c->degree);
		json_put_u64(w, "shared", c->shared);
		json_put_u64(w, "average", c->average);
		json_put_real(w, "p", c->p);
		json_end(w);
	}
	json_end(w);
}

static void put_area(JsonWriter *w, const AreaHistory *h, const AreaOwner *own)
{
	json_begin_object(w);
	json_put_str(w, "name", h->areas.names[own->area]);
	json_put_u64(w, "changes", own->sets);
	json_put_u64(w, "changes_last_year", own->recent);
	json_put_u64(w, "fixes", own->fixes);
	json_put_u64(w, "alone", own->alone);
	json_put_u64(w, "people", own->people);
	json_put_str(w, "main", h->sets.authors[own->main].name);
	json_put_u64(w, "main_changes", own->main_sets);
	json_put_real(w, "fractal_value", own->fractal);
	json_put_u64(w, "bus_factor", own->bus_factor);
	json_put_bool(w, "left", own->left);
	json_end(w);
}

void history_areas_put(JsonWriter *w, const AreaHistory *h)
{
	json_begin_object(w);
	json_key(w, S("areas"));
	json_begin_array(w);
	for (size_t i = 0; i < h->count; i++)
		put_area(w, h, &h->owners[i]);
	json_end(w);
	put_couplings(w, h);
	json_end(w);
}
