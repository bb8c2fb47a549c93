/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/gate.c"

#include "unit.h"

enum { FIBERS = 40, MOST = 3, ROUNDS = 20 };

static struct {
	Gate gate;
	unsigned inside, most, left; /* atomic */
	Fiber *main;
} crowd;

static void wake_main(void *arg)
{
	(void)arg;
	fiber_wake(crowd.main);
}

static void visit(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		unsigned inside;

		CHECK_OK(gate_enter(&crowd.gate));
		inside = __atomic_add_fetch(&crowd.inside, 1, __ATOMIC_SEQ_CST);
		CHECK(inside <= MOST);
		CHECK_OK(fiber_yield());
		__atomic_sub_fetch(&crowd.inside, 1, __ATOMIC_SEQ_CST);
		gate_leave(&crowd.gate);
	}
	if (!__atomic_sub_fetch(&crowd.left, 1, __ATOMIC_SEQ_CST))
		loop_post(rt_loop(0), wake_main, NULL);
}

static void start(void *arg)
{
	(void)arg;
	for (int i = 0; i < FIBERS / 2; i++)
		CHECK_OK(fiber_start(visit, NULL, "visit"));
}

static Err *many(void *arg)
{
	(void)arg;
	gate_init(&crowd.gate, MOST);
	crowd.left = FIBERS;
	crowd.main = fiber_self();
	loop_each(start, NULL);
	while (__atomic_load_n(&crowd.left, __ATOMIC_SEQ_CST))
		TRY(fiber_park());
	CHECK_INT(gate_inside(&crowd.gate), 0);
	gate_fini(&crowd.gate);
	return NULL;
}

TEST(never_more_inside_than_may)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 2, .workers = 1 }, many, NULL));
}

static Err *enter(void *arg)
{
	return gate_enter(arg);
}

/* One who is called away leaves his place in the queue; one who was let in at that moment passes it on. */
static Err *called_away(void *arg)
{
	Gate gate;
	AUTO(child_end) Child one = { 0 }, two = { 0 };

	(void)arg;
	gate_init(&gate, 1);
	TRY(gate_enter(&gate));
	TRY(child_start(&one, enter, &gate, "one"));
	TRY(child_start(&two, enter, &gate, "two"));
	TRY(fiber_yield());
	fiber_cancel(one.fiber);
	CHECK_ERR(child_join(&one), "rt.cancelled");
	gate_leave(&gate);
	fiber_cancel(two.fiber); /* granted, and on its way */
	CHECK_ERR(child_join(&two), "rt.cancelled");
	CHECK_INT(gate_inside(&gate), 0);
	TRY(gate_enter(&gate));
	gate_leave(&gate);
	gate_fini(&gate);
	return NULL;
}

TEST(who_is_called_away_holds_up_nobody)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, called_away, NULL));
}
