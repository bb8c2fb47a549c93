/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_figures.c"

#include "unit.h"

static const FindingRule bug = { .id = "T1", .class = FINDING_BUG, .each_minutes = 1 };
static const FindingRule layer = { .id = "T2", .class = FINDING_ARCHITECTURE, .base_minutes = 60 };

TEST(figures_count_code_and_what_is_not_ignored)
{
	Unit units[] = { { .kind = UNIT_FUNCTION, .cc = 3, .cognitive = 16 },
		         { .kind = UNIT_CLASS, .cc = 90, .cognitive = 90 },
		         { .kind = UNIT_FUNCTION, .cc = 7, .cognitive = 15 } };
	AuditFile files[] = {
		{ .kind = SOURCE_CODE,
		  .measures = { .lines.sloc = 10, .units = units, .unit_count = 3 } },
		{ .kind = SOURCE_TEST,
		  .measures = { .lines.sloc = 99, .units = units, .unit_count = 3 } },
	};
	Finding found[] = { { .rule = &bug, .amount = 15 },
		            { .rule = &bug, .amount = 99, .ignored_why = S("so") },
		            { .rule = &layer } };
	Audit audit = { .project = { .files = files, .count = 2 },
		        .findings = { found, COUNT(found), COUNT(found) } };
	static const struct {
		FigureIn in;
		double want;
	} cases[] = {
		{ FIGURE_FILES, 1 },    { FIGURE_LINES, 10 },   { FIGURE_FUNCTIONS, 2 },
		{ FIGURE_HARD, 1 },     { FIGURE_CC, 7 },       { FIGURE_COGNITIVE, 16 },
		{ FIGURE_MINUTES, 75 }, { FIGURE_RATIO, 0.25 }, { FIGURE_FINDINGS, 2 },
		{ FIGURE_IGNORED, 1 },  { FIGURE_BUG, 1 },      { FIGURE_ARCHITECTURE, 1 },
		{ FIGURE_MAINTAIN, 0 },
	};
	AuditFigures figures;

	audit_figures_take(&audit, &figures);
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_NEAR(figures.at[cases[i].in], cases[i].want, 1e-9);
}

TEST(figures_have_names_and_are_written_for_people)
{
	FigureIn in;

	for (FigureIn i = 0; i < FIGURES; i++) {
		CHECK(audit_figure_name(i) && audit_figure_text(i));
		CHECK(audit_figure_find(str_of(audit_figure_name(i)), &in) && in == i);
	}
	CHECK(!audit_figure_find(S("nothing"), &in));
	CHECK_STR(audit_figure_value(a, FIGURE_LINES, 1234567), S("1,234,567"));
	CHECK_STR(audit_figure_value(a, FIGURE_LINES, -123), S("-123"));
	CHECK_STR(audit_figure_value(a, FIGURE_MINUTES, 119), S("119 min"));
	CHECK_STR(audit_figure_value(a, FIGURE_MINUTES, -132), S("-2 h 12 min"));
	CHECK_STR(audit_figure_value(a, FIGURE_MINUTES, 90000), S("1,500 h"));
	CHECK_STR(audit_figure_value(a, FIGURE_RATIO, 0.0321), S("3.2 %"));
	CHECK_INT(audit_figure_rating(0), 'A');
	CHECK_INT(audit_figure_rating(0.05), 'A');
	CHECK_INT(audit_figure_rating(0.051), 'B');
	CHECK_INT(audit_figure_rating(0.2), 'C');
	CHECK_INT(audit_figure_rating(0.5), 'D');
	CHECK_INT(audit_figure_rating(3), 'E');
}
