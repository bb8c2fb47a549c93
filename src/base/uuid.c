/* SPDX-License-Identifier: Apache-2.0
 *
 * UUIDs of version 7, made per thread: 48 bits of milliseconds, then 12 bits and 14 bits of a counter (RFC 9562 6.2, method
 * 1: a fixed-length counter, seeded anew each millisecond with its highest bit 0), then 48 random bits. When a clock goes back
 * or the counter is used up the milliseconds go on by themselves, so ids of one thread always rise.
 *
 * Random bits come from the fast generator: an id is not a secret. */
#include "base/uuid.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"

#include <string.h>

enum { COUNTER_BITS = 26, SEED_BITS = 25 };

typedef struct Maker {
	uint64_t ms;
	uint32_t counter;
} Maker;

static Uuid make(Maker *maker, uint64_t now_ms, uint64_t random)
{
	Uuid id;
	uint32_t counter;

	if (now_ms > maker->ms || ++maker->counter >> COUNTER_BITS) {
		maker->ms = MAX(now_ms, maker->ms + 1);
		maker->counter = (uint32_t)(random >> 39); /* the upper SEED_BITS */
	}
	counter = maker->counter;
	for (int i = 0; i < 6; i++)
		id.at[i] = (uint8_t)(maker->ms >> (40 - 8 * i));
	id.at[6] = (uint8_t)(0x70 | (counter >> 22));
	id.at[7] = (uint8_t)(counter >> 14);
	id.at[8] = (uint8_t)(0x80 | ((counter >> 8) & 0x3f));
	id.at[9] = (uint8_t)counter;
	for (int i = 0; i < 6; i++)
		id.at[10 + i] = (uint8_t)(random >> (8 * i));
	return id;
}

Uuid uuid_new(void)
{
	static _Thread_local Maker maker;

	return make(&maker, (uint64_t)(time_utc_us() / US_PER_MS), rand_u64());
}

int64_t uuid_time_us(Uuid id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.at[i];
	return (int64_t)ms * US_PER_MS;
}

bool uuid_eq(Uuid x, Uuid y)
{
	return memcmp(x.at, y.at, sizeof x.at) == 0;
}

int uuid_cmp(Uuid x, Uuid y)
{
	return memcmp(x.at, y.at, sizeof x.at);
}

bool uuid_is_nil(Uuid id)
{
	return uuid_eq(id, (Uuid){ { 0 } });
}

static bool dash_before(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static void write_text(Uuid id, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (dash_before(i))
			*to++ = '-';
		*to++ = digits[id.at[i] >> 4];
		*to++ = digits[id.at[i] & 15];
	}
}

void uuid_put(Buf *b, Uuid id)
{
	char *to = buf_room(b, UUID_TEXT);

	if (!to)
		return;
	write_text(id, to);
	buf_wrote(b, UUID_TEXT);
}

Str uuid_text(Arena *a, Uuid id)
{
	char *to = arena_alloc_raw(a, UUID_TEXT);

	write_text(id, to);
	return (Str){ to, UUID_TEXT };
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

bool uuid_read(Str text, Uuid *out)
{
	const char *from = text.at;
	Uuid id;

	if (text.len != UUID_TEXT)
		return false;
	for (int i = 0; i < 16; i++, from += 2) {
		if (dash_before(i) && *from++ != '-')
			return false;
		if (digit(from[0]) < 0 || digit(from[1]) < 0)
			return false;
		id.at[i] = (uint8_t)(digit(from[0]) << 4 | digit(from[1]));
	}
	*out = id;
	return true;
}
