/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin port: what the process tells of itself, and is told to do. A token, when one is configured, is asked for on everything but
 * /healthz and /readyz. */
#pragma once
#include "gateway/conf.h"
#include "gateway/gateway.h"
#include "gateway/sockets.h"
#include "obs/metric.h"

typedef struct Admin Admin;

/* Opens and serves, on a socket that was there before us if there is one; *out NULL when the configuration turns it off.
 * Fails with "admin.listen" of the kind that listening failed with; `run` is for the error. Parks. */
Err *admin_open(Arena *run, Gateway *gateway, const AdminConf *conf, Sockets *sockets, Admin **out)
	MUST_USE;
Str admin_key(const Admin *admin); /* what its socket is called when it is handed over */
int admin_fd(const Admin *admin);
bool admin_owns_file(const Admin *admin);   /* as listener_owns_file */
void admin_leave(Admin *admin);             /* another process answers there now; parks */
void admin_close(Admin *admin);             /* parks; NULL is fine */
const Addr *admin_addr(const Admin *admin); /* NULL when there is none */

/* Families that only a scrape computes: reloads, limits, servers' states. */
MetricList admin_metrics;
/* admin_metrics.c: every family is registered; whose they are. Once in a process. */
void admin_metrics_begin(Gateway *gateway);
