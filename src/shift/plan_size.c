/* SPDX-License-Identifier: Apache-2.0
 *
 * How long until the evidence reaches its limit, worked out instead of simulated.
 *
 * While the share is constant, the evidence depends on two counts: x events of new and y of old. It rises with x and
 * falls with y, so the limit is a staircase: at the x-th event of new it is reached when y is at most edge(x). An event is
 * new's with probability q whatever came before, so the number of old's between two of new's is geometric. The walk goes from
 * one event of new to the next with the distribution of y of those not yet found, and takes out what is below the edge:
 * that gives the distribution of T, the number of events at which it is found. Requests arrive around the events as a Poisson
 * process, independent of whose they are: among the requests in which z events are expected, it is found with probability
 * sum over j of Poisson(j; z) P(T <= j). */
#include "shift/plan.h"

#include "shift/evidence.h"
#include "shift/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 30000, WORK_MAX = 12 * 1000 * 1000 };
#define TAIL 1e-7

typedef struct Walk {
	double share, log_limit, q;
	size_t width;               /* of the arrays: events */
	double *alive;              /* by y, those not found yet */
	double *found;              /* by T = x + y, then its sums from below */
	double total;               /* of found */
	size_t x, from, upto, edge; /* alive has something in [from, upto) */
	size_t median_x;
} Walk;

static void walk_fini(Walk *walk)
{
	free(walk->alive);
	free(walk->found);
}

static bool reaches(const Walk *walk, size_t x, size_t y)
{
	return evidence_log_of(EVIDENCE_WORSE, 0, walk->share, x, y) >= walk->log_limit;
}

/* One more than the highest y with which x events are enough; it never falls. */
static size_t edge_of(const Walk *walk, size_t x, size_t upto)
{
	size_t low = walk->edge, high = upto;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (reaches(walk, x, middle))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* To the next event of new: y grows by a geometric number. False: it went out of what is kept. */
static void walk_step(Walk *walk)
{
	double run = 0, kept = 0, left = 0;
	size_t y = walk->from;

	for (size_t i = walk->from; i < walk->upto; i++)
		left += walk->alive[i];
	for (; y < walk->width - 1 && (y < walk->upto || left - kept > TAIL); y++) {
		run = run * (1 - walk->q) + walk->alive[y];
		walk->alive[y] = walk->q * run;
		kept += walk->alive[y];
	}
	walk->upto = y;
	walk->x++;
}

static void walk_take_found(Walk *walk)
{
	if (walk->x < JUDGE_LEAST_EVENTS)
		return;
	walk->edge = edge_of(walk, walk->x, walk->upto);
	for (size_t y = walk->from; y < walk->edge; y++) {
		walk->found[MIN(walk->x + y, walk->width - 1)] += walk->alive[y];
		walk->total += walk->alive[y];
		walk->alive[y] = 0;
	}
	walk->from = MAX(walk->from, walk->edge);
	if (walk->total >= 0.5 && !walk->median_x)
		walk->median_x = walk->x;
}

/* Until `enough` are found, or the events are more than `width`, or it takes too long. */
static void walk_run(Walk *walk, double enough)
{
	size_t work = 0;

	walk->alive = calloc(walk->width, sizeof *walk->alive);
	walk->found = calloc(walk->width, sizeof *walk->found);
	if (!walk->alive || !walk->found)
		abort();
	walk->alive[0] = 1;
	walk->upto = 1;
	while (walk->total < enough && walk->x + walk->from < walk->width - 1 && work < WORK_MAX) {
		walk_step(walk);
		walk_take_found(walk);
		work += walk->upto - walk->from;
	}
	for (size_t n = 1; n < walk->width; n++)
		walk->found[n] += walk->found[n - 1];
}

static Walk walk_new(double from, double to, double share, double limit, size_t width)
{
	double all = share * to + (1 - share) * from;

	return (Walk){
		.share = share, .log_limit = log(limit), .q = share * to / all, .width = width
	};
}

/* The probability of having found it when z events were to be expected. */
static double found_within(const Walk *walk, double z)
{
	double spread = 10 * sqrt(z) + 10, sum = 0;
	size_t j = z > spread ? (size_t)(z - spread) : 0;
	int sign;
	double weight = exp((double)j * log(z) - z - lgamma_r((double)j + 1, &sign));

	for (; (double)j < z + spread; j++) {
		sum += weight * walk->found[MIN(j, walk->width - 1)];
		weight *= z / (double)(j + 1);
	}
	return sum;
}

static double events_until(const Walk *walk, double probability)
{
	double low = 0, high = 2.0 * (double)walk->width;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (found_within(walk, middle) < probability)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static bool makes_sense(double from, double to, double share, double limit)
{
	return share > 0 && share < 1 && from >= 0 && to > from && to <= 1 && limit > 1;
}

ShiftSize shift_plan_size(double from, double to, double share, double limit)
{
	double requests_per_event = share / (share * to + (1 - share) * from);
	AUTO(walk_fini) Walk walk = { 0 };

	if (!makes_sense(from, to, share, limit))
		return (ShiftSize){ .median = INFINITY, .p90 = INFINITY };
	walk = walk_new(from, to, share, limit, EVENTS_MAX);
	walk_run(&walk, 0.97);
	if (walk.found[walk.width - 1] < 0.93)
		return (ShiftSize){ .median = INFINITY, .p90 = INFINITY };
	return (ShiftSize){
		.reached = true,
		.median = events_until(&walk, 0.5) * requests_per_event,
		.p90 = events_until(&walk, 0.9) * requests_per_event,
		.median_events = (double)walk.median_x,
	};
}

double shift_plan_power(double from, double to, double share, double limit, double requests)
{
	double z = requests * (share * to + (1 - share) * from) / share;
	AUTO(walk_fini) Walk walk = { 0 };

	if (!makes_sense(from, to, share, limit) || !(z > 0))
		return 0;
	z = MIN(z, EVENTS_MAX / 2.0);
	walk = walk_new(from, to, share, limit, (size_t)(z + 10 * sqrt(z) + 32));
	walk_run(&walk, 1 - 1e-4);
	return MIN(found_within(&walk, z), 1.0);
}
