/* SPDX-License-Identifier: Apache-2.0
 *
 * What the keeper says of a step: how long it needs at the traffic seen now, and the evidence as the journal has it. */
#include "base/units.h"
#include "shift/keeper.h"
#include "shift/plan.h"

static double error_ratio(const Subject *s)
{
	uint64_t requests = s->sight.requests[JUDGE_OLD];

	return requests ? (double)s->sight.failed[JUDGE_OLD] / (double)requests : 0;
}

void keeper_plan(Subject *s, Arena *a, uint32_t share_ppm, ShiftStepPlan *out)
{
	ShiftPlanConf conf;
	ShiftGoal goals[2];
	unsigned count = 0;

	subject_lock(s);
	conf = (ShiftPlanConf){ .rate = s->sight.rate,
		                .alpha = s->conf ? s->conf->judge.alpha : 0.001 };
	conf.hold_us = s->conf ? s->conf->judge.hold_us : 0;
	goals[count++] = (ShiftGoal){ S("errors"), error_ratio(s), 1 };
	for (size_t i = 0; s->conf && i < s->conf->judge.metrics.count; i++)
		if (s->conf->judge.metrics.at[i] == JUDGE_ON_P99)
			goals[count++] = (ShiftGoal){ S("p99"), 0.01, 1 };
	subject_unlock(s);
	*out = shift_plan_step(&conf, (double)share_ppm / PPM_WHOLE, goals, MIN(count, 2u), a);
}

void keeper_put_evidence(JsonWriter *w, const Judge *judge, Str line)
{
	json_begin_object(w);
	json_put_str(w, "line", line);
	json_key(w, S("metrics"));
	json_begin_array(w);
	for (unsigned i = 0; i < judge->count; i++) {
		JudgeView v = judge_view(judge, i);

		json_begin_object(w);
		json_put_str(w, "name", v.name);
		json_put_u64(w, "new_requests", v.new_side.requests);
		json_put_u64(w, "new_events", v.new_side.events);
		json_put_u64(w, "old_requests", v.old_side.requests);
		json_put_u64(w, "old_events", v.old_side.events);
		json_put_real(w, "share", v.share);
		json_put_real(w, "evidence", v.evidence);
		json_put_real(w, "limit", v.limit);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}
