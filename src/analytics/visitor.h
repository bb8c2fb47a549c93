/* SPDX-License-Identifier: Apache-2.0
 *
 * Visitors: who it is, for a day, without knowing who it is. HMAC-SHA-256 of address, user agent and site under a salt that is made
 * anew each day (UTC) and destroyed two days later; the address itself is kept nowhere. */
#pragma once
#include "base/err.h"

typedef struct Db Db;

/* "v:" and 24 hexadecimal digits. Parks. */
Err *visitor_of(Db *db, Arena *a, int64_t now_ms, Str address, Str agent, Str site, Str *out)
	MUST_USE;
/* Salts older than two days go. */
Err *visitor_forget(Db *db, Arena *a, int64_t now_ms) MUST_USE;
