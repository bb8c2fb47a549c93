/* SPDX-License-Identifier: Apache-2.0
 *
 * The report on a screen fits on one: what was read and what not, how large it is, how complex, and where that sits. */
#include "audit/report.h"

#include "audit/audit_cache.h"
#include "audit/audit_money.h"
#include "audit/rev_compare.h"
#include "audit/finding_report.h"
#include "audit/screen.h"
#include "audit/history_step.h"
#include "audit/trends.h"
#include "audit/tools.h"
#include "audit/links.h"
#include "audit/models.h"
#include "audit/clones.h"
#include "audit/outside.h"
#include "audit/plural.h"
#include "audit/report_fit.h"
#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>

enum { WORST = 2, RANKS = 6, PARTS = 3, SCREEN = 48, NEXT = 5 };

typedef struct Worst {
	const AuditFile *file;
	const Unit *unit;
} Worst;

typedef struct Totals {
	uint64_t files[SOURCE_KINDS], loc[SOURCE_KINDS], sloc[SOURCE_KINDS];
	uint64_t functions, classes, ranks[RANKS];
	uint64_t broken, cut;
	Worst *all;
	size_t count;
} Totals;

static void add_units(Totals *t, const AuditFile *file)
{
	for (uint32_t i = 0; i < file->measures.unit_count; i++) {
		const Unit *unit = &file->measures.units[i];
		int rank = cc_rank(unit->cc) - 'A';

		t->classes += unit->kind == UNIT_CLASS;
		if (unit->kind != UNIT_FUNCTION)
			continue;
		t->functions++;
		t->ranks[rank]++;
		if (file->kind == SOURCE_CODE)
			t->all[t->count++] = (Worst){ file, unit };
	}
}

static int by_cognitive(const void *x, const void *y)
{
	const Worst *p = x, *q = y;

	if (p->unit->cognitive != q->unit->cognitive)
		return p->unit->cognitive < q->unit->cognitive ? 1 : -1;
	if (p->unit->cc != q->unit->cc)
		return p->unit->cc < q->unit->cc ? 1 : -1;
	return str_cmp(p->file->path, q->file->path);
}

static void add_up(Arena *a, const Project *p, Totals *t)
{
	size_t units = 0;

	for (size_t i = 0; i < p->count; i++)
		units += p->files[i].measures.unit_count;
	*t = (Totals){ .all = ARENA_ARRAY(a, Worst, units + 1) };
	for (size_t i = 0; i < p->count; i++) {
		const AuditFile *file = &p->files[i];

		t->files[file->kind]++;
		t->loc[file->kind] += file->measures.lines.loc;
		t->sloc[file->kind] += file->measures.lines.sloc;
		t->broken += file->errors != 0;
		t->cut += file->cut;
		add_units(t, file);
	}
	qsort(t->all, t->count, sizeof(*t->all), by_cognitive);
}

/* On one line, with an example of each. */
static void put_left_out(FILE *out, const Project *p, const Totals *t)
{
	size_t some = 0;

	for (size_t why = 0; why < SKIPS; why++) {
		if (!p->sources.skipped[why])
			continue;
		fprintf(out, "%s%" PRIu64 " %s",
		        some++ ? "; " : "  left out: ", p->sources.skipped[why],
		        skip_why_text(why));
		for (size_t i = 0; i < p->sources.example_count; i++)
			if (p->sources.examples[i].why == why) {
				fprintf(out, " (%.*s%s)", STR_ARG(p->sources.examples[i].path),
				        p->sources.skipped[why] > 1 ? ", ..." : "");
				break;
			}
	}
	if (some)
		fputc('\n', out);
	if (t->broken)
		fprintf(out,
		        "  %" PRIu64
		        " files have places that are not Python (--json names them); the rest of them was read\n",
		        t->broken);
	if (t->cut)
		fprintf(out, "  %" PRIu64 " files took too long to parse, and were not measured\n",
		        t->cut);
}

static void put_head(FILE *out, const Audit *audit, const AuditRules *rules)
{
	const Project *p = &audit->project;
	AuditCacheFigures kept = audit_cache_figures(rules->cache);

	fprintf(out, "%zu file%s of Python in %.*s, read in %.1f s", p->count, plural(p->count),
	        STR_ARG(p->sources.root), (double)p->taken_us / US_PER_S);
	if (p->known)
		fprintf(out, "; %zu known from an earlier run", p->known);
	fputc('\n', out);
	if (kept.trouble.len)
		fprintf(out, "  cache: %.*s\n", STR_ARG(kept.trouble));
}

static void put_kinds(FILE *out, const Totals *t)
{
	size_t some = 0;

	for (size_t kind = 0; kind < SOURCE_KINDS; kind++)
		if (t->files[kind])
			fprintf(out,
			        "%s%s %" PRIu64 " file%s, %" PRIu64 " line%s (%" PRIu64 " of code)",
			        some++ ? "; " : "  ", source_kind_name(kind), t->files[kind],
			        plural(t->files[kind]), t->loc[kind], plural(t->loc[kind]),
			        t->sloc[kind]);
	fputc('\n', out);
}

