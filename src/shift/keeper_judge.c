/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done with what the judge and the tripwire say. Going back is done at once, by a halt, and the book is told as often as
 * it takes; going on waits for the book. A pause stops steps, not the way back. */
#include "shift/keeper_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "base/units.h"
#include "gateway/conf_shift.h"
#include "shift/dual.h"
#include "shift/plan.h"

#include <string.h>

/* --- steps --------------------------------------------------------------------------------------------------------------- */

static void plan_step(Subject *s, Arena *a, uint32_t share_ppm)
{
	ShiftStepPlan *plan = ARENA_NEW(a, ShiftStepPlan);

	keeper_plan(s, a, share_ppm, plan);
	subject_lock(s);
	if (share_ppm == s->state.share_ppm) {
		s->judge.step.hold_us = plan->hold_us;
		s->judge.step.requests = plan->requests;
		s->plan_due = false;
	}
	subject_unlock(s);
}

/* The first step with more users than now, whatever the configuration's were when this one began; the last is `new`, with
 * the hold-back. */
static ShiftState next_step(const ShiftState *state, const ShiftConf *conf, int64_t now_us)
{
	ShiftState next = *state;
	uint32_t whole = PPM_WHOLE - conf->holdback_ppm;

	next.step = 0;
	while ((size_t)next.step < conf->steps.count &&
	       conf->steps.at[next.step] <= state->share_ppm)
		next.step++;
	next.since_us = now_us;
	next.share_ppm =
		(size_t)next.step < conf->steps.count ? conf->steps.at[next.step] : PPM_WHOLE;
	if (next.share_ppm >= whole) {
		next.phase = SHIFT_NEW;
		next.share_ppm = whole;
		next.step = (int32_t)conf->steps.count - 1;
	}
	return next;
}

/* --- verdicts ------------------------------------------------------------------------------------------------------------ */

typedef struct Look {
	Subject *s;
	Arena *arena;
	int64_t now_us; /* UTC */
	ShiftState state;
	Judge judge;
	Tripwire wire;
	bool judged, plan_due, halted, old_is_up, manual;
	JudgeVerdict verdict;
	Str by; /* who halted it; empty: the judge */
} Look;

static void set_text(char to[SHIFT_LINE_BYTES], Str text)
{
	size_t len = MIN(text.len, (size_t)SHIFT_LINE_BYTES - 1);

	if (len)
		memcpy(to, text.at, len);
	to[len] = '\0';
}

static void block(const Look *look, Str text)
{
	subject_lock(look->s);
	if (!str_eq(str_of(look->s->blocked), text)) {
		set_text(look->s->blocked, text);
		if (text.len)
			log_warn("%.*s: %.*s", STR_ARG(look->s->name), STR_ARG(text));
	}
	subject_unlock(look->s);
}

static Err *change_by_judge(const Look *look, const ShiftState *next, Str verb, Str why)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	ChangeBy by = { .who = look->by, .verb = verb, .why = why };

	if (!by.who.len)
		by.who = str_fmt(look->arena, "judge@%.*s", STR_ARG(keeper_gateway()));
	keeper_put_evidence(&w, &look->judge, why);
	by.evidence = str_dup(look->arena, buf_str(&text));
	TRY(keeper_change(look->s, look->arena, next, &by));
	subject_lock(look->s);
	look->s->backs += next->phase == SHIFT_OLD && !look->by.len;
	subject_unlock(look->s);
	return NULL;
}

static Err *go_back(const Look *look, Str why)
{
	ShiftState next = look->state;

	shift_state_ask(&next, (Str){ 0 }, (Str){ 0 }, 0);
	next.phase = SHIFT_OLD;
	next.share_ppm = 0;
	next.step = -1;
	next.paused = false;
	next.since_us = look->now_us;
	return change_by_judge(look, &next, S("back"), why);
}

static Err *go_on(const Look *look)
{
	ShiftState next = next_step(&look->state, look->s->conf, look->now_us);

	if (look->manual) {
		block(look, str_fmt(look->arena,
		                    "the step is passed: banyan shift %.*s to %g%% begins the next",
		                    STR_ARG(look->s->name), next.share_ppm / 1e4));
		return NULL;
	}
	return change_by_judge(look, &next, S("step"), look->verdict.line);
}

static Str measured(Arena *a, const ShiftState *s, const ShiftState *before)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("the old side's"));
	if (s->slow_us[0] != before->slow_us[0])
		buf_fmt(&b, " times: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms",
		        (double)s->slow_us[0] / 1e3, (double)s->slow_us[1] / 1e3,
		        (double)s->slow_us[2] / 1e3);
	for (size_t i = 0; i < COUNT(s->counters); i++)
		if (s->counters[i].name[0] && !before->counters[i].name[0])
			buf_fmt(&b, "%s %s: %s answers have it", b.len > 14 ? ";" : "",
			        s->counters[i].name, s->counters[i].rare ? "few" : "most");
	return str_dup(a, buf_str(&b));
}

/* What it is to be compared by was not known when it began. */
static Err *freeze(const Look *look)
{
	ShiftState next = look->state;
	bool wanted = false, times, counters;

	subject_lock(look->s);
	for (size_t i = 0; look->s->conf && i < look->s->conf->judge.metrics.count; i++) {
		uint8_t on = look->s->conf->judge.metrics.at[i];

		wanted = wanted || (on >= JUDGE_ON_P50 && on <= JUDGE_ON_P99);
	}
	times = wanted && !next.slow_us[0] && sight_slow(&look->s->sight, next.slow_us);
	counters = subject_freeze_counters(look->s, &next);
	subject_unlock(look->s);
	if (!times && !counters)
		return NULL;
	return change_by_judge(look, &next, S("measure"),
	                       measured(look->arena, &next, &look->state));
}

