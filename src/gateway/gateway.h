/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as a process: listeners, the configuration in force, what it is told to do, and its end. */
#pragma once
#include "base/conf.h"

typedef struct Gateway Gateway;
typedef struct Snapshot Snapshot;
typedef struct Order Order; /* orders.h */

typedef struct GatewayArgs {
	Str file;      /* the configuration */
	bool takeover; /* get the sockets of the process that runs, and end it */
	Str passthrough; /* everything goes to this upstream or address (passthrough.h); empty: as configured */
	Str listen;             /* without a file: where */
	Str data;               /* without a file: the folder of everything */
	CONF_LIST_OF(Str) only; /* "gateway" and names of services; none: all that the file names */
	Str admin;              /* instead of the file's admin.address; empty: as configured */
} GatewayArgs;

/* Runs until it is told to end, then drains. Prints "listening URL" a listener, "admin URL" and "ready" on stdout. */
Err *gateway_run(Arena *a, const GatewayArgs *args) MUST_USE;

/* For the admin port; any loop. */
bool gateway_is_ready(const Gateway *gateway);                /* serves, and does not drain */
Snapshot *gateway_snapshot(Gateway *gateway) RETURNS_NONNULL; /* a reference: snapshot_unref it */
void gateway_order(Gateway *gateway, Order *order);           /* parks until it was served */

typedef struct GatewayStats {
	uint64_t reloads;
	uint64_t reloads_failed;
} GatewayStats;
GatewayStats gateway_stats(const Gateway *gateway);
