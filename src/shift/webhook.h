/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks: receivers that are told of what is done to moves, by POST, signed as Standard Webhooks says. Each gets every entry
 * of the journal that it wants at least once and in order, from one of the gateways that share the book; an entry that is sent
 * again has the same webhook-id. */
#pragma once
#include "gateway/conf_shift.h"
#include "obs/metric.h"

typedef struct Book Book; /* book.h */

/* From now on these are told: new ones of what comes, others from where they were; those that did not change are not disturbed.
 * gateway: what this one is called. Nothing without a book (NULL). On the gateway's own fiber of loop 0; parks while others end. Fails with BUSY "rt.fibers". */
Err *webhooks_begin(const Book *book, Str gateway, const ShiftAllConf *conf) MUST_USE;
void webhooks_end(void); /* the same fiber, before the book is closed; parks */

MetricList webhook_metrics;
