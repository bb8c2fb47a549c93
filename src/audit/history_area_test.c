/* SPDX-License-Identifier: Apache-2.0
 *
 * Change sets of files as change sets of folders and of groups. */
#include "audit/history_area.c"

#include "unit.h"

enum { DAY = 86400 };

static const char *const names[] = { "orders/a.py", "orders/b.py", "prices/c.py", "README.md" };

typedef struct Made {
	ChangeSet sets[64];
	HistoryFile files[4];
	HistoryAuthor authors[4];
	History h;
	AuditFile now[3];
	Project project;
} Made;

static void make(Made *m)
{
	*m = (Made){ .h = { .files = m->files,
		            .file_count = COUNT(m->files),
		            .authors = m->authors,
		            .author_count = COUNT(m->authors),
		            .sets = m->sets,
		            .last_s = 1000 * DAY },
		     .project = { .files = m->now, .count = COUNT(m->now) } };
	for (size_t i = 0; i < COUNT(m->files); i++)
		m->files[i].path = str_of(names[i]);
	for (size_t i = 0; i < COUNT(m->now); i++) {
		m->now[i].path = str_of(names[i]);
		m->now[i].measures.lines.sloc = 10;
	}
	for (size_t i = 0; i < COUNT(m->authors); i++)
		m->authors[i].last_s = (i == 3 ? 1 : 1000) * DAY;
}

static void add(Arena *a, Made *m, int times, int author, const char *files, int day)
{
	uint32_t *ids = ARENA_ARRAY(a, uint32_t, 4), count = 0;

	for (; files[count]; count++)
		ids[count] = (uint32_t)(files[count] - 'a');
	for (int i = 0; i < times; i++)
		m->sets[m->h.set_count++] =
			(ChangeSet){ day * DAY, (uint32_t)author, count, ids, day == 999 };
}

TEST(areas_have_a_history_of_their_own)
{
	Made *m = ARENA_NEW(a, Made);
	AreaHistory h;

	make(m);
	add(a, m, 6, 0, "abc", 900); /* one set of two areas */
	add(a, m, 2, 1, "ab", 999);  /* of one, and fixes */
	add(a, m, 1, 2, "cd", 10);
	add(a, m, 5, 2, "d", 900); /* of none */
	Areas areas = areas_of(a, &m->project);
	history_areas(a, &m->h, &areas, &h);

	CHECK_INT(h.sets.set_count, 14);
	CHECK_INT(h.count, 2);
	CHECK_STR(h.areas.names[h.owners[0].area], S("orders"));
	CHECK_INT(h.owners[0].sets, 8);
	CHECK_INT(h.owners[0].recent, 8);
	CHECK_INT(h.owners[0].fixes, 2);
	CHECK_INT(h.owners[0].alone, 2);
	CHECK_INT(h.owners[0].people, 2);
	CHECK_INT(h.owners[0].main, 0);
	CHECK_INT(h.owners[0].main_sets, 6);
	CHECK_INT(h.owners[0].bus_factor, 1);
	CHECK_NEAR(h.owners[0].fractal, 1 - (36 + 4) / 64.0, 1e-9);
	CHECK(!h.owners[0].left);
	CHECK_INT(h.owners[1].sets, 7);
	CHECK_INT(h.owners[1].recent, 6);
	CHECK_INT(h.owners[1].alone, 1);
	CHECK_INT(m->h.authors[0].sets, 0); /* the history's own counts stay */
}

TEST(areas_that_change_together_are_coupled)
{
	static Str orders[] = { S("orders/*") }, prices[] = { S("prices/*") };
	static AuditGroup groups[] = { { S("orders"), { orders, 1 } },
		                       { S("prices"), { prices, 1 } } };
	static const AuditConf conf = { .groups = { groups, 2 } };
	Made *m = ARENA_NEW(a, Made);
	AreaHistory h;

	make(m);
	add(a, m, 6, 3, "ac", 900);
	add(a, m, 3, 3, "a", 900);
	add(a, m, 9, 3, "b", 900);
	Areas areas = areas_grouped(a, &conf);
	history_areas(a, &m->h, &areas, &h);
	CHECK_INT(h.couplings.count,
	          0); /* every set with prices has orders, but so has every other */
	CHECK_INT(h.couplings.chance, 1);
	CHECK(h.owners[0].left);
	add(a, m, 20, 3, "d", 900);
	history_areas(a, &m->h, &areas, &h);
	CHECK_INT(h.couplings.count, 1);
	CHECK_INT(h.couplings.at[0].shared, 6);
	CHECK_INT(h.couplings.at[0].degree, 50); /* 6 of (18 + 6) / 2 */
}
