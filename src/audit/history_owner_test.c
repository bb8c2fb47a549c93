/* SPDX-License-Identifier: Apache-2.0
 *
 * Hotspots, owners and bugs of histories made by hand; what the comments work out is what must come. */
#include "audit/history_owner.c"

#include "unit.h"

#include <string.h>

enum { DAY = 86400 };

typedef struct Made {
	ChangeSet sets[64];
	HistoryFile files[8];
	HistoryAuthor authors[8];
	AuditFile project_files[8];
	History h;
	Project p;
} Made;

static const char *const names[] = {
	"a.py", "b.py", "c.py", "d.py", "e.py", "f.py", "g.py", "h.py"
};

static void by_path_fini(void *map)
{
	map_fini(map);
}

/* A history of these files, by whom is said; the last day is 1000. */
static Made *make(Arena *a, size_t files, const char *creators)
{
	Made *m = ARENA_NEW(a, Made);

	m->h = (History){ .files = m->files,
		          .file_count = files,
		          .authors = m->authors,
		          .author_count = COUNT(m->authors),
		          .sets = m->sets,
		          .last_s = 1000 * DAY };
	m->p = (Project){ .files = m->project_files, .count = files };
	m->h.by_path = ARENA_NEW(a, Map);
	arena_defer(a, by_path_fini, m->h.by_path);
	for (size_t i = 0; i < files; i++) {
		m->files[i].path = m->project_files[i].path = str_of(names[i]);
		m->files[i].creator = creators[i] == '?' ? 0 : (uint32_t)(creators[i] - 'A' + 1);
		map_put(m->h.by_path, m->files[i].path, &m->files[i]);
	}
	for (size_t i = 0; i < COUNT(m->authors); i++)
		m->authors[i].last_s = 1000 * DAY;
	return m;
}

static void add(Arena *a, Made *m, int times, char author, const char *files)
{
	uint32_t *ids = ARENA_ARRAY(a, uint32_t, 8), count = 0;

	for (; files[count]; count++)
		ids[count] = (uint32_t)(files[count] - 'a');
	for (int i = 0; i < times; i++) {
		m->sets[m->h.set_count++] = (ChangeSet){ .files = ids,
			                                 .count = count,
			                                 .author = (uint32_t)(author - 'A') };
		for (uint32_t j = 0; j < count; j++)
			m->files[ids[j]].revs++;
	}
}

TEST(hotspots_are_ranks_multiplied)
{
	static const struct {
		uint32_t recent, cognitive;
	} rows[] = { { 4, 10 }, { 2, 20 }, { 0, 5 }, { 9, 90 } };
	Made *m = make(a, 4, "????");
	Hotspots hot;

	for (size_t i = 0; i < COUNT(rows); i++) {
		m->files[i].recent = rows[i].recent;
		m->project_files[i].measures.cognitive = rows[i].cognitive;
	}
	m->project_files[3].kind = SOURCE_TEST;
	hot = history_hotspots(a, &m->h, &m->p);
	CHECK_INT(hot.count, 2);
	CHECK_STR(hot.at[0].file->path, S("a.py")); /* equal scores: more changes first */
	CHECK(hot.at[0].revs_rank == 1 && hot.at[0].cognitive_rank == 0.5);
	CHECK(hot.at[1].revs_rank == 0.5 && hot.at[1].cognitive_rank == 1);
	CHECK(hot.at[0].score == 5 && hot.at[1].score == 5);
}

