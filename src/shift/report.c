/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of a subject. Numbers are copied out under the lock and written without it, so that a slow reader never holds up
 * a request. */
#include "shift/report.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/units.h"
#include "shift/dual.h"
#include "shift/plan.h"
#include "shift/shadow.h"

static const char *const kinds[] = {
	[SUBJECT_ROUTE] = "route", [SUBJECT_GROUP] = "group", [SUBJECT_UPSTREAM] = "upstream"
};

static double percent(uint32_t ppm)
{
	return ppm / 1e4;
}

static double ms(int64_t us)
{
	return (double)us / 1e3;
}

/* All of a subject that is told, of one moment. */
typedef struct Told {
	ShiftState state;
	Judge judge;
	SightNow now[JUDGE_SIDES];
	double rate; /* of both, over a minute: what plans go by */
	SightPoint *points;
	unsigned point_count;
	Str blocked, verdict, old, new, book;
	JudgeSay say;
	uint32_t share_ppm, holdback_ppm, cap, gateways;
	uint64_t touched, strangers, by_address, capped;
	uint32_t *steps;
	size_t step_count;
	SubjectShadow shadow;
	DualBacklog writes;
	bool halted;
	double objective, left[JUDGE_SIDES], burn[JUDGE_SIDES][OBJECTIVE_WINDOWS];
} Told;

static void copy_points(Told *t, Arena *a, const Subject *s)
{
	const SightPoint *p;

	t->points = ARENA_ARRAY(a, SightPoint, SIGHT_POINTS);
	while (t->point_count < SIGHT_POINTS && (p = sight_point(&s->sight, t->point_count)))
		t->points[t->point_count++] = *p;
}

static void copy_conf(Told *t, Arena *a, const Subject *s)
{
	if (!s->conf)
		return;
	t->holdback_ppm = s->conf->holdback_ppm;
	t->cap = s->conf->cap;
	t->step_count = s->conf->steps.count;
	t->steps = ARENA_ARRAY(a, uint32_t, t->step_count + 1);
	for (size_t i = 0; i < t->step_count; i++)
		t->steps[i] = s->conf->steps.at[i];
}

static void copy_objective(Told *t, const Subject *s)
{
	int64_t now_us = time_utc_us();

	t->objective = subject_objective(s);
	for (unsigned i = 0; i < JUDGE_SIDES; i++) {
		t->left[i] =
			s->objective ? objective_left(&s->objective[i], now_us, t->objective) : 1;
		for (unsigned k = 0; s->objective && k < OBJECTIVE_WINDOWS; k++)
			t->burn[i][k] = objective_burn(&s->objective[i], now_us,
			                               objective_windows[k].minutes, t->objective);
	}
}

static void copy(Told *t, Arena *a, Subject *s, bool detail)
{
	subject_lock(s);
	*t = (Told){ .state = s->state, .judge = subject_judge(s), .say = s->say };
	for (unsigned i = 0; i < JUDGE_SIDES; i++)
		t->now[i] = sight_now(&s->sight, (JudgeSide)i);
	t->rate = s->sight.rate;
	if (detail)
		copy_points(t, a, s);
	copy_conf(t, a, s);
	copy_objective(t, s);
	t->blocked = str_dup(a, str_of(s->blocked));
	t->verdict = str_dup(a, str_of(s->verdict));
	t->old = str_dup(a, s->old);
	t->new = str_dup(a, s->kind == SUBJECT_UPSTREAM ? str_of(s->state.target) : s->new);
	t->share_ppm = subject_share_ppm(s);
	t->touched = s->touched_count;
	t->strangers = s->strangers;
	t->by_address = s->by_address;
	t->capped = s->capped;
	t->gateways = s->others_count + 1;
	t->shadow = s->shadow;
	t->writes = dual_backlog(s);
	t->halted = s->halted;
	subject_unlock(s);
	t->book = keeper_away_line(a);
}

/* --- parts --------------------------------------------------------------------------------------------------------------- */

static void open_object(JsonWriter *w, const char *key)
{
	json_key(w, str_of(key));
	json_begin_object(w);
}

static void put_traffic(JsonWriter *w, const char *key, const SightNow *traffic)
{
	open_object(w, key);
	json_put_real(w, "rate", traffic->rate);
	json_put_real(w, "errors", traffic->errors);
	json_put_real(w, "p50_ms", ms(traffic->p50_us));
	json_put_real(w, "p99_ms", ms(traffic->p99_us));
	json_end(w);
}

static void put_tally(JsonWriter *w, const char *key, JudgeTally tally)
{
	open_object(w, key);
	json_put_u64(w, "n", tally.requests);
	json_put_u64(w, "events", tally.events);
	json_end(w);
}

