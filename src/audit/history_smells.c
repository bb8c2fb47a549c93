/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings that only the history can make. Shotgun surgery is told as HIST does (Palomba et al., ASE 2013): by files that a change of this one nearly
 * always drags along, in other places. What is asked of pairs has been tested for chance before (history_coupling.c). */
#include "audit/history_smells.h"

#include "audit/history_rules.h"
#include "base/arena.h"

#include <stdlib.h>

enum { DRAGGED = 3, HALF = 50, MENDED_FEW = 5, STILL_CHANGED = 3, NAMED = 3 };

typedef struct Drag {
	uint32_t file, other, percent;
} Drag;

static void add(Arena *a, Audit *audit, const Finding *f, HistoryRule rule)
{
	Finding row = *f;

	row.rule = history_rule(rule);
	row.print = finding_print(row.rule, row.path, row.unit, S(""));
	finding_add(a, &audit->findings, &row);
}

/* --- files that drag others along ---------------------------------------------------------------------------------------------------------------------- */

static bool is_code(const Audit *audit, uint32_t file)
{
	Str path = audit->history.files[file].path;
	const AuditFile *now = project_file(&audit->project, path);

	return now && now->kind == SOURCE_CODE &&
	       history_file(&audit->history, path) == &audit->history.files[file];
}

static Str folder_of(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');

	return str_sub(path, 0, slash < 0 ? 0 : (size_t)slash);
}

static void add_drag(const Audit *audit, const Coupling *c, uint32_t file, Drag *drags,
                     size_t *count)
{
	const HistoryFile *files = audit->history.files;
	uint32_t other = file == c->one ? c->other : c->one;
	uint32_t percent = (uint32_t)(UINT64_C(100) * c->shared / files[file].revs);

	if (percent >= HALF && !str_eq(folder_of(files[file].path), folder_of(files[other].path)))
		drags[(*count)++] = (Drag){ file, other, percent };
}

static int by_file(const void *x, const void *y)
{
	const Drag *p = x, *q = y;

	if (p->file != q->file)
		return p->file < q->file ? -1 : 1;
	if (p->percent != q->percent)
		return p->percent < q->percent ? 1 : -1;
	return (p->other > q->other) - (p->other < q->other);
}

static void judge_drags(Arena *a, Audit *audit, const Drag *drags, size_t count)
{
	const HistoryFile *files = audit->history.files;
	Str *paths = ARENA_ARRAY(a, Str, count), named = S("");

	for (size_t i = 0; i < count; i++) {
		paths[i] = files[drags[i].other].path;
		if (i < NAMED)
			named = str_fmt(a, "%.*s%s%.*s (%u %%)", STR_ARG(named), i ? ", " : "",
			                STR_ARG(paths[i]), drags[i].percent);
	}
	add(a, audit,
	    &(Finding){ .path = files[drags->file].path,
	                .text = str_fmt(
				a, "most of its %u changes need %zu files in other folders: %.*s%s",
				files[drags->file].revs, count, STR_ARG(named),
				count > NAMED ? ", ..." : ""),
	                .amount = (double)count,
	                .paths = paths,
	                .path_count = count },
	    RULE_SHOTGUN);
}

static void find_shotguns(Arena *a, Audit *audit)
{
	const Couplings *list = &audit->told.couplings;
	Drag *drags = ARENA_ARRAY(a, Drag, 2 * list->count + 1);
	size_t count = 0, from = 0;

	for (size_t i = 0; i < list->count; i++) {
		const Coupling *c = &list->at[i];

		if (!is_code(audit, c->one) || !is_code(audit, c->other))
			continue;
		add_drag(audit, c, c->one, drags, &count);
		add_drag(audit, c, c->other, drags, &count);
	}
	qsort(drags, count, sizeof(*drags), by_file);
	while (from < count) {
		size_t to = from;

		while (to < count && drags[to].file == drags[from].file)
			to++;
		if (to - from >= DRAGGED)
			judge_drags(a, audit, drags + from, to - from);
		from = to;
	}
}

/* --- groups, and single files ------------------------------------------------------------------------------------------------------------------------- */

static void find_crossings(Arena *a, Audit *audit)
{
	const AreaHistory *groups = audit->by_group;

	for (size_t i = 0; groups && i < groups->couplings.count; i++) {
		const Coupling *c = &groups->couplings.at[i];
		Str one = groups->sets.files[c->one].path,
		    other = groups->sets.files[c->other].path;

		add(a, audit,
		    &(Finding){
			    .unit = str_fmt(a, "%.*s, %.*s", STR_ARG(one), STR_ARG(other)),
			    .text = str_fmt(
				    a,
				    "%.*s and %.*s are changed together: %u times, which is %u %% of what each is changed on average",
				    STR_ARG(one), STR_ARG(other), c->shared, c->degree),
			    .amount = c->shared },
		    RULE_CROSSING);
	}
}

static void find_mended(Arena *a, Audit *audit)
{
	const History *h = &audit->history;

	for (uint32_t i = 0; i < h->file_count; i++) {
		const HistoryFile *f = &h->files[i];

		if (f->fixes < MENDED_FEW || f->fixes * 2 < f->revs || !is_code(audit, i))
			continue;
		add(a, audit,
		    &(Finding){ .path = f->path,
		                .text = str_fmt(a, "%u of its %u changes mend something", f->fixes,
		                                f->revs),
		                .amount = f->fixes },
		    RULE_MENDED);
	}
}

static void find_orphans(Arena *a, Audit *audit)
{
	const Owners *owners = &audit->told.owners;

	for (size_t i = 0; i < owners->count; i++) {
		const Ownership *own = &owners->files[i];
		const HistoryFile *f = &audit->history.files[own->file];

		if (!own->left || f->recent < STILL_CHANGED)
			continue;
		add(a, audit,
		    &(Finding){
			    .path = f->path,
			    .text = str_fmt(
				    a,
				    "nobody of the %u who knew it has made a commit for a year, in which it was changed %u times",
				    own->experts, f->recent),
			    .amount = f->recent },
		    RULE_ORPHAN);
	}
}

void history_smells(Arena *a, Audit *audit)
{
	find_shotguns(a, audit);
	find_crossings(a, audit);
	find_mended(a, audit);
	find_orphans(a, audit);
}
