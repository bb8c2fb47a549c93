/* SPDX-License-Identifier: Apache-2.0
 *
 * What a feature above the gateway (hooks.h) cannot change by a reload. */
#pragma once
#include "base/str.h"

typedef struct GatewayConf GatewayConf; /* conf.h */

enum { HOOKS_WAITING = 8 };

/* Keys that this configuration says otherwise than what is in force until a restart, at most HOOKS_WAITING: how many. Any
 * thread. */
size_t gateway_waiting(const GatewayConf *conf, Str out[]);
