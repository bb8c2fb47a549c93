/* SPDX-License-Identifier: Apache-2.0
 *
 * One leaky bucket for each act, kept as a single time (the generic cell rate algorithm): when the bucket would be empty
 * if nothing more came. Each act moves it on by 1/rate; it may be burst/rate ahead of now. So an idle connection's guard
 * is a few numbers and needs no timer. */
#include "http/h2_guard.h"

enum { US = 1000 * 1000 };

static const struct {
	int64_t step_us;  /* 1/rate */
	int64_t ahead_us; /* burst/rate */
	Str text;
} rows[] = {
#define X(act, burst, rate, text_) \
	[H2_ACT_##act] = { US / (rate), \
		           (int64_t)(burst)*US / (rate), \
		           { "" text_, sizeof(text_) - 1 } },
	H2_ACTS(X)
#undef X
};

bool h2_guard_count(H2Guard *guard, H2Act act, int64_t now_us)
{
	int64_t due_us = guard->due_us[act];

	if (due_us < now_us)
		due_us = now_us;
	guard->due_us[act] = due_us + rows[act].step_us;
	return due_us + rows[act].step_us - now_us <= rows[act].ahead_us;
}

void h2_guard_forgive(H2Guard *guard, H2Act act, unsigned count)
{
	guard->due_us[act] -= (int64_t)count * rows[act].step_us;
}

Str h2_act_text(H2Act act)
{
	return rows[act].text;
}
