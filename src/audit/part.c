/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts. A package is a folder that has Python in it, by its path: what a person who looks at the tree sees, whether or not there is an __init__.py.
 * Groups are by patterns, the first that fits. Sums are made in one pass each over files and findings, which are both by path. */
#include "audit/part.h"

#include "base/arena.h"

#include <string.h>

static Str folder_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return slash < 0 ? S("") : str_sub(path, 0, (size_t)slash);
}

/* A folder's files do not stand together in the order of paths, as those of folders in it stand between. */
void parts_by_package(Arena *a, const Project *project, Parts *out)
{
	AUTO(map_fini) Map known = { 0 };

	*out = (Parts){ .at = ARENA_ARRAY(a, Part, project->count + 1),
		        .of = ARENA_ARRAY(a, uint32_t, project->count + 1) };
	for (size_t i = 0; i < project->count; i++) {
		Str folder = folder_of(project->files[i].path);
		Part *part = map_get(&known, folder);

		if (!part) {
			part = &out->at[out->count++];
			part->name = folder;
			map_put(&known, folder, part);
		}
		out->of[i] = (uint32_t)(part - out->at);
	}
}

static uint32_t group_of(const AuditConf *conf, Str path)
{
	for (size_t i = 0; i < conf->groups.count; i++)
		for (size_t k = 0; k < conf->groups.at[i].paths.count; k++)
			if (path_matches(path, conf->groups.at[i].paths.at[k]))
				return (uint32_t)i;
	return PART_NONE;
}

void parts_by_group(Arena *a, const Project *project, const AuditConf *conf, Parts *out)
{
	*out = (Parts){ .at = ARENA_ARRAY(a, Part, conf->groups.count + 1),
		        .count = conf->groups.count,
		        .of = ARENA_ARRAY(a, uint32_t, project->count + 1) };
	for (size_t i = 0; i < out->count; i++)
		out->at[i].name = conf->groups.at[i].name;
	for (size_t i = 0; i < project->count; i++) {
		out->of[i] = group_of(conf, project->files[i].path);
		out->outside += out->of[i] == PART_NONE;
	}
}

static void add_file(Part *part, const AuditFile *file)
{
	const Measures *m = &file->measures;

	part->files++;
	part->loc += m->lines.loc;
	if (file->kind != SOURCE_CODE)
		return;
	part->sloc += m->lines.sloc;
	part->cc += m->cc;
	part->cognitive += m->cognitive;
	part->mi += m->mi * m->lines.sloc;
	for (uint32_t i = 0; i < m->unit_count; i++) {
		part->functions += m->units[i].kind == UNIT_FUNCTION;
		part->classes += m->units[i].kind == UNIT_CLASS;
	}
}

static void add_findings(Parts *parts, const Project *project, const Findings *findings)
{
	size_t file = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const Finding *f = &findings->at[i];
		Part *part;

		while (file < project->count && str_cmp(project->files[file].path, f->path) < 0)
			file++;
		if (file == project->count || f->ignored_why.len ||
		    !str_eq(project->files[file].path, f->path) || parts->of[file] == PART_NONE)
			continue;
		part = &parts->at[parts->of[file]];
		part->findings++;
		part->minutes += finding_minutes(f);
	}
}

void parts_sum(Parts *parts, const Project *project, const History *history,
               const Findings *findings)
{
	for (size_t i = 0; i < project->count; i++) {
		const HistoryFile *past = NULL;
		Part *part;

		if (parts->of[i] == PART_NONE)
			continue;
		part = &parts->at[parts->of[i]];
		add_file(part, &project->files[i]);
		if (!history->why_not.len)
			past = history_file(history, project->files[i].path);
		part->changes += past ? past->revs : 0;
		part->fixes += past ? past->fixes : 0;
	}
	for (size_t i = 0; i < parts->count; i++)
		if (parts->at[i].sloc)
			parts->at[i].mi /= (double)parts->at[i].sloc;
	add_findings(parts, project, findings);
}
