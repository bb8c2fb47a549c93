/* SPDX-License-Identifier: Apache-2.0
 *
 * The PROXY protocol, as its receiver: the header before everything else on a connection that says who the client is
 * (haproxy.org/download/2.6/doc/proxy-protocol.txt, versions 1 and 2). */
#pragma once
#include "rt/stream.h"

enum { PROXY_HEADER_BYTES = 4096 }; /* longer ones are refused; what is known of takes below 600 */

typedef struct ProxyHeader {
	bool told;   /* it names a client; else the peer speaks for itself (LOCAL, UNKNOWN) */
	Peer client; /* when told */
} ProxyHeader;

typedef enum ProxyFound { PROXY_FOUND, PROXY_MORE, PROXY_BAD } ProxyFound;

/* Looks for a header at the start of bytes; *used: its length. PROXY_MORE: so far it could be one. Extensions (TLVs) are
 * passed over unread. Pure. */
ProxyFound proxy_header_parse(Str bytes, ProxyHeader *out, size_t *used);

/* Takes the header off a connection and not a byte more. Parks, without a limit of its own. Fails with INVALID
 * "http.proxy_header", CLOSED. */
Err *proxy_header_read(Stream *s, ProxyHeader *out) MUST_USE;
