/* SPDX-License-Identifier: Apache-2.0
 *
 * Owners beside a history that was made by hand. */
#include "audit/codeowners_judge.c"

#include "git_made.h"
#include "unit.h"

#include <sys/stat.h>

static const char *const paths[] = { "orders/a.py", "orders/b.py", "prices/c.py", "setup.py" };

static void audit_made(const Made *m, Audit *audit)
{
	AuditFile *files = ARENA_ARRAY(m->a, AuditFile, COUNT(paths));

	*audit = (Audit){ .project = { .files = files,
		                       .count = COUNT(paths),
		                       .sources = { .root = str_of(m->root) } } };
	for (size_t i = 0; i < COUNT(paths); i++) {
		files[i].path = str_of(paths[i]);
		files[i].measures.lines.sloc = 10;
	}
	history_read(m->a, str_of(m->root), &audit->history);
}

static Str found(Arena *a, const Audit *audit, const char *id)
{
	Str all = S("");

	for (size_t i = 0; i < audit->findings.count; i++)
		if (str_eq(str_of(audit->findings.at[i].rule->id), str_of(id)))
			all = str_fmt(a, "%.*s%u: %.*s\n", STR_ARG(all), audit->findings.at[i].line,
			              STR_ARG(audit->findings.at[i].text));
	return all;
}

TEST(codeowners_are_held_against_what_git_tells)
{
	AUTO(made_fini) Made m = { 0 };
	Audit audit;

	make_begin(a, &m);
	commit(&m, 1, "old", "orders/a.py=0 orders/b.py=0 prices/c.py=0 setup.py=0", "first");
	for (int i = 0; i < 12; i++)
		commit(&m, 500 + i, "ann", str_fmt(a, "orders/a.py=%d", i + 1).at, "more");
	commit(&m, 520, "7+bob", "prices/c.py=1", "prices");
	put_text(&m, "CODEOWNERS",
	         "/orders/ @Ann @dan @shop/team\n/prices/ @bob @old\n/gone/ @ann\n");
	commit(&m, 521, "dan", "README=1", "docs");
	audit_made(&m, &audit);
	const CodeOwners *c = codeowners_read(a, &audit);

	CHECK_STR(c->path, S("CODEOWNERS"));
	CHECK_INT(c->files, 4);
	CHECK_INT(c->without, 1);
	CHECK_INT(c->count, 5);
	CHECK_STR(c->owners[0].name, S("@Ann"));
	CHECK(c->owners[0].known && !c->owners[0].gone);
	CHECK_INT(c->owners[0].files, 2);
	CHECK_INT(c->owners[0].of, 13);
	CHECK_INT(c->owners[0].changes, 12);
	CHECK(c->owners[2].team && !c->owners[2].known);
	CHECK_STR(found(a, &audit, "PY711"),
	          S("0: 1 of the 1 files of code in the root have no owner\n"));
	CHECK_STR(found(a, &audit, "PY712"),
	          S("1: @dan owns 2 files of code and has made none of their 13 changes\n"));
	CHECK_STR(found(a, &audit, "PY713"),
	          S("2: @old owns 1 files of code and has made no commit for a year\n"));
	CHECK_STR(found(a, &audit, "PY714"),
	          S("2: @bob owns 1 files of code and is nobody whom git's history knows\n"));
	CHECK_STR(found(a, &audit, "PY715"), S("3: \"/gone/\" fits no file\n"));
}

TEST(codeowners_are_looked_for_where_they_may_be)
{
	AUTO(made_fini) Made m = { 0 };
	Audit audit;

	make_begin(a, &m);
	commit(&m, 1, "ann", "orders/a.py=0", "first");
	audit_made(&m, &audit);
	CHECK_NULL(codeowners_read(a, &audit));
	CHECK_INT(mkdir(str_fmt(a, "%s/docs", m.root).at, 0700), 0);
	put_text(&m, "docs/CODEOWNERS", "* @ann\n");
	CHECK_STR(codeowners_read(a, &audit)->path, S("docs/CODEOWNERS"));
	CHECK_INT(mkdir(str_fmt(a, "%s/.github", m.root).at, 0700), 0);
	put_text(&m, ".github/CODEOWNERS", "*.py @ann\n");
	CHECK_STR(codeowners_read(a, &audit)->path, S(".github/CODEOWNERS"));
	CHECK_INT(audit.findings.count, 0);
}

TEST(codeowners_are_people_by_the_surest_sign)
{
	static const struct {
		Str email, account;
	} cases[] = {
		{ S("12+ann@users.noreply.github.com"), S("ann") },
		{ S("ann@users.noreply.github.com"), S("ann") },
		{ S("12-ann-lee@users.noreply.gitlab.com"), S("ann-lee") },
		{ S("ann@shop.test"), S("") },
		{ S("ann"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(account_of(cases[i].email), cases[i].account);
}

TEST(codeowners_are_not_said_to_be_unknown_when_most_are)
{
	AUTO(made_fini) Made m = { 0 };
	Audit audit;

	make_begin(a, &m);
	commit(&m, 1, "ann", "orders/a.py=0 orders/b.py=0 prices/c.py=0 setup.py=0", "first");
	put_text(&m, "CODEOWNERS", "* @ann @x @y\n");
	audit_made(&m, &audit);
	codeowners_read(a, &audit);
	CHECK_STR(found(a, &audit, "PY714"), S(""));
	put_text(&m, "CODEOWNERS", "* @ann @x\n");
	audit.findings.count = 0;
	codeowners_read(a, &audit);
	CHECK_STR(found(a, &audit, "PY714"), S("")); /* half is not most */
}

TEST(codeowners_with_a_sure_sign_are_nobody_else)
{
	HistoryAuthor authors[] = { { .name = S("A"),
		                      .email = S("7+ann@users.noreply.github.com") },
		                    { .name = S("B"), .email = S("ann@other.test") },
		                    { .name = S("Bob Lee"), .email = S("x@y") } };
	Audit audit = { .history = { .authors = authors, .author_count = COUNT(authors) } };
	Judge j = { .a = a, .audit = &audit, .out = ARENA_NEW(a, CodeOwners) };
	uint32_t ann = owner_of(&j, S("@ann"), 1), bob = owner_of(&j, S("@BobLee"), 2);

	find_people(&j);
	CHECK(is_person(&j, 0, ann) && !is_person(&j, 1, ann));
	CHECK(is_person(&j, 2, bob) && !is_person(&j, 0, bob));
	judge_fini(&j);
}