TEST(ownership_is_shares_and_degrees_of_authorship)
{
	Made *m = make(a, 2, "AA");
	Owners o;

	add(a, m, 6, 'A', "a");
	add(a, m, 2, 'B', "a");
	add(a, m, 3, 'A', "b");
	add(a, m, 3, 'B', "b");
	o = history_owners(a, &m->h, &m->p);
	CHECK_INT(o.count, 2);
	CHECK_INT(o.files[0].authors, 2);
	CHECK_INT(o.files[0].main, 0);
	CHECK_INT(o.files[0].main_sets, 6);
	CHECK(fabs(o.files[0].fractal - 0.375) < 1e-12); /* 1 - (0.75^2 + 0.25^2) */
	/* B: 3.293 + 2 x 0.164 - 0.321 x ln 7 = 2.996 */
	CHECK_INT(o.files[0].experts, 1);
	/* A: 3.293 + 1.098 + 3 x 0.164 - 0.321 x ln 4 = 4.438; B: 3.340, and that is 0.7526 of it */
	CHECK_INT(o.files[1].experts, 2);
	CHECK(fabs(o.files[1].fractal - 0.5) < 1e-12);
	CHECK(!o.files[0].left);
}

TEST(bus_factor_is_how_many_must_leave)
{
	static const struct {
		const char *creators;
		size_t files;
		uint32_t factor, first;
	} cases[] = {
		{ "AAB", 3, 1, 0 },   /* without A one of three is left */
		{ "AABB", 4, 2, 0 },  /* without A half are left, which is not fewer than half */
		{ "ABBCC", 5, 2, 1 }, /* without B three of five, without C one */
		{ "?", 1, 1, 7 },     /* who changed it knows it */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Made *m = make(a, cases[i].files, cases[i].creators);
		Owners o;

		for (size_t j = 0; j < cases[i].files; j++) {
			char file[2] = { (char)('a' + j), 0 };
			char by = cases[i].creators[j];

			add(a, m, 2, by == '?' ? 'H' : by, str_z(a, str_of(file)));
		}
		o = history_owners(a, &m->h, &m->p);
		CHECK_INT(o.bus_factor + 100 * i, cases[i].factor + 100 * i);
		CHECK_INT(o.key[0], cases[i].first);
	}
}

TEST(orphans_are_files_whose_authors_left)
{
	Made *m = make(a, 2, "AB");
	Owners o;

	m->authors[0].last_s = (1000 - 365) * DAY;
	m->authors[1].last_s = (1000 - 364) * DAY;
	add(a, m, 1, 'A', "a");
	add(a, m, 1, 'B', "b");
	o = history_owners(a, &m->h, &m->p);
	CHECK(o.files[0].left);
	CHECK(!o.files[1].left);
	CHECK_INT(o.orphans, 1);
}

TEST(who_made_a_file_in_a_mass_edit_is_its_author_but_no_bot_is)
{
	Made *m = make(a, 2, "AB");
	Owners o;

	m->authors[1].bot = true;
	add(a, m, 1, 'C', "ab");
	o = history_owners(a, &m->h, &m->p);
	/* A: 3.293 + 1.098 - 0.321 x ln 2 = 4.168; C: 3.457, 0.83 of it */
	CHECK_INT(o.files[0].experts, 2);
	CHECK_INT(o.files[1].experts, 1);
}

TEST(bugs_are_fixes_by_size_and_year)
{
	Made *m = make(a, 3, "???");
	BugDensity bugs;

	m->project_files[0].measures.lines.sloc = 1500;
	m->project_files[1].measures.lines.sloc = 500;
	m->project_files[2].measures.lines.sloc = 9000;
	m->project_files[2].kind = SOURCE_TEST;
	add(a, m, 4, 'A', "ab");
	add(a, m, 1, 'A', "c");
	for (int i = 2; i < 5; i++)
		m->sets[i].fix = true; /* two of code, one of a test */
	m->h.first_s = m->h.last_s - (int64_t)(365.25 * DAY / 2);
	bugs = history_bugs(a, &m->h, &m->p);
	CHECK_INT(bugs.fixes, 2);
	CHECK(fabs(bugs.density - 2.0) < 1e-9); /* 2 / 2 KLOC / 0.5 years */
	m->h.first_s = m->h.last_s - 29 * DAY;
	CHECK(history_bugs(a, &m->h, &m->p).density < 0);
}
