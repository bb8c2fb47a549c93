/* SPDX-License-Identifier: Apache-2.0
 *
 * For rt_run: the end of a loop. */
#pragma once
#include "rt/dns.h"

/* Frees this loop's resolver and cache. On the loop's thread, when no fiber is left, before its epoll is closed. */
void dns_loop_fini(void);