/* What the configuration forbids now; the empty view: nothing. */
static Str frozen(const Look *look)
{
	int64_t until_us = shift_freeze_end(keeper_conf(), look->now_us);
	AUTO(buf_fini) Buf b = { 0 };

	if (!until_us)
		return (Str){ 0 };
	buf_put(&b, S("no step begins before "));
	time_put_rfc3339(&b, until_us);
	buf_put(&b, S(" (freeze)"));
	return str_dup(look->arena, buf_str(&b));
}

static Str capped(const Look *look)
{
	bool full;
	uint32_t cap;

	subject_lock(look->s);
	cap = look->s->conf ? look->s->conf->cap : 0;
	full = cap && look->s->touched_count >= cap;
	subject_unlock(look->s);
	return full ? str_fmt(look->arena,
	                      "the cap of %u users is reached: no step begins before it is raised",
	                      cap)
	            : (Str){ 0 };
}

/* Users who come to the new side would miss what it lacks. */
static Str behind(const Look *look)
{
	DualBacklog backlog;
	Str new;

	subject_lock(look->s);
	backlog = dual_backlog(look->s);
	new = str_dup(look->arena, look->s->new);
	subject_unlock(look->s);
	backlog.to_old = 0;
	if (!dual_is_late(&backlog))
		return (Str){ 0 };
	return str_fmt(look->arena, "%.*s: no step begins before (banyan shift %.*s writes)",
	               STR_ARG(dual_backlog_text(look->arena, &backlog, new, new)),
	               STR_ARG(look->s->name));
}

static Err *pass_step(const Look *look)
{
	Str held = frozen(look);

	if (!held.len)
		held = capped(look);
	if (!held.len)
		held = behind(look);
	if (!held.len)
		return go_on(look);
	block(look, held);
	return NULL;
}

#define NOBODY \
	"nine of ten requests are of nobody known, so the old side serves them: do clients send cookies back, and are answers " \
	"public? `sticky` may name a header"

static bool knows_nobody(Subject *s)
{
	bool nobody;

	subject_lock(s);
	nobody = subject_knows_nobody(s);
	subject_unlock(s);
	return nobody;
}

/* What is to be done at once, without the book: everybody back. */
static void judge_now(Look *look)
{
	Str why = { 0 };
	TripwireSay trip = tripwire_look(&look->wire, look->now_us, look->arena, &why);
	JudgeVerdict verdict = judge_look(&look->judge, look->now_us, look->arena);
	bool back = trip == TRIPWIRE_TRIPPED || verdict.say == JUDGE_BACK;

	if (trip == TRIPWIRE_QUIET || (verdict.say == JUDGE_BACK && trip != TRIPWIRE_TRIPPED))
		why = verdict.line;
	subject_lock(look->s);
	if (look->s->state.revision != look->state.revision) { /* it is another question now */
		subject_unlock(look->s);
		return;
	}
	look->s->say = back ? JUDGE_BACK : trip == TRIPWIRE_BOTH_FAIL ? JUDGE_WAIT : verdict.say;
	set_text(look->s->verdict, why);
	if (back && look->old_is_up)
		subject_halt(look->s, why, S(""));
	subject_unlock(look->s);
	if (back && !look->old_is_up)
		block(look, str_fmt(look->arena,
		                    "it should go back (%.*s), but the old side has no server "
		                    "that is up: start one",
		                    STR_ARG(why)));
	else if (trip == TRIPWIRE_BOTH_FAIL)
		block(look, why);
	else if (verdict.say == JUDGE_WAIT || look->state.phase == SHIFT_NEW)
		block(look, knows_nobody(look->s) ? S(NOBODY) : (Str){ 0 });
}

/* False: there is nothing to look at. */
static bool look_at(Subject *s, Look *look)
{
	subject_lock(s);
	look->s = s;
	look->state = s->state;
	look->halted = s->halted;
	look->judged = s->conf && !s->foreign &&
	               (s->state.phase == SHIFT_CANARY || s->state.phase == SHIFT_NEW ||
	                (s->state.phase == SHIFT_RETIRED && s->halted));
	if (look->judged) {
		look->judge = subject_judge(s);
		look->wire = s->wire;
		look->plan_due = s->plan_due;
		look->old_is_up = s->old_is_up;
		look->manual = s->conf->manual;
	}
	subject_unlock(s);
	return look->judged;
}

void keeper_look(Subject *s, Arena *a)
{
	Look *look = ARENA_NEW(a, Look);

	*look = (Look){ .arena = a, .now_us = time_utc_us() };
	if (!look_at(s, look) || look->halted)
		return;
	if (look->plan_due)
		plan_step(s, a, look->state.share_ppm);
	judge_now(look);
}

Err *keeper_settle(Subject *s, Arena *a)
{
	Look *look = ARENA_NEW(a, Look);
	Str why;
	bool on, busy;

	*look = (Look){ .arena = a, .now_us = time_utc_us() };
	if (!look_at(s, look))
		return NULL;
	subject_lock(s);
	why = str_dup(a, str_of(look->halted ? s->halted_line : s->verdict));
	look->by = look->halted ? str_dup(a, str_of(s->halted_by)) : S("");
	on = s->say == JUDGE_ON && !s->plan_due;
	busy = s->changing > 0;
	subject_unlock(s);
	if (busy) /* a person's words are the journal's, not the judge's beside them */
		return NULL;
	if (look->halted)
		return go_back(look, why);
	TRY(freeze(look));
	if (!on || look->state.phase != SHIFT_CANARY || look->state.paused ||
	    look->state.revision != s->state.revision)
		return NULL;
	look->verdict.line = why;
	return pass_step(look);
}
