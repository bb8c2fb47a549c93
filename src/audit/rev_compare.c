/* SPDX-License-Identifier: Apache-2.0
 *
 * Two audits by the same rules. The other one's files come from git's objects (rev_source.c); those whose content is the same are found in the cache
 * by it, so a comparison costs little more than what changed. Of the other audit only its baseline and its figures stay. */
#include "audit/rev_compare.h"

#include "audit/audit_conf.h"
#include "audit/delta.h"
#include "audit/rev_source.h"
#include "base/arena.h"
#include "base/json.h"

enum { SCREEN_ROWS = 15 };

static void audit_finip(Audit *audit)
{
	audit_fini(audit);
}

/* Those that both audits can have: what is said of today's packages and of the history is no part of a revision. */
static Findings own_findings(Arena *a, const Findings *all)
{
	Findings own = { .at = ARENA_ARRAY(a, Finding, all->count + 1) };

	for (size_t i = 0; i < all->count; i++)
		if (finding_has_past(&all->at[i]))
			own.at[own.count++] = all->at[i];
	own.room = own.count;
	return own;
}

static Baseline kept(Arena *a, const Baseline *b)
{
	Baseline copy = { .rows = ARENA_ARRAY(a, BaselineRow, b->count + 1), .count = b->count };

	for (size_t i = 0; i < b->count; i++) {
		BaselineRow *row = &copy.rows[i];

		*row = b->rows[i];
		row->files = ARENA_ARRAY(a, BaselineFile, row->file_count + 1);
		for (uint32_t k = 0; k < row->file_count; k++)
			row->files[k] = (BaselineFile){ str_dup(a, b->rows[i].files[k].path),
				                        b->rows[i].files[k].count };
	}
	return copy;
}

Err *rev_compare_with(Arena *a, const AuditRules *rules, const Audit *audit, RevSource *rev,
                      Str name, RevCompare *out)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	AUTO(audit_finip) Audit other = { 0 };
	Audit ours = *audit;
	AuditRules those = *rules;
	Baseline was;
	uint64_t missing;
	Err *err;

	*out = (RevCompare){ .rev = name, .id = rev_source_id(rev) };
	those.from = rev_source_files(rev);
	those.no_history = true;
	those.with_count = those.coverage_count = those.test_count = those.build_count = 0;
	those.trends = 0;
	those.deep = false;
	err = audit_all(scratch, &those, &other);
	missing = other.project.sources.skipped[SKIP_UNREADABLE];
	if (missing)
		return err_new(
			a, ERR_NOT_FOUND, "audit.object",
			"%" PRIu64
			" files of %.*s are not in this clone, so it cannot be told what is new: "
			"fetch it whole, or record a baseline",
			missing, STR_ARG(name));
	if (err)
		return err_because(a, err_copy(a, err), err->kind, err->slug,
		                   "%.*s could not be audited", STR_ARG(name));
	ours.findings = own_findings(scratch, &audit->findings);
	other.findings = own_findings(scratch, &other.findings);
	audit_figures_take(&other, &out->before);
	audit_figures_take(&ours, &out->now);
	baseline_of(scratch, &other.findings, &was);
	out->was = kept(a, &was);
	baseline_match(a, &out->was, &audit->findings, true, &out->delta);
	return NULL;
}

Err *rev_compare_audit(Arena *a, const AuditRules *rules, Str rev, Audit *audit)
{
	RevCompare *compare = ARENA_NEW(a, RevCompare);
	RevSource *source;

	TRY(rev_source_open(a, rules->root, rev, false, &source));
	TRY(rev_compare_with(a, rules, audit, source, rev, compare));
	audit->compare = compare;
	return NULL;
}

/* --- what is said ------------------------------------------------------------------------------------------------------------------------------------ */

static bool differs(double x, double y)
{
	return x - y > 1e-9 || y - x > 1e-9;
}

void rev_compare_screen(FILE *out, Arena *a, const RevCompare *c)
{
	fprintf(out, "\nCompared with %.*s (%.*s):\n", STR_ARG(c->rev), STR_ARG(c->id));
	for (FigureIn in = 0; in < FIGURES; in++) {
		Str before, now;

		if (!differs(c->before.at[in], c->now.at[in]))
			continue;
		before = audit_figure_value(a, in, c->before.at[in]);
		now = audit_figure_value(a, in, c->now.at[in]);
		fprintf(out, "  %-44s %10.*s -> %.*s\n", audit_figure_text(in), STR_ARG(before),
		        STR_ARG(now));
	}
	delta_screen(out, a, &c->delta, SCREEN_ROWS);
}

void rev_compare_put(JsonWriter *w, const RevCompare *c)
{
	json_begin_object(w);
	json_put_str(w, "rev", c->rev);
	json_put_str(w, "id", c->id);
	delta_put(w, &c->delta);
	json_key(w, S("figures"));
	json_begin_object(w);
	for (FigureIn in = 0; in < FIGURES; in++) {
		json_key(w, str_of(audit_figure_name(in)));
		json_begin_object(w);
		json_put_real(w, "before", c->before.at[in]);
		json_put_real(w, "now", c->now.at[in]);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}