static void put_metrics(JsonWriter *w, Arena *a, const Judge *judge)
{
	json_key(w, S("metrics"));
	json_begin_array(w);
	for (unsigned i = 0; i < judge->count; i++) {
		JudgeView v = judge_view(judge, i);

		json_begin_object(w);
		json_put_str(w, "name", v.name);
		if (judge->metrics[i].rule.threshold_us)
			json_put_real(w, "threshold_ms", ms(judge->metrics[i].rule.threshold_us));
		put_tally(w, "old", v.old_side);
		put_tally(w, "new", v.new_side);
		json_put_real(w, "share", v.share);
		json_put_real(w, "evidence", v.evidence);
		json_put_real(w, "limit", v.limit);
		json_put_real(w, "alpha", v.alpha);
		json_put_real(w, "p", v.p);
		json_put_bool(w, "suspicious", v.suspicious);
		json_put_str(w, "line", judge_metric_line(judge, i, a));
		json_end(w);
	}
	json_end(w);
}

static SightNow second_of(const SightSide *side)
{
	return (SightNow){ .rate = side->requests,
		           .errors = side->requests ? (double)side->failed / side->requests : 0,
		           .p50_us = side->p50_us,
		           .p99_us = side->p99_us };
}

static void put_point(JsonWriter *w, const Told *t, const SightPoint *p)
{
	const SightNow old = second_of(&p->side[JUDGE_OLD]), new = second_of(&p->side[JUDGE_NEW]);

	json_begin_object(w);
	json_key(w, S("at"));
	json_add_time(w, p->at_us);
	put_traffic(w, "old", &old);
	put_traffic(w, "new", &new);
	open_object(w, "evidence");
	for (unsigned k = 0; k < t->judge.count; k++)
		json_put_real(w, t->judge.metrics[k].rule.name, p->evidence[k]);
	json_end(w);
	json_end(w);
}

static void put_series(JsonWriter *w, const Told *t)
{
	json_key(w, S("series"));
	json_begin_array(w);
	for (unsigned i = t->point_count; i-- > 0;)
		put_point(w, t, &t->points[i]);
	json_end(w);
}

static void put_users(JsonWriter *w, const Told *t)
{
	open_object(w, "users");
	json_put_u64(w, "new", t->touched);
	json_put_u64(w, "cap", t->cap);
	json_put_u64(w, "without_cookie", t->strangers);
	json_put_u64(w, "by_address", t->by_address);
	json_put_u64(w, "capped", t->capped);
	json_end(w);
	open_object(w, "split");
	json_put_real(w, "expected", t->judge.ratio.expected);
	json_put_real(w, "seen", ratio_seen(&t->judge.ratio));
	json_put_u64(w, "new_users", t->judge.ratio.new_users);
	json_put_u64(w, "old_users", t->judge.ratio.old_users);
	json_put_real(w, "p", ratio_p(&t->judge.ratio));
	json_end(w);
}

static void put_shadow(JsonWriter *w, const SubjectShadow *shadow)
{
	open_object(w, "shadow");
	json_put_u64(w, "sent", shadow->sent);
	json_put_u64(w, "compared", shadow->compared);
	json_put_u64(w, "dropped", shadow->dropped);
	json_put_u64(w, "failed", shadow->failed);
	open_object(w, "results");
	for (int i = 0; i < SHADOW_RESULTS; i++) {
		json_key(w, shadow_result_name((ShadowResult)i));
		json_add_u64(w, shadow->results[i]);
	}
	json_end(w);
	json_end(w);
}

static const Str sides[JUDGE_SIDES] = { S("old"), S("new") };

