/* SPDX-License-Identifier: Apache-2.0
 *
 * Fibers of one loop: stacks, switching, parking, cancelling, deadlines.
 *
 * A fiber is free, ready, running or parked; only the loop moves it from ready to running. Its struct and its stack are
 * one thing, kept after its end in a list, hot first, and reused; once a second the coldest half of those that nobody
 * needed goes back to the kernel. Below each stack lie 64 KiB of guard that fault on the first touch.
 *
 * Cancelling is a flag that parks return: nothing is unwound, so cleanups run as after any other error. A shield holds
 * the flag off while a cleanup must itself wait. */
#include "rt/rt_int.h"

#include "base/sanitize.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	GUARD_BYTES = 64 << 10,
	STACKS_KEPT = 16,
	COLOURS = 16,
	COLOUR_BYTES = 832,
	PAGE = 4096,
	RED_ZONE = 512,
	PASSES = 4 /* of those ready, in one turn */
};

static Err cancelled = ERR_STATIC(CANCELLED, "rt.cancelled", "the work was cancelled");
static Err too_late = ERR_STATIC(TIMEOUT, "rt.deadline", "the time allowed for it was over");
static Err too_many = ERR_STATIC(BUSY, "rt.fibers", "no more fibers may be started");

static Fiber *running(void)
{
	Loop *loop = loop_self();

	return loop ? loop->running : NULL;
}

/* --- stacks --------------------------------------------------------------------------------------------------------- */

static void fire_deadline(Timer *timer);

/* Stacks lie a power of two apart: were they all used from the very top, they would meet in a few sets of the caches. */
static Fiber *fiber_map(size_t stack_bytes)
{
	static __thread unsigned mapped;
	char *base = mmap(NULL, stack_bytes + GUARD_BYTES, PROT_NONE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	Fiber *fiber;

	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base + GUARD_BYTES, stack_bytes, PROT_READ | PROT_WRITE) != 0) {
		munmap(base, stack_bytes + GUARD_BYTES);
		return NULL;
	}
	fiber = calloc(1, sizeof *fiber);
	if (!fiber)
		abort();
	fiber->stack = base + GUARD_BYTES;
	fiber->stack_bytes = stack_bytes;
	fiber->colour = mapped++ % COLOURS * COLOUR_BYTES;
	fiber->timer = (Timer)TIMER_INIT(fire_deadline);
	fiber->valgrind = sanitize_valgrind_stack(fiber->stack, fiber->stack + stack_bytes);
	return fiber;
}

static void fiber_unmap(Fiber *fiber)
{
	timer_remove(&fiber->timer);
	sanitize_valgrind_stack_end(fiber->valgrind);
	sanitize_tsan_fiber_end(fiber->tsan);
	munmap(fiber->stack - GUARD_BYTES, fiber->stack_bytes + GUARD_BYTES);
	free(fiber);
}

static Fiber *fiber_take(Loop *loop)
{
	Fiber *fiber = LIST_TAKE(&loop->stacks, Fiber, ready);

	if (fiber) {
		STAT_ADD(loop->stats.stacks_kept, -1u);
		loop->stacks_low = MIN(loop->stacks_low, loop->stats.stacks_kept);
		return fiber;
	}
	loop->stacks_low = 0;
	return loop->stats.fibers < loop->fibers_max ? fiber_map(loop->stack_bytes) : NULL;
}

static void trim_stacks(Timer *timer)
{
	Loop *loop = CONTAINER(timer, Loop, trim);
	unsigned surplus =
		loop->stacks_low > STACKS_KEPT ? (loop->stacks_low - STACKS_KEPT + 1) / 2 : 0;

	for (; surplus; surplus--) {
		Fiber *coldest = CONTAINER(loop->stacks.head.prev, Fiber, ready);

		list_remove(&coldest->ready);
		fiber_unmap(coldest);
		STAT_ADD(loop->stats.stacks_kept, -1u);
	}
	loop->stacks_low = loop->stats.stacks_kept;
	if (loop->stats.fibers + loop->stats.stacks_kept > STACKS_KEPT)
		timer_set(timer, loop->now_us + US_PER_S);
}

