/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops: one per thread, each with its epoll, timers and fibers. rt_run() starts them and everything in the process
 * that waits happens inside. */
#pragma once
#include "rt/fiber.h"

typedef struct Loop Loop;

typedef struct RtConf {
	unsigned loops; /* threads that run fibers; 0: as many as the process may use processors */
	unsigned workers;         /* threads for what blocks or burns; 0: 2 */
	unsigned worker_queue;    /* jobs that may wait for a worker; 0: 256 */
	unsigned fibers_per_loop; /* 0: 30,000 less what other loops may have */
	size_t stack_bytes;       /* virtual, per fiber; 0: 256 KiB */
} RtConf;

/* Blocks all signals, starts the loops (loop 0 on the calling thread) and the workers, runs main_fn(arg) as a fiber of
 * loop 0. When it returns, every other fiber is cancelled and awaited, threads are joined. Returns what main_fn did.
 * One at a time in a process; may be called again after it returned. */
typedef Err *RtMain(void *arg);
Err *rt_run(const RtConf *conf, RtMain *main_fn, void *arg) MUST_USE;

unsigned rt_loops(void);
Loop *rt_loop(unsigned index);
Loop *loop_self(void); /* NULL on a thread that runs none */
unsigned loop_index(const Loop *loop);

/* Monotonic, taken once per turn of the loop. */
int64_t loop_now_us(void);

/* Runs fn(arg) on that loop, outside any fiber, soon. From any thread; never blocks; order kept per sender. */
typedef void LoopFn(void *arg);
void loop_post(Loop *loop, LoopFn *fn, void *arg);
/* Runs fn(arg) on every loop in turn, then returns: parks the calling fiber until the last has done it. */
void loop_each(LoopFn *fn, void *arg);

/* What epoll points at: embed one, first. The function is called by the loop, outside any fiber. */
typedef struct Source Source;
struct Source {
	void (*event)(Source *source, uint32_t events);
};

/* Coarse timers (up to 8 ms late, never early), for this thread's loop. A Timer is in place in what it times. */
typedef struct Timer Timer;
struct Timer {
	Node node;
	int64_t at_us; /* when it is due, INT64_MAX when it is not set */
	int64_t in_us; /* where it hangs in the wheel: not later than at_us */
	void (*fire)(Timer *timer);
};
#define TIMER_INIT(fn) \
	{ \
		.at_us = INT64_MAX, .in_us = INT64_MAX, .fire = (fn) \
	}
/* Moving a set timer to a later time costs two stores: it is hung anew when its old place comes up. */
void timer_set(Timer *timer, int64_t at_us);
void timer_clear(Timer *timer);  /* not set any more, but may still hang: see timer_remove */
void timer_remove(Timer *timer); /* out of the wheel: before its memory goes */

typedef struct LoopStats {
	uint64_t turns;
	uint64_t fibers_started;
	uint32_t fibers; /* alive */
	uint32_t fibers_peak;
	uint32_t stacks_kept; /* mapped and free */
	uint32_t watches;     /* file descriptors looked after */
} LoopStats;
LoopStats loop_stats(const Loop *loop); /* from any thread; a moment's picture */
