/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs that measure the store share: fibers that work side by side, the processor's time, and dying with a
 * sentence. */
#pragma once
#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

__attribute__((noreturn)) static inline void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static inline void need(const Err *err)
{
	Arena *a;

	if (!err)
		return;
	a = arena_new(0);
	die(str_z(a, err_chain(a, err)));
}

/* Of this process so far. */
static inline int64_t cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S + use.ru_utime.tv_usec +
	       use.ru_stime.tv_usec;
}

static struct {
	unsigned each; /* loop */
	void (*work)(Arena *a);
	unsigned left;
	Fiber *waiter;
} crew;

static inline void crew_went(void *arg)
{
	(void)arg;
	if (!--crew.left)
		fiber_wake(crew.waiter);
}

static inline void crew_main(void *arg)
{
	Arena *a = arena_new(0);
	(void)arg;

	crew.work(a);
	arena_free(a);
	loop_post(rt_loop(0), crew_went, NULL);
}

static inline void crew_start(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < crew.each; i++)
		need(fiber_start(crew_main, NULL, "bench"));
}

/* So many fibers, as many on each loop; back when all have done their work. On a fiber of loop 0. */
static inline void crew_run(unsigned fibers, void (*work)(Arena *a))
{
	crew.each = fibers / rt_loops();
	crew.work = work;
	crew.left = crew.each * rt_loops();
	crew.waiter = fiber_self();
	loop_each(crew_start, NULL);
	while (crew.left)
		need(fiber_park());
}
