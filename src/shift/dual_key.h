/* SPDX-License-Identifier: Apache-2.0
 *
 * What a write's order goes by. */
#pragma once
#include "gateway/conf_writes.h"

typedef struct Headers Headers;   /* http/message.h */
typedef struct Identity Identity; /* gateway/identity.h */
typedef struct Route Route;       /* gateway/route.h */

enum { DUAL_KEY_MAX = 200 };

typedef struct DualKeyAsk {
	const Route *route;
	Str path; /* canonical */
	const Headers *headers;
	uint64_t user; /* 0: nobody knows */
	Str body;
	const Identity *identity; /* NULL: nobody */
} DualKeyAsk;
/* What this request's order goes by; never empty, DUAL_KEY_MAX at most. A body is read here: large ones on a worker. */
Str dual_key(Arena *a, const WritesKey *key, const DualKeyAsk *ask);
