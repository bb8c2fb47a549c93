/* SPDX-License-Identifier: Apache-2.0
 *
 * Companions. Coupling asks how much two files have in common; here the question has a direction: of all the times that this file was changed, how
 * often was that one too? A small file that never goes without a large one is a companion of it only one way. */
#include "audit/companion.h"

#include "audit/history_int.h"
#include "base/arena.h"

#include <stdlib.h>

static void count_pairs(Pairs *pairs, const History *h, const bool *changed)
{
	for (size_t i = 0; i < h->set_count; i++) {
		const ChangeSet *set = &h->sets[i];

		for (uint32_t j = 0; j < set->count; j++)
			for (uint32_t k = 0; k < set->count && changed[set->files[j]]; k++)
				if (!changed[set->files[k]])
					pairs_add(pairs, set->files[j], set->files[k]);
	}
}

static int by_path(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

/* Is it there now, under this name? An older life of a name is not. */
static bool is_there(const History *h, uint32_t file, const Str *there, size_t count)
{
	Str path = h->files[file].path;

	if (history_file(h, path) != &h->files[file])
		return false;
	return !there || (count && bsearch(&path, there, count, sizeof(path), by_path));
}

static double sureness(const Companion *c)
{
	return (double)c->shared / (double)c->of;
}

static int surest_first(const void *x, const void *y)
{
	const Companion *p = x, *q = y;
	int order = (sureness(p) < sureness(q)) - (sureness(p) > sureness(q));

	if (!order)
		order = (p->shared < q->shared) - (p->shared > q->shared);
	if (!order)
		order = str_cmp(p->absent, q->absent);
	return order ? order : str_cmp(p->changed, q->changed);
}

static bool companion_of(const History *h, const double *logs, const Pair *pair,
                         CompanionRules rules, Companion *out)
{
	const HistoryFile *one = &h->files[(pair->key - 1) >> 32];
	const HistoryFile *other = &h->files[(uint32_t)(pair->key - 1)];

	*out = (Companion){
		.changed = one->path, .absent = other->path, .shared = pair->shared, .of = one->revs
	};
	if (pair->shared < rules.shared ||
	    UINT64_C(100) * pair->shared < (uint64_t)rules.percent * one->revs)
		return false;
	out->p = history_chance(logs, (uint32_t)h->set_count, one->revs, other->revs, pair->shared);
	return out->p < rules.p;
}

/* Sorted: the first that names an absent file is the surest. */
static void name_once(Companions *list)
{
	AUTO(map_fini) Map seen = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!map_put(&seen, list->at[i].absent, list))
			list->at[count++] = list->at[i];
	list->count = count;
}

Companions companions_absent(Arena *a, const History *h, const Str *changed, size_t count,
                             const Str *there, size_t there_count, CompanionRules rules)
{
	bool *marks = ARENA_ARRAY(a, bool, h->file_count + 1);
	const double *logs = history_logs(a, h->set_count);
	Pairs pairs = { .a = a };
	Companions out = { 0 };

	for (size_t i = 0; i < count; i++) {
		const HistoryFile *file = history_file(h, changed[i]);

		if (file)
			marks[file - h->files] = true;
	}
	count_pairs(&pairs, h, marks);
	out.at = ARENA_ARRAY(a, Companion, pairs.count + 1);
	for (size_t i = 0; i < pairs.cap; i++)
		if (pairs.at[i].key &&
		    companion_of(h, logs, &pairs.at[i], rules, &out.at[out.count]) &&
		    is_there(h, (uint32_t)(pairs.at[i].key - 1), there, there_count))
			out.count++;
	if (out.count)
		qsort(out.at, out.count, sizeof(*out.at), surest_first);
	name_once(&out);
	return out;
}
