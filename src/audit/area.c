/* SPDX-License-Identifier: Apache-2.0
 *
 * Areas. Paths are sorted, so that a folder's files stand together and one pass over them gives its folders and how much code is in each. At most
 * one folder can hold more than three quarters of everything, so that what is opened is a chain and not a tree. */
#include "audit/area.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

typedef struct Opening {
	Arena *a;
	const Project *project;
	Str *names;
	size_t count, room;
	uint64_t all; /* lines of code */
} Opening;

static void add_name(Opening *o, Str name)
{
	if (o->count == o->room) {
		size_t room = MAX((size_t)32, 2 * o->room);
		Str *names = ARENA_ARRAY(o->a, Str, room);

		if (o->count)
			memcpy(names, o->names, o->count * sizeof(*names));
		o->names = names;
		o->room = room;
	}
	o->names[o->count++] = name;
}

/* Of "shop/orders/models.py" in "shop": "shop/orders"; of "shop/apps.py": "shop" itself. */
static Str folder_within(Str path, Str folder)
{
	size_t from = folder.len ? folder.len + 1 : 0;
	ptrdiff_t slash = str_find_char(str_sub(path, from, path.len), '/');

	return slash < 0 ? folder : str_sub(path, 0, from + (size_t)slash);
}

static bool lies_in(Str path, Str folder)
{
	return !folder.len ||
	       (path.len > folder.len && path.at[folder.len] == '/' && str_starts(path, folder));
}

/* Adds the folders of one; the one to be opened next, or "" . */
static Str open_folder(Opening *o, Str folder)
{
	const Project *p = o->project;
	Str chosen = S(""), last = S("");
	uint64_t lines = 0;
	bool own = false;

	for (size_t i = 0; i < p->count; i++) {
		Str path = p->files[i].path, in;

		if (p->files[i].kind != SOURCE_CODE || !lies_in(path, folder))
			continue;
		in = folder_within(path, folder);
		if (in.len == folder.len) {
			own = true;
			continue;
		}
		if (!str_eq(in, last)) {
			add_name(o, in);
			last = in;
			lines = 0;
		}
		lines += p->files[i].measures.lines.sloc;
		if (lines * 4 > o->all * 3)
			chosen = in;
	}
	if (own)
		add_name(o, folder);
	return chosen;
}

static void drop_name(Opening *o, Str name)
{
	for (size_t i = 0; i < o->count; i++)
		if (str_eq(o->names[i], name)) {
			o->names[i] = o->names[--o->count];
			return;
		}
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

Areas areas_of(Arena *a, const Project *p)
{
	Opening o = { .a = a, .project = p };
	Areas out = { .opened_count = 1 };
	Str next;

	for (size_t i = 0; i < p->count; i++)
		if (p->files[i].kind == SOURCE_CODE)
			o.all += p->files[i].measures.lines.sloc;
	next = open_folder(&o, S(""));
	while (next.len && out.opened_count < COUNT(out.opened)) {
		drop_name(&o, next);
		out.opened[out.opened_count++] = next;
		next = open_folder(&o, next);
	}
	if (o.count)
		qsort(o.names, o.count, sizeof(*o.names), by_name);
	out.names = o.names;
	out.count = (uint32_t)o.count;
	return out;
}

Areas areas_grouped(Arena *a, const AuditConf *conf)
{
	Str *names = ARENA_ARRAY(a, Str, conf->groups.count + 1);

	for (size_t i = 0; i < conf->groups.count; i++)
		names[i] = conf->groups.at[i].name;
	return (Areas){ .names = names, .count = (uint32_t)conf->groups.count, .groups = conf };
}

static uint32_t group_of(const Areas *areas, Str path)
{
	for (uint32_t i = 0; i < areas->count; i++) {
		const AuditGroup *group = &areas->groups->groups.at[i];

		for (size_t k = 0; k < group->paths.count; k++)
			if (path_matches(path, group->paths.at[k]))
				return i;
	}
	return AREA_NONE;
}

bool area_name(const Areas *areas, Str path, Str *name)
{
	uint32_t at, group;

	if (areas->groups) {
		group = group_of(areas, path);
		if (group != AREA_NONE)
			*name = areas->names[group];
		return group != AREA_NONE;
	}
	for (at = areas->opened_count; at > 1 && !lies_in(path, areas->opened[at - 1]);)
		at--;
	*name = folder_within(path, at ? areas->opened[at - 1] : S(""));
	return true;
}

uint32_t area_find(const Areas *areas, Str path)
{
	Str name;
	const Str *found;

	if (areas->groups)
		return group_of(areas, path);
	area_name(areas, path, &name);
	found = areas->count ? bsearch(&name, areas->names, areas->count, sizeof(name), by_name)
	                     : NULL;
	return found ? (uint32_t)(found - areas->names) : AREA_NONE;
}
