/* SPDX-License-Identifier: Apache-2.0
 *
 * Fibers: straight code that waits. A fiber runs on one loop (one thread) for all its life, on a stack of its own, and
 * gives way only where a function is marked "parks". Every park ends with NULL (what was waited for may have happened:
 * look again), "rt.cancelled" or "rt.deadline". Unless a contract says otherwise, call these from a fiber only. */
#pragma once
#include "base/err.h"
#include "base/list.h"

typedef struct Fiber Fiber;
typedef void FiberMain(void *arg);

/* Starts fn(arg) on this thread's loop at its next turn; may be called from a loop's callback too. `name` is a literal,
 * for traces. Fails with BUSY "rt.fibers" when the loop has as many as it may, or no stack can be had. */
Err *fiber_start(FiberMain *fn, void *arg, const char *name) MUST_USE;

Fiber *fiber_self(void); /* NULL outside a fiber */
const char *fiber_name(const Fiber *fiber);

/* Parks until fiber_wake. Waits are loops: `while (!ready) TRY(fiber_park());`. */
Err *fiber_park(void) MUST_USE;
/* Parks until everything else that is ready has run once, and the sockets were looked at. */
Err *fiber_yield(void) MUST_USE;
/* Parks until everything else that is ready has run, and those it woke, but not until the sockets were looked at: for one
 * who does at once what others bring one by one. */
Err *fiber_gather(void) MUST_USE;
Err *fiber_sleep(int64_t us) MUST_USE; /* parks; NULL when the time is over */

/* Makes a parked fiber ready; nothing when it is not parked. Same thread only (others: loop_post). */
void fiber_wake(Fiber *fiber);
/* Its present or next park, and every one after, returns "rt.cancelled", but for shielded scopes. Same thread only. */
void fiber_cancel(Fiber *fiber);
bool fiber_cancelled(void); /* this fiber was, and no shield is up */

/* Before a long wait of a fiber of which there are thousands: the pages below its present depth go back to the kernel. */
void fiber_trim(void);

/* For tests: cancels the calling fiber at its n-th park from now (1 is the next); 0 turns it off. */
void fiber_cancel_at_park(unsigned n);

/* A deadline for everything done in a scope; the earliest of those in force counts.
 *	AUTO(deadline_end) Deadline limit = deadline_begin(conf->head_us);                                          */
typedef struct Deadline {
	int64_t before_us;
	bool active;
} Deadline;
Deadline deadline_begin(int64_t us_from_now);
void deadline_end(Deadline *scope);
int64_t deadline_at(void); /* loop_now_us() scale; INT64_MAX when there is none */

/* For cleanups: cancellation and outer deadlines are held off, a deadline of its own is set. */
typedef struct Shield {
	int64_t before_us;
	bool active;
} Shield;
Shield shield_begin(int64_t us_from_now);
void shield_end(Shield *scope);

/* A fiber whose end its parent awaits. Lives in the parent's frame; the parent never leaves before the child ended. It
 * has no deadline but its own: when the parent's is over the parent ends, and with it the child.
 *	AUTO(child_end) Child upload = { 0 };
 *	TRY(child_start(&upload, pump, &job, "upload"));
 *	...
 *	TRY(child_join(&upload));                                                                                   */
typedef Err *ChildMain(void *arg);
typedef struct Child {
	Fiber *fiber;
	Fiber *parent;
	ChildMain *fn;
	void *arg;
	Err *result;
	bool done;
} Child;
Err *child_start(Child *child, ChildMain *fn, void *arg, const char *name) MUST_USE;
Err *child_join(Child *child)
	MUST_USE; /* parks; its result; cancelling the parent cancels the child first */
void child_end(
	Child *child); /* cancels it if it still runs and waits, shielded; fine when never started */

/* Fibers of one loop that wait for the same thing, served in order. */
typedef struct WaitQueue {
	List waiters;
} WaitQueue;
void wait_queue_init(WaitQueue *queue);
Err *wait_queue_park(WaitQueue *queue) MUST_USE; /* parks until woken by the two below */
bool wait_queue_wake_one(WaitQueue *queue);      /* false: nobody waits */
void wait_queue_wake_all(WaitQueue *queue);
bool wait_queue_empty(const WaitQueue *queue);
