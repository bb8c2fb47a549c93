/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/work.c"

#include "base/time.h"
#include "unit.h"

#include <semaphore.h>
#include <signal.h>
#include <string.h>

static Err *in_rt(RtMain *fn, void *arg)
{
	RtConf conf = { .loops = 2, .workers = 2, .worker_queue = 4 };

	return rt_run(&conf, fn, arg);
}

/* --- a job comes back to its own loop ------------------------------------------------------------------------------- */

typedef struct Sum {
	unsigned from, total;
	pthread_t thread;
	char name[16];
	bool term_blocked;
} Sum;

static void sum_up(void *arg)
{
	Sum *sum = arg;
	sigset_t set;

	for (unsigned i = 1; i <= sum->from; i++)
		sum->total += i;
	sum->thread = pthread_self();
	pthread_getname_np(pthread_self(), sum->name, sizeof sum->name);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	sum->term_blocked = sigismember(&set, SIGTERM);
}

static Err *run_one(void *arg)
{
	Loop *home = loop_self();
	Sum sum = { .from = 100 };
	(void)arg;

	TRY(work_run(sum_up, &sum));
	CHECK_INT(sum.total, 5050);
	CHECK(!pthread_equal(sum.thread, pthread_self()));
	CHECK(strncmp(sum.name, "worker-", 7) == 0);
	CHECK(sum.term_blocked);
	CHECK(loop_self() == home);
	CHECK_INT(work_stats().done, 1);
	CHECK_INT(work_stats().busy, 0);
	CHECK_INT(work_stats().threads, 2);
	return NULL;
}

TEST(a_job_runs_on_a_worker_and_comes_back)
{
	CHECK_OK(in_rt(run_one, NULL));
	CHECK_OK(in_rt(run_one, NULL)); /* and again, in a new run */
}

/* --- many, from both loops ------------------------------------------------------------------------------------------ */

enum { FIBERS = 8, ROUNDS = 200 };

static struct {
	unsigned left; /* atomic */
	Fiber *waiter;
	unsigned refused; /* atomic */
} many;

static void wake_waiter(void *arg)
{
	(void)arg;
	fiber_wake(many.waiter);
}

static void busy_fiber(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		Sum sum = { .from = i };
		Err *err = work_run(sum_up, &sum);

		if (err) {
			CHECK_ERR(err, "rt.workers_full");
			__atomic_add_fetch(&many.refused, 1, __ATOMIC_RELAXED);
			CHECK_OK(fiber_yield());
		} else {
			CHECK_INT(sum.total, i * (i + 1) / 2);
		}
	}
	__atomic_sub_fetch(&many.left, 1, __ATOMIC_RELEASE);
	loop_post(rt_loop(0), wake_waiter, NULL);
}

static void start_busy(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < FIBERS; i++)
		CHECK_OK(fiber_start(busy_fiber, NULL, "busy"));
}

static Err *run_many(void *arg)
{
	WorkStats stats;
	(void)arg;

	many.left = 2 * FIBERS;
	many.waiter = fiber_self();
	loop_each(start_busy, NULL);
	while (__atomic_load_n(&many.left, __ATOMIC_ACQUIRE))
		TRY(fiber_park());
	stats = work_stats();
	CHECK_INT(stats.done + stats.refused, 2 * FIBERS * ROUNDS);
	CHECK_INT(stats.refused, many.refused);
	CHECK_INT(stats.queued, 0);
	CHECK_INT(stats.busy, 0);
	return NULL;
}

TEST(many_jobs_from_two_loops_all_come_back)
{
	CHECK_OK(in_rt(run_many, NULL));
}

/* --- full, cancelled, late ------------------------------------------------------------------------------------------ */

typedef struct Gate {
	sem_t begun, open;
	bool passed;
	Err *result;
	bool returned;
} Gate;

static void pass_gate(void *arg)
{
	Gate *gate = arg;

	sem_post(&gate->begun);
	while (sem_wait(&gate->open) != 0)
		;
	gate->passed = true;
}

static void gate_init(Gate *gate)
{
	*gate = (Gate){ 0 };
	sem_init(&gate->begun, 0, 0);
	sem_init(&gate->open, 0, 0);
}

