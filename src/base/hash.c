/* SPDX-License-Identifier: Apache-2.0
 *
 * SipHash (Aumasson and Bernstein, 2012): c compression and d finalisation rounds. 1-3 is what hash tables of Rust and
 * Ruby use, 2-4 is the original with published vectors, which the unit test checks. Written out for each pair of numbers: a
 * table's every look-up begins here. */
#include "base/hash.h"

#include "base/rand.h"

#include <pthread.h>
#include <string.h>

typedef struct Sip {
	uint64_t v0, v1, v2, v3;
} Sip;

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline __attribute__((always_inline)) void round_once(Sip *s)
{
	s->v0 += s->v1, s->v1 = rotl(s->v1, 13) ^ s->v0, s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3, s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3, s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1, s->v1 = rotl(s->v1, 17) ^ s->v2, s->v2 = rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void absorb(Sip *s, uint64_t word, int rounds)
{
	s->v3 ^= word;
	for (int i = 0; i < rounds; i++)
		round_once(s);
	s->v0 ^= word;
}

/* The bytes after the last whole word, and the length above them. */
static uint64_t last_word(Str str, size_t at)
{
	uint64_t word = (uint64_t)str.len << 56;

	if (str.len >= 8 && at < str.len) {
		uint64_t tail; /* overlaps what was taken already */

		memcpy(&tail, str.at + str.len - 8, 8);
		return word | tail >> (8 * (8 - (str.len - at)));
	}
	for (size_t i = 0; at + i < str.len; i++)
		word |= (uint64_t)(unsigned char)str.at[at + i] << (8 * i);
	return word;
}

static inline __attribute__((always_inline)) uint64_t siphash(Str str, uint64_t key0, uint64_t key1,
                                                              int compress, int finish)
{
	Sip s = { key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
		  key1 ^ 0x7465646279746573 };
	uint64_t word;
	size_t at = 0;

	for (; str.len - at >= 8; at += 8) {
		memcpy(&word, str.at + at, 8);
		absorb(&s, word, compress);
	}
	absorb(&s, last_word(str, at), compress);
	s.v2 ^= 0xff;
	for (int i = 0; i < finish; i++)
		round_once(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
	rand_bytes(seed, sizeof seed);
}

uint64_t hash_str(Str str)
{
	pthread_once(&seeded, make_seed);
	return siphash(str, seed[0], seed[1], 1, 3);
}

uint64_t hash_stable(Str str, uint64_t key0, uint64_t key1)
{
	return siphash(str, key0, key1, 2, 4);
}
