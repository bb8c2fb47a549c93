/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/orders.c"

#include "unit.h"

static Orders orders;

typedef struct Sender {
	OrderKind kind;
	unsigned status;
	bool done; /* atomic */
} Sender;

static void send_one(void *arg)
{
	Sender *sender = arg;
	Order order = { .kind = sender->kind };

	orders_send(&orders, &order);
	sender->status = order.status;
	__atomic_store_n(&sender->done, true, __ATOMIC_RELEASE);
}

static void start_sender(void *arg)
{
	CHECK_OK(fiber_start(send_one, arg, "sender"));
}

static Err *await_done(const Sender *sender)
{
	while (!__atomic_load_n(&sender->done, __ATOMIC_ACQUIRE))
		TRY(fiber_sleep(1000));
	return NULL;
}

static Err *serve_three(void *arg)
{
	Sender senders[] = { { .kind = ORDER_RELOAD },
		             { .kind = ORDER_DRAIN },
		             { .kind = ORDER_RELOAD } };

	(void)arg;
	orders_init(&orders);
	for (unsigned i = 0; i < COUNT(senders); i++)
		loop_post(rt_loop(i % 2), start_sender, &senders[i]);
	for (unsigned i = 0; i < COUNT(senders); i++) {
		OrderKind kind;
		Order *order;

		TRY(orders_next(&orders, &kind, &order));
		CHECK(order != NULL);
		CHECK_INT(order->kind, kind);
		order->status = 200 + (unsigned)kind;
		order_done(order);
	}
	for (unsigned i = 0; i < COUNT(senders); i++) {
		TRY(await_done(&senders[i]));
		CHECK_INT(senders[i].status, 200 + senders[i].kind);
	}
	return NULL;
}

TEST(every_sender_gets_its_own_outcome_on_its_own_loop)
{
	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 2 }, serve_three, NULL));
}

static Err *ask_often(void *arg)
{
	static const OrderKind want[] = { ORDER_DRAIN, ORDER_RELOAD, ORDER_REOPEN };

	(void)arg;
	orders_init(&orders);
	for (unsigned i = 0; i < 5; i++) {
		orders_ask(&orders, ORDER_REOPEN);
		orders_ask(&orders, ORDER_RELOAD);
	}
	orders_ask(&orders, ORDER_DRAIN);
	for (unsigned i = 0; i < COUNT(want); i++) {
		OrderKind kind;
		Order *order;

		TRY(orders_next(&orders, &kind, &order));
		CHECK_NULL(order);
		CHECK_INT(kind, want[i]);
	}
	for (unsigned i = 0; i < ORDER_KINDS; i++)
		CHECK(!orders.asked[i]);
	return NULL;
}

TEST(what_is_asked_twice_is_done_once_and_the_end_comes_first)
{
	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, ask_often, NULL));
}

static Err *close_early(void *arg)
{
	Sender before = { .kind = ORDER_RELOAD }, after = { .kind = ORDER_RELOAD };

	(void)arg;
	orders_init(&orders);
	loop_post(rt_loop(1), start_sender, &before);
	while (list_empty(&orders.waiting))
		TRY(fiber_sleep(1000));
	orders_close(&orders);
	TRY(await_done(&before));
	CHECK_INT(before.status, 503);
	loop_post(rt_loop(1), start_sender, &after);
	TRY(await_done(&after));
	CHECK_INT(after.status, 503);
	return NULL;
}

TEST(nobody_waits_for_ever_when_nothing_is_served_any_more)
{
	(void)a;
	CHECK_OK(rt_run(&(RtConf){ .loops = 2 }, close_early, NULL));
}
