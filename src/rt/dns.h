/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to addresses, without blocking the loop (c-ares; /etc/hosts and resolv.conf are honoured). Answers are kept per
 * loop for their TTL (at least 1 s, at most 5 min; a failure 1 s); when a name server fails, the last answer is served
 * for up to 5 min more. Concurrent questions for one name share one query. */
#pragma once
#include "rt/stream.h"

/* IPv4 and IPv6 addresses in RFC 6724 order, at least one. An address literal is answered at once.
 * Parks. Fails with UPSTREAM "dns.not_found", "dns.failed". */
Err *dns_resolve(Arena *a, Str host, uint16_t port, Addr **out, size_t *count) MUST_USE;