static void put_complexity(FILE *out, const Totals *t, CcRules rules)
{
	size_t some = 0;

	fprintf(out,
	        "%" PRIu64 " function%s and methods, %" PRIu64
	        " class%s. Functions by cyclomatic complexity as %s counts it:\n  ",
	        t->functions, plural(t->functions), t->classes, t->classes == 1 ? "" : "es",
	        audit_cc_words[rules].name);
	for (int i = 0; i < RANKS; i++)
		if (t->ranks[i])
			fprintf(out, "%s%c %" PRIu64 " (%.1f %%)", some++ ? ", " : "", 'A' + i,
			        t->ranks[i], 100.0 * (double)t->ranks[i] / (double)t->functions);
	fprintf(out, "%s\n", some ? "" : "none");
	if (t->count && t->all[0].unit->cognitive)
		fprintf(out, "Hardest to read (cognitive complexity, Sonar's; 15 is its limit):\n");
	for (size_t i = 0; i < MIN(t->count, (size_t)WORST); i++) {
		const Worst *w = &t->all[i];

		if (w->unit->cognitive)
			fprintf(out, "  %5u  %.*s, %.*s:%u, %u lines\n", w->unit->cognitive,
			        STR_ARG(w->unit->name), STR_ARG(w->file->path), w->unit->line,
			        w->unit->end_line - w->unit->line + 1);
	}
}

/* --- parts ------------------------------------------------------------------------------------------------------------------------------------------- */

static int by_minutes(const void *x, const void *y)
{
	const Part *const *p = x, *const *q = y;

	if ((*p)->minutes < (*q)->minutes || (*p)->minutes > (*q)->minutes)
		return (*p)->minutes < (*q)->minutes ? 1 : -1;
	return str_cmp((*p)->name, (*q)->name);
}

/* Those with most to mend; groups where there are rules for them. */
static void put_parts(FILE *out, Arena *a, const Audit *audit)
{
	bool grouped = audit->groups.count != 0;
	const Parts *parts = grouped ? &audit->groups : &audit->packages;
	const Part **order = ARENA_ARRAY(a, const Part *, parts->count + 1);

	for (size_t i = 0; i < parts->count; i++)
		order[i] = &parts->at[i];
	if (parts->count < 2 || !audit->totals.count)
		return;
	qsort(order, parts->count, sizeof(const Part *), by_minutes);
	fprintf(out, "By %s:\n", grouped ? "group" : "package");
	for (size_t i = 0; i < MIN(parts->count, (size_t)PARTS) && order[i]->minutes > 0; i++)
		fprintf(out,
		        "  %6.1f h %6" PRIu64 " findings %8" PRIu64
		        " lines of code, maintainability %3.0f  %.*s\n",
		        order[i]->minutes / 60, order[i]->findings, order[i]->sloc, order[i]->mi,
		        STR_ARG(order[i]->name.len ? order[i]->name : S(".")));
	if (grouped && audit->groups.outside)
		fprintf(out, "  %" PRIu64 " files are in no group\n", audit->groups.outside);
}

/* Each module has a few lines. */
static void put_all(FILE *out, Arena *a, const Audit *audit, const AuditRules *rules)
{
	Totals t;

	add_up(a, &audit->project, &t);
	put_head(out, audit, rules);
	put_kinds(out, &t);
	put_left_out(out, &audit->project, &t);
	put_complexity(out, &t, rules->cc);
	findings_screen(out, a, audit);
	put_parts(out, a, audit);
	history_screen(out, &audit->told, &audit->project);
	history_step_screen(out, audit);
	trends_screen(out, audit->trends);
	tools_screen(out, audit->tools);
	if (audit->links)
		links_screen(out, audit->links, audit);
	models_screen(out, audit->models, audit);
	clones_screen(out, audit->clones, audit);
	outside_screen(out, audit->outside, audit);
	audit_money_screen(out, a, audit->money);
	if (audit->compare)
		rev_compare_screen(out, a, audit->compare);
}

static void freep(char **text)
{
	free(*text);
}

/* Of Banyan's own rules the one that costs most. */
static const FindingRule *costliest(Arena *a, const Audit *audit)
{
	size_t count;
	const RuleSum *sums = findings_by_rule(a, &audit->findings, &count);

	for (size_t i = 0; i < count; i++)
		if (sums[i].worst && finding_is_own(sums[i].worst))
			return sums[i].rule;
	return NULL;
}

static void put_next(FILE *out, Arena *a, const Audit *audit, bool cut)
{
	const FindingRule *rule = costliest(a, audit);

	fprintf(out, "%sNext:\n", cut ? "" : "\n");
	if (rule)
		fprintf(out, "  banyan audit --explain %s  why %s costs, and what to do about it\n",
		        rule->id, rule->name);
	fprintf(out,
	        "  the same with --html FILE     %s, on a page for a browser (--json: for programs)\n",
	        cut ? "what is cut here" : "every finding with its code");
	fprintf(out,
	        "  banyan gate --update          write down what is there; from then on only what is new fails\n");
}

/* Two lines are left: for the names of files that were written, and the prompt. */
void report_screen(FILE *out, Arena *a, const Audit *audit, const AuditRules *rules)
{
	AUTO(screen_end) Screen screen = { 0 };
	AUTO(freep) char *text = NULL;
	size_t len = 0;
	FILE *whole = open_memstream(&text, &len);

	if (!whole)
		abort();
	put_all(whole, a, audit, rules);
	fclose(whole);
	screen_begin(&screen, out);
	if (screen.to)
		put_next(screen.to, a, audit,
		         report_fit(screen.to, (Str){ text, len }, SCREEN - NEXT));
}
