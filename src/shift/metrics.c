/* SPDX-License-Identifier: Apache-2.0
 *
 * The families of moves. Requests are those that say something of a side: not those whose client left. */
#include "shift/metrics.h"

#include "base/time.h"
#include "base/units.h"
#include "shift/dual.h"
#include "shift/keeper.h"
#include "shift/shadow.h"
#include "shift/subject.h"
#include "shift/webhook.h"

static const Str sides[JUDGE_SIDES] = { S("old"), S("new") };

/* Copies of what is said of one subject, so that no lock is held while it is written. */
typedef void EachSubject(MetricOut *out, const Subject *s);

static void each(MetricOut *out, EachSubject *say)
{
	Subject *s = NULL;

	while ((s = subject_next(s))) {
		subject_lock(s);
		if (s->conf)
			say(out, s);
		subject_unlock(s);
	}
}

static void say_phase(MetricOut *out, const Subject *s)
{
	for (int i = 0; i < SHIFT_PHASES; i++) {
		bool is = (s->halted ? SHIFT_OLD : s->state.phase) == i;

		metric_emit(out, (Str[]){ s->name, str_of(shift_phase_name((ShiftPhase)i)) }, is);
	}
}

static void read_phase(MetricOut *out)
{
	each(out, say_phase);
}

static void say_share(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)subject_share_ppm(s) / PPM_WHOLE);
}

static void read_share(MetricOut *out)
{
	each(out, say_share);
}

static void say_changed(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->state.since_us / 1e6);
}

static void read_changed(MetricOut *out)
{
	each(out, say_changed);
}

static void say_requests(MetricOut *out, const Subject *s)
{
	for (unsigned i = 0; i < JUDGE_SIDES; i++)
		metric_emit(out, (Str[]){ s->name, sides[i] }, (double)s->sight.requests[i]);
}

static void read_requests(MetricOut *out)
{
	each(out, say_requests);
}

static void say_failed(MetricOut *out, const Subject *s)
{
	for (unsigned i = 0; i < JUDGE_SIDES; i++)
		metric_emit(out, (Str[]){ s->name, sides[i] }, (double)s->sight.failed[i]);
}

static void read_failed(MetricOut *out)
{
	each(out, say_failed);
}

static void say_evidence(MetricOut *out, const Subject *s)
{
	Judge judge = subject_judge(s);

	for (unsigned i = 0; i < judge.count; i++) {
		JudgeView v = judge_view(&judge, i);

		metric_emit(out, (Str[]){ s->name, v.name }, v.evidence / v.limit);
	}
}

static void read_evidence(MetricOut *out)
{
	each(out, say_evidence);
}

static void say_users(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->touched_count);
}

static void read_users(MetricOut *out)
{
	each(out, say_users);
}

static void say_strangers(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->strangers);
}

static void read_strangers(MetricOut *out)
{
	each(out, say_strangers);
}

static void say_rescued(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->rescued);
}

static void read_rescued(MetricOut *out)
{
	each(out, say_rescued);
}

static void say_unread(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->unread);
}

static void read_unread(MetricOut *out)
{
	each(out, say_unread);
}

static void say_backs(MetricOut *out, const Subject *s)
{
	metric_emit(out, &s->name, (double)s->backs);
}

static void read_backs(MetricOut *out)
{
	each(out, say_backs);
}

static void say_burn(MetricOut *out, const Subject *s)
{
	int64_t now_us = time_utc_us();

	for (unsigned i = 0; s->objective && i < JUDGE_SIDES; i++)
		for (unsigned k = 0; k < OBJECTIVE_WINDOWS; k++)
			metric_emit(out,
			            (Str[]){ s->name, sides[i], str_of(objective_windows[k].name) },
			            objective_burn(&s->objective[i], now_us,
			                           objective_windows[k].minutes,
			                           subject_objective(s)));
}

static void read_burn(MetricOut *out)
{
	each(out, say_burn);
}

