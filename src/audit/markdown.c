/* SPDX-License-Identifier: Apache-2.0
 *
 * A comment for a pull request. The verdict is the heading; figures come as a table, with before and after where both are known; then what is new,
 * with places, because that is what somebody has to do something about. Lists end when the comment is full, and say how many are left. */
#include "audit/markdown.h"

#include "audit/rev_compare.h"
#include "audit/delta.h"
#include "audit/finding_report.h"
#include "audit/gate.h"
#include "base/arena.h"

#include <string.h>

enum { BYTES = 55000, TEXT_MOST = 300, ROWS_MOST = 50, RULES_SHOWN = 10, GONE_SHOWN = 15 };

/* --- text ------------------------------------------------------------------------------------------------------------------------------------------ */

/* A name of a file need not be UTF-8; and nothing turns around what is written behind it. */
static void put_beyond_ascii(Buf *b, Str one, uint32_t code)
{
	bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

	if (!one.len || turns || code < 0xa0)
		buf_put(b, S("\xef\xbf\xbd"));
	else
		buf_put(b, one);
}

void markdown_text(Buf *b, Str text)
{
	size_t len;

	for (size_t i = 0; i < text.len; i += len) {
		unsigned char c = (unsigned char)text.at[i];
		uint32_t code = 0;

		len = str_utf8(str_sub(text, i, text.len), &code);
		if (!len || code > 0x7f) {
			put_beyond_ascii(b, str_sub(text, i, i + len), code);
			len = MAX(len, (size_t)1);
		} else if (c == '\n' || c == '\r' || c == '\t')
			buf_putc(b, ' ');
		else if (c < ' ' || c == 0x7f)
			continue;
		else if (strchr("@#<>&", c))
			buf_fmt(b, "&#%d;", c); /* no mention, no number of an issue, no tag */
		else if (strchr("\\`*_{}[]()|!~$", c))
			buf_fmt(b, "\\%c", c);
		else
			buf_putc(b, (char)c);
	}
}

/* Not more of it than a row bears, and no half of a character. */
static void put_short(Buf *b, Str text)
{
	size_t end = TEXT_MOST;

	if (text.len <= TEXT_MOST) {
		markdown_text(b, text);
		return;
	}
	while (end && ((unsigned char)text.at[end] & 0xc0) == 0x80)
		end--;
	markdown_text(b, str_sub(text, 0, end));
	buf_put(b, S("..."));
}

static bool is_full(const Buf *b)
{
	return b->len > BYTES;
}

static void put_more(Buf *b, size_t left)
{
	if (left)
		buf_fmt(b, "\nand %zu more\n", left);
}

/* --- figures ----------------------------------------------------------------------------------------------------------------------------------------- */

static const FigureIn shown[] = { FIGURE_MINUTES,  FIGURE_RATIO,  FIGURE_FINDINGS, FIGURE_BUG,
	                          FIGURE_SECURITY, FIGURE_SPEED,  FIGURE_HARD,     FIGURE_CC,
	                          FIGURE_LINES,    FIGURE_IGNORED };

static void put_change(Buf *b, Arena *a, FigureIn in, double before, double now)
{
	Str text = audit_figure_value(a, in, now - before);

	if (now - before < 1e-9 && before - now < 1e-9)
		buf_put(b, S("as before"));
	else
		buf_fmt(b, "%s%.*s", now > before ? "+" : "", STR_ARG(text));
}

static void put_compared(Buf *b, Arena *a, const RevCompare *c)
{
	buf_put(b, S("\n| | before | now | change |\n|---|---:|---:|---:|\n"));
	for (size_t i = 0; i < COUNT(shown); i++) {
		FigureIn in = shown[i];
		double before = c->before.at[in], now = c->now.at[in];

		buf_fmt(b, "| %s | %.*s | %.*s | ", audit_figure_text(in),
		        STR_ARG(audit_figure_value(a, in, before)),
		        STR_ARG(audit_figure_value(a, in, now)));
		put_change(b, a, in, before, now);
		buf_put(b, S(" |\n"));
	}
}

static void put_figures(Buf *b, Arena *a, const AuditFigures *f)
{
	buf_put(b, S("\n| | now |\n|---|---:|\n"));
	for (size_t i = 0; i < COUNT(shown); i++)
		buf_fmt(b, "| %s | %.*s |\n", audit_figure_text(shown[i]),
		        STR_ARG(audit_figure_value(a, shown[i], f->at[shown[i]])));
}

/* --- findings ---------------------------------------------------------------------------------------------------------------------------------------- */

static void put_fresh(Buf *b, Arena *a, const Delta *d)
{
	size_t i = 0;

	if (!d->fresh_count)
		return;
	buf_fmt(b, "\n### %zu new\n\n| where | what | minutes |\n|---|---|---:|\n", d->fresh_count);
	for (; i < MIN(d->fresh_count, (size_t)ROWS_MOST) && !is_full(b); i++) {
		const Finding *f = d->fresh[i].finding;

		buf_put(b, S("| "));
		put_short(b, finding_place(a, f));
		buf_fmt(b, " | **%s ", finding_level_name(f->rule->level));
		put_short(b, str_of(f->rule->id));
		buf_put(b, S("** "));
		put_short(b, str_of(f->rule->name));
		buf_put(b, S(": "));
		put_short(b, f->text);
		if (!str_eq(d->fresh[i].path, f->path)) {
			buf_put(b, S("; new in "));
			put_short(b, d->fresh[i].path);
		}
		buf_fmt(b, " | %.0f |\n", finding_minutes(f));
	}
	put_more(b, d->fresh_count - i);
}

