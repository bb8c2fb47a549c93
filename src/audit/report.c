/* SPDX-License-Identifier: Apache-2.0
 *
 * The report on a screen fits on one: what was read and what not, how large it is, how complex, and where that sits. */
#include "audit/report.h"

#include "audit/audit_money.h"
#include "audit/finding_report.h"
#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>

enum { WORST = 10, RANKS = 6 };

typedef struct Worst {
	const AuditFile *file;
	const Unit *unit;
} Worst;

typedef struct Totals {
	uint64_t files[SOURCE_KINDS], loc[SOURCE_KINDS], sloc[SOURCE_KINDS];
	uint64_t functions, classes, ranks[RANKS], lines_of_rank[RANKS];
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
		t->lines_of_rank[rank] += unit->end_line - unit->line + 1;
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

static void put_left_out(FILE *out, const Project *p, const Totals *t)
{
	for (size_t why = 0; why < SKIPS; why++) {
		if (!p->sources.skipped[why])
			continue;
		fprintf(out, "  left out: %" PRIu64 " %s", p->sources.skipped[why],
		        skip_why_text(why));
		for (size_t i = 0; i < p->sources.example_count; i++)
			if (p->sources.examples[i].why == why) {
				fprintf(out, " (%.*s%s)", STR_ARG(p->sources.examples[i].path),
				        p->sources.skipped[why] > 1 ? ", ..." : "");
				break;
			}
		fputc('\n', out);
	}
	if (t->broken)
		fprintf(out,
		        "  %" PRIu64
		        " files have places that are not Python (--json names them); the rest of them was read\n",
		        t->broken);
}

static void screen_sizes(FILE *out, Arena *a, const Project *p, CcRules rules)
{
	Totals t;

	add_up(a, p, &t);
	fprintf(out, "%zu files of Python in %.*s, read in %.1f s\n", p->count,
	        STR_ARG(p->sources.root), (double)p->taken_us / US_PER_S);
	for (size_t kind = 0; kind < SOURCE_KINDS; kind++)
		if (t.files[kind])
			fprintf(out,
			        "  %-10s %7" PRIu64 " files %9" PRIu64 " lines, %9" PRIu64
			        " of code\n",
			        source_kind_name(kind), t.files[kind], t.loc[kind], t.sloc[kind]);
	put_left_out(out, p, &t);
	fprintf(out,
	        "\n%" PRIu64 " functions and methods, %" PRIu64
	        " classes. Cyclomatic complexity as %s counts it:\n",
	        t.functions, t.classes, audit_cc_words[rules].name);
	for (int i = 0; i < RANKS; i++)
		if (t.ranks[i])
			fprintf(out, "  %c %7" PRIu64 " functions %5.1f %% %9" PRIu64 " lines\n",
			        'A' + i, t.ranks[i],
			        100.0 * (double)t.ranks[i] / (double)t.functions,
			        t.lines_of_rank[i]);
	if (t.count)
		fprintf(out,
		        "\nHardest to read (cognitive complexity, Sonar's; 15 is its limit):\n  cognitive    cc lines\n");
	for (size_t i = 0; i < MIN(t.count, (size_t)WORST); i++) {
		const Worst *w = &t.all[i];

		fprintf(out, "  %9u %5u %5u  %.*s  %.*s:%u\n", w->unit->cognitive, w->unit->cc,
		        w->unit->end_line - w->unit->line + 1, STR_ARG(w->unit->name),
		        STR_ARG(w->file->path), w->unit->line);
	}
}

/* Each module has a few lines; together with what stands above they fit a screen. */
void report_screen(FILE *out, Arena *a, const Audit *audit, const AuditRules *rules)
{
	screen_sizes(out, a, &audit->project, rules->cc);
	findings_screen(out, a, audit);
	history_screen(out, &audit->told, &audit->project);
	/* links_screen, models_screen, clones_screen, outside_screen, trends_screen */
	audit_money_screen(out, a, audit->money);
}