void fibers_init(Loop *loop, unsigned fibers_max, size_t stack_bytes)
{
	list_init(&loop->ready);
	list_init(&loop->yielded);
	list_init(&loop->gathering);
	list_init(&loop->fibers);
	list_init(&loop->stacks);
	loop->fibers_max = fibers_max;
	loop->stack_bytes = stack_bytes;
	loop->trim = (Timer)TIMER_INIT(trim_stacks);
}

void fibers_fini(Loop *loop)
{
	LIST_EACH (&loop->stacks, Fiber, ready, fiber) {
		list_remove(&fiber->ready);
		fiber_unmap(fiber);
	}
	loop->stats.stacks_kept = 0;
}

bool fiber_guard_hit(const void *addr, const char **name, size_t *stack_bytes)
{
	const Fiber *fiber = running();
	const char *at = addr;

	if (!fiber || at >= fiber->stack || at < fiber->stack - GUARD_BYTES)
		return false;
	*name = fiber->name;
	*stack_bytes = fiber->stack_bytes;
	return true;
}

/* --- switching ------------------------------------------------------------------------------------------------------ */

static void to_loop(Fiber *fiber, bool for_good)
{
	Loop *loop = fiber->loop;

	sanitize_switch_begin(for_good ? NULL : &fiber->fake_stack, loop->stack_bottom,
	                      loop->stack_size, loop->tsan);
	fiber_switch(&fiber->sp, loop->sp);
	sanitize_switch_end(fiber->fake_stack, NULL, NULL);
}

static void to_fiber(Loop *loop, Fiber *fiber)
{
	fiber->state = FIBER_RUNNING;
	loop->running = fiber;
	sanitize_switch_begin(&loop->fake_stack, fiber->stack, fiber->stack_bytes, fiber->tsan);
	fiber_switch(&loop->sp, fiber->sp);
	sanitize_switch_end(loop->fake_stack, NULL, NULL);
	loop->running = NULL;
}

static void fiber_give_back(Loop *loop, Fiber *fiber)
{
	fiber->state = FIBER_FREE;
	list_remove(&fiber->all);
	list_push(&loop->stacks, &fiber->ready);
	STAT_ADD(loop->stats.fibers, -1u);
	STAT_ADD(loop->stats.stacks_kept, 1u);
	if (loop->trim.at_us == INT64_MAX && loop->stats.stacks_kept > STACKS_KEPT)
		timer_set(&loop->trim, loop->now_us + US_PER_S);
}

/* Never returns: its last switch goes to the loop, which gives the stack back. */
static void fiber_main(void *arg)
{
	Fiber *fiber = arg;

	sanitize_switch_end(NULL, &fiber->loop->stack_bottom, &fiber->loop->stack_size);
	fiber->fn(fiber->arg);
	fiber->state = FIBER_FREE;
	to_loop(fiber, true);
	abort();
}

static void move_all(List *from, List *to)
{
	while (!list_empty(from))
		list_add(to, list_take(from));
}

static void run_once(Loop *loop)
{
	List now;

	list_init(&now);
	move_all(&loop->ready, &now);
	while (!list_empty(&now)) {
		Fiber *fiber = LIST_TAKE(&now, Fiber, ready);

		to_fiber(loop, fiber);
		if (fiber->state == FIBER_FREE)
			fiber_give_back(loop, fiber);
	}
}

/* Whoever is woken by those who run, runs in the same turn, a few times over: what goes from fiber to fiber needs no look
 * at the sockets between. Who yields lets the sockets come first. */
void fibers_run_ready(Loop *loop)
{
	for (int i = 0; i < PASSES && !list_empty(&loop->ready); i++)
		run_once(loop);
	if (!list_empty(&loop->gathering)) {
		move_all(&loop->gathering, &loop->ready);
		run_once(loop);
	}
	move_all(&loop->yielded, &loop->ready);
}

static void make_ready(Fiber *fiber)
{
	fiber->state = FIBER_READY;
	list_add(&fiber->loop->ready, &fiber->ready);
}

