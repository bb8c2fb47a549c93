/* SPDX-License-Identifier: Apache-2.0
 *
 * AuthThrottle: how many wrong passwords an address may try. Bounded; the address that was quiet for longest is forgotten.
 * Any thread. */
#pragma once
#include "base/str.h"

typedef struct AuthThrottle AuthThrottle;

/* tries at once, one more every forget_us; 0 tries: no limit. */
AuthThrottle *auth_throttle_new(uint32_t tries, int64_t forget_us) RETURNS_NONNULL;
void auth_throttle_free(AuthThrottle *throttle); /* NULL is fine */
/* Counts a try and gives 0, or says how long it is until one may be made. An IPv6 address counts by its first 64 bits. */
int64_t auth_throttle_take(AuthThrottle *throttle, Str ip, int64_t now_us);
/* The try was a good one, or none at all. */
void auth_throttle_give(AuthThrottle *throttle, Str ip);
