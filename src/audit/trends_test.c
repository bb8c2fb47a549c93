/* SPDX-License-Identifier: Apache-2.0
 *
 * The past of a repository made by hand, measured. */
#include "audit/trends.c"

#include "git_made.h"
#include "unit.h"

static const char small[] = "def f(x):\n    return 1 if x else 2\n";
static const char large[] =
	"def f(x, y=[]):\n    if x:\n        return 1\n    return 2\n\n\nclass C:\n    pass\n";

static const char *const now[] = { "api/views.py", "orders/models.py" };

static const Trends *read_as(const Made *m, uint32_t samples)
{
	AuditFile *files = ARENA_ARRAY(m->a, AuditFile, COUNT(now));
	Audit audit = { .project = { .files = files, .count = COUNT(now) } };
	Str root = str_of(m->root);
	AuditArgs args = {
		.roots = { &root, 1 }, .cache = S("none"), .trends = samples, .quiet = true
	};
	AuditRules rules;

	CHECK_OK(audit_rules(m->a, &args, &rules));
	for (size_t i = 0; i < COUNT(now); i++) {
		files[i].path = str_of(now[i]);
		files[i].measures.lines.sloc = 10;
	}
	history_read(m->a, rules.root, &audit.history);
	CHECK_OK(trends_step(m->a, &rules, &audit));
	return audit.trends;
}

static uint32_t area(const TrendTable *t, const char *name)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (str_eq(t->areas[i], str_of(name)))
			return i;
	return t->count;
}

static int value(const TrendTable *t, uint32_t sample, const char *name, TrendMetric metric)
{
	return (int)trend_value(t, sample, area(t, name), metric);
}

/* Five days: orders began in another place, moved on day 3 with its text as it was; a test, and what is no code; a merge. */
static void make_shop(Arena *a, Made *m)
{
	make_begin(a, m);
	stage_text(m, "old/models.py", small);
	commit(m, 1, "ann", "notes.txt=x", "first");
	stage_text(m, "api/views.py", small);
	stage_text(m, "tests/test_a.py", small);
	commit(m, 2, "bob", "", "views");
	stage_text(m, "orders/models.py", small);
	commit(m, 3, "ann", "-old/models.py", "move");
	stage_text(m, "orders/models.py", large);
	commit(m, 4, "ann", "", "Fix orders");
	commit(m, 5, "ann", "notes.txt=y", "notes");
}

TEST(trends_measure_the_past_by_todays_areas)
{
	AUTO(made_fini) Made m = { 0 };

	make_shop(a, &m);
	const Trends *t = read_as(&m, 5);
	const TrendTable *by = &t->areas;

	CHECK_STR(t->why_not, S(""));
	CHECK_INT(t->sample_count, 5);
	CHECK_INT(t->samples[0].time_s, MADE_DAY);
	CHECK_STR(t->samples[4].commit, str_of(hex(&m, &m.head)));
	CHECK_INT(t->blobs, 2); /* the same text in three places is one */
	CHECK_INT(value(by, 0, "orders", TREND_FILES), 1); /* it stood in old/ */
	CHECK_INT(value(by, 0, "orders", TREND_SLOC), 2);
	CHECK_INT(value(by, 0, "orders", TREND_CC), 2);
	CHECK_INT(value(by, 4, "orders", TREND_SLOC), 6);
	CHECK_INT(value(by, 4, "orders", TREND_CLASSES), 1);
	CHECK_INT(value(by, 0, "orders", TREND_FINDINGS), 0);
	CHECK_INT(value(by, 4, "orders", TREND_FINDINGS), 1); /* a mutable default */
	CHECK_INT(value(by, 4, "api", TREND_FINDINGS), 0);
	CHECK(trend_value(by, 4, by->count, TREND_MINUTES) > 0);
	CHECK_INT(value(by, 0, "api", TREND_FILES), 0);
	CHECK_INT(value(by, 0, "api", TREND_MI), -1);
	CHECK_INT(value(by, 1, "api", TREND_FILES), 1);
	CHECK_INT(value(by, 1, "tests", TREND_TESTS), 2);
	CHECK_INT(value(by, 1, "tests", TREND_FILES), 0);
	CHECK_INT(area(by, "old"), by->count);
	CHECK_INT(value(by, 4, "", TREND_FILES), 2); /* none is called so: the whole */
	CHECK_INT(value(by, 4, "", TREND_SLOC), 8);
	CHECK_INT(value(by, 4, "", TREND_TESTS), 2);
}

