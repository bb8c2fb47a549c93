/* SPDX-License-Identifier: Apache-2.0
 *
 * What the history finds, from couplings and owners made by hand. */
#include "audit/history_smells.c"

#include "audit/history_int.h"
#include "unit.h"

static const char *const names[] = { "api/a.py", "b/b.py", "c/c.py", "d/d.py", "api/e.py" };

typedef struct Made {
	HistoryFile files[5];
	AuditFile now[5];
	Coupling couplings[8];
	Ownership owners[1];
	Audit audit;
} Made;

static void make(Arena *a, Made *m)
{
	*m = (Made){ 0 };
	for (size_t i = 0; i < COUNT(names); i++)
		m->files[i].path = str_of(names[i]);
	m->now[0].path = str_of(names[0]);
	m->now[1].path = str_of(names[4]); /* by path */
	for (size_t i = 1; i < 4; i++)
		m->now[i + 1].path = str_of(names[i]);
	m->audit = (Audit){ .history = { .files = m->files, .file_count = COUNT(m->files) },
		            .project = { .files = m->now, .count = COUNT(m->now) },
		            .told = { .couplings = { .at = m->couplings },
		                      .owners = { .files = m->owners } } };
	history_add_up(a, &m->audit.history);
	for (size_t i = 0; i < COUNT(m->files); i++)
		m->files[i].revs = 10;
}

static void couple(Made *m, uint32_t one, uint32_t other, uint32_t shared)
{
	m->couplings[m->audit.told.couplings.count++] =
		(Coupling){ .one = one, .other = other, .shared = shared };
}

TEST(a_file_that_drags_three_others_along_is_shotgun_surgery)
{
	Made *m = ARENA_NEW(a, Made);

	make(a, m);
	couple(m, 0, 1, 9);
	couple(m, 0, 2, 5);
	couple(m, 0, 4, 10); /* of its own folder */
	couple(m, 3, 0, 4);  /* not most of its changes */
	history_smells(a, &m->audit);
	CHECK_INT(m->audit.findings.count, 0);
	couple(m, 3, 0, 8);
	history_smells(a, &m->audit);

	CHECK_INT(m->audit.findings.count, 1);
	const Finding *f = &m->audit.findings.at[0];
	CHECK_STR(str_of(f->rule->id), S("PY701"));
	CHECK_STR(f->path, S("api/a.py"));
	CHECK_STR(
		f->text,
		S("most of its 10 changes need 3 files in other folders: b/b.py (90 %), d/d.py (80 %), c/c.py (50 %)"));
	CHECK_NEAR(finding_minutes(f), 60 + 3 * 20, 1e-9);
	CHECK_INT(f->path_count, 3);
}

TEST(tests_and_what_is_gone_are_no_places_to_mend)
{
	Made *m = ARENA_NEW(a, Made);

	make(a, m);
	couple(m, 0, 1, 9);
	couple(m, 0, 2, 9);
	couple(m, 0, 3, 9);
	m->now[4].kind = SOURCE_TEST; /* d/d.py */
	history_smells(a, &m->audit);
	CHECK_INT(m->audit.findings.count, 0);
}

TEST(files_that_are_mended_often_or_known_by_nobody_are_named)
{
	Made *m = ARENA_NEW(a, Made);

	make(a, m);
	m->files[1].fixes = 5;
	m->files[2].fixes = 4;
	m->files[3].fixes = 5;
	m->files[3].revs = 11;
	m->owners[0] = (Ownership){ .file = 2, .experts = 2, .left = true };
	m->audit.told.owners.count = 1;
	m->files[2].recent = 2;
	history_smells(a, &m->audit);
	CHECK_INT(m->audit.findings.count, 1);
	CHECK_STR(m->audit.findings.at[0].text, S("5 of its 10 changes mend something"));
	m->files[2].recent = 3;
	history_smells(a, &m->audit);
	CHECK_INT(m->audit.findings.count, 3);
	CHECK_STR(
		m->audit.findings.at[2].text,
		S("nobody of the 2 who knew it has made a commit for a year, in which it was changed 3 times"));
}
