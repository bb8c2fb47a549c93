/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan serve --passthrough`: everything to one upstream with every policy off, the way out of any trouble. */
#pragma once
#include "gateway/conf.h"

typedef struct GatewayArgs GatewayArgs;

/* The configuration that does it. With args->file its listeners, certificates, admin port, log, trusted proxies, drain and
 * memory limit stay, and args->passthrough may name one of its upstreams, whose servers and TLS are kept; else it is an
 * address. Without a file args->listen says where. Mistakes of the file are in conf. Fails as gateway_conf_load does, and
 * with INVALID "gateway.passthrough". Blocks on the disk. */
Err *passthrough_load(Arena *a, Conf *conf, const GatewayArgs *args, GatewayConf **out) MUST_USE;
