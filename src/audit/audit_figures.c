/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures. One table says what each is called, how it is written and whether less of it is better; everything that compares goes by it. Sizes
 * and complexity are those of code (tests, migrations, generated and vendored files are not what a team is paid to keep simple); findings are all
 * that count, wherever they are. */
#include "audit/audit_figures.h"

#include "base/arena.h"
#include "base/json.h"

#include <math.h>

enum { HARD_ABOVE = 15 };

typedef enum Form { FORM_COUNT, FORM_MINUTES, FORM_SHARE } Form;
static const struct {
	const char *name, *text;
	Form form;
	bool debt;
} rows[FIGURES] = {
	[FIGURE_FILES] = { "files", "files of code", FORM_COUNT, false },
	[FIGURE_LINES] = { "lines", "lines of code", FORM_COUNT, false },
	[FIGURE_FUNCTIONS] = { "functions", "functions", FORM_COUNT, false },
	[FIGURE_HARD] = { "hard", "functions hard to read (cognitive above 15)", FORM_COUNT, true },
	[FIGURE_CC] = { "cyclomatic", "worst cyclomatic complexity", FORM_COUNT, true },
	[FIGURE_COGNITIVE] = { "cognitive", "worst cognitive complexity", FORM_COUNT, true },
	[FIGURE_MINUTES] = { "minutes", "time to mend all findings", FORM_MINUTES, true },
	[FIGURE_RATIO] = { "ratio", "debt ratio", FORM_SHARE, true },
	[FIGURE_FINDINGS] = { "findings", "findings", FORM_COUNT, true },
	[FIGURE_IGNORED] = { "ignored", "findings ignored with a reason", FORM_COUNT, true },
	[FIGURE_MAINTAIN] = { "maintainability", "findings of maintainability", FORM_COUNT, true },
	[FIGURE_BUG] = { "reliability", "findings of reliability", FORM_COUNT, true },
	[FIGURE_SECURITY] = { "security", "findings of security", FORM_COUNT, true },
	[FIGURE_SPEED] = { "performance", "findings of performance", FORM_COUNT, true },
	[FIGURE_ARCHITECTURE] = { "architecture", "findings of architecture", FORM_COUNT, true },
};
_Static_assert(FIGURE_ARCHITECTURE - FIGURE_MAINTAIN + 1 == (int)FINDING_CLASSES,
               "a class of findings has no figure");

const char *audit_figure_name(FigureIn in)
{
	return rows[in].name;
}

const char *audit_figure_text(FigureIn in)
{
	return rows[in].text;
}

bool audit_figure_is_debt(FigureIn in)
{
	return rows[in].debt;
}

bool audit_figure_find(Str name, FigureIn *out)
{
	for (FigureIn in = 0; in < FIGURES; in++)
		if (str_eq(name, str_of(rows[in].name))) {
			*out = in;
			return true;
		}
	return false;
}

/* --- taking them --------------------------------------------------------------------------------------------------------------------------- */

static void take_file(const AuditFile *file, double *at)
{
	at[FIGURE_FILES]++;
	at[FIGURE_LINES] += file->measures.lines.sloc;
	for (uint32_t i = 0; i < file->measures.unit_count; i++) {
		const Unit *unit = &file->measures.units[i];

		if (unit->kind != UNIT_FUNCTION)
			continue;
		at[FIGURE_FUNCTIONS]++;
		at[FIGURE_HARD] += unit->cognitive > HARD_ABOVE;
		at[FIGURE_CC] = MAX(at[FIGURE_CC], (double)unit->cc);
		at[FIGURE_COGNITIVE] = MAX(at[FIGURE_COGNITIVE], (double)unit->cognitive);
	}
}

void audit_figures_take(const Audit *audit, AuditFigures *out)
{
	double *at = out->at;

	*out = (AuditFigures){ 0 };
	for (size_t i = 0; i < audit->project.count; i++)
		if (audit->project.files[i].kind == SOURCE_CODE)
			take_file(&audit->project.files[i], at);
	for (size_t i = 0; i < audit->findings.count; i++) {
		const Finding *f = &audit->findings.at[i];

		if (f->ignored_why.len) {
			at[FIGURE_IGNORED]++;
			continue;
		}
		at[FIGURE_FINDINGS]++;
		at[FIGURE_MINUTES] += finding_minutes(f);
		at[FIGURE_MAINTAIN + (int)f->rule->class]++;
	}
	if (at[FIGURE_LINES] > 0)
		at[FIGURE_RATIO] = at[FIGURE_MINUTES] / (AUDIT_LINE_MINUTES * at[FIGURE_LINES]);
}

/* --- saying them ------------------------------------------------------------------------------------------------------------------------------ */

/* 1234567 as "1,234,567". */
static Str grouped(Arena *a, double value)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str digits = str_fmt(a, "%.0f", fabs(value));

	if (value < 0)
		buf_putc(&b, '-');
	for (size_t i = 0; i < digits.len; i++) {
		if (i && (digits.len - i) % 3 == 0)
			buf_putc(&b, ',');
		buf_putc(&b, digits.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

/* "119 min", "2 h 5 min", "1,500 h". */
static Str time_text(Arena *a, double minutes)
{
	double hours = trunc(minutes / 60);

	if (fabs(minutes) < 120)
		return str_fmt(a, "%.0f min", minutes);
	if (fabs(hours) >= 100)
		return str_fmt(a, "%.*s h", STR_ARG(grouped(a, round(minutes / 60))));
	return str_fmt(a, "%.0f h %.0f min", hours, fabs(minutes - 60 * hours));
}

Str audit_figure_value(Arena *a, FigureIn in, double value)
{
	switch (rows[in].form) {
	case FORM_SHARE:
		return str_fmt(a, "%.*f %%", fabs(value) < 0.01 ? 2 : 1, 100 * value);
	case FORM_MINUTES:
		return time_text(a, round(value));
	case FORM_COUNT:
		break;
	}
	return grouped(a, value);
}

char audit_figure_rating(double ratio)
{
	static const double upto[] = { 0.05, 0.1, 0.2, 0.5 };
	size_t mark = 0;

	while (mark < COUNT(upto) && ratio > upto[mark])
		mark++;
	return (char)('A' + mark);
}

void audit_figures_put(JsonWriter *w, const AuditFigures *figures)
{
	json_begin_object(w);
	for (FigureIn in = 0; in < FIGURES; in++)
		json_put_real(w, rows[in].name, figures->at[in]);
	json_end(w);
}
