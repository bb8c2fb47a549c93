/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as a process: listeners, the configuration in force, signals, and its end. */
#pragma once
#include "gateway/snapshot.h"

typedef struct Gateway Gateway;

typedef struct GatewayArgs {
	Str file; /* the configuration */
} GatewayArgs;

/* Runs until SIGTERM or SIGINT, then drains. Prints "listening URL" a listener, "admin URL" and "ready" on stdout. */
Err *gateway_run(Arena *a, const GatewayArgs *args) MUST_USE;

/* For the admin port; any loop. */
bool gateway_is_ready(const Gateway *gateway);                /* serves, and does not drain */
Snapshot *gateway_snapshot(Gateway *gateway) RETURNS_NONNULL; /* a reference: snapshot_unref it */

typedef struct GatewayStats {
	uint64_t reloads;
	uint64_t reloads_failed;
} GatewayStats;
GatewayStats gateway_stats(const Gateway *gateway);
