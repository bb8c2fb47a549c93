/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders: what a process is told to do by signals, by its admin port and by a process that takes over. One fiber of loop 0
 * does them, one after another. */
#pragma once
#include "base/buf.h"
#include "rt/loop.h"

typedef enum OrderKind {
	ORDER_DRAIN, /* the first to be looked at */
	ORDER_RELOAD,
	ORDER_REOPEN,  /* log files */
	ORDER_UPGRADE, /* start the program anew, to take over */
	ORDER_KINDS,
} OrderKind;

typedef struct Order Order;

/* One whose sender waits for the outcome; in place. */
struct Order {
	Node node;
	OrderKind kind;
	/* the outcome, by whoever serves it */
	unsigned status; /* of HTTP */
	Buf answer;      /* JSON; the sender frees it */
	/* the sender */
	struct Orders *orders;
	Loop *loop;
	Fiber *fiber;
	bool done;
};

typedef struct Orders {
	List waiting; /* Order */
	bool asked[ORDER_KINDS];
	Fiber *server; /* waits for the next */
	bool closed;
} Orders;

void orders_init(Orders *orders);

/* Nobody waits for the outcome; twice before it is served is once. On loop 0, does not park. */
void orders_ask(Orders *orders, OrderKind kind);
/* From a fiber of any loop; parks until it is served, however long that takes. */
void orders_send(Orders *orders, Order *order);

/* The next one. *order NULL: nobody waits; else order_done is due. On loop 0, one fiber at a time. Parks. */
Err *orders_next(Orders *orders, OrderKind *kind, Order **order) MUST_USE;
void order_done(Order *order);
/* Waiting ones are done with status 503, and whatever comes later. On loop 0, does not park. */
void orders_close(Orders *orders);
