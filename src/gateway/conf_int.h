/* SPDX-License-Identifier: Apache-2.0
 *
 * Between conf.c (the rows) and conf_check.c (what rows alone cannot say). */
#pragma once
#include "gateway/conf.h"

/* For a whole GatewayConf: derives fields (addresses, upstreams of routes, masks) and adds every mistake it finds. */
ConfCheck gateway_conf_check;

/* "header:NAME", "cookie:NAME" or "peer". */
bool hash_on_split(Str text, HashOn *kind, Str *name);
/* "200" or "200-399". */
bool status_range_split(Str text, uint16_t *min, uint16_t *max);
