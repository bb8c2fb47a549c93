/* SPDX-License-Identifier: Apache-2.0
 *
 * An audit in a few figures: what is compared between two states of a code base, what a budget of the gate is about, what a badge says. Pure. */
#pragma once
#include "audit/audit.h"

typedef enum FigureIn {
	FIGURE_FILES, /* of code: no tests, migrations, generated or vendored files; so are the next four */
	FIGURE_LINES,
	FIGURE_FUNCTIONS,
	FIGURE_HARD,      /* functions with a cognitive complexity above 15 */
	FIGURE_CC,        /* the worst function's */
	FIGURE_COGNITIVE, /* the worst function's */
	FIGURE_MINUTES,   /* to mend all findings that count (SQALE) */
	FIGURE_RATIO,     /* of these to what writing the code took, 30 minutes a line: SQALE's */
	FIGURE_FINDINGS,  /* that count */
	FIGURE_IGNORED,   /* that somebody ignores with a reason */
	FIGURE_MAINTAIN,  /* findings by class, in the order of FindingClass */
	FIGURE_BUG,
	FIGURE_SECURITY,
	FIGURE_SPEED,
	FIGURE_ARCHITECTURE,
	FIGURES
} FigureIn;

typedef struct AuditFigures {
	double at[FIGURES];
} AuditFigures;

void audit_figures_take(const Audit *audit, AuditFigures *out);
/* The same without findings by what lies beside the tree (FindingRule.beside): those change while no line of code does. */
void audit_figures_of_tree(const Audit *audit, AuditFigures *out);
const char *audit_figure_name(FigureIn in); /* "hard": what budgets, JSON and options call it */
const char *audit_figure_text(FigureIn in); /* "functions hard to read" */
bool audit_figure_find(Str name, FigureIn *out);
/* Are more of these worse? Not of files, lines and functions. */
bool audit_figure_is_debt(FigureIn in);
/* "1,204", "3.2 %", "12 h 5 min": as people read it. In the arena. */
Str audit_figure_value(Arena *a, FigureIn in, double value);
/* 'A' to 'E': SonarQube's marks of a debt ratio (5, 10, 20, 50 %). */
char audit_figure_rating(double ratio);
/* An object, a member each. */
void audit_figures_put(JsonWriter *w, const AuditFigures *figures);
