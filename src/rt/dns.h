/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to addresses, without blocking the loop (c-ares; /etc/hosts and resolv.conf are honoured). Answers are kept per
 * loop for their TTL (at least 1 s, at most 5 min; a failure 1 s); when a name server fails, or takes longer than 0.5 s,
 * the last answer is served for up to 5 min more. Concurrent questions for one name share one query. */
#pragma once
#include "rt/stream.h"

/* IPv4 and IPv6 addresses in RFC 6724 order, at least one. An address literal is answered at once.
 * Parks. Fails with UPSTREAM "dns.not_found", "dns.failed". */
Err *dns_resolve(Arena *a, Str host, uint16_t port, Addr **out, size_t *count) MUST_USE;

/* "127.0.0.1:5353,[::1]:53" instead of resolv.conf's servers, for all loops, from the next question on; empty: as
 * before. From any thread. Fails with INVALID "dns.servers". */
Err *dns_use_servers(Arena *a, Str addresses) MUST_USE;

typedef struct DnsStats {
	uint64_t answered; /* from the cache */
	uint64_t asked;    /* the name servers */
	uint64_t failed;   /* of those */
	uint64_t stale;    /* old answers served because of that */
} DnsStats;
DnsStats dns_stats(void);
