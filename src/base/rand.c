/* SPDX-License-Identifier: Apache-2.0
 *
 * xoshiro256** (Blackman and Vigna, 2018) per thread; bounded numbers by Lemire's multiplication (2019). */
#include "base/rand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *into, size_t len)
{
	char *at = into;

	while (len) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("banyan: getrandom");
			abort();
		}
		at += got;
		len -= (size_t)got;
	}
}

static __thread uint64_t state[4];

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t rand_u64(void)
{
	uint64_t result;
	uint64_t t;

	if (UNLIKELY(!(state[0] | state[1] | state[2] | state[3])))
		rand_bytes(state, sizeof state);
	result = rotl(state[1] * 5, 7) * 9;
	t = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotl(state[3], 45);
	return result;
}

uint64_t rand_below(uint64_t bound)
{
	unsigned __int128 wide = (unsigned __int128)rand_u64() * bound;

	if ((uint64_t)wide < bound) {
		uint64_t floor = (0 - bound) % bound;

		while ((uint64_t)wide < floor)
			wide = (unsigned __int128)rand_u64() * bound;
	}
	return (uint64_t)(wide >> 64);
}
