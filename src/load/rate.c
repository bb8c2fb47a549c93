/* SPDX-License-Identifier: Apache-2.0
 *
 * Areas below straight lines, and the moments at which they are reached: a quadratic equation a stage. */
#include "load/rate.h"

#include "base/rand.h"

#include <math.h>

static double seconds(int64_t us)
{
	return (double)us / 1e6;
}

static double area_of(const RateStage *s, double t)
{
	double slope = (s->to - s->from) / seconds(s->us);

	return s->from * t + slope * t * t / 2;
}

int64_t rate_length_us(const RateStage *stages, size_t count)
{
	int64_t us = 0;

	for (size_t i = 0; i < count; i++)
		us += stages[i].us;
	return us;
}

double rate_area(const RateStage *stages, size_t count, int64_t us)
{
	double area = 0;

	for (size_t i = 0; i < count && us > 0; i++) {
		area += area_of(&stages[i], seconds(MIN(us, stages[i].us)));
		us -= stages[i].us;
	}
	return area;
}

double rate_at(const RateStage *stages, size_t count, int64_t us)
{
	for (size_t i = 0; i < count; i++) {
		if (us < stages[i].us)
			return stages[i].from +
			       (stages[i].to - stages[i].from) * (double)us / (double)stages[i].us;
		us -= stages[i].us;
	}
	return 0;
}

double rate_peak(const RateStage *stages, size_t count)
{
	double peak = 0;

	for (size_t i = 0; i < count; i++)
		peak = fmax(peak, fmax(stages[i].from, stages[i].to));
	return peak;
}

/* Where in the stage its area is so much: the root that stays exact when the slope is small. */
static double moment_of(const RateStage *s, double area)
{
	double slope = (s->to - s->from) / seconds(s->us);
	double root = sqrt(fmax(s->from * s->from + 2 * slope * area, 0));

	return s->from + root > 0 ? 2 * area / (s->from + root) : 0;
}

static double rand_unit(void)
{
	return (double)(rand_u64() >> 11) * 0x1p-53;
}

Arrivals arrivals_begin(const RateStage *stages, size_t count, bool poisson, unsigned part,
                        unsigned parts)
{
	return (Arrivals){
		.stages = stages, .count = count, .poisson = poisson, .part = part, .parts = parts
	};
}

/* Constant: part 0 of 3 takes the 1st, 4th, 7th; so that all parts together are one even row. Poisson: each part is a
 * process of its own with its share of the rate, and together they are one of the whole (superposition). */
static double next_area(const Arrivals *a)
{
	if (!a->poisson)
		return a->area ? a->area + a->parts : a->part + 1.0;
	return a->area - log1p(-rand_unit()) * a->parts;
}

bool arrivals_next(Arrivals *a, double *at_us)
{
	a->area = next_area(a);
	while (a->stage < a->count) {
		const RateStage *s = &a->stages[a->stage];
		double all = area_of(s, seconds(s->us));

		if (a->area - a->before <= all + 1e-9) {
			*at_us = (double)a->before_us + moment_of(s, a->area - a->before) * 1e6;
			return true;
		}
		a->before += all;
		a->before_us += s->us;
		a->stage++;
	}
	return false;
}
