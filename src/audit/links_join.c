/* SPDX-License-Identifier: Apache-2.0
 *
 * Import statements become edges between modules: one for every pair, with all its reasons; and what is used over them is counted. An edge's line
 * is that of its strongest reason (what runs at the top before what may run later), as that is where somebody would cut it. */
#include "audit/links_names.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

typedef struct Reason {
	uint32_t from, to, line;
	uint8_t kind;
} Reason;

typedef struct Joining {
	Arena *a;
	Links *links;
	LinkNames *names;
	Vec reasons, outside, calls;
	Map outside_at; /* name: index + 1 */
	PairTable outside_seen;
} Joining;

const Project *links_project(const Links *links)
{
	return links->names->project;
}

static void add_outside(Joining *j, uint32_t module, const LinkImport *import, bool standard)
{
	Str tail = import->module, top;
	size_t known;
	LinkOutside *row;
	bool fresh;

	if (!import->module.len)
		return;
	str_split(&tail, '.', &top);
	known = (uintptr_t)map_get(&j->outside_at, top);
	if (!known) {
		row = vec_add(&j->outside, sizeof(*row));
		*row = (LinkOutside){ .name = top, .standard = standard };
		known = j->outside.count;
		map_put(&j->outside_at, top, (void *)(uintptr_t)known);
	} else {
		row = (LinkOutside *)j->outside.at + known - 1;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a row for what is known */
	row->kinds |= (uint8_t)(1U << import->kind);
	pair_at(&j->outside_seen, known, module, &fresh);
	row->modules += fresh;
}

static void add_reason(Joining *j, uint32_t from, uint32_t to, uint32_t line, ImportKind kind)
{
	if (from != to)
		*(Reason *)vec_add(&j->reasons, sizeof(Reason)) =
			(Reason){ from, to, line, (uint8_t)kind };
}

static void add_statements(Joining *j, uint32_t m, const FileLinks *file)
{
	const Target *targets = &j->names->targets[j->names->first_import[m]];

	for (uint32_t i = 0; i < file->import_count; i++) {
		const LinkImport *import = &file->imports[i];

		j->links->by_kind[import->kind]++;
		if (targets[i].module != LINK_NONE)
			add_reason(j, m, targets[i].module, import->line, import->kind);
		else if (!targets[i].lost)
			add_outside(j, m, import, targets[i].standard);
		j->links->unresolved += targets[i].lost;
	}
}

static void add_strings(Joining *j, uint32_t m, const FileLinks *file)
{
	for (uint32_t i = 0; i < file->string_count; i++) {
		Str text = file->strings[i];
		char dotted[256];
		uint32_t module, def;

		if (text.len >= sizeof(dotted))
			continue;
		for (size_t k = 0; k < text.len; k++)
			dotted[k] = text.at[k] == ':' ? '.' : text.at[k];
		module = links_names_constant(j->names, m, (Str){ dotted, text.len }, &def);
		if (module == LINK_NONE)
			continue;
		add_reason(j, m, module, 0, IMPORT_NAMED);
		j->links->by_kind[IMPORT_NAMED]++;
	}
}

static int by_ends(const void *x, const void *y)
{
	const Reason *p = x, *q = y;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	if (p->to != q->to)
		return p->to < q->to ? -1 : 1;
	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	return (p->line > q->line) - (p->line < q->line);
}

static void make_edges(Joining *j)
{
	Links *links = j->links;
	Reason *reasons = j->reasons.at;
	uint32_t *first = ARENA_ARRAY(j->a, uint32_t, links->module_count + 1);
	LinkEdge *edges = ARENA_ARRAY(j->a, LinkEdge, j->reasons.count + 1);
	size_t count = 0;

	if (j->reasons.count)
		qsort(reasons, j->reasons.count, sizeof(*reasons), by_ends);
	for (uint32_t i = 0; i < j->reasons.count; i++) {
		const Reason *r = &reasons[i];

		if (!count || edges[count - 1].from != r->from || edges[count - 1].to != r->to)
			edges[count++] =
				(LinkEdge){ .from = r->from, .to = r->to, .line = r->line };
		edges[count - 1].imports += r->kind != IMPORT_NAMED;
		edges[count - 1].kinds |= (uint8_t)(1U << r->kind);
	}
	for (size_t m = 0, e = 0; m <= links->module_count; m++) {
		while (e < count && edges[e].from < m)
			e++;
		first[m] = (uint32_t)e;
	}
	links->edges = edges;
	links->edge_count = count;
	links->first_edge = first;
}

LinkEdge *links_edge(const Links *links, uint32_t from, uint32_t to)
{
	uint32_t low = links->first_edge[from], high = links->first_edge[from + 1];

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (links->edges[middle].to == to)
			return &links->edges[middle];
		if (links->edges[middle].to < to)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- what edges carry ------------------------------------------------------------------------------------------------------------------ */

/* The module that a chain's first name leads to by an import; LINK_NONE. */
static uint32_t first_hop(const LinkNames *names, uint32_t m, Str chain)
{
	Str tail = chain, first, rest = S("");
	const LinkImport *import;
	uint32_t index;

	str_split(&tail, '.', &first);
	if (links_names_bound(names, m, LINK_NONE, first, &index) != BOUND_IMPORT)
		return LINK_NONE;
	import = &links_names_file(names, m)->imports[index];
	if (!import->name.len && !import->dots && str_eq(import->bound, first) &&
	    !str_eq(import->module, first) && str_starts(import->module, first)) {
		uint32_t module = links_names_absolute(names, m, chain, &rest);

		if (module != LINK_NONE && links_edge(names->links, m, module))
			return module;
	}
	return names->targets[names->first_import[m] + index].module;
}

static void add_uses(Joining *j, uint32_t m, const FileLinks *file, Arena *scratch)
{
	for (uint32_t i = 0; i < file->use_count; i++) {
		const LinkUse *use = &file->uses[i];
		uint32_t hop = first_hop(j->names, m, use->chain);
		LinkEdge *edge = hop == LINK_NONE ? NULL : links_edge(j->links, m, hop);
		LinkPlace place;
		Mark mark = arena_mark(scratch);

		if (edge) {
			edge->uses += use->count;
			edge->calls += use->calls;
		}
		if (links_find(j->links, scratch, m, use->chain, &place, NULL) &&
		    !(place.module == m && place.def == use->def))
			*(LinkCall *)vec_add(&j->calls, sizeof(LinkCall)) =
				(LinkCall){ m,         use->def,   place.module,
				            place.def, use->count, use->calls };
		arena_reset(scratch, mark);
	}
}

static int by_places(const void *x, const void *y)
{
	const LinkCall *p = x, *q = y;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	if (p->from_def != q->from_def)
		return p->from_def < q->from_def ? -1 : 1;
	if (p->to != q->to)
		return p->to < q->to ? -1 : 1;
	return (p->to_def > q->to_def) - (p->to_def < q->to_def);
}

static void make_calls(Joining *j)
{
	LinkCall *rows = j->calls.at;
	size_t count = 0;

	if (j->calls.count)
		qsort(rows, j->calls.count, sizeof(*rows), by_places);
	for (uint32_t i = 0; i < j->calls.count; i++) {
		if (count && by_places(&rows[count - 1], &rows[i]) == 0) {
			rows[count - 1].uses += rows[i].uses;
			rows[count - 1].calls += rows[i].calls;
		} else {
			rows[count++] = rows[i];
		}
	}
	j->calls.count = (uint32_t)count;
	j->links->calls = vec_keep(j->a, &j->calls, sizeof(LinkCall));
	j->links->call_count = count;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const LinkOutside *)x)->name, ((const LinkOutside *)y)->name);
}