static void put_gone(Buf *b, const Delta *d)
{
	size_t i = 0;

	if (!d->gone_count)
		return;
	buf_fmt(b, "\n### %zu mended\n\n", d->fixed);
	for (; i < MIN(d->gone_count, (size_t)GONE_SHOWN) && !is_full(b); i++) {
		buf_put(b, S("- "));
		put_short(b, d->gone[i].path.len ? d->gone[i].path : S("the project"));
		buf_put(b, S(": "));
		put_short(b, d->gone[i].row->rule);
		buf_putc(b, ' ');
		put_short(b, d->gone[i].row->name);
		buf_fmt(b, d->gone[i].count > 1 ? " (%u times)\n" : "\n", d->gone[i].count);
	}
	put_more(b, d->gone_count - i);
}

static void put_grown(Buf *b, Arena *a, const Delta *d)
{
	size_t i = 0;

	if (!d->grown_count)
		return;
	buf_fmt(b, "\n### %zu take longer to mend than before\n\n", d->grown_count);
	for (; i < MIN(d->grown_count, (size_t)GONE_SHOWN) && !is_full(b); i++) {
		const Grown *g = &d->grown[i];

		buf_put(b, S("- "));
		put_short(b, finding_place(a, g->finding));
		buf_put(b, S(": "));
		put_short(b, g->finding->text);
		buf_fmt(b, ", %.0f min (it was %.0f)\n", g->now, g->before);
	}
	put_more(b, d->grown_count - i);
}

static void put_rules(Buf *b, Arena *a, const Audit *audit)
{
	size_t count;
	const RuleSum *sums = findings_by_rule(a, &audit->findings, &count);

	if (!count)
		return;
	buf_put(b,
	        S("\n### What costs most\n\n| rule | found | hours | worst |\n|---|---:|---:|---|\n"));
	for (size_t i = 0; i < MIN(count, (size_t)RULES_SHOWN) && sums[i].worst; i++) {
		buf_put(b, S("| "));
		put_short(b, str_of(sums[i].rule->id));
		buf_putc(b, ' ');
		put_short(b, str_of(sums[i].rule->name));
		buf_fmt(b, " | %" PRIu64 " | %.1f | ", sums[i].count, sums[i].minutes / 60);
		put_short(b, finding_place(a, sums[i].worst));
		buf_put(b, S(" |\n"));
	}
}

/* --- the gate ------------------------------------------------------------------------------------------------------------------------------------------ */

static void put_budgets(Buf *b, Arena *a, const Gate *g)
{
	if (!g->broken)
		return;
	buf_put(b, S("\n### Budgets\n\n"));
	for (size_t i = 0; i < g->budget_count; i++) {
		const GateBudget *budget = &g->budgets[i];

		if (budget->kept)
			continue;
		buf_put(b, S("- "));
		put_short(b, budget->budget.name);
		if (!budget->known) {
			buf_put(b, S(": there is nothing of that name\n"));
			continue;
		}
		buf_fmt(b, ": %.*s, and %.*s is the most\n",
		        STR_ARG(gate_budget_text(a, &budget->budget, budget->now)),
		        STR_ARG(gate_budget_text(a, &budget->budget, budget->budget.most)));
	}
}

static void put_companions(Buf *b, const Gate *g)
{
	size_t i = 0;

	if (!g->companions.count || g->rules.companions == GATE_OFF)
		return;
	buf_put(b, S("\n### Usually changed too, and not here\n\n"));
	for (; i < MIN(g->companions.count, (size_t)GONE_SHOWN) && !is_full(b); i++) {
		const Companion *c = &g->companions.at[i];

		buf_put(b, S("- "));
		put_short(b, c->absent);
		buf_put(b, S(": with "));
		put_short(b, c->changed);
		buf_fmt(b, " in %u of its %u changes\n", c->shared, c->of);
	}
	put_more(b, g->companions.count - i);
}

static void put_heading(Buf *b, Arena *a, const Audit *audit)
{
	const Gate *g = audit->gate;

	buf_put(b, S("## "));
	if (g && g->passed)
		buf_put(b, S("The gate is open"));
	else if (g)
		buf_fmt(b, "The gate is shut: %.*s", STR_ARG(gate_why(a, g)));
	else if (audit->compare)
		buf_fmt(b, "%zu new, %zu mended", audit->compare->delta.fresh_count,
		        audit->compare->delta.fixed);
	else if (audit->totals.rating)
		buf_fmt(b, "Technical debt: %c, %.1f %%", audit->totals.rating,
		        100 * audit->totals.ratio);
	else
		buf_put(b, S("Technical debt: there is no code"));
	buf_put(b, S("\n\nAudit of "));
	put_short(b, audit->project.sources.root);
	if (g) {
		buf_put(b, S(", compared with "));
		put_short(b, g->rules.against);
	} else if (audit->compare) {
		buf_put(b, S(", compared with "));
		put_short(b, audit->compare->rev);
		buf_fmt(b, " (%.*s)", STR_ARG(audit->compare->id));
	}
	buf_put(b, S(". Minutes are SQALE's: what mending takes.\n"));
}

Err *markdown_report(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out)
{
	const Delta *d = audit->gate      ? &audit->gate->delta
	                 : audit->compare ? &audit->compare->delta
	                                  : NULL;
	AuditFigures figures;

	(void)rules;
	put_heading(out, a, audit);
	audit_figures_take(audit, &figures);
	if (audit->gate) {
		put_budgets(out, a, audit->gate);
		put_companions(out, audit->gate);
	}
	if (d) {
		put_fresh(out, a, d);
		put_grown(out, a, d);
		put_gone(out, d);
	}
	if (audit->compare)
		put_compared(out, a, audit->compare);
	else
		put_figures(out, a, &figures);
	if (!d)
		put_rules(out, a, audit);
	return NULL;
}
