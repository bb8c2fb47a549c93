/* SPDX-License-Identifier: Apache-2.0
 *
 * Two rings: minutes, and hours. What they do not reach any more is wiped when time passes over it, so a gateway that slept for
 * a week remembers nothing wrong. Both windows of an alert must burn: the long one that it matters, the short one that it goes
 * on. */
#include "shift/objective.h"

#include "base/time.h"

#include <string.h>

#define MINUTE_US (60 * US_PER_S)
#define HOUR_US (60 * MINUTE_US)

const ObjectiveWindow objective_windows[OBJECTIVE_WINDOWS] = {
	{ "5m", 5 },
	{ "30m", 30 },
	{ "1h", 60 },
	{ "6h", 360 },
};

/* at: the slot that ran until now, and is `to` from now on. */
static void pass(ObjectiveCount *ring, int64_t size, int64_t *at, int64_t to)
{
	if (to - *at >= size)
		memset(ring, 0, (size_t)size * sizeof *ring);
	for (int64_t i = MAX(*at + 1, to - size + 1); i <= to; i++)
		ring[i % size] = (ObjectiveCount){ 0 };
	*at = MAX(*at, to);
}

void objective_note(Objective *o, int64_t utc_us, uint32_t requests, uint32_t failed)
{
	ObjectiveCount *minute, *hour;

	pass(o->minutes, OBJECTIVE_MINUTES, &o->minute, utc_us / MINUTE_US);
	pass(o->hours, OBJECTIVE_HOURS, &o->hour, utc_us / HOUR_US);
	minute = &o->minutes[o->minute % OBJECTIVE_MINUTES];
	hour = &o->hours[o->hour % OBJECTIVE_HOURS];
	minute->requests += requests;
	minute->failed += failed;
	hour->requests += requests;
	hour->failed += failed;
}

static ObjectiveCount sum(const ObjectiveCount *ring, int64_t size, int64_t at, int64_t now,
                          int64_t slots)
{
	ObjectiveCount all = { 0 };

	for (int64_t i = MAX(now - slots + 1, now - size + 1); i <= at; i++) {
		if (i < 0)
			continue;
		all.requests += ring[i % size].requests;
		all.failed += ring[i % size].failed;
	}
	return all;
}

ObjectiveCount objective_count(const Objective *o, int64_t utc_us, uint32_t minutes)
{
	if (minutes <= OBJECTIVE_MINUTES)
		return sum(o->minutes, OBJECTIVE_MINUTES, o->minute, utc_us / MINUTE_US, minutes);
	return sum(o->hours, OBJECTIVE_HOURS, o->hour, utc_us / HOUR_US, (minutes + 59) / 60);
}

double objective_burn(const Objective *o, int64_t utc_us, uint32_t minutes, double share)
{
	ObjectiveCount c = objective_count(o, utc_us, minutes);

	return c.requests ? (double)c.failed / (double)c.requests / (1 - share) : 0;
}

double objective_left(const Objective *o, int64_t utc_us, double share)
{
	return 1 - objective_burn(o, utc_us, OBJECTIVE_HOURS * 60, share);
}

const char *objective_alert(const Objective *o, int64_t utc_us, double share)
{
	static const struct {
		uint32_t lengthy, brief; /* minutes */
		double burn;
	} rows[] = { { 60, 5, 14.4 }, { 360, 30, 6 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (objective_burn(o, utc_us, rows[i].lengthy, share) >= rows[i].burn &&
		    objective_burn(o, utc_us, rows[i].brief, share) >= rows[i].burn)
			return "page";
	return NULL;
}
