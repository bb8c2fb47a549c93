/* SPDX-License-Identifier: Apache-2.0
 *
 * A judge as JSON, for a restart in the middle of a step and for the other gateways. Open batches are part of it. */
#include "shift/judge_int.h"

#include "shift/figures.h"

#include <string.h>

static const char *const kinds[JUDGE_KINDS] = {
	[JUDGE_ERRORS] = "errors",   [JUDGE_LATENCY] = "latency", [JUDGE_MISMATCH] = "mismatch",
	[JUDGE_WITHOUT] = "without", [JUDGE_WITH] = "with",       [JUDGE_RISE] = "rise",
};

static const char *const sides[JUDGE_SIDES] = { [JUDGE_OLD] = "old", [JUDGE_NEW] = "new" };

static const Figure rule_figures[] = {
	{ "weight", FIGURE_REAL, offsetof(JudgeRule, weight) },
	{ "margin", FIGURE_REAL, offsetof(JudgeRule, margin) },
	{ "prove", FIGURE_REAL, offsetof(JudgeRule, prove) },
	{ "threshold_us", FIGURE_I64, offsetof(JudgeRule, threshold_us) },
};

static const Figure step_figures[] = {
	{ "share", FIGURE_SHARE, offsetof(JudgeStep, share) },
	{ "since_us", FIGURE_I64, offsetof(JudgeStep, since_us) },
	{ "hold_us", FIGURE_I64, offsetof(JudgeStep, hold_us) },
	{ "requests", FIGURE_U64, offsetof(JudgeStep, requests) },
};

static void put_counts(JsonWriter *w, const char *key, const uint64_t counts[JUDGE_SIDES])
{
	json_key(w, str_of(key));
	json_begin_object(w);
	for (unsigned side = 0; side < JUDGE_SIDES; side++)
		json_put_u64(w, sides[side], counts[side]);
	json_end(w);
}

static void put_tallies(JsonWriter *w, const char *key, const JudgeTally tallies[JUDGE_SIDES])
{
	json_key(w, str_of(key));
	json_begin_object(w);
	for (unsigned side = 0; side < JUDGE_SIDES; side++) {
		json_key(w, str_of(sides[side]));
		json_begin_object(w);
		json_put_u64(w, "n", tallies[side].requests);
		json_put_u64(w, "events", tallies[side].events);
		json_end(w);
	}
	json_end(w);
}

static void put_metric(JsonWriter *w, const JudgeMetric *metric)
{
	json_begin_object(w);
	json_put_str(w, "name", str_of(metric->rule.name));
	json_put_str(w, "kind", str_of(kinds[metric->rule.kind]));
	figures_put(w, rule_figures, COUNT(rule_figures), &metric->rule);
	json_put_real(w, "alpha", metric->alpha);
	put_tallies(w, "judged", metric->judged);
	put_tallies(w, "batch", metric->batch);
	put_counts(w, "in_step", metric->in_step);
	json_key(w, S("worse"));
	evidence_put(w, &metric->worse);
	json_key(w, S("fine"));
	evidence_put(w, &metric->fine);
	json_put_bool(w, "back", metric->back);
	json_end(w);
}

void judge_put(JsonWriter *w, const Judge *judge)
{
	json_begin_object(w);
	json_put_real(w, "alpha", judge->alpha);
	json_key(w, S("metrics"));
	json_begin_array(w);
	for (unsigned i = 0; i < judge->count; i++)
		put_metric(w, &judge->metrics[i]);
	json_end(w);
	json_key(w, S("step"));
	json_begin_object(w);
	figures_put(w, step_figures, COUNT(step_figures), &judge->step);
	json_end(w);
	put_counts(w, "requests", judge->requests);
	put_counts(w, "uncounted", judge->uncounted);
	json_key(w, S("ratio"));
	ratio_put(w, &judge->ratio);
	json_put_bool(w, "full", judge->full);
	json_end(w);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static bool read_counts(const Json *from, const char *key, uint64_t counts[JUDGE_SIDES])
{
	const Json *object = json_get(from, str_of(key));

	return figures_get_u64(object, sides[JUDGE_OLD], &counts[JUDGE_OLD]) &&
	       figures_get_u64(object, sides[JUDGE_NEW], &counts[JUDGE_NEW]);
}

static bool read_tallies(const Json *from, const char *key, JudgeTally tallies[JUDGE_SIDES])
{
	const Json *object = json_get(from, str_of(key));

	for (unsigned side = 0; side < JUDGE_SIDES; side++) {
		const Json *tally = json_get(object, str_of(sides[side]));

		if (!figures_get_u64(tally, "n", &tallies[side].requests) ||
		    !figures_get_u64(tally, "events", &tallies[side].events))
			return false;
	}
	return true;
}

static bool read_kind(const Json *from, JudgeKind *kind)
{
	Str name;

	if (!json_to_str(json_get(from, S("kind")), &name))
		return false;
	for (unsigned i = 0; i < JUDGE_KINDS; i++) {
		if (str_eq(name, str_of(kinds[i]))) {
			*kind = (JudgeKind)i;
			return true;
		}
	}
	return false;
}

static bool read_rule(const Json *from, JudgeRule *rule)
{
	Str name;

	if (!json_to_str(json_get(from, S("name")), &name) || name.len >= JUDGE_NAME_BYTES)
		return false;
	memcpy(rule->name, name.at, name.len);
	rule->name[name.len] = '\0';
	return read_kind(from, &rule->kind) &&
	       figures_get(from, rule_figures, COUNT(rule_figures), rule);
}

static Err *read_metric(Arena *a, const Json *from, JudgeMetric *out)
{
	if (!read_rule(from, &out->rule) || !figures_get_share(from, "alpha", &out->alpha) ||
	    out->alpha <= 0 || !read_tallies(from, "judged", out->judged) ||
	    !read_tallies(from, "batch", out->batch) ||
	    !read_counts(from, "in_step", out->in_step) ||
	    !json_to_bool(json_get(from, S("back")), &out->back))
		return figures_wrong(a, "metric of a judge");
	TRY(evidence_read(a, json_get(from, S("worse")), &out->worse));
	return evidence_read(a, json_get(from, S("fine")), &out->fine);
}

Err *judge_read(Arena *a, const Json *from, Judge *out)
{
	const Json *metrics = json_get(from, S("metrics"));
	Judge judge = { 0 };

	if (json_kind(metrics) != JSON_KIND_ARRAY || json_count(metrics) > JUDGE_MAX ||
	    !figures_get_share(from, "alpha", &judge.alpha) ||
	    !figures_get(json_get(from, S("step")), step_figures, COUNT(step_figures),
	                 &judge.step) ||
	    !read_counts(from, "requests", judge.requests) ||
	    !read_counts(from, "uncounted", judge.uncounted) ||
	    !json_to_bool(json_get(from, S("full")), &judge.full))
		return figures_wrong(a, "judge");
	for (size_t i = 0; i < json_count(metrics); i++)
		TRY(read_metric(a, json_at(metrics, i), &judge.metrics[i]));
	judge.count = (unsigned)json_count(metrics);
	TRY(ratio_read(a, json_get(from, S("ratio")), &judge.ratio));
	*out = judge;
	return NULL;
}
