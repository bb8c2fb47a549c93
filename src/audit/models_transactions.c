/* SPDX-License-Identifier: Apache-2.0
 *
 * What one transaction writes: in its own lines, and in the functions that these call (one step; what is called from there is not followed, so a
 * block may write more than is told here, never less). Rows that it locks count: whoever locks them means to decide by them. */
#include "audit/models_join.h"

#include "base/arena.h"

#include <string.h>

enum { TABLES_MOST = 64, WORK_MOST = 20000000 };

typedef struct Written {
	Join *j;
	uint32_t tables[TABLES_MOST], packages[TABLES_MOST];
	uint32_t count, owners, by_calls;
	uint64_t work; /* of all blocks */
} Written;

static bool has(const uint32_t *list, uint32_t count, uint32_t what)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == what)
			return true;
	return false;
}

/* Is it a new one? */
static bool add(Written *w, uint32_t file, const UseFact *use)
{
	uint32_t table, owner;

	if (!(use->does & (DOES_WRITE | DOES_LOCK)) || use->via == TOUCH_FORM ||
	    w->count == TABLES_MOST)
		return false;
	table = join_use(w->j, file, use);
	if (table == MODEL_NONE || has(w->tables, w->count, table))
		return false;
	w->tables[w->count++] = table;
	owner = w->j->m->tables[table].package;
	if (owner != MODEL_NONE && !has(w->packages, w->owners, owner))
		w->packages[w->owners++] = owner;
	return true;
}

/* The function or method that a call is of. */
static ModelPlace called(const Join *j, uint32_t file, const UseFact *use)
{
	ModelPlace place = { MODEL_NONE, 0, UNIT_NONE };
	Found found = names_find(j->names, file, use->on);
	const Measures *m;

	if (str_starts(use->on, S("self.")) || str_starts(use->on, S("cls.")))
		found = (Found){ .file = file,
			         .unit = use->unit,
			         .rest = str_sub(use->on, name_first(use->on).len + 1,
			                         use->on.len) };
	if (found.file == MODEL_NONE || found.unit == UNIT_NONE || !join_counts(j, found.file))
		return place;
	m = &j->project->files[found.file].measures;
	place.file = found.file;
	place.unit =
		found.rest.len ? join_method(j, found.file, found.unit, found.rest) : found.unit;
	if (place.unit == UNIT_NONE || m->units[place.unit].kind != UNIT_FUNCTION)
		place.file = MODEL_NONE;
	return place;
}

static void follow(Written *w, uint32_t file, const UseFact *use)
{
	ModelPlace place = called(w->j, file, use);
	const FileModels *f =
		place.file == MODEL_NONE ? NULL : names_facts(w->j->project, place.file);

	for (uint32_t i = 0; f && i < f->use_count && w->work++ < WORK_MOST; i++)
		if (f->uses[i].unit == place.unit)
			w->by_calls += add(w, place.file, &f->uses[i]);
}

static void block(Written *w, uint32_t file, const BlockFact *block)
{
	Join *j = w->j;
	const FileModels *f = names_facts(j->project, file);
	uint32_t *kept;

	w->count = w->owners = w->by_calls = 0;
	for (int calls = 0; calls < 2; calls++)
		for (uint32_t i = 0; i < f->use_count && w->work++ < WORK_MOST; i++) {
			const UseFact *use = &f->uses[i];

			if (use->line < block->line || use->line > block->end_line)
				continue;
			if (calls && use->of == USE_CALL)
				follow(w, file, use);
			else if (!calls)
				(void)add(w, file, use);
		}
	if (w->owners < 2)
		return;
	kept = ARENA_ARRAY(j->a, uint32_t, w->count);
	memcpy(kept, w->tables, w->count * sizeof(*kept));
	*TAKE_ADD(j->a, j->m->transactions, j->m->transaction_count) =
		(CrossTransaction){ .place = { file, block->line, block->unit },
		                    .end_line = block->end_line,
		                    .tables = kept,
		                    .table_count = w->count,
		                    .packages = w->owners,
		                    .by_calls = w->by_calls };
}

void join_transactions(Join *j)
{
	Written w = { .j = j };
	uint32_t unknown = j->m->unknown_queries; /* counted once already */

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && join_counts(j, i) && k < f->block_count; k++)
			block(&w, i, &f->blocks[k]);
	}
	j->m->unknown_queries = unknown;
}
