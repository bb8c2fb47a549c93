/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of findings. Minutes are SQALE's: what it takes to mend, which is the principal of the debt; its interest is in the money's part.
 * Rules are told apart by id, as those of other tools may come as a row each. */
#include "audit/finding_report.h"

#include "audit/baseline.h"
#include "audit/plural.h"
#include "base/arena.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_SHOWN = 5 };

static int by_minutes(const void *x, const void *y)
{
	const RuleSum *p = x, *q = y;

	if (p->minutes < q->minutes || p->minutes > q->minutes)
		return p->minutes < q->minutes ? 1 : -1;
	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return strcmp(p->rule->id, q->rule->id);
}

RuleSum *findings_by_rule(Arena *a, const Findings *findings, size_t *count)
{
	AUTO(map_fini) Map known = { 0 };
	RuleSum *sums = NULL;
	size_t room = 0, n = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const Finding *f = &findings->at[i];
		Str id = str_of(f->rule->id);
		size_t at = (size_t)map_get(&known, id);
		RuleSum *sum;

		if (!at) {
			if (n == room) {
				RuleSum *more = ARENA_ARRAY(a, RuleSum, room = 2 * room + 64);

				if (n)
					memcpy(more, sums, n * sizeof(*sums));
				sums = more;
			}
			sums[n++] = (RuleSum){ .rule = f->rule };
			at = n;
			map_put(&known, id, (void *)at);
		}
		sum = &sums[at - 1];
		if (f->ignored_why.len) {
			sum->ignored++;
			continue;
		}
		sum->count++;
		sum->minutes += finding_minutes(f);
		if (!sum->worst || finding_minutes(f) > finding_minutes(sum->worst))
			sum->worst = f;
	}
	if (n)
		qsort(sums, n, sizeof(*sums), by_minutes);
	*count = n;
	return sums;
}

/* --- the screen ---------------------------------------------------------------------------------------------------------------------------------- */

/* Minutes where hours would be none. */
static void put_time(FILE *out, double minutes)
{
	if (minutes < 59.5)
		fprintf(out, "%.0f min", minutes);
	else
		fprintf(out, minutes < 600 ? "%.1f h" : "%.0f h", minutes / 60);
}

static void screen_total(FILE *out, const AuditTotals *t)
{
	fprintf(out, "\n%" PRIu64 " finding%s, ", t->count, plural(t->count));
	put_time(out, t->minutes);
	fputs(" to mend", out);
	if (t->ratio >= 0)
		fprintf(out, ": %.1f %% of what the code takes to write (SQALE rating %c)",
		        100 * t->ratio, t->rating);
	if (t->ignored)
		fprintf(out, "; %" PRIu64 " more %s ignored", t->ignored,
		        t->ignored == 1 ? "is" : "are");
	fprintf(out, "\n  ");
	for (size_t i = 0, some = 0; i < FINDING_CLASSES; i++) {
		if (!t->by_class[i])
			continue;
		fprintf(out, "%s%s %" PRIu64 " (", some++ ? ", " : "", finding_class_name(i),
		        t->by_class[i]);
		put_time(out, t->minutes_by_class[i]);
		fputc(')', out);
	}
	fputc('\n', out);
}

void findings_screen(FILE *out, Arena *a, const Audit *audit)
{
	size_t count;
	const RuleSum *sums = findings_by_rule(a, &audit->findings, &count);

	if (!audit->totals.count) {
		fprintf(out, "\nNo findings%s.\n",
		        audit->totals.ignored ? " but those that are ignored" : "");
		return;
	}
	screen_total(out, &audit->totals);
	for (size_t i = 0; i < MIN(count, (size_t)RULES_SHOWN) && sums[i].worst; i++) {
		const Finding *f = sums[i].worst;

		fprintf(out, "  %6.1f h %6" PRIu64 " %s %s, worst %.*s", sums[i].minutes / 60,
		        sums[i].count, sums[i].rule->id, sums[i].rule->name,
		        STR_ARG(f->path.len ? f->path : f->text));
		if (f->line)
			fprintf(out, ":%u", f->line);
		fputc('\n', out);
	}
}

/* --- JSON -------------------------------------------------------------------------------------------------------------------------------------------- */

void findings_put_totals(JsonWriter *w, const AuditTotals *t)
{
	json_begin_object(w);
	json_put_u64(w, "count", t->count);
	json_put_u64(w, "ignored", t->ignored);
	json_put_real(w, "minutes", t->minutes);
	json_key(w, S("ratio"));
	if (t->ratio < 0)
		json_add_null(w);
	else
		json_add_real(w, t->ratio);
	json_key(w, S("rating"));
	if (t->rating)
		json_add_str(w, (Str){ &t->rating, 1 });
	else
		json_add_null(w);
	json_key(w, S("by_class"));
	json_begin_object(w);
	for (size_t i = 0; i < FINDING_CLASSES; i++) {
		json_key(w, str_of(finding_class_name(i)));
		json_begin_object(w);
		json_put_u64(w, "count", t->by_class[i]);
		json_put_real(w, "minutes", t->minutes_by_class[i]);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("by_level"));
	json_begin_object(w);
	for (size_t i = 0; i < FINDING_LEVELS; i++)
		json_put_u64(w, finding_level_name(i), t->by_level[i]);
	json_end(w);
	json_end(w);
}

void findings_put_rules(JsonWriter *w, const Findings *findings)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	size_t count;
	const RuleSum *sums = findings_by_rule(a, findings, &count);

	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		const FindingRule *rule = sums[i].rule;

		json_begin_object(w);
		json_put_str(w, "id", str_of(rule->id));
		json_put_str(w, "name", str_of(rule->name));
		json_put_str(w, "class", str_of(finding_class_name(rule->class)));
		json_put_str(w, "level", str_of(finding_level_name(rule->level)));
		json_put_str(w, "summary", str_of(rule->summary));
		json_put_str(w, "why", str_of(rule->why));
		json_put_real(w, "base_minutes", rule->base_minutes);
		json_put_real(w, "each_minutes", rule->each_minutes);
		json_put_u64(w, "count", sums[i].count);
		json_put_real(w, "minutes", sums[i].minutes);
		json_end(w);
	}
	json_end(w);
}

static void put_one(JsonWriter *w, const Finding *f)
{
	char print[16];

	str_put_hex(print, baseline_print(f), sizeof(print));
	json_begin_object(w);
	json_put_str(w, "rule", str_of(f->rule->id));
	json_put_str(w, "path", f->path);
	if (f->line) {
		json_put_u64(w, "line", f->line);
		json_put_u64(w, "end_line", MAX(f->line, f->end_line));
	}
	if (f->unit.len)
		json_put_str(w, "unit", f->unit);
	json_put_str(w, "text", f->text);
	json_put_real(w, "minutes", finding_minutes(f));
	json_put_str(w, "print", (Str){ print, sizeof(print) });
	if (f->path_count) {
		json_key(w, S("paths"));
		json_begin_array(w);
		for (size_t i = 0; i < f->path_count; i++)
			json_add_str(w, f->paths[i]);
		json_end(w);
	}
	if (f->ignored_why.len)
		json_put_str(w, "ignored", f->ignored_why);
	json_end(w);
}

void findings_put(JsonWriter *w, const Findings *findings)
{
	json_begin_array(w);
	for (size_t i = 0; i < findings->count; i++)
		put_one(w, &findings->at[i]);
	json_end(w);
}
