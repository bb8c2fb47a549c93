/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY protocol, as its sender: the header that tells a server who its client is. http/proxy_protocol.h takes it. */
#pragma once
#include "gateway/conf_upstream.h"
#include "rt/stream.h"

enum { PROXY_OUT_BYTES = 128 };

/* The header of version `kind` in `out`. client NULL, or one without an IP address: the connection speaks for itself. `to`
 * is the address the client went to; one of the other family is written as IPv6. Pure. */
Str proxy_out(ProxyProtocol kind, const Peer *client, const Peer *to, char out[PROXY_OUT_BYTES]);
