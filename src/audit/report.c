/* SPDX-License-Identifier: Apache-2.0
 *
 * The report on a screen fits on one: what was read and what not, how large it is, how complex, and where that sits. */
#include "audit/report.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

#include <stdlib.h>

enum { WORST = 10, RANKS = 6 };

static const char *const rules_names[] = {
	[CC_RADON] = "radon", [CC_MCCABE] = "mccabe", [CC_SONAR] = "sonar"
};

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

void report_screen(FILE *out, Arena *a, const Project *p, CcRules rules)
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
	        t.functions, t.classes, rules_names[rules]);
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

/* --- JSON ---------------------------------------------------------------------------------------------------------------------------- */

static void put_unit(JsonWriter *w, const Unit *unit)
{
	json_begin_object(w);
	json_put_str(w, "kind",
	             unit->kind == UNIT_CLASS ? S("class")
	             : unit->method           ? S("method")
	                                      : S("function"));
	json_put_str(w, "name", unit->name);
	json_put_u64(w, "line", unit->line);
	json_put_u64(w, "end_line", unit->end_line);
	if (unit->parent != UNIT_NONE)
		json_put_u64(w, "parent", unit->parent);
	json_put_u64(w, "cc", unit->kind == UNIT_CLASS ? class_cc_shown(unit) : unit->cc);
	json_put_u64(w, "cognitive", unit->cognitive);
	if (unit->kind == UNIT_CLASS) {
		json_put_u64(w, "methods", unit->methods);
		json_put_u64(w, "lcom4", unit->lcom4);
		json_put_u64(w, "cc_real", unit->cc);
	} else {
		json_put_u64(w, "nesting", unit->nesting);
		json_put_u64(w, "arguments", unit->arguments);
		json_put_u64(w, "statements", unit->statements);
	}
	json_end(w);
}

static void put_lines(JsonWriter *w, const LineCounts *lines)
{
	json_key(w, S("lines"));
	json_begin_object(w);
	json_put_u64(w, "loc", lines->loc);
	json_put_u64(w, "lloc", lines->lloc);
	json_put_u64(w, "sloc", lines->sloc);
	json_put_u64(w, "comments", lines->comments);
	json_put_u64(w, "multi", lines->multi);
	json_put_u64(w, "blank", lines->blank);
	json_put_u64(w, "single_comments", lines->single_comments);
	json_end(w);
}

static void put_file(JsonWriter *w, const AuditFile *file)
{
	const Measures *m = &file->measures;

	json_begin_object(w);
	json_put_str(w, "path", file->path);
	json_put_str(w, "kind", str_of(source_kind_name(file->kind)));
	put_lines(w, &m->lines);
	json_put_u64(w, "cc", m->cc);
	json_put_u64(w, "cognitive", m->cognitive);
	json_put_real(w, "mi", m->mi);
	json_key(w, S("halstead"));
	json_begin_object(w);
	json_put_u64(w, "h1", m->halstead.h1);
	json_put_u64(w, "h2", m->halstead.h2);
	json_put_u64(w, "n1", m->halstead.n1);
	json_put_u64(w, "n2", m->halstead.n2);
	json_put_real(w, "volume", m->volume);
	json_end(w);
	if (file->errors) {
		json_put_u64(w, "errors", file->errors);
		json_put_u64(w, "error_line", file->error_line);
	}
	json_key(w, S("units"));
	json_begin_array(w);
	for (uint32_t i = 0; i < m->unit_count; i++)
		put_unit(w, &m->units[i]);
	json_end(w);
	json_end(w);
}

void report_json(Buf *out, const Project *p, CcRules rules, const HistoryFindings *history)
{
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_put_i64(&w, "version", 1);
	json_put_str(&w, "root", p->sources.root);
	json_put_str(&w, "cc_rules", str_of(rules_names[rules]));
	json_put_bool(&w, "git", p->sources.git);
	json_key(&w, S("left_out"));
	json_begin_array(&w);
	for (size_t why = 0; why < SKIPS; why++) {
		if (!p->sources.skipped[why])
			continue;
		json_begin_object(&w);
		json_put_str(&w, "why", str_of(skip_why_text(why)));
		json_put_u64(&w, "count", p->sources.skipped[why]);
		json_key(&w, S("examples"));
		json_begin_array(&w);
		for (size_t i = 0; i < p->sources.example_count; i++)
			if (p->sources.examples[i].why == why)
				json_add_str(&w, p->sources.examples[i].path);
		json_end(&w);
		json_end(&w);
	}
	json_end(&w);
	json_key(&w, S("files"));
	json_begin_array(&w);
	for (size_t i = 0; i < p->count; i++)
		put_file(&w, &p->files[i]);
	json_end(&w);
	json_key(&w, S("history"));
	history_put(&w, history);
	json_end(&w);
}
