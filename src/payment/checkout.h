/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkouts: an order is reserved at the order system, charged, confirmed, told to the customer and counted, or undone; whatever dies in
 * between. A checkout is a saga (saga/saga.h) and nothing beside it: its id is the saga's, its state the saga's.
 *
 * In the service's row: checkout_routes among its routes, { .name = SAGA_JOB, .fn = checkout_job, .at_once = CHECKOUTS_AT_ONCE,
 * CHECKOUT_JOB_PAUSES } among its jobs, and another one for "checkout.house" every hour; checkout_begin in its begin. */
#pragma once
#include "payment/checkout_conf.h"
#include "saga/saga.h"
#include "service/service.h"

enum { CHECKOUTS_AT_ONCE = 64 };
#define CHECKOUT_JOB_PAUSES .backoff_us = 500000, .backoff_max_us = 30000000
#define CHECKOUT_HOUSE "checkout.house"

typedef struct Checkout Checkout; /* its types and settings, as long as the home */

/* Sets up its schema. conf outlives it. */
Err *checkout_begin(const ServiceHome *home, const CheckoutConf *conf, Checkout **out) MUST_USE;
ServiceRoutes checkout_routes(void);
Err *checkout_job(JobRun *run, void *arg) MUST_USE;   /* arg: the ServiceHome */
Err *checkout_house(JobRun *run, void *arg) MUST_USE; /* forgets what is old, measures */
