/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules by folder, and edges between folders: the dependency matrix. Robert Martin's figures: Ca, how many modules elsewhere lean on a
 * package; Ce, on how many it leans; instability, Ce of both together. Only what runs counts; imports for types and names in strings are in
 * the edges' kinds. */
#include "audit/links_matrix.h"
#include "audit/links_names.h"

#include "base/arena.h"

#include <stdlib.h>

typedef struct Folder {
	Str path;
	uint32_t index;
} Folder;

static int by_path(const void *x, const void *y)
{
	return str_cmp(((const Folder *)x)->path, ((const Folder *)y)->path);
}

static Str folder_of(const Project *p, uint32_t module)
{
	Str path = p->files[module].path;
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash < 0 ? S("") : str_sub(path, 0, (size_t)slash);
}

/* All folders with modules and those above them, sorted; so that what is above comes first. */
static void collect(const Links *links, Map *known, Vec *folders)
{
	for (uint32_t m = 0; m < links->module_count; m++) {
		Str path = folder_of(links_project(links), m);

		for (;;) {
			ptrdiff_t slash = str_rfind_char(path, '/');

			if (map_get(known, path))
				break;
			map_put(known, path, (void *)(uintptr_t)1);
			((Folder *)vec_add(folders, sizeof(Folder)))->path = path;
			if (!path.len)
				break;
			path = slash < 0 ? S("") : str_sub(path, 0, (size_t)slash);
		}
	}
	if (folders->count)
		qsort(folders->at, folders->count, sizeof(Folder), by_path);
}

/* What its modules' names have in common; a folder of scripts is called by its path. */
static Str name_from(Arena *a, const Links *links, uint32_t module, Str path)
{
	Str name = links->modules[module].name;
	ptrdiff_t dot = str_rfind_char(name, '.');

	if (links_names_is_package(links->names, module))
		return name;
	if (dot >= 0)
		return str_sub(name, 0, (size_t)dot);
	return path.len ? str_fmt(a, "%.*s/", STR_ARG(path)) : S(".");
}

static void fill(Arena *a, Links *links, const Map *at, const Vec *folders)
{
	const Project *p = links_project(links);
	const Folder *rows = folders->at;

	for (uint32_t i = 0; i < folders->count; i++) {
		Str path = rows[i].path;
		ptrdiff_t slash = str_rfind_char(path, '/');
		uintptr_t above =
			(uintptr_t)map_get(at, slash < 0 ? S("") : str_sub(path, 0, (size_t)slash));

		links->packages[i].parent = path.len && above ? (uint32_t)above - 1 : LINK_NONE;
		links->packages[i].name = path.len ? str_fmt(a, "%.*s/", STR_ARG(path)) : S(".");
	}
	for (uint32_t m = 0; m < links->module_count; m++) {
		Str path = folder_of(p, m);
		uint32_t index = (uint32_t)(uintptr_t)map_get(at, path) - 1;
		LinkPackage *package = &links->packages[index];

		links->modules[m].package = index;
		if (!package->modules++ || links_names_is_package(links->names, m))
			package->name = name_from(a, links, m, path);
		package->lines += p->files[m].measures.lines.sloc;
		for (uint32_t up = index; up != LINK_NONE; up = links->packages[up].parent)
			links->packages[up].all++;
	}
}

static void count_fans(Links *links)
{
	AUTO(pair_fini) PairTable in = { 0 }, out = { 0 };

	for (size_t e = 0; e < links->edge_count; e++) {
		const LinkEdge *edge = &links->edges[e];
		uint32_t from = links->modules[edge->from].package,
			 to = links->modules[edge->to].package;
		bool fresh;

		if (from == to || !link_edge_runs(edge))
			continue;
		pair_at(&in, to * UINT64_C(0xff51afd7ed558ccd), edge->from, &fresh);
		links->packages[to].fan_in += fresh;
		pair_at(&out, from * UINT64_C(0xff51afd7ed558ccd), edge->to, &fresh);
		links->packages[from].fan_out += fresh;
	}
	for (size_t i = 0; i < links->package_count; i++) {
		LinkPackage *p = &links->packages[i];
		double all = p->fan_in + (double)p->fan_out;

		p->instability = all > 0 ? p->fan_out / all : -1;
	}
}

static int by_ends(const void *x, const void *y)
{
	const LinkPackageEdge *p = x, *q = y;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	return (p->to > q->to) - (p->to < q->to);
}

LinkPackageEdge *links_matrix(Arena *a, const Links *links, const uint32_t *of, size_t *count)
{
	AUTO(pair_fini) PairTable at = { 0 };
	AUTO(vec_fini) Vec rows = { 0 };

	for (size_t e = 0; e < links->edge_count; e++) {
		const LinkEdge *edge = &links->edges[e];
		uint32_t from = of[edge->from], to = of[edge->to], *index;
		LinkPackageEdge *row;
		bool fresh;

		if (from == to || from == PART_NONE || to == PART_NONE)
			continue;
		index = pair_at(&at, from * UINT64_C(0xff51afd7ed558ccd), to, &fresh);
		if (fresh) {
			*index = rows.count;
			row = vec_add(&rows, sizeof(*row));
			row->from = from;
			row->to = to;
		} else {
			row = (LinkPackageEdge *)rows.at + *index;
		}
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a row for what is not fresh */
		row->edges++;
		row->imports += edge->imports;
		row->uses += edge->uses;
		row->calls += edge->calls;
		row->kinds |= edge->kinds;
	}
	if (rows.count)
		qsort(rows.at, rows.count, sizeof(LinkPackageEdge), by_ends);
	*count = rows.count;
	return vec_keep(a, &rows, sizeof(LinkPackageEdge));
}

static void make_edges(Arena *a, Links *links)
{
	uint32_t *of = ARENA_ARRAY(a, uint32_t, links->module_count + 1);

	for (size_t m = 0; m < links->module_count; m++)
		of[m] = links->modules[m].package;
	links->package_edges = links_matrix(a, links, of, &links->package_edge_count);
}

static void map_finip(Map *map)
{
	map_fini(map);
}

void links_packages(Arena *a, Links *links)
{
	AUTO(map_finip) Map at = { 0 };
	AUTO(vec_fini) Vec folders = { 0 };

	collect(links, &at, &folders);
	for (uint32_t i = 0; i < folders.count; i++)
		map_put(&at, ((const Folder *)folders.at)[i].path, (void *)(uintptr_t)(i + 1));
	links->packages = ARENA_ARRAY(a, LinkPackage, folders.count + 1);
	links->package_count = folders.count;
	fill(a, links, &at, &folders);
	count_fans(links);
	make_edges(a, links);
}
