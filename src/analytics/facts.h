/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts: what the other services tell (payments, accounts, deliveries), as events of a project of its own, `banyan`, so that all that can be
 * asked of events can be asked of them; and the questions that everybody has, by name. */
#pragma once
#include "analytics/hit.h"
#include "store/event.h"

typedef struct Service Service;
typedef struct ServiceConsumer ServiceConsumer;

#define FACTS_PROJECT S("banyan")

const ServiceConsumer *facts_consumers(size_t *count);
/* Pure: the event of another service as one of ours. False: it is none that is counted. */
bool facts_hit(Arena *a, const Event *event, Hit *out);
