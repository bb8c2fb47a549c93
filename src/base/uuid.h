/* SPDX-License-Identifier: Apache-2.0
 *
 * UUIDs: the ids of everything that is stored. Version 7 (RFC 9562 5.7): ordered by the time they were made at. */
#pragma once
#include "base/buf.h"

typedef struct Uuid {
	uint8_t at[16];
} Uuid;

enum { UUID_TEXT = 36 }; /* bytes of its text */

/* A new one: milliseconds of UTC, then a counter and random bits, so that those of one thread rise strictly, even where the
 * clock is put back. Any thread. */
Uuid uuid_new(void);
int64_t uuid_time_us(Uuid id); /* when a version 7 was made, to the millisecond */

bool uuid_eq(Uuid x, Uuid y);
int uuid_cmp(Uuid x, Uuid y); /* as memcmp, and as both databases order them */
bool uuid_is_nil(Uuid id);

void uuid_put(Buf *b, Uuid id); /* 018f3c1e-7a4b-7cc0-b1f2-0123456789ab */
Str uuid_text(Arena *a, Uuid id);
/* 36 characters as uuid_put writes them, capitals too. False leaves *out alone. */
bool uuid_read(Str text, Uuid *out);
