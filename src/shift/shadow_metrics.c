/* SPDX-License-Identifier: Apache-2.0
 *
 * Shadows on /metrics: what became of each request that might have had one, and what the comparisons have found. Of subjects that are
 * shadowed by the configuration in force. */
#include "shift/shadow.h"
#include "shift/subject.h"

static bool read_subject(Subject *s, SubjectShadow *counts, DifferencesTotals *totals)
{
	bool shown;

	subject_lock(s);
	shown = s->conf && s->conf->shadow.effects == EFFECTS_NONE;
	*counts = s->shadow;
	*totals = s->totals;
	subject_unlock(s);
	return shown;
}

static void read_results(MetricOut *out)
{
	SubjectShadow counts;
	DifferencesTotals totals;
	Subject *s = NULL;

	while ((s = subject_next(s)))
		for (int i = 0; read_subject(s, &counts, &totals) && i < SHADOW_RESULTS; i++)
			metric_emit(out, (Str[]){ s->name, shadow_result_name((ShadowResult)i) },
			            (double)counts.results[i]);
}

static void read_differences(MetricOut *out)
{
	SubjectShadow counts;
	DifferencesTotals totals;
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		const uint32_t *const by_verdict[DIFFERENCES_VERDICTS] = {
			[DIFFERENCES_OPEN] = &totals.open,
			[DIFFERENCES_MISMATCH] = &totals.mismatch,
			[DIFFERENCES_NOISE] = &totals.noise,
			[DIFFERENCES_ACCEPTED] = &totals.accepted,
		};

		for (int i = 0; read_subject(s, &counts, &totals) && i < DIFFERENCES_VERDICTS; i++)
			metric_emit(out,
			            (Str[]){ s->name,
			                     differences_verdict_name((DifferencesVerdict)i) },
			            *by_verdict[i]);
	}
}

static const MetricFamily families[] = {
	{ "banyan_shift_shadow_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests that the new side might have got too: compared, or why not",
	  { "subject", "result" },
	  read_results },
	{ "banyan_shift_differences",
	  METRIC_GAUGE,
	  "differences",
	  "Kinds of difference between the sides' answers, by what they are taken for",
	  { "subject", "verdict" },
	  read_differences },
};

const MetricFamily *shadow_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}
