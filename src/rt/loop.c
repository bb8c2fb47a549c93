/* SPDX-License-Identifier: Apache-2.0
 *
 * One turn of a loop: wait for events, call their sources, run what other threads posted, fire timers, run the fibers
 * that are ready. Everything that a loop owns is touched by its own thread only; other threads leave a message in a
 * lock-free list and ring the eventfd when it was empty.
 *
 * A turn should take microseconds. What blocks, or burns, in a fiber makes all others of the loop wait, so every turn goes
 * into a histogram, by the clock that is read anyway to know how long to wait.
 *
 * A source may be removed, and its memory freed, by what another source of the same batch does: removing takes its
 * events out of the rest of the batch. */
#include "rt/rt_int.h"

#include "base/time.h"
#include "rt/loop_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const MetricFamily families[] = {
	{ .name = "banyan_loop_turn_seconds",
	  .type = METRIC_HISTOGRAM,
	  .unit = "seconds",
	  .help = "Time from the events that end a loop's wait to its next wait; long ones made others wait" },
};
static MetricCell turns;

static __thread Loop *self;

static Err no_epoll = ERR_STATIC(IO, "rt.epoll", "the kernel refused to watch a descriptor");

Loop *loop_self(void)
{
	return self;
}

unsigned loop_index(const Loop *loop)
{
	return loop->index;
}

int64_t loop_now_us(void)
{
	return self->now_us;
}

/* --- sources -------------------------------------------------------------------------------------------------------- */

Err *loop_source_add(Source *source, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return &no_epoll;
	STAT_ADD(self->stats.watches, 1u);
	return NULL;
}

