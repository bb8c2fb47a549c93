/* SPDX-License-Identifier: Apache-2.0
 *
 * Census: how many clients are connected, over all listeners and loops, and how many of one address. From any thread;
 * nothing here parks. */
#pragma once
#include "rt/stream.h"

/* One more connection, unless there are `limit` (0: no limit) already. True: census_leave is due. */
bool census_enter(uint32_t limit) MUST_USE;
void census_leave(void);

/* One more of the peer's address: of one IPv4 address, or of one IPv6 network of 64 bits. Peers without an address (Unix
 * sockets) count as one. limit: not 0. */
bool census_enter_address(const Peer *peer, uint32_t limit) MUST_USE;
void census_leave_address(const Peer *peer);

typedef struct CensusStats {
	uint32_t connections; /* counted ones */
	uint32_t addresses;   /* that have a connection which counts for its address */
	uint32_t most;        /* of one address; looks at all of them */
} CensusStats;
CensusStats census_stats(void);
