/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin port: what the process tells of itself. A token, when one is configured, is asked for on everything but
 * /healthz and /readyz. */
#pragma once
#include "gateway/gateway.h"

typedef struct Admin Admin;

/* Opens and serves; *out NULL when the configuration turns it off. Parks. */
Err *admin_open(Gateway *gateway, const AdminConf *conf, Admin **out) MUST_USE;
void admin_close(Admin *admin);             /* parks; NULL is fine */
const Addr *admin_addr(const Admin *admin); /* NULL when there is none */

/* Families that only a scrape computes: connections, fibers, workers, servers' states. */
MetricList admin_metrics;
