/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue between loops: an order goes to loop 0 as a message, its outcome goes back as one, so nothing is shared. */
#include "gateway/orders.h"

static void order_finish(void *arg)
{
	Order *order = arg;

	order->done = true;
	fiber_wake(order->fiber);
}

void order_done(Order *order)
{
	loop_post(order->loop, order_finish, order);
}

void orders_init(Orders *orders)
{
	*orders = (Orders){ 0 };
	list_init(&orders->waiting);
}

static void wake_server(const Orders *orders)
{
	if (orders->server)
		fiber_wake(orders->server);
}

void orders_ask(Orders *orders, OrderKind kind)
{
	orders->asked[kind] = true;
	wake_server(orders);
}

static void order_refuse(Order *order)
{
	order->status = 503;
	order_done(order);
}

static void order_arrive(void *arg)
{
	Order *order = arg;

	if (order->orders->closed) {
		order_refuse(order);
		return;
	}
	list_add(&order->orders->waiting, &order->node);
	wake_server(order->orders);
}

void orders_send(Orders *orders, Order *order)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	order->orders = orders;
	order->loop = loop_self();
	order->fiber = fiber_self();
	loop_post(rt_loop(0), order_arrive, order);
	while (!order->done)
		if (fiber_park())
			continue; /* shielded */
}

static bool next_asked(Orders *orders, OrderKind *kind)
{
	for (unsigned i = 0; i < ORDER_KINDS; i++)
		if (orders->asked[i]) {
			orders->asked[i] = false;
			*kind = (OrderKind)i;
			return true;
		}
	return false;
}

Err *orders_next(Orders *orders, OrderKind *kind, Order **order)
{
	Err *err = NULL;

	*order = NULL;
	orders->server = fiber_self();
	while (!err) {
		if (next_asked(orders, kind))
			break;
		*order = LIST_TAKE(&orders->waiting, Order, node);
		if (*order) {
			*kind = (*order)->kind;
			break;
		}
		err = fiber_park();
	}
	orders->server = NULL;
	return err;
}

void orders_close(Orders *orders)
{
	Order *order;

	orders->closed = true;
	while ((order = LIST_TAKE(&orders->waiting, Order, node)))
		order_refuse(order);
}