Err *fiber_start(FiberMain *fn, void *arg, const char *name)
{
	Loop *loop = loop_self();
	Fiber *fiber;

	if (loop->stopping)
		return &cancelled;
	fiber = fiber_take(loop);
	if (!fiber)
		return &too_many;
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->name = name;
	fiber->loop = loop;
	fiber->cancelled = fiber->timed_out = false;
	fiber->shields = fiber->cancel_at = 0;
	fiber->deadline_us = INT64_MAX;
	sanitize_tsan_fiber(&fiber->tsan);
	fiber->sp = fiber_stack_prepare(fiber->stack + fiber->stack_bytes - fiber->colour,
	                                fiber_main, fiber);
	list_add(&loop->fibers, &fiber->all);
	STAT_ADD(loop->stats.fibers_started, 1u);
	STAT_ADD(loop->stats.fibers, 1u);
	if (loop->stats.fibers > loop->stats.fibers_peak)
		__atomic_store_n(&loop->stats.fibers_peak, loop->stats.fibers, __ATOMIC_RELAXED);
	make_ready(fiber);
	return NULL;
}

Fiber *fiber_self(void)
{
	return running();
}

const char *fiber_name(const Fiber *fiber)
{
	return fiber->name;
}

/* --- parking -------------------------------------------------------------------------------------------------------- */

static void fire_deadline(Timer *timer)
{
	Fiber *fiber = CONTAINER(timer, Fiber, timer);

	if (fiber->state != FIBER_PARKED || fiber->deadline_us == INT64_MAX)
		return;
	if (fiber->deadline_us > fiber->loop->now_us) {
		timer_set(timer, fiber->deadline_us);
		return;
	}
	fiber->timed_out = true;
	make_ready(fiber);
}

static bool is_cancelled(const Fiber *fiber)
{
	return fiber->cancelled && !fiber->shields;
}

Err *fiber_park(void)
{
	Fiber *fiber = running();

	if (UNLIKELY(fiber->cancel_at) && --fiber->cancel_at == 0)
		fiber->cancelled = true;
	if (UNLIKELY(is_cancelled(fiber)))
		return &cancelled;
	if (fiber->deadline_us != INT64_MAX) {
		if (UNLIKELY(fiber->deadline_us <= fiber->loop->now_us))
			return &too_late;
		timer_set(&fiber->timer, fiber->deadline_us);
	}
	fiber->timed_out = false;
	fiber->state = FIBER_PARKED;
	to_loop(fiber, false);
	if (UNLIKELY(is_cancelled(fiber)))
		return &cancelled;
	return UNLIKELY(fiber->timed_out) ? &too_late : NULL;
}

void fiber_wake(Fiber *fiber)
{
	if (fiber->state == FIBER_PARKED)
		make_ready(fiber);
}

void fiber_cancel(Fiber *fiber)
{
	fiber->cancelled = true;
	if (!fiber->shields)
		fiber_wake(fiber);
}

bool fiber_cancelled(void)
{
	return is_cancelled(running());
}

/* Not inlined: the frame whose address is taken must be a small one, the last above what is given back. */
__attribute__((noinline)) void fiber_trim(void)
{
	Fiber *fiber = running();
	uintptr_t depth = (uintptr_t)__builtin_frame_address(0) - RED_ZONE;
	size_t unused = (depth & ~(uintptr_t)(PAGE - 1)) - (uintptr_t)fiber->stack;

	if (unused < fiber->stack_bytes)
		madvise(fiber->stack, unused, MADV_DONTNEED);
}

void fiber_cancel_at_park(unsigned n)
{
	running()->cancel_at = n;
}

void fibers_cancel_all(Loop *loop)
{
	LIST_EACH (&loop->fibers, Fiber, all, fiber)
		fiber_cancel(fiber);
}

static Err *wait_in(Fiber *fiber, List *list)
{
	if (UNLIKELY(fiber->cancel_at) && --fiber->cancel_at == 0)
		fiber->cancelled = true;
	fiber->state = FIBER_READY;
	list_add(list, &fiber->ready);
	to_loop(fiber, false);
	if (is_cancelled(fiber))
		return &cancelled;
	return fiber->deadline_us <= fiber->loop->now_us ? &too_late : NULL;
}

Err *fiber_yield(void)
{
	Fiber *fiber = running();

	return wait_in(fiber, &fiber->loop->yielded);
}

