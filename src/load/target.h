/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the load goes: the target's addresses, resolved once, its TLS, and the addresses that it comes from, so that ports
 * do not run out. Immutable after target_new; shared by all loops. */
#pragma once
#include "http/client.h"
#include "load/scenario.h"
#include "rt/tls.h"

typedef struct Target Target;

/* Resolves the name; reads TLS files: at the start. Parks. Fails with INVALID "load.url", UPSTREAM "dns.*", and as
 * tls_client_new does. Lives as long as the arena. */
Err *target_new(Arena *a, const ScenarioConf *conf, Target **out) MUST_USE;
Str target_authority(const Target *target); /* for Host */
Str target_scheme(const Target *target);
const Addr *target_addr(const Target *target); /* the first */
bool addr_is_loopback(const Addr *addr);
bool target_is_loopback(const Target *target); /* all of its addresses are */
Str target_host(const Target *target);
uint32_t target_ways(
	const Target *target); /* pairs of source and target address: each has the ports once */

/* A new connection, TLS included; `turn` picks among source addresses and the target's. Parks. Fails as streams do. */
Err *target_connect(const Target *target, uint32_t turn, HttpConn **out) MUST_USE;
