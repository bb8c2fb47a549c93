/* SPDX-License-Identifier: Apache-2.0
 *
 * The process: loops on threads, workers beside them, and the order in which all of it begins and ends.
 *
 * The end: the main fiber has returned; every loop cancels its fibers and goes on turning, answering messages, until no
 * loop has a fiber left. Only then do loops stop, so that a fiber that waits for another loop always gets its answer. */
#include "rt/rt_int.h"

#include "base/sanitize.h"
#include "rt/signals_int.h"
#include "rt/work_int.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	Loop *loops;
	unsigned count;
	unsigned empty; /* loops that have no fiber left, atomic */
	RtMain *main_fn;
	void *main_arg;
	Err *result;
} rt;

static Err no_thread = ERR_STATIC(IO, "rt.thread", "a thread could not be started");

unsigned rt_loops(void)
{
	return rt.count;
}

Loop *rt_loop(unsigned index)
{
	return &rt.loops[index];
}

static void end_loop(void *arg)
{
	Loop *loop = arg;

	loop->done = true;
}

void loop_is_empty(Loop *loop)
{
	if (loop->empty)
		return;
	loop->empty = true;
	if (__atomic_add_fetch(&rt.empty, 1, __ATOMIC_ACQ_REL) == rt.count)
		for (unsigned i = 0; i < rt.count; i++)
			loop_post(&rt.loops[i], end_loop, &rt.loops[i]);
}

static void stop_loop(void *arg)
{
	Loop *loop = arg;

	loop->stopping = true;
	fibers_cancel_all(loop);
}

static void stop_all(void)
{
	for (unsigned i = 0; i < rt.count; i++)
		loop_post(&rt.loops[i], stop_loop, &rt.loops[i]);
}

static void main_fiber(void *arg)
{
	(void)arg;
	rt.result = rt.main_fn(rt.main_arg);
	stop_all();
}

static void enter(Loop *loop)
{
	loop_enter(loop);
	loop->tsan = sanitize_tsan_current();
	signals_thread_init();
}

static void *loop_thread(void *arg)
{
	Loop *loop = arg;
	char name[16];

	snprintf(name, sizeof name, "loop-%u", loop->index);
	pthread_setname_np(pthread_self(), name);
	enter(loop);
	loop_run(loop);
	signals_thread_fini();
	return NULL;
}

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static RtConf with_defaults(const RtConf *conf)
{
	RtConf full = *conf;

	full.loops = full.loops ? full.loops : processors();
	full.workers = full.workers ? full.workers : 2;
	full.worker_queue = full.worker_queue ? full.worker_queue : 256;
	full.stack_bytes =
		full.stack_bytes ? (full.stack_bytes + 4095) / 4096 * 4096 : (size_t)256 << 10;
	/* max_map_count is 65,530 by default, and a stack takes two mappings */
	full.fibers_per_loop = full.fibers_per_loop ? full.fibers_per_loop : 30000 / full.loops;
	return full;
}

static Err *start_threads(void)
{
	for (unsigned i = 1; i < rt.count; i++)
		if (pthread_create(&rt.loops[i].thread, NULL, loop_thread, &rt.loops[i]) != 0) {
			rt.count = i; /* those that run are ended in order */
			return &no_thread;
		}
	return NULL;
}

static Err *nothing(void *arg)
{
	return arg;
}

Err *rt_run(const RtConf *conf, RtMain *main_fn, void *arg)
{
	RtConf full = with_defaults(conf);
	Err *err = NULL;

	rt.loops = calloc(full.loops, sizeof *rt.loops);
	if (!rt.loops)
		abort();
	rt.count = full.loops;
	rt.empty = 0;
	rt.main_fn = main_fn;
	rt.main_arg = arg;
	rt.result = NULL;
	signals_block();
	signals_install_crash();
	tls_begin();
	loops_count_turns();
	for (unsigned i = 0; i < full.loops; i++) {
		Err *bad = loop_init(&rt.loops[i], i, &full);

		err = err ? err : bad;
	}
	if (!err) {
		workers_start(full.workers, full.worker_queue);
		err = start_threads();
		if (err)
			rt.main_fn = nothing, rt.main_arg = err;
		enter(&rt.loops[0]);
		rt.result = fiber_start(main_fiber, NULL, "main");
		if (rt.result)
			stop_all();
		loop_run(&rt.loops[0]);
		for (unsigned i = 1; i < rt.count; i++)
			pthread_join(rt.loops[i].thread, NULL);
		workers_stop();
		signals_thread_fini();
		err = rt.result;
	}
	for (unsigned i = 0; i < full.loops; i++)
		loop_fini(&rt.loops[i]);
	loop_enter(NULL);
	free(rt.loops);
	return err;
}
