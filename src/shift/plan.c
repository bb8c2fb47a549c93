/* SPDX-License-Identifier: Apache-2.0
 *
 * The length of a step.
 *
 * The target. A step must find ten times the old side's ratio of events, and at least 1 %, in nine of ten cases. Ten times,
 * because that is what a broken release does (a path that fails, a query without its index), because it is found with some
 * hundred requests and so within minutes at most places, and because what is smaller is found by the later steps, which have
 * more requests: a step twice as long finds little that the next one does not. At least 1 %, because an old side with
 * 0.001 % would else hold each step until 0.01 % could be told from it, for days. At most halfway to all: a tail
 * that starts at 50 % cannot grow tenfold.
 *
 * What it does not find is said in the same line. */
#include "shift/plan.h"

#include "shift/words.h"

#include <math.h>

#define TARGET_TIMES 10.0
#define TARGET_LEAST 0.01
#define BASE_LEAST 0.0001 /* of an old side where none was seen */

static const double multiples[] = { 64, 40, 30, 20, 15, 10, 8, 6, 5, 4, 3, 2, 1.5 };

double shift_plan_target(double from)
{
	return MIN(MAX(TARGET_TIMES * from, TARGET_LEAST), from + (1 - from) / 2);
}

static double base_of(const ShiftGoal *goal)
{
	return MIN(MAX(goal->from, BASE_LEAST), 0.99);
}

static double limit_of(const ShiftPlanConf *conf, const ShiftGoal *goals, unsigned count,
                       unsigned i)
{
	double sum = 0;

	for (unsigned k = 0; k < count; k++)
		sum += goals[k].weight > 0 ? goals[k].weight : 1;
	return sum / (conf->alpha * (goals[i].weight > 0 ? goals[i].weight : 1));
}

/* The smallest multiple of the list that so many requests find in nine of ten cases. */
static double least_found(double from, double share, double limit, double requests)
{
	double least = 0;

	for (size_t i = 0; i < COUNT(multiples); i++) {
		if (multiples[i] * from > 1)
			continue;
		if (shift_plan_power(from, multiples[i] * from, share, limit, requests) < 0.9)
			break;
		least = multiples[i];
	}
	return least;
}

static void size_step(ShiftStepPlan *plan, const ShiftPlanConf *conf, const ShiftGoal *goals)
{
	double rate = conf->rate * plan->share, requests = SHIFT_PLAN_LEAST_REQUESTS, seconds;
	int64_t fixed = conf->hold_us;
	double least = (double)(fixed            ? fixed
	                        : conf->floor_us ? conf->floor_us
	                                         : SHIFT_PLAN_FLOOR_US) /
	               1e6;
	double most = (double)(fixed              ? fixed
	                       : conf->ceiling_us ? conf->ceiling_us
	                                          : SHIFT_PLAN_CEILING_US) /
	              1e6;

	for (unsigned i = 0; i < plan->count; i++) {
		ShiftDetects *detects = &plan->detects[i];

		detects->metric = goals[i].metric;
		detects->from = base_of(&goals[i]);
		detects->to = shift_plan_target(detects->from);
		detects->size = shift_plan_size(detects->from, detects->to, plan->share,
		                                limit_of(conf, goals, plan->count, i));
		detects->seconds = rate > 0 ? detects->size.p90 / rate : INFINITY;
		if (detects->size.reached)
			requests = MAX(requests, detects->size.p90);
	}
	seconds = rate > 0 ? requests / rate : least;
	plan->capped = seconds > most;
	plan->hold_us = (int64_t)(MIN(MAX(seconds, least), most) * 1e6);
	if (plan->capped)
		requests = MAX(rate * most, (double)SHIFT_PLAN_LEAST_REQUESTS);
	plan->requests = (uint64_t)ceil(requests);
}

static void see_what_is_least(ShiftStepPlan *plan, const ShiftPlanConf *conf,
                              const ShiftGoal *goals)
{
	double requests =
		MAX((double)plan->requests, conf->rate * plan->share * (double)plan->hold_us / 1e6);

	for (unsigned i = 0; i < plan->count; i++) {
		ShiftDetects *detects = &plan->detects[i];

		detects->least = least_found(detects->from, plan->share,
		                             limit_of(conf, goals, plan->count, i), requests);
		if (detects->least <= 0 && detects->size.reached && detects->size.p90 <= requests)
			detects->least = detects->to / detects->from; /* of a side without errors */
	}
}

/* --- in words ------------------------------------------------------------------------------------------------------- */

static void put_head(Buf *b, const ShiftStepPlan *plan, const ShiftPlanConf *conf)
{
	words_put_percent(b, plan->share);
	buf_put(b, S(": "));
	words_put_count(b, plan->requests);
	buf_put(b, S(" requests of the new side, "));
	if (conf->rate > 0) {
		double seconds = (double)plan->hold_us / 1e6;

		words_put_time(b,
		               MAX(seconds, (double)plan->requests / (conf->rate * plan->share)));
		buf_fmt(b, " at %.3g a second", conf->rate);
	} else {
		buf_put(b, S("and there is no traffic now: it waits for them"));
	}
}

static void put_detects(Buf *b, const ShiftDetects *detects)
{
	buf_put(b, S("; "));
	buf_put(b, detects->metric);
	if (detects->least > 0) {
		buf_put(b, S(": a rise from "));
		words_put_percent(b, detects->from);
		buf_put(b, S(" to "));
		words_put_percent(b, detects->from * detects->least);
		buf_fmt(b, " (%g times) is found nine times of ten, a smaller one not for sure",
		        detects->least);
	} else {
		buf_put(b, S(": not even a rise from "));
		words_put_percent(b, detects->from);
		buf_put(b, S(" to "));
		words_put_percent(b, MIN(64 * detects->from, 1.0));
		buf_put(b, S(" is found for sure"));
	}
}

static Str line_of(const ShiftStepPlan *plan, const ShiftPlanConf *conf, Arena *a)
{
	AUTO(buf_fini) Buf b = { 0 };

	put_head(&b, plan, conf);
	if (plan->capped)
		buf_put(&b, S(", cut to the longest that a step may last"));
	for (unsigned i = 0; i < plan->count; i++)
		put_detects(&b, &plan->detects[i]);
	if (plan->share >= 1)
		buf_put(&b, S("; nothing is left to compare with"));
	return words_take(a, &b);
}

ShiftStepPlan shift_plan_step(const ShiftPlanConf *conf, double share, const ShiftGoal *goals,
                              unsigned count, Arena *a)
{
	bool comparable = share > 0 && share < 1;
	ShiftStepPlan plan = { .share = share,
		               .count = comparable ? MIN(count, (unsigned)SHIFT_PLAN_METRICS) : 0 };

	size_step(&plan, conf, goals);
	see_what_is_least(&plan, conf, goals);
	plan.line = line_of(&plan, conf, a);
	return plan;
}
