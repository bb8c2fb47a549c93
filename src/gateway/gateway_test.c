/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.c"

#include "unit.h"

#include <sys/resource.h>

static void limit_files(rlim_t most)
{
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = MIN(most, limit.rlim_max);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Another thread may take the last descriptor between one signal and the next. */
static Err *play_signals(void *arg)
{
	AUTO(child_end) Child signals = { 0 };
	Gateway g = { 0 };
	OrderKind kind;
	Order *order;

	(void)arg;
	orders_init(&g.orders);
	limit_files(0);
	CHECK_OK(child_start(&signals, listen_to_signals, &g, "signals"));
	CHECK_OK(fiber_yield());
	limit_files(1024);
	CHECK_INT(kill(getpid(), SIGTERM), 0);
	CHECK(!signals.done);
	CHECK_OK(orders_next(&g.orders, &kind, &order));
	CHECK_INT(kind, ORDER_DRAIN);
	return NULL;
}

TEST(signals_are_heard_again_after_a_want_of_descriptors)
{
	RtConf conf = { .loops = 1 };

	(void)a;
	CHECK_OK(rt_run(&conf, play_signals, NULL));
}
