/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose word is taken for who the client is. Pure. */
#pragma once
#include "rt/stream.h"

typedef struct TrustNet {
	uint8_t at[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;
} TrustNet;

/* "10.0.0.0/8", "192.0.2.1", "fd00::/8". False: it is none. */
bool trust_read(Str text, TrustNet *out);
/* One of these networks, this machine (loopback), or a Unix socket. */
bool trust_peer(const TrustNet *nets, size_t count, const Peer *peer);
