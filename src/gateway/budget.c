/* SPDX-License-Identifier: Apache-2.0
 *
 * The retry budget: retries are at most a share of the requests of the last seconds, so that an upstream in trouble is never
 * asked much more than it would be in health; a few at a time are always allowed, or one with little traffic had none.
 *
 * A window of time and not the requests at work this instant: when a server of two is killed, half of all that are at work
 * fail in one moment, and each of them deserves its second try. */
#include "gateway/budget.h"

static uint64_t slot_of(int64_t second, uint32_t count)
{
	return (uint64_t)second << 32 | count;
}

void budget_count(BudgetWindow *window, int64_t now_us)
{
	int64_t second = now_us / 1000000;
	uint64_t *slot = &window->slots[second % BUDGET_SECONDS];
	uint64_t now = __atomic_load_n(slot, __ATOMIC_RELAXED);

	if (now >> 32 != ((uint64_t)second & UINT32_MAX))
		now = slot_of(second, 0);
	__atomic_store_n(slot, now + 1, __ATOMIC_RELAXED);
}

uint32_t budget_sum(const BudgetWindow *window, int64_t now_us)
{
	uint32_t second = (uint32_t)(now_us / 1000000);
	uint32_t sum = 0;

	for (size_t i = 0; i < BUDGET_SECONDS; i++) {
		uint64_t slot = __atomic_load_n(&window->slots[i], __ATOMIC_RELAXED);

		if (second - (uint32_t)(slot >> 32) < BUDGET_SECONDS)
			sum += (uint32_t)slot;
	}
	return sum;
}

bool budget_allows(uint64_t requests, uint64_t retries, uint32_t share_ppm, uint32_t at_work,
                   uint32_t min)
{
	return at_work < min || (retries + 1) * 1000000 <= requests * share_ppm;
}