void loop_source_move(Source *from, Source *to, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = to };

	for (int i = self->event_at; i < self->event_count; i++)
		if (self->events[i].data.ptr == from)
			self->events[i].data.ptr = to;
	if (epoll_ctl(self->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
		abort(); /* the descriptor is in this epoll and open */
}

void loop_source_forget(Source *source)
{
	for (int i = self->event_at; i < self->event_count; i++)
		if (self->events[i].data.ptr == source)
			self->events[i].data.ptr = NULL;
	STAT_ADD(self->stats.watches, -1u);
}

void loop_source_remove(Source *source, int fd)
{
	epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	loop_source_forget(source);
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

void loop_post(Loop *loop, LoopFn *fn, void *arg)
{
	Post *post = malloc(sizeof *post);
	Post *before = __atomic_load_n(&loop->posts, __ATOMIC_RELAXED);

	if (!post)
		abort();
	*post = (Post){ before, fn, arg };
	while (!__atomic_compare_exchange_n(&loop->posts, &before, post, true, __ATOMIC_RELEASE,
	                                    __ATOMIC_RELAXED))
		post->next = before;
	if (!before) {
		uint64_t one = 1;

		while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
			;
	}
}

static void run_posts(Loop *loop)
{
	Post *newest = __atomic_exchange_n(&loop->posts, NULL, __ATOMIC_ACQUIRE);
	Post *first = NULL;

	while (newest) {
		Post *next = newest->next;

		newest->next = first;
		first = newest;
		newest = next;
	}
	while (first) {
		Post post = *first;

		free(first);
		first = post.next;
		post.fn(post.arg);
	}
}

static void woken(Source *source, uint32_t events)
{
	Loop *loop = CONTAINER(source, Loop, wake);
	uint64_t count;

	(void)events;
	if (read(loop->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
		abort();
}

typedef struct Errand {
	LoopFn *fn;
	void *arg;
	Loop *home;
	Fiber *fiber;
	bool done;
} Errand;

static void errand_back(void *arg)
{
	Errand *errand = arg;

	errand->done = true;
	fiber_wake(errand->fiber);
}

static void errand_run(void *arg)
{
	Errand *errand = arg;

	errand->fn(errand->arg);
	loop_post(errand->home, errand_back, errand);
}

void loop_each(LoopFn *fn, void *arg)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	for (unsigned i = 0; i < rt_loops(); i++) {
		Errand errand = { fn, arg, self, fiber_self(), false };

		loop_post(rt_loop(i), errand_run, &errand);
		while (!errand.done)
			if (fiber_park())
				break; /* cannot be: shielded, no deadline */
	}
}

/* --- timers --------------------------------------------------------------------------------------------------------- */

void timer_set(Timer *timer, int64_t at_us)
{
	timer->at_us = at_us;
	if (node_linked(&timer->node)) {
		if (at_us >= timer->in_us)
			return;
		list_remove(&timer->node);
	}
	wheel_hang(&self->wheel, timer);
}

void timer_clear(Timer *timer)
{
	timer->at_us = INT64_MAX;
}

void timer_remove(Timer *timer)
{
	list_remove(&timer->node);
	timer->at_us = timer->in_us = INT64_MAX;
}

/* --- turns ---------------------------------------------------------------------------------------------------------- */

static int wait_ms(const Loop *loop)
{
	int64_t next;

	if (!list_empty(&loop->ready))
		return 0;
	next = wheel_next_us(&loop->wheel);
	if (next == INT64_MAX)
		return -1;
	return (int)MIN((MAX(next - loop->turned_us, INT64_C(0)) + US_PER_MS - 1) / US_PER_MS,
	                INT64_C(3600000));
}

/* As long as an alarm is set: to the microsecond. */
static int wait_precisely(Loop *loop)
{
	int64_t next = MIN(wheel_next_us(&loop->wheel), alarms_next_us(&loop->alarms));
	int64_t us = list_empty(&loop->ready) ? MAX(next - loop->turned_us, INT64_C(0)) : 0;
	struct timespec limit = { us / US_PER_S, us % US_PER_S * 1000 };
	int count = epoll_pwait2(loop->epoll_fd, loop->events, EVENTS_MAX, &limit, NULL);

	if (count < 0 && errno != EINTR) /* a sandbox that has not heard of it */
		return epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, (int)(us / US_PER_MS));
	return count;
}

static int wait_for_events(Loop *loop)
{
	return loop->alarms.count
	               ? wait_precisely(loop)
	               : epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, wait_ms(loop));
}

static void take_events(Loop *loop)
{
	int count = wait_for_events(loop);

	loop->now_us = time_mono_us();
	loop->event_count = MAX(count, 0);
	for (loop->event_at = 0; loop->event_at < loop->event_count;) {
		struct epoll_event event = loop->events[loop->event_at++];
		Source *source = event.data.ptr;

		if (source)
			source->event(source, event.events);
	}
	loop->event_at = loop->event_count = 0;
}

void loop_run(Loop *loop)
{
	while (!loop->done) {
		take_events(loop);
		run_posts(loop);
		wheel_advance(&loop->wheel, loop->now_us);
		alarms_fire(&loop->alarms, loop->now_us);
		fibers_run_ready(loop);
		STAT_ADD(loop->stats.turns, 1u);
		loop->turned_us = time_mono_us();
		metric_observe_us(turns, loop->turned_us - loop->now_us);
		if (loop->stopping && loop->stats.fibers == 0)
			loop_is_empty(loop);
	}
	while (loop->exit_hooks) {
		ExitHook hook = *loop->exit_hooks;

		free(loop->exit_hooks);
		loop->exit_hooks = hook.next;
		hook.fn(hook.arg);
	}
}

void loop_enter(Loop *loop)
{
	self = loop;
}

void loop_on_exit(LoopFn *fn, void *arg)
{
	ExitHook *hook = malloc(sizeof *hook);

	if (!hook)
		abort();
	*hook = (ExitHook){ self->exit_hooks, fn, arg };
	self->exit_hooks = hook;
}

Err *loop_init(Loop *loop, unsigned index, const RtConf *conf)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = &loop->wake };

	*loop = (Loop){ .index = index,
		        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		        .now_us = time_mono_us() };
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop->wake.event = woken;
	if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
	    epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
		return &no_epoll;
	loop->turned_us = loop->now_us;
	wheel_init(&loop->wheel, loop->now_us);
	fibers_init(loop, conf->fibers_per_loop, conf->stack_bytes);
	return NULL;
}

void loop_fini(Loop *loop)
{
	fibers_fini(loop);
	free(loop->alarms.at);
	while (loop->posts) {
		Post *post = loop->posts;

		loop->posts = post->next;
		free(post);
	}
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
}

void loops_count_turns(void)
{
	turns = turns.at ? turns : metric_cell(&families[0], NULL, 0);
}

const MetricFamily *loop_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

LoopStats loop_stats(const Loop *loop)
{
	const LoopStats *s = &loop->stats;

	return (LoopStats){
		.turns = __atomic_load_n(&s->turns, __ATOMIC_RELAXED),
		.fibers_started = __atomic_load_n(&s->fibers_started, __ATOMIC_RELAXED),
		.fibers = __atomic_load_n(&s->fibers, __ATOMIC_RELAXED),
		.fibers_peak = __atomic_load_n(&s->fibers_peak, __ATOMIC_RELAXED),
		.stacks_kept = __atomic_load_n(&s->stacks_kept, __ATOMIC_RELAXED),
		.watches = __atomic_load_n(&s->watches, __ATOMIC_RELAXED),
	};
}
