/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON: one object, whose members are the modules' own values. What is unknown is null or not there, never a zero. */
#include "audit/report.h"

#include "audit/audit_cache.h"
#include "audit/audit_money.h"
#include "audit/rev_compare.h"
#include "audit/finding_report.h"
#include "audit/history_step.h"
#include "audit/trends.h"
#include "audit/tools.h"
#include "audit/links.h"
#include "audit/models.h"
#include "audit/clones.h"
#include "audit/outside.h"
#include "base/json.h"
#include "base/time.h"

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

static void put_left_out(JsonWriter *w, const Sources *s)
{
	json_key(w, S("left_out"));
	json_begin_array(w);
	for (size_t why = 0; why < SKIPS; why++) {
		if (!s->skipped[why])
			continue;
		json_begin_object(w);
		json_put_str(w, "why", str_of(skip_why_text(why)));
		json_put_u64(w, "count", s->skipped[why]);
		json_key(w, S("examples"));
		json_begin_array(w);
		for (size_t i = 0; i < s->example_count; i++)
			if (s->examples[i].why == why)
				json_add_str(w, s->examples[i].path);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static void put_parts(JsonWriter *w, const char *key, const Parts *parts)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (size_t i = 0; i < parts->count; i++) {
		const Part *part = &parts->at[i];

		json_begin_object(w);
		json_put_str(w, "name", part->name);
		json_put_u64(w, "files", part->files);
		json_put_u64(w, "functions", part->functions);
		json_put_u64(w, "classes", part->classes);
		json_put_u64(w, "loc", part->loc);
		json_put_u64(w, "sloc", part->sloc);
		json_put_u64(w, "cc", part->cc);
		json_put_u64(w, "cognitive", part->cognitive);
		json_put_real(w, "mi", part->mi);
		json_put_u64(w, "findings", part->findings);
		json_put_real(w, "minutes", part->minutes);
		json_put_u64(w, "changes", part->changes);
		json_put_u64(w, "fixes", part->fixes);
		json_end(w);
	}
	json_end(w);
}

static void put_project(JsonWriter *w, const Project *p, CcRules cc)
{
	json_put_str(w, "root", p->sources.root);
	json_put_str(w, "cc_rules", str_of(audit_cc_words[cc].name));
	json_put_bool(w, "git", p->sources.git);
	put_left_out(w, &p->sources);
	json_key(w, S("files"));
	json_begin_array(w);
	for (size_t i = 0; i < p->count; i++)
		put_file(w, &p->files[i]);
	json_end(w);
}

static void put_cache(JsonWriter *w, const Project *p, const AuditRules *rules)
{
	AuditCacheFigures kept = audit_cache_figures(rules->cache);

	json_key(w, S("cache"));
	if (!rules->cache) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_u64(w, "files_known", p->known);
	json_put_u64(w, "files_read", p->count - p->known);
	if (kept.trouble.len)
		json_put_str(w, "trouble", kept.trouble);
	json_end(w);
}

void report_json(Buf *out, const Audit *audit, const AuditRules *rules)
{
	JsonWriter writer = json_writer(out), *w = &writer;

	json_begin_object(w);
	json_put_i64(w, "version", 1);
	json_put_real(w, "taken_s", (double)audit->taken_us / US_PER_S);
	put_cache(w, &audit->project, rules);
	put_project(w, &audit->project, rules->cc);
	put_parts(w, "packages", &audit->packages);
	put_parts(w, "groups", &audit->groups);
	json_key(w, S("totals"));
	findings_put_totals(w, &audit->totals);
	json_key(w, S("rules"));
	findings_put_rules(w, &audit->findings);
	json_key(w, S("findings"));
	findings_put(w, &audit->findings);
	json_key(w, S("history"));
	history_put(w, &audit->told);
	json_key(w, S("past"));
	history_step_put(w, audit);
	json_key(w, S("trends"));
	trends_put(w, audit->trends);
	json_key(w, S("tools"));
	tools_put(w, audit->tools);
	if (audit->compare) {
		json_key(w, S("compare"));
		rev_compare_put(w, audit->compare);
	}
	if (audit->links) {
		json_key(w, S("links"));
		links_put(w, audit->links, audit);
	}
	json_key(w, S("models"));
	models_put(w, audit->models, audit);
	json_key(w, S("clones"));
	clones_put(w, audit->clones, &audit->project);
	json_key(w, S("outside"));
	outside_put(w, audit->outside, &audit->project);
	json_key(w, S("money"));
	audit_money_put(w, audit->money);
	json_key(w, S("principal_a_line"));
	audit_money_put_sanity(w, audit->money);
	json_end(w);
}