TEST(trends_put_changes_and_people_to_the_time_they_lead_to)
{
	AUTO(made_fini) Made m = { 0 };

	make_shop(a, &m);
	const Trends *t = read_as(&m, 3);
	const TrendTable *by = &t->areas;

	CHECK_INT(t->sample_count, 3); /* days 1, 3, 5 */
	CHECK_INT(value(by, 0, "", TREND_CHANGES), 1);
	CHECK_INT(value(by, 1, "", TREND_CHANGES), 2);
	CHECK_INT(value(by, 1, "", TREND_PEOPLE), 2);
	CHECK_INT(value(by, 1, "orders", TREND_CHANGES), 1);
	CHECK_INT(value(by, 2, "", TREND_CHANGES), 1); /* notes are no code */
	CHECK_INT(value(by, 2, "orders", TREND_FIXES), 1);
	CHECK_INT(value(by, 2, "api", TREND_CHANGES), 0);
}

TEST(trends_of_groups_leave_out_what_is_in_none)
{
	AUTO(made_fini) Made m = { 0 };

	make_shop(a, &m);
	put_text(&m, "banyan.yaml", "audit:\n  groups: { Orders: { paths: [ \"orders/*\" ] } }\n");
	const Trends *t = read_as(&m, 2);

	CHECK_INT(t->sample_count, 2);
	CHECK_INT(t->groups.count, 1);
	CHECK_STR(t->groups.areas[0], S("Orders"));
	CHECK_INT(trend_value(&t->groups, 1, 0, TREND_FILES), 1);
	CHECK_INT(trend_value(&t->groups, 1, 1, TREND_FILES), 2);
}

TEST(trends_count_texts_that_are_not_there)
{
	AUTO(made_fini) Made m = { 0 };
	git_oid blob;

	make_shop(a, &m);
	CHECK_INT(git_odb_hash(&blob, small, strlen(small), GIT_OBJECT_BLOB), 0);
	lose(&m, &blob);
	const Trends *t = read_as(&m, 2);

	CHECK_INT(t->samples[0].missing, 1);
	CHECK_INT(t->samples[1].missing, 2); /* views and the test */
	CHECK_INT(value(&t->areas, 1, "", TREND_FILES), 1);
}

TEST(trends_that_are_not_asked_for_or_not_there)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	CHECK_NULL(read_as(&m, 0));
	CHECK_STR(read_as(&m, 5)->why_not, S("the repository has no commits yet"));
	commit(&m, 1, "ann", "a.py=1", "only");
	CHECK_INT(read_as(&m, 5)->sample_count, 1);
}

TEST(trends_find_moments_where_something_was_done)
{
	AUTO(made_fini) Made m = { 0 };

	make_begin(a, &m);
	for (int i = 0; i < 8; i++)
		commit(&m, i == 0 ? 1 : 1000 + i, "ann", str_fmt(a, "api/views.py=%d", i).at, "on");
	const Trends *t = read_as(&m, 5);
	CHECK_INT(t->sample_count, 5);
	CHECK_INT(t->samples[0].time_s / MADE_DAY, 1);
	CHECK_INT(t->samples[4].time_s / MADE_DAY, 1007);
	t = read_as(&m, 200);
	CHECK_INT(t->sample_count, 8); /* no more than there are */
}
