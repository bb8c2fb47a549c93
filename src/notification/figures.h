/* SPDX-License-Identifier: Apache-2.0
 *
 * What the service counts. After the transaction that made it so; any loop. */
#pragma once
#include "notification/delivery_domain.h"
#include "obs/metric.h"

void figures_begin(void); /* cells are taken; figures_end gives them back */
void figures_end(void);
void figures_accepted(MessageClass class);
void figures_delivery(Channel channel, DeliveryState state); /* has become that */
void figures_attempt(Channel channel, SendOutcome outcome);
void figures_wire(MessageClass class,
                  int64_t us); /* from its being asked for until the first attempt began */
void notification_put_metrics(Buf *out); /* as a page of the manual */
MetricList notification_metrics;         /* those of its mails too */
