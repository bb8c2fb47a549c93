/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of rt/ know of each other. */
#pragma once
#include "rt/loop.h"
#include "rt/watch.h"

#include <pthread.h>
#include <sys/epoll.h>

enum {
	WHEEL_LEVELS = 4,
	WHEEL_SLOTS = 64,
	EVENTS_MAX = 256, /* taken from epoll in one go */
};

typedef struct Wheel {
	int64_t tick;                /* the last one processed */
	uint64_t used[WHEEL_LEVELS]; /* a bit a slot that is not empty */
	List slots[WHEEL_LEVELS][WHEEL_SLOTS];
} Wheel;

void wheel_init(Wheel *wheel, int64_t now_us);
void wheel_hang(Wheel *wheel, Timer *timer);
void wheel_advance(Wheel *wheel, int64_t now_us); /* fires what is due */
int64_t wheel_next_us(const Wheel *wheel);        /* when to look again; INT64_MAX: nothing hangs */

typedef struct Alarm Alarm;

/* A heap, the first due at its top; precise.c. */
typedef struct Alarms {
	Alarm **at;
	uint32_t count, cap;
} Alarms;
int64_t alarms_next_us(const Alarms *heap); /* INT64_MAX: none is set */
void alarms_fire(Alarms *heap, int64_t now_us);

typedef enum FiberState { FIBER_FREE, FIBER_READY, FIBER_RUNNING, FIBER_PARKED } FiberState;

struct Fiber {
	Node ready; /* in loop->ready, or in a WaitQueue, or in loop->stacks */
	Node all;   /* in loop->fibers */
	Node wait;  /* in a WaitQueue */
	void *sp;
	FiberState state;
	bool cancelled;
	bool timed_out;
	unsigned shields;
	unsigned cancel_at; /* test hook: parks left */
	int64_t deadline_us;
	Timer timer;
	FiberMain *fn;
	void *arg;
	const char *name;
	Loop *loop;
	char *stack; /* lowest usable byte; the guard lies below */
	size_t stack_bytes;
	size_t colour;    /* of it, left unused at the top */
	void *fake_stack; /* AddressSanitizer's */
	void *tsan;       /* ThreadSanitizer's */
	unsigned valgrind;
};

typedef struct Post {
	struct Post *next;
	LoopFn *fn;
	void *arg;
} Post;

typedef struct ExitHook {
	struct ExitHook *next;
	LoopFn *fn;
	void *arg;
} ExitHook;

struct Loop {
	unsigned index;
	int epoll_fd;
	int wake_fd;
	Source wake;
	pthread_t thread;
	int64_t now_us;
	int64_t turned_us; /* when the last turn was over */
	Fiber *running;
	void *sp; /* of the loop while a fiber runs */
	void *fake_stack;
	void *tsan;
	const void *stack_bottom; /* of the thread, for AddressSanitizer */
	size_t stack_size;
	List ready;     /* empty between turns but for what has to come after the next poll */
	List yielded;   /* in this turn: not to run before the next */
	List gathering; /* in this turn: to run when the others have */
	List fibers;
	List stacks; /* free ones, hot first */
	unsigned fibers_max;
	unsigned stacks_low; /* the fewest free ones since the last trim */
	size_t stack_bytes;
	Timer trim;
	Wheel wheel;
	Alarms alarms;
	Post *posts; /* atomic: newest first */
	ExitHook *exit_hooks;
	struct epoll_event events[EVENTS_MAX];
	int event_at, event_count;
	bool stopping;
	bool empty; /* stopping, and told so */
	bool done;
	LoopStats stats; /* relaxed atomics: written here, read anywhere */
};

#define STAT_ADD(field, n) \
	__atomic_store_n(&(field), __atomic_load_n(&(field), __ATOMIC_RELAXED) + (n), \
	                 __ATOMIC_RELAXED)

/* This thread's epoll. The source must be removed before its memory goes: no event is given out after. */
Err *loop_source_add(Source *source, int fd, uint32_t events) MUST_USE;
void loop_source_remove(Source *source, int fd);
void loop_source_move(Source *from, Source *to, int fd, uint32_t events);
void loop_source_forget(Source *source); /* for a descriptor that is closed right after */

/* loop.c, for rt.c */
Err *loop_init(Loop *loop, unsigned index, const RtConf *conf) MUST_USE;
void loop_fini(Loop *loop);
void loop_enter(Loop *loop); /* this thread is its */
void loop_run(Loop *loop);
void loop_is_empty(Loop *loop); /* rt.c: it stops and has no fiber left */
void loops_count_turns(void);   /* before the first of them runs */

/* Runs fn(arg) on this loop when it ends, after its last fiber. */
void loop_on_exit(LoopFn *fn, void *arg);

/* tls.c: OpenSSL reads its own configuration before a loop runs, not when the first of its functions is called. */
void tls_begin(void);

/* fiber.c, for the loop */
void fibers_init(Loop *loop, unsigned fibers_max, size_t stack_bytes);
void fibers_fini(Loop *loop);
void fibers_run_ready(Loop *loop);
void fibers_cancel_all(Loop *loop);

/* Does addr lie in the guard of the fiber that runs on this thread? Async-signal-safe. */
bool fiber_guard_hit(const void *addr, const char **name, size_t *stack_bytes);

/* rt/switch_*.S: saves the callee's registers on this stack, its pointer to *save, and goes on where `to` was saved. */
void fiber_switch(void **save, void *to);
/* Where a new fiber begins: calls the function in the second saved register with the first as its argument. */
void fiber_trampoline(void);
/* Lays out a new stack so that fiber_switch to the result calls fn(arg). */
void *fiber_stack_prepare(void *top, void (*fn)(void *arg), void *arg);