static void put_objective(JsonWriter *w, const Told *t)
{
	open_object(w, "objective");
	json_put_real(w, "target", t->objective);
	open_object(w, "budget_left");
	for (unsigned i = 0; i < JUDGE_SIDES; i++) {
		json_key(w, sides[i]);
		json_add_real(w, t->left[i]);
	}
	json_end(w);
	open_object(w, "burn");
	for (unsigned i = 0; i < JUDGE_SIDES; i++) {
		json_key(w, sides[i]);
		json_begin_object(w);
		for (unsigned k = 0; k < OBJECTIVE_WINDOWS; k++)
			json_put_real(w, objective_windows[k].name, t->burn[i][k]);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_writes(JsonWriter *w, Arena *a, const Told *t)
{
	if (!t->writes.on)
		return;
	json_key(w, S("writes"));
	dual_put(w, &t->writes);
	json_put_str(w, "writes_line", dual_backlog_text(a, &t->writes, t->old, t->new));
}

static void put_detail(JsonWriter *w, Arena *a, const Told *t)
{
	open_object(w, "detail");
	put_metrics(w, a, &t->judge);
	put_users(w, t);
	put_shadow(w, &t->shadow);
	put_objective(w, t);
	json_put_u64(w, "gateways", t->gateways);
	put_series(w, t);
	json_end(w);
}

static void put_steps(JsonWriter *w, const Told *t)
{
	json_put_i64(w, "step", t->state.step);
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t i = 0; i < t->step_count; i++)
		json_add_real(w, percent(t->steps[i]));
	json_end(w);
}

static void put_state(JsonWriter *w, const Told *t)
{
	json_put_str(w, "phase",
	             str_of(shift_phase_name(t->halted ? SHIFT_OLD : (ShiftPhase)t->state.phase)));
	json_put_real(w, "percent", percent(t->share_ppm));
	put_steps(w, t);
	json_put_bool(w, "paused", t->state.paused);
	json_put_u64(w, "attempt", t->state.attempt);
	json_put_i64(w, "revision", t->state.revision);
	json_key(w, S("since"));
	if (t->state.since_us)
		json_add_time(w, t->state.since_us);
	else
		json_add_null(w);
	json_put_str(w, "old", t->old);
	json_put_str(w, "new", t->new);
	json_put_real(w, "holdback", percent(t->holdback_ppm));
	json_put_str(w, "last", str_of(t->state.line));
	json_put_str(w, "asked", str_of(t->state.asked_verb));
	json_put_str(w, "asked_by", str_of(t->state.asked_by));
	json_put_str(w, "needs", t->state.asked_verb[0] ? S("approve") : (Str){ 0 });
	json_put_str(w, "blocked", t->blocked);
	json_put_str(w, "book", t->book);
}

void report_put(JsonWriter *w, Arena *a, Subject *s, bool detail)
{
	Told *t = ARENA_NEW(a, Told);

	copy(t, a, s, detail);
	json_begin_object(w);
	json_put_str(w, "name", s->name);
	json_put_str(w, "kind", str_of(kinds[s->kind]));
	put_state(w, t);
	open_object(w, "verdict");
	json_put_str(w, "say", str_of(judge_say_name(t->say)));
	json_put_str(w, "line", t->verdict);
	json_end(w);
	open_object(w, "now");
	put_traffic(w, "old", &t->now[JUDGE_OLD]);
	put_traffic(w, "new", &t->now[JUDGE_NEW]);
	json_end(w);
	put_writes(w, a, t);
	if (detail)
		put_detail(w, a, t);
	json_end(w);
}

/* --- the plan ------------------------------------------------------------------------------------------------------------- */

static void put_detects(JsonWriter *w, const ShiftStepPlan *plan)
{
	json_key(w, S("detects"));
	json_begin_array(w);
	for (unsigned i = 0; i < plan->count; i++) {
		const ShiftDetects *d = &plan->detects[i];

		json_begin_object(w);
		json_put_str(w, "metric", d->metric);
		json_put_real(w, "from", d->from);
		json_put_real(w, "to", d->to);
		json_put_bool(w, "reached", d->size.reached);
		json_put_real(w, "requests", d->size.median);
		json_put_real(w, "requests_p90", d->size.p90);
		json_put_real(w, "seconds", d->seconds);
		json_put_real(w, "least", d->least);
		json_end(w);
	}
	json_end(w);
}

void report_put_plan(JsonWriter *w, Arena *a, Subject *s)
{
	Told *t = ARENA_NEW(a, Told);

	copy(t, a, s, false);
	json_begin_object(w);
	json_put_str(w, "name", s->name);
	json_put_real(w, "rate", t->rate);
	put_writes(w, a, t);
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t i = 0; i < t->step_count; i++) {
		ShiftStepPlan *plan = ARENA_NEW(a, ShiftStepPlan);
		uint32_t share = MIN(t->steps[i], PPM_WHOLE - t->holdback_ppm);

		keeper_plan(s, a, share, plan);
		json_begin_object(w);
		json_put_real(w, "percent", percent(share));
		json_put_real(w, "hold_seconds", (double)plan->hold_us / 1e6);
		json_put_u64(w, "requests", plan->requests);
		json_put_bool(w, "capped", plan->capped);
		json_put_str(w, "line", plan->line);
		put_detects(w, plan);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

void report_put_entry(JsonWriter *w, const BookEntry *e)
{
	json_begin_object(w);
	json_put_i64(w, "seq", e->revision);
	json_key(w, S("at"));
	json_add_time(w, e->at_us);
	json_put_str(w, "who", e->who);
	json_put_str(w, "verb", e->verb);
	json_put_str(w, "from", e->from);
	json_put_str(w, "to", e->to);
	json_put_real(w, "percent", percent(e->share_ppm));
	json_put_str(w, "why", e->why);
	json_key(w, S("evidence"));
	json_add_raw(w, e->evidence.len ? e->evidence : S("{}"));
	json_end(w);
}
