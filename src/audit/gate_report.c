/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate's verdict in words: what failed first, what to do about it last. */
#include "audit/gate.h"

#include "audit/delta.h"
#include "base/arena.h"
#include "base/json.h"

enum { SCREEN_ROWS = 20 };

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

Str gate_why(Arena *a, const Gate *gate)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (gate->failing)
		buf_fmt(&b, "%zu new finding%s", gate->failing, plural(gate->failing));
	if (gate->broken)
		buf_fmt(&b, "%s%zu budget%s", b.len ? ", " : "", gate->broken,
		        gate->broken == 1 ? " is exceeded" : "s are exceeded");
	if (gate->rules.companions == GATE_FAIL && gate->companions.count)
		buf_fmt(&b, "%s%zu file%s missing that usually change%s too", b.len ? ", " : "",
		        gate->companions.count, plural(gate->companions.count),
		        gate->companions.count == 1 ? "s" : "");
	return str_dup(a, buf_str(&b));
}

static void screen_budgets(FILE *out, Arena *a, const Gate *gate)
{
	if (!gate->budget_count)
		return;
	fprintf(out, "Budgets:\n");
	for (size_t i = 0; i < gate->budget_count; i++) {
		const GateBudget *g = &gate->budgets[i];
		FigureIn in;
		bool figure = audit_figure_find(g->budget.name, &in);
		Str most = audit_figure_value(a, figure ? in : FIGURE_FINDINGS, g->budget.most);

		if (!g->known) {
			fprintf(out, "  %.*s: there is nothing of that name\n",
			        STR_ARG(g->budget.name));
			continue;
		}
		fprintf(out, "  %-16.*s %10.*s of %.*s%s\n", STR_ARG(g->budget.name),
		        STR_ARG(audit_figure_value(a, figure ? in : FIGURE_FINDINGS, g->now)),
		        STR_ARG(most), g->kept ? "" : "  exceeded");
	}
}

static void screen_companions(FILE *out, const Gate *gate)
{
	if (!gate->companions.count || gate->rules.companions == GATE_OFF)
		return;
	fprintf(out, "Usually changed too, and not here:\n");
	for (size_t i = 0; i < MIN(gate->companions.count, (size_t)SCREEN_ROWS); i++) {
		const Companion *c = &gate->companions.at[i];

		fprintf(out, "  %.*s: with %.*s in %u of its %u changes\n", STR_ARG(c->absent),
		        STR_ARG(c->changed), c->shared, c->of);
	}
	if (gate->companions.count > SCREEN_ROWS)
		fprintf(out, "  and %zu more\n", gate->companions.count - SCREEN_ROWS);
}

void gate_screen(FILE *out, Arena *a, const Gate *gate)
{
	delta_screen(out, a, &gate->delta, SCREEN_ROWS);
	if (gate->failing < gate->delta.fresh_count)
		fprintf(out, "%zu of the new ones are below \"%s\" and do not fail the gate\n",
		        gate->delta.fresh_count - gate->failing,
		        finding_level_name(gate->rules.level));
	screen_budgets(out, a, gate);
	screen_companions(out, gate);
	if (gate->passed) {
		fprintf(out, "The gate is open: nothing is worse than in %.*s\n",
		        STR_ARG(gate->rules.against));
		return;
	}
	fprintf(out, "The gate is shut: %.*s\n", STR_ARG(gate_why(a, gate)));
	if (gate->failing)
		fprintf(out,
		        "Mend them, or say beside one why it is meant: # banyan: ignore RULE why\n");
}

void gate_put(JsonWriter *w, const Gate *gate)
{
	json_begin_object(w);
	json_put_bool(w, "passed", gate->passed);
	json_put_str(w, "against", gate->rules.against);
	json_put_str(w, "level", str_of(finding_level_name(gate->rules.level)));
	json_put_u64(w, "failing", gate->failing);
	delta_put(w, &gate->delta);
	json_key(w, S("budgets"));
	json_begin_array(w);
	for (size_t i = 0; i < gate->budget_count; i++) {
		json_begin_object(w);
		json_put_str(w, "name", gate->budgets[i].budget.name);
		json_put_real(w, "most", gate->budgets[i].budget.most);
		if (gate->budgets[i].known)
			json_put_real(w, "now", gate->budgets[i].now);
		json_put_bool(w, "kept", gate->budgets[i].kept);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("companions"));
	json_begin_array(w);
	for (size_t i = 0; i < gate->companions.count; i++) {
		const Companion *c = &gate->companions.at[i];

		json_begin_object(w);
		json_put_str(w, "changed", c->changed);
		json_put_str(w, "missing", c->absent);
		json_put_u64(w, "shared", c->shared);
		json_put_u64(w, "of", c->of);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("figures"));
	audit_figures_put(w, &gate->figures);
	json_end(w);
}