static void joining_fini(Joining *j)
{
	vec_fini(&j->reasons);
	vec_fini(&j->outside);
	vec_fini(&j->calls);
	map_fini(&j->outside_at);
	pair_fini(&j->outside_seen);
}

void links_join(Arena *a, Links *links)
{
	AUTO(joining_fini) Joining j = { .a = a, .links = links, .names = links->names };
	AUTO(arena_freep) Arena *scratch = arena_new(0);

	for (uint32_t m = 0; m < links->module_count; m++) {
		const FileLinks *file = links->modules[m].links;

		if (!file)
			continue;
		add_statements(&j, m, file);
		add_strings(&j, m, file);
	}
	make_edges(&j);
	for (uint32_t m = 0; m < links->module_count; m++)
		if (links->modules[m].links)
			add_uses(&j, m, links->modules[m].links, scratch);
	make_calls(&j);
	for (size_t e = 0; e < links->edge_count; e++)
		if (link_edge_runs(&links->edges[e])) {
			links->modules[links->edges[e].from].fan_out++;
			links->modules[links->edges[e].to].fan_in++;
		}
	if (j.outside.count)
		qsort(j.outside.at, j.outside.count, sizeof(LinkOutside), by_name);
	links->outside = vec_keep(a, &j.outside, sizeof(LinkOutside));
	links->outside_count = j.outside.count;
}