Err *fiber_gather(void)
{
	Fiber *fiber = running();

	return wait_in(fiber, &fiber->loop->gathering);
}

Err *fiber_sleep(int64_t us)
{
	AUTO(deadline_end) Deadline until = { 0 };
	Fiber *fiber = running();
	int64_t end = fiber->loop->now_us + MAX(us, INT64_C(0));
	Err *err = NULL;

	if (end >= fiber->deadline_us) { /* the outer deadline comes first: it is an error */
		while (!err)
			err = fiber_park();
		return err;
	}
	until = deadline_begin(us);
	while (!err)
		err = fiber_park();
	return err == &too_late ? NULL : err;
}

/* --- scopes --------------------------------------------------------------------------------------------------------- */

Deadline deadline_begin(int64_t us_from_now)
{
	Fiber *fiber = running();
	Deadline scope = { fiber->deadline_us, true };
	int64_t at;

	if (!__builtin_add_overflow(fiber->loop->now_us, us_from_now, &at))
		fiber->deadline_us = MIN(fiber->deadline_us, at);
	return scope;
}

void deadline_end(Deadline *scope)
{
	if (scope->active)
		running()->deadline_us = scope->before_us;
	scope->active = false;
}

int64_t deadline_at(void)
{
	return running()->deadline_us;
}

Shield shield_begin(int64_t us_from_now)
{
	Fiber *fiber = running();
	Shield scope = { fiber->deadline_us, true };

	fiber->shields++;
	if (__builtin_add_overflow(fiber->loop->now_us, us_from_now, &fiber->deadline_us))
		fiber->deadline_us = INT64_MAX;
	return scope;
}

void shield_end(Shield *scope)
{
	Fiber *fiber = running();

	if (!scope->active)
		return;
	fiber->shields--;
	fiber->deadline_us = scope->before_us;
	scope->active = false;
}

/* --- children ------------------------------------------------------------------------------------------------------- */

static void child_main(void *arg)
{
	Child *child = arg;

	child->result = child->fn(child->arg);
	child->done = true;
	fiber_wake(child->parent);
}

Err *child_start(Child *child, ChildMain *fn, void *arg, const char *name)
{
	Fiber *parent = running();
	Err *err;

	*child = (Child){ .parent = parent, .fn = fn, .arg = arg };
	err = fiber_start(child_main, child, name);
	if (err)
		return err;
	child->fiber = CONTAINER(parent->loop->fibers.head.prev, Fiber, all); /* the newest */
	return NULL;
}

static void child_await(Child *child)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	while (!child->done)
		if (fiber_park())
			break; /* cannot be: no deadline, shielded */
}

Err *child_join(Child *child)
{
	Err *err = NULL;

	while (!child->done && !err)
		err = fiber_park();
	if (err) {
		child_end(child);
		return err;
	}
	child->fiber = NULL;
	return child->result;
}

void child_end(Child *child)
{
	if (child->fiber && !child->done) {
		fiber_cancel(child->fiber);
		child_await(child);
	}
	child->fiber = NULL;
}

/* --- wait queues ---------------------------------------------------------------------------------------------------- */

void wait_queue_init(WaitQueue *queue)
{
	list_init(&queue->waiters);
}

Err *wait_queue_park(WaitQueue *queue)
{
	Fiber *fiber = running();
	Err *err = NULL;

	list_add(&queue->waiters, &fiber->wait);
	while (node_linked(&fiber->wait) && !err)
		err = fiber_park();
	if (err &&
	    !node_linked(&fiber->wait)) /* woken and cancelled at once: the turn is passed on */
		wait_queue_wake_one(queue);
	list_remove(&fiber->wait);
	return err;
}

bool wait_queue_wake_one(WaitQueue *queue)
{
	Fiber *fiber = LIST_TAKE(&queue->waiters, Fiber, wait);

	if (fiber)
		fiber_wake(fiber);
	return fiber != NULL;
}

void wait_queue_wake_all(WaitQueue *queue)
{
	while (wait_queue_wake_one(queue))
		;
}

bool wait_queue_empty(const WaitQueue *queue)
{
	return list_empty(&queue->waiters);
}
