/* SPDX-License-Identifier: Apache-2.0
 *
 * The sight of a subject. A subject that stays on its old side has only the window of times (52 KiB once it has traffic);
 * what draws charts is made when somebody moves it. */
#include "shift/sight.h"

#include "base/time.h"

#include <stdlib.h>

#define WINDOW_US (600 * US_PER_S)

enum { NOW_SECONDS = 10 };

static void *need(size_t count, size_t size)
{
	void *at = calloc(count, size);

	if (!at)
		abort();
	return at;
}

void sight_fini(Sight *s)
{
	free(s->times);
	free(s->now);
	free(s->points);
	*s = (Sight){ 0 };
}

void sight_close_up(Sight *s)
{
	if (s->now)
		return;
	s->now = need(JUDGE_SIDES, sizeof *s->now);
	s->points = need(SIGHT_POINTS, sizeof *s->points);
}

void sight_note(Sight *s, JudgeSide side, bool failed, int64_t took_us)
{
	s->requests[side]++;
	s->failed[side] += failed;
	s->counted[side]++;
	s->broken[side] += failed;
	if (took_us < 0 || failed)
		return;
	if (side == JUDGE_OLD) {
		if (!s->times)
			s->times = need(2, sizeof *s->times);
		latency_note(&s->times[0], took_us);
	}
	if (s->now)
		latency_note(&s->now[side], took_us);
}

static void turn_window(Sight *s, int64_t now_us)
{
	if (!s->turned_us)
		s->turned_us = now_us;
	if (now_us - s->turned_us < WINDOW_US)
		return;
	s->turned_us = now_us;
	if (s->times) {
		s->times[1] = s->times[0];
		s->times[0] = (Latency){ 0 };
	}
}

static SightSide side_of(const Sight *s, JudgeSide side)
{
	return (SightSide){
		.requests = s->counted[side],
		.failed = s->broken[side],
		.p50_us = (uint32_t)MIN(latency_percentile_us(&s->now[side], 50), UINT32_MAX),
		.p99_us = (uint32_t)MIN(latency_percentile_us(&s->now[side], 99), UINT32_MAX),
	};
}

void sight_turn(Sight *s, int64_t now_us, const float *evidence, unsigned count)
{
	double counted = s->counted[JUDGE_OLD] + s->counted[JUDGE_NEW];

	turn_window(s, now_us);
	s->rate += (counted - s->rate) * (s->rate > 0 ? 0.05 : 1);
	if (s->points) {
		SightPoint *p = &s->points[s->at++ % SIGHT_POINTS];

		*p = (SightPoint){ .at_us = now_us };
		for (unsigned i = 0; i < JUDGE_SIDES; i++) {
			p->side[i] = side_of(s, (JudgeSide)i);
			s->now[i] = (Latency){ 0 };
		}
		for (unsigned i = 0; i < MIN(count, (unsigned)JUDGE_MAX); i++)
			p->evidence[i] = evidence[i];
	}
	for (unsigned i = 0; i < JUDGE_SIDES; i++)
		s->counted[i] = s->broken[i] = 0;
}

bool sight_slow(const Sight *s, int64_t slow_us[3])
{
	static const double percents[3] = { 50, 95, 99 };
	static Latency none;
	Latency both = s->times ? s->times[0] : none;

	if (s->times)
		latency_merge(&both, &s->times[1]);
	if (both.count < SIGHT_ENOUGH)
		return false;
	for (size_t i = 0; i < COUNT(percents); i++)
		slow_us[i] = latency_percentile_us(&both, percents[i]);
	return true;
}

const SightPoint *sight_point(const Sight *s, unsigned ago)
{
	const SightPoint *p;

	if (!s->points || ago >= SIGHT_POINTS || ago >= s->at)
		return NULL;
	p = &s->points[(s->at - 1 - ago) % SIGHT_POINTS];
	return p->at_us ? p : NULL;
}

/* Without seconds: of the window, and of all that ever was. */
static SightNow now_at_rest(const Sight *s, JudgeSide side)
{
	SightNow now = { 0 };

	if (side == JUDGE_NEW || !s->requests[side])
		return now;
	now.rate = s->rate;
	now.errors = (double)s->failed[side] / (double)s->requests[side];
	if (s->times) {
		now.p50_us = latency_percentile_us(&s->times[0], 50);
		now.p99_us = latency_percentile_us(&s->times[0], 99);
	}
	return now;
}

/* Of percentiles of seconds the highest is said: it is what somebody saw. */
SightNow sight_now(const Sight *s, JudgeSide side)
{
	double requests = 0, failed = 0;
	SightNow now = { 0 };
	unsigned seconds = 0;

	if (!s->points)
		return now_at_rest(s, side);
	for (; seconds < NOW_SECONDS; seconds++) {
		const SightPoint *p = sight_point(s, seconds);

		if (!p)
			break;
		requests += p->side[side].requests;
		failed += p->side[side].failed;
		now.p50_us = MAX(now.p50_us, (int64_t)p->side[side].p50_us);
		now.p99_us = MAX(now.p99_us, (int64_t)p->side[side].p99_us);
	}
	now.rate = seconds ? requests / seconds : 0;
	now.errors = requests > 0 ? failed / requests : 0;
	return now;
}
