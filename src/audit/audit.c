/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit as a whole: files are read, then every module looks at what it needs of them, in the order of a table, and last all findings are put in
 * order and added up. One that cannot do its part says so in it. */
#include "audit/audit.h"

#include "audit/audit_cache.h"
#include "audit/audit_figures.h"
#include "audit/audit_money.h"
#include "audit/history_step.h"
#include "audit/smells.h"
#include "audit/trends.h"
#include "audit/tools.h"
#include "audit/links.h"
#include "audit/models.h"
#include "audit/clones.h"
#include "audit/outside.h"
#include "base/arena.h"
#include "base/time.h"

#include <malloc.h>

static AuditStep total_step;

/* Those that add findings, in an order in which each has what it reads. */
static AuditStep *const finders[] = {
	history_step, links_step,   models_step, smells_step,
	clones_step,  outside_step, trends_step, tools_step,
};
/* Then, when all findings are there. */
static AuditStep *const closers[] = {
	ignores_apply,
	total_step,
	audit_money_step,
};

/* --- the sums -------------------------------------------------------------------------------------------------------------------------------- */

static void add_up(const Findings *findings, AuditTotals *t)
{
	for (size_t i = 0; i < findings->count; i++) {
		const Finding *f = &findings->at[i];
		double minutes = finding_minutes(f);

		if (f->ignored_why.len) {
			t->ignored++;
			continue;
		}
		t->count++;
		t->by_class[f->rule->class]++;
		t->by_level[f->rule->level]++;
		t->minutes += minutes;
		t->minutes_by_class[f->rule->class] += minutes;
	}
}

static Err *total_step(Arena *a, const AuditRules *rules, Audit *audit)
{
	const Project *p = &audit->project;
	AuditTotals *t = &audit->totals;
	uint64_t lines = 0;

	findings_sort(&audit->findings);
	add_up(&audit->findings, t);
	for (size_t i = 0; i < p->count; i++)
		if (p->files[i].kind == SOURCE_CODE)
			lines += p->files[i].measures.lines.sloc;
	t->ratio = lines ? t->minutes / ((double)lines * AUDIT_LINE_MINUTES) : -1;
	t->rating = (char)(lines ? audit_figure_rating(t->ratio) : 0);
	parts_by_package(a, p, &audit->packages);
	parts_sum(&audit->packages, p, &audit->history, &audit->findings);
	parts_by_group(a, p, rules->conf, &audit->groups);
	parts_sum(&audit->groups, p, &audit->history, &audit->findings);
	return NULL;
}

/* What the configuration does not want to hear of. */
static void drop_off(const AuditRules *rules, Findings *list)
{
	size_t kept = 0;

	for (size_t i = 0; rules->conf->off.count && i < list->count; i++)
		if (!audit_rule_is_off(rules, list->at[i].rule->id, list->at[i].rule->name))
			list->at[kept++] = list->at[i];
	if (rules->conf->off.count)
		list->count = kept;
}

static void file_progress(void *arg, size_t done, size_t of)
{
	audit_progress(arg, "files", done, of);
}

/* Memory that goes back to the system comes again as pages to be cleared, and an audit asks for the same amounts again and again. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 4 << 20);
}

Err *audit_all(Arena *a, const AuditRules *rules, Audit *out)
{
	const ProjectRules reading = {
		.sources = { .roots = rules->roots,
		             .root_count = rules->root_count,
		             .exclude = rules->exclude,
		             .exclude_count = rules->exclude_count,
		             .all = rules->all },
		.cc = rules->cc,
		.from = rules->from,
		.cache = rules->cache,
		.progress = rules->progress ? file_progress : NULL,
		.arg = (void *)rules,
	};
	int64_t from_us = time_mono_us();

	*out = (Audit){ 0 };
	keep_memory();
	TRY(project_read(a, rules->root, &reading, &out->project));
	for (size_t i = 0; i < COUNT(finders); i++)
		TRY(finders[i](a, rules, out));
	drop_off(rules, &out->findings);
	for (size_t i = 0; i < COUNT(closers); i++)
		TRY(closers[i](a, rules, out));
	audit_cache_store(rules->cache);
	out->taken_us = time_mono_us() - from_us;
	return NULL;
}

void audit_fini(Audit *audit)
{
	project_fini(&audit->project);
	*audit = (Audit){ 0 };
}
