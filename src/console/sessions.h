/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is logged in to the console. Kept in memory, of this process only: after a restart everybody logs in again. Any thread;
 * nothing parks. Times are those of the monotonic clock. */
#pragma once
#include "http/admin.h"

enum {
	SESSIONS_MAX = 256, /* one more ends that which was used the longest time ago */
	SESSION_ID_HEX = 64,
	SESSION_IDLE_S = 12 * 60 * 60,
};

/* A new one. In the arena: *id, for the cookie, and *proof, which what changes something must carry too. leave: where they go
 * when they log out; empty: nowhere. */
void console_session_begin(Arena *a, const AdminWho *who, Str leave, int64_t now_us, Str *id,
                           Str *proof);
/* Is there such a session, used within SESSION_IDLE_S? It counts as used now. *who (in the arena) and *proof are its own. */
bool console_session_find(Arena *a, Str id, int64_t now_us, AdminWho *who, Str *proof);
/* None is fine. *leave: what it was begun with, in the arena. */
void console_session_end(Arena *a, Str id, Str *leave);
uint64_t console_session_count(int64_t now_us);