static void say_left(MetricOut *out, const Subject *s)
{
	for (unsigned i = 0; s->objective && i < JUDGE_SIDES; i++)
		metric_emit(out, (Str[]){ s->name, sides[i] },
		            objective_left(&s->objective[i], time_utc_us(), subject_objective(s)));
}

static void read_left(MetricOut *out)
{
	each(out, say_left);
}

static void read_book(MetricOut *out)
{
	if (keeper_book())
		metric_emit(out, NULL, keeper_away_us() == 0);
}

static void read_copy(MetricOut *out)
{
	if (keeper_book())
		metric_emit(out, NULL, (double)keeper_known_at_us() / 1e6);
}

static const MetricFamily families[] = {
	{ "banyan_shift_phase",
	  METRIC_GAUGE,
	  "subjects",
	  "1 for the phase it is in",
	  { "subject", "phase" },
	  read_phase },
	{ "banyan_shift_share",
	  METRIC_GAUGE,
	  "ratio",
	  "Of users, those who are to be on the new side",
	  { "subject" },
	  read_share },
	{ "banyan_shift_changed_timestamp_seconds",
	  METRIC_GAUGE,
	  "seconds",
	  "When its phase or step began, in Unix time: a mark for deployments",
	  { "subject" },
	  read_changed },
	{ "banyan_shift_requests_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests by side, without those whose client left",
	  { "subject", "side" },
	  read_requests },
	{ "banyan_shift_failed_total",
	  METRIC_COUNTER,
	  "requests",
	  "Of them, those answered with 500 or more, or by nobody",
	  { "subject", "side" },
	  read_failed },
	{ "banyan_shift_evidence_ratio",
	  METRIC_GAUGE,
	  "ratio",
	  "Evidence against the new side over its limit: at 1 it goes back",
	  { "subject", "metric" },
	  read_evidence },
	{ "banyan_shift_users",
	  METRIC_GAUGE,
	  "users",
	  "Users this gateway has sent to the new side in this attempt",
	  { "subject" },
	  read_users },
	{ "banyan_shift_strangers_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests of nobody known, served by the old side",
	  { "subject" },
	  read_strangers },
	{ "banyan_shift_unread_total",
	  METRIC_COUNTER,
	  "answers",
	  "Answers whose body was not read for its counters: too large, too many at a time, or in a coding that is not known",
	  { "subject" },
	  read_unread },
	{ "banyan_shift_rescued_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests that no server of the new side took, and the old side served",
	  { "subject" },
	  read_rescued },
	{ "banyan_shift_backs_total",
	  METRIC_COUNTER,
	  "changes",
	  "Times it went back to its old side by itself: what users were spared",
	  { "subject" },
	  read_backs },
	{ "banyan_shift_burn_rate_ratio",
	  METRIC_GAUGE,
	  "ratio",
	  "How many times as fast as its objective allows errors come, by side and window",
	  { "subject", "side", "window" },
	  read_burn },
	{ "banyan_shift_book_up",
	  METRIC_GAUGE,
	  "boolean",
	  "1 while the book of moves answers; without it nothing goes on, but back",
	  { NULL },
	  read_book },
	{ "banyan_shift_copy_timestamp_seconds",
	  METRIC_GAUGE,
	  "seconds",
	  "When the copy was written that is gone by, for the book has not answered since the start, in Unix time; 0: there is none",
	  { NULL },
	  read_copy },
	{ "banyan_shift_budget_left_ratio",
	  METRIC_GAUGE,
	  "ratio",
	  "What is left of thirty days' budget of errors, by side; below 0 it is overdrawn",
	  { "subject", "side" },
	  read_left },
};

const MetricFamily *shift_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void shift_put_metrics(Buf *out)
{
	static MetricList *const others[] = { shadow_metrics, webhook_metrics, dual_metrics };

	metrics_put_markdown(out, families, COUNT(families));
	for (size_t i = 0; i < COUNT(others); i++) {
		size_t count;
		const MetricFamily *rows = others[i](&count);

		buf_putc(out, '\n');
		metrics_put_markdown(out, rows, count);
	}
}
