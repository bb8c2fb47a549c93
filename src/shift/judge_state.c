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
	json_put_real(w, "weight", metric->rule.weight);
	json_put_real(w, "margin", metric->rule.margin);
	json_put_real(w, "prove", metric->rule.prove);
	json_put_i64(w, "threshold_us", metric->rule.threshold_us);
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
	json_put_real(w, "share", judge->step.share);
	json_put_i64(w, "since_us", judge->step.since_us);
	json_put_i64(w, "hold_us", judge->step.hold_us);
	json_put_u64(w, "requests", judge->step.requests);
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
	return read_kind(from, &rule->kind) && figures_get_real(from, "weight", &rule->weight) &&
	       figures_get_real(from, "margin", &rule->margin) &&
	       figures_get_real(from, "prove", &rule->prove) &&
	       figures_get_i64(from, "threshold_us", &rule->threshold_us);
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

static bool read_step(const Json *from, JudgeStep *step)
{
	return figures_get_share(from, "share", &step->share) &&
	       figures_get_i64(from, "since_us", &step->since_us) &&
	       figures_get_i64(from, "hold_us", &step->hold_us) &&
	       figures_get_u64(from, "requests", &step->requests);
}

Err *judge_read(Arena *a, const Json *from, Judge *out)
{
	const Json *metrics = json_get(from, S("metrics"));
	Judge judge = { 0 };

	if (json_kind(metrics) != JSON_KIND_ARRAY || json_count(metrics) > JUDGE_MAX ||
	    !figures_get_share(from, "alpha", &judge.alpha) ||
	    !read_step(json_get(from, S("step")), &judge.step) ||
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
