/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate's verdict in words: what failed first, what to do about it last. */
#include "audit/gate.h"

#include "audit/delta.h"
#include "audit/plural.h"
#include "audit/screen.h"
#include "base/arena.h"
#include "base/json.h"

#include <math.h>

enum { SCREEN_ROWS = 20 };

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

Str gate_budget_text(Arena *a, const Budget *budget, double value)
{
	FigureIn in;

	if (audit_figure_find(budget->name, &in) && in == FIGURE_RATIO)
		return str_fmt(a, "%.4g %%", 100 * value);
	return str_fmt(a, "%.10g", round(value * 100) / 100);
}

static void screen_budgets(FILE *out, Arena *a, const Gate *gate)
{
	if (gate->budget_count)
		fprintf(out, "Budgets:\n");
	for (size_t i = 0; i < gate->budget_count; i++) {
		const GateBudget *g = &gate->budgets[i];

		fprintf(out, "  %.*s: ", STR_ARG(g->budget.name));
		if (g->known)
			fprintf(out, "%.*s of %.*s%s\n",
			        STR_ARG(gate_budget_text(a, &g->budget, g->now)),
			        STR_ARG(gate_budget_text(a, &g->budget, g->budget.most)),
			        g->kept ? "" : ", exceeded");
		else
			fprintf(out, "there is nothing of that name\n");
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

static void screen_verdict(FILE *out, Arena *a, const Gate *gate)
{
	delta_screen(out, a, &gate->delta, SCREEN_ROWS);
	if (gate->failing < gate->delta.fresh_count)
		fprintf(out, "%zu of the new ones are below \"%s\" and do not fail the gate\n",
		        gate->delta.fresh_count - gate->failing,
		        finding_level_name(gate->rules.level));
	if (gate->rules.unread.len)
		fprintf(out, "What %.*s found was not read, and is not compared\n",
		        STR_ARG(gate->rules.unread));
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
	else if (gate->broken)
		fprintf(out,
		        "Mend as much as it is exceeded by (banyan audit --review has what to begin with), or edit the budget in the baseline's file\n");
	else
		fprintf(out, "Change them too, or say --companions warn for this change\n");
}

void gate_screen(FILE *out, Arena *a, const Gate *gate)
{
	AUTO(screen_end) Screen screen = { 0 };

	screen_begin(&screen, out);
	if (screen.to)
		screen_verdict(screen.to, a, gate);
}

void gate_put(JsonWriter *w, const Gate *gate)
{
	json_begin_object(w);
	json_put_bool(w, "passed", gate->passed);
	json_put_str(w, "against", gate->rules.against);
	json_put_str(w, "level", str_of(finding_level_name(gate->rules.level)));
	if (gate->rules.unread.len)
		json_put_str(w, "unread", gate->rules.unread);
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