static Err *gate_child(void *arg)
{
	Gate *gate = arg;

	gate->result = work_run(pass_gate, gate);
	gate->returned = true;
	return NULL;
}

/* Both workers held, the queue filled with four more. */
static Err *fill(Gate gates[6], Child children[6])
{
	for (unsigned i = 0; i < 6; i++) {
		gate_init(&gates[i]);
		TRY(child_start(&children[i], gate_child, &gates[i], "gate"));
		TRY(fiber_yield());
		if (i < 2)
			while (sem_wait(&gates[i].begun) != 0)
				;
	}
	return NULL;
}

static Err *run_full(void *arg)
{
	Gate gates[6];
	Child children[6] = { 0 };
	Sum sum = { 0 };
	(void)arg;

	TRY(fill(gates, children));
	CHECK_INT(work_stats().queued, 4);
	CHECK_INT(work_stats().busy, 2);
	CHECK_ERR(work_run(sum_up, &sum), "rt.workers_full");
	CHECK_INT(work_stats().refused, 1);
	for (unsigned i = 0; i < 6; i++)
		sem_post(&gates[i].open);
	for (unsigned i = 0; i < 6; i++) {
		TRY(child_join(&children[i]));
		CHECK_OK(gates[i].result);
		CHECK(gates[i].passed);
	}
	return work_run(sum_up, &sum);
}

TEST(a_full_queue_refuses_at_once)
{
	CHECK_OK(in_rt(run_full, NULL));
}

static Err *run_cancelled(void *arg)
{
	Gate gates[6];
	Child children[6] = { 0 };
	(void)arg;

	TRY(fill(gates, children));
	fiber_cancel(children[5].fiber); /* queued: withdrawn at once */
	TRY(child_join(&children[5]));
	CHECK_ERR(gates[5].result, "rt.cancelled");
	CHECK_INT(work_stats().queued, 3);
	fiber_cancel(children[0].fiber); /* begun: it is waited for */
	for (unsigned i = 0; i < 10; i++)
		TRY(fiber_yield());
	CHECK(!gates[0].returned);
	for (unsigned i = 0; i < 5; i++)
		sem_post(&gates[i].open);
	for (unsigned i = 0; i < 5; i++) {
		TRY(child_join(&children[i]));
		CHECK_OK(gates[i].result);
		CHECK(gates[i].passed);
	}
	CHECK(!gates[5].passed);
	CHECK_INT(work_stats().done, 5);
	return NULL;
}

TEST(cancelling_withdraws_what_waits_and_awaits_what_runs)
{
	CHECK_OK(in_rt(run_cancelled, NULL));
}

static Err *late_child(void *arg)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(2 * US_PER_MS);

	return gate_child(arg);
}

static void open_gate(Timer *timer);

typedef struct Opener {
	Timer timer;
	Gate *gate;
} Opener;

static void open_gate(Timer *timer)
{
	sem_post(&CONTAINER(timer, Opener, timer)->gate->open);
}

static Err *run_late(void *arg)
{
	Gate gate;
	Opener opener = { TIMER_INIT(open_gate), &gate };
	Child child = { 0 };
	(void)arg;

	gate_init(&gate);
	timer_set(&opener.timer, loop_now_us() + 40 * US_PER_MS);
	TRY(child_start(&child, late_child, &gate, "late"));
	TRY(child_join(&child));
	CHECK_OK(gate.result); /* the deadline passed, the work was done */
	CHECK(gate.passed);
	timer_remove(&opener.timer);
	return NULL;
}

TEST(a_deadline_waits_for_the_worker_too)
{
	CHECK_OK(in_rt(run_late, NULL));
}

static Err *cancelled_before(void *arg)
{
	Sum sum = { .from = 3 };
	(void)arg;

	fiber_cancel(fiber_self());
	CHECK_ERR(work_run(sum_up, &sum), "rt.cancelled");
	CHECK_INT(sum.total, 0);
	CHECK_INT(work_stats().done, 0);
	return NULL;
}

TEST(a_cancelled_fiber_gets_no_worker)
{
	CHECK_OK(in_rt(cancelled_before, NULL));
}
