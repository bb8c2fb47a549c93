/* SPDX-License-Identifier: Apache-2.0
 *
 * Values worked out by hand from code-maat's definitions. */
#include "audit/history_coupling.c"

#include "unit.h"

typedef struct Made {
	ChangeSet sets[80];
	HistoryFile files[8];
	History h;
} Made;

/* `times` change sets of the files whose letters stand in `files`. */
static void add(Arena *a, Made *m, int times, const char *files)
{
	uint32_t *ids = ARENA_ARRAY(a, uint32_t, 8), count = 0;

	for (; files[count]; count++)
		ids[count] = (uint32_t)(files[count] - 'a');
	for (int i = 0; i < times; i++) {
		m->sets[m->h.set_count++] = (ChangeSet){ .files = ids, .count = count };
		for (uint32_t j = 0; j < count; j++)
			m->files[ids[j]].revs++;
	}
	m->h.sets = m->sets;
	m->h.files = m->files;
	m->h.file_count = COUNT(m->files);
}

TEST(coupling_is_code_maats_and_fishers)
{
	Made *m = ARENA_NEW(a, Made);
	Couplings c;

	add(a, m, 6, "ab");
	add(a, m, 4, "a");
	add(a, m, 10, "c");
	c = history_couplings(a, &m->h, COUPLING_RULES);
	CHECK_INT(c.count, 1);
	CHECK_INT(c.chance, 0);
	CHECK_INT(c.at[0].one, 0);
	CHECK_INT(c.at[0].other, 1);
	CHECK_INT(c.at[0].shared, 6);
	CHECK_INT(c.at[0].average, 8);
	CHECK_INT(c.at[0].degree, 75); /* 100 x 6 / ((10 + 6) / 2) */
	/* C(10,6) x C(10,0) / C(20,6) = 210 / 38760 */
	CHECK(fabs(c.at[0].p - 210.0 / 38760) < 1e-9);
}

TEST(coupling_rounds_as_code_maat_does)
{
	Made *m = ARENA_NEW(a, Made);
	Couplings c;

	add(a, m, 5, "ab");
	add(a, m, 4, "a");
	add(a, m, 1, "b");
	add(a, m, 30, "c");
	c = history_couplings(a, &m->h, COUPLING_RULES);
	CHECK_INT(c.count, 1);
	CHECK_INT(c.at[0].degree, 66); /* 100 x 5 / 7.5 = 66.7 */
	CHECK_INT(c.at[0].average, 8); /* 7.5 */
}

TEST(coupling_below_its_limits_is_none)
{
	static const struct {
		const char *both, *one;
		int shared, alone, others;
		uint64_t count, chance;
	} cases[] = {
		{ "ab", "a", 4, 4, 20, 0, 0 },  /* shared */
		{ "ab", "a", 5, 24, 20, 0, 0 }, /* degree: 1000 / 34 = 29 */
		{ "ab", "a", 5, 23, 20, 0, 1 }, /* 1000 / 33 = 30; C(28,5) / C(48,5) = 0.0574 */
		{ "ab", "a", 5, 23, 30, 1, 0 }, /* C(28,5) / C(58,5) = 0.0214 */
		{ "ab", "a", 9, 0, 0, 0, 1 },   /* all sets have both: chance 1 */
		{ "ab", "a", 5, 0, 1, 0, 1 },   /* 1 / C(6,5) = 0.17 */
		{ "ab", "a", 5, 0, 3, 1, 0 },   /* 1 / C(8,5) = 0.018 */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = ARENA_NEW(a, Made);
		Couplings c;

		add(a, m, cases[i].shared, cases[i].both);
		add(a, m, cases[i].alone, cases[i].one);
		add(a, m, cases[i].others, "c");
		c = history_couplings(a, &m->h, COUPLING_RULES);
		CHECK_INT(c.count + 100 * i, cases[i].count + 100 * i);
		CHECK_INT(c.chance + 100 * i, cases[i].chance + 100 * i);
	}
}

TEST(coupling_is_sorted_by_degree_then_average)
{
	Made *m = ARENA_NEW(a, Made);
	Couplings c;

	add(a, m, 5, "ab");
	add(a, m, 6, "cd");
	add(a, m, 6, "ef");
	add(a, m, 1, "e");
	add(a, m, 20, "g");
	c = history_couplings(a, &m->h, COUPLING_RULES);
	CHECK_INT(c.count, 3);
	CHECK_INT(c.at[0].one, 2);
	CHECK_INT(c.at[1].one, 0);
	CHECK_INT(c.at[2].one, 4);
	CHECK_INT(c.at[2].degree, 92); /* 1200 / 13 */
}
