/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of findings. */
#include "audit/finding.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static const char *const classes[] = { [FINDING_MAINTAIN] = "maintainability",
	                               [FINDING_BUG] = "reliability",
	                               [FINDING_SECURITY] = "security",
	                               [FINDING_SPEED] = "performance",
	                               [FINDING_ARCHITECTURE] = "architecture" };
_Static_assert(COUNT(classes) == FINDING_CLASSES, "a class has no name");
static const char *const levels[] = {
	[FINDING_NOTE] = "note", [FINDING_WARNING] = "warning", [FINDING_ERROR] = "error"
};
_Static_assert(COUNT(levels) == FINDING_LEVELS, "a level has no name");

const char *finding_class_name(FindingClass class)
{
	return classes[class];
}

const char *finding_level_name(FindingLevel level)
{
	return levels[level];
}

void finding_add(Arena *a, Findings *list, const Finding *finding)
{
	if (list->count == list->room) {
		size_t room = MAX((size_t)32, 2 * list->room);
		Finding *at = ARENA_ARRAY(a, Finding, room);

		if (list->count)
			memcpy(at, list->at, list->count * sizeof(*at));
		list->at = at;
		list->room = room;
	}
	list->at[list->count++] = *finding;
}

static int by_place(const void *x, const void *y)
{
	const Finding *p = x, *q = y;
	int order = str_cmp(p->path, q->path);

	if (!order)
		order = (p->line > q->line) - (p->line < q->line);
	if (!order)
		order = strcmp(p->rule->id, q->rule->id);
	if (!order)
		order = (p->print > q->print) - (p->print < q->print);
	return order ? order : str_cmp(p->text, q->text);
}

void findings_sort(Findings *list)
{
	if (list->count)
		qsort(list->at, list->count, sizeof(*list->at), by_place);
}

uint64_t finding_print(const FindingRule *rule, Str path, Str unit, Str place)
{
	uint64_t hash = hash_stable(str_of(rule->id), 0x66696e64, 1);

	(void)path;
	hash = hash_stable(unit, hash, 3);
	return hash_stable(place, hash, 4);
}

bool finding_is_own(const Finding *finding)
{
	return !strchr(finding->rule->id, ':');
}

bool finding_has_past(const Finding *finding)
{
	return finding_is_own(finding) && !finding->rule->beside;
}
