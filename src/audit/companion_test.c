/* SPDX-License-Identifier: Apache-2.0
 *
 * Companions in histories made by hand: sets of one-letter files. */
#include "audit/companion.c"

#include "unit.h"

#include <string.h>

typedef struct Made {
	ChangeSet sets[128];
	HistoryFile files[8];
	History h;
} Made;

static void make(Arena *a, Made *m, size_t files)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

	*m = (Made){ .h = { .files = m->files, .file_count = files, .sets = m->sets } };
	for (size_t i = 0; i < files; i++)
		m->files[i].path = str_of(names[i]);
	history_add_up(a, &m->h);
}

static void add(Arena *a, Made *m, int times, const char *files)
{
	uint32_t *ids = ARENA_ARRAY(a, uint32_t, 8), count = 0;

	for (; files[count]; count++)
		ids[count] = (uint32_t)(files[count] - 'a');
	for (int i = 0; i < times; i++) {
		m->sets[m->h.set_count++] = (ChangeSet){ .files = ids, .count = count };
		for (uint32_t k = 0; k < count; k++)
			m->files[ids[k]].revs++;
	}
}

static Str told(Arena *a, const Companions *list)
{
	Str all = S("");

	for (size_t i = 0; i < list->count; i++)
		all = str_fmt(a, "%.*s%.*s>%.*s %u/%u ", STR_ARG(all), STR_ARG(list->at[i].changed),
		              STR_ARG(list->at[i].absent), list->at[i].shared, list->at[i].of);
	return str_trim(all);
}

static Str absent(Arena *a, const Made *m, const char *changed)
{
	Str names[8];
	size_t count = 0;

	for (; changed[count]; count++)
		names[count] = (Str){ changed + count, 1 };
	Companions list = companions_absent(a, &m->h, names, count, NULL, 0, COMPANION_RULES);

	return told(a, &list);
}

TEST(companions_are_what_a_file_is_usually_changed_with)
{
	Made *m = ARENA_NEW(a, Made);

	make(a, m, 6);
	add(a, m, 9, "ab");
	add(a, m, 1, "a");
	add(a, m, 20, "b"); /* so b is changed mostly without a */
	add(a, m, 6, "cd");
	add(a, m, 3, "c");  /* 66 %: not usual enough */
	add(a, m, 4, "ef"); /* too few to tell */
	add(a, m, 60, "f");

	CHECK_STR(absent(a, m, "a"), S("a>b 9/10"));
	CHECK_STR(absent(a, m, "b"), S(""));
	CHECK_STR(absent(a, m, "ab"), S(""));
	CHECK_STR(absent(a, m, "c"), S(""));
	CHECK_STR(absent(a, m, "d"), S("d>c 6/6"));
	CHECK_STR(absent(a, m, "e"), S(""));
	CHECK_STR(absent(a, m, "ad"), S("d>c 6/6 a>b 9/10"));
	CHECK_STR(absent(a, m, "z"), S(""));
}

TEST(companions_by_chance_are_none)
{
	Made *m = ARENA_NEW(a, Made);

	make(a, m, 2);
	add(a, m, 8, "ab");
	add(a, m, 30, "b"); /* b is in every set: a tells nothing of it */

	CHECK_STR(absent(a, m, "a"), S(""));
}

TEST(companions_are_named_once_and_only_if_they_are_there)
{
	Made *m = ARENA_NEW(a, Made);
	Str both[] = { S("a"), S("b") }, there[] = { S("a"), S("d") };

	make(a, m, 4);
	add(a, m, 7, "ac");
	add(a, m, 2, "a");
	add(a, m, 8, "bc");
	add(a, m, 60, "d");
	Companions list = companions_absent(a, &m->h, both, 2, NULL, 0, COMPANION_RULES);
	CHECK_STR(told(a, &list), S("b>c 8/8"));
	list = companions_absent(a, &m->h, both, 2, there, 2, COMPANION_RULES);
	CHECK_INT(list.count, 0);
}
