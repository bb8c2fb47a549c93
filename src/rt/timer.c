/* SPDX-License-Identifier: Apache-2.0
 *
 * A hierarchical timing wheel (Varghese and Lauck, 1987): four levels of 64 slots, one tick 8.192 ms, so 38 hours in all;
 * what lies beyond hangs at the end and is hung anew when it comes up.
 *
 * Most deadlines are moved or dropped long before they pass, so moving one to a later time only stores it: the timer
 * stays where it hangs, and is hung anew when that place comes up. A bit a slot lets time pass quickly over nothing. */
#include "rt/rt_int.h"

enum { TICK_SHIFT = 13, LEVEL_SHIFT = 6 };

static int64_t tick_after(int64_t us) /* the first tick not before it */
{
	return (us + ((INT64_C(1) << TICK_SHIFT) - 1)) >> TICK_SHIFT;
}

void wheel_init(Wheel *wheel, int64_t now_us)
{
	wheel->tick = now_us >> TICK_SHIFT;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		wheel->used[level] = 0;
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
}

void wheel_hang(Wheel *wheel, Timer *timer)
{
	const int64_t span = INT64_C(1) << (WHEEL_LEVELS * LEVEL_SHIFT);
	int64_t due = tick_after(MIN(timer->at_us, INT64_MAX >> 1));
	int64_t ahead;
	unsigned level = 0;
	unsigned slot;

	due = MAX(due, wheel->tick + 1);
	due = MIN(due, wheel->tick + span - 1);
	ahead = due - wheel->tick;
	while (ahead >> ((level + 1) * LEVEL_SHIFT))
		level++;
	slot = (unsigned)(due >> (level * LEVEL_SHIFT)) % WHEEL_SLOTS;
	timer->in_us = due << TICK_SHIFT;
	wheel->used[level] |= UINT64_C(1) << slot;
	list_add(&wheel->slots[level][slot], &timer->node);
}

static void fire_or_rehang(Wheel *wheel, Timer *timer, int64_t now_us)
{
	list_remove(&timer->node);
	timer->in_us = INT64_MAX;
	if (timer->at_us == INT64_MAX)
		return;
	if (timer->at_us > now_us) {
		wheel_hang(wheel, timer);
		return;
	}
	timer->at_us = INT64_MAX;
	timer->fire(timer);
}

static void empty_slot(Wheel *wheel, unsigned level, unsigned slot, int64_t now_us)
{
	List due;

	if (!(wheel->used[level] & UINT64_C(1) << slot))
		return;
	wheel->used[level] &= ~(UINT64_C(1) << slot);
	list_init(&due);
	while (!list_empty(
		&wheel->slots[level][slot])) /* what is hung anew may land in this very slot */
		list_add(&due, list_take(&wheel->slots[level][slot]));
	while (!list_empty(&due))
		fire_or_rehang(wheel, LIST_FIRST(&due, Timer, node), now_us);
}

void wheel_advance(Wheel *wheel, int64_t now_us)
{
	int64_t target = now_us >> TICK_SHIFT;

	while (wheel->tick < target) {
		int64_t next = wheel_next_us(wheel) >> TICK_SHIFT;

		if (next > target) {
			wheel->tick = target;
			return;
		}
		wheel->tick = MAX(next, wheel->tick + 1);
		for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
			if (wheel->tick % (INT64_C(1) << (level * LEVEL_SHIFT)) == 0)
				empty_slot(wheel, level,
				           (unsigned)(wheel->tick >> (level * LEVEL_SHIFT)) %
				                   WHEEL_SLOTS,
				           now_us);
		empty_slot(wheel, 0, (unsigned)wheel->tick % WHEEL_SLOTS, now_us);
	}
}

int64_t wheel_next_us(const Wheel *wheel)
{
	int64_t first = INT64_MAX;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = level * LEVEL_SHIFT;
		int64_t now = wheel->tick >> shift;
		unsigned from = (unsigned)(now + 1) % WHEEL_SLOTS;
		uint64_t used = wheel->used[level];
		int64_t tick;

		if (!used)
			continue;
		used = used >> from | (from ? used << (WHEEL_SLOTS - from) : 0);
		tick = (now + 1 + __builtin_ctzll(used)) << shift;
		first = MIN(first, tick);
	}
	return first == INT64_MAX ? first : first << TICK_SHIFT;
}
