/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.c"

#include "unit.h"

#include <string.h>

/* From the definition: state 1, 2, 3, 4 gives 11520 first (rotl(2 * 5, 7) * 9), then 0, 1509978240, 1215971899390074240. */
TEST(rand_is_xoshiro256_starstar)
{
	static const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240 };

	for (size_t i = 0; i < 4; i++)
		state[i] = i + 1;
	for (size_t i = 0; i < COUNT(want); i++)
		CHECK_INT(rand_u64(), want[i]);
	(void)a;
}

TEST(rand_below_stays_below_and_is_even)
{
	size_t seen[7] = { 0 };

	for (int i = 0; i < 70000; i++) {
		uint64_t n = rand_below(7);

		CHECK(n < 7);
		seen[n]++;
	}
	for (size_t i = 0; i < COUNT(seen); i++)
		CHECK(seen[i] > 9300 && seen[i] < 10700); /* 7 standard deviations */
	for (int i = 0; i < 100; i++)
		CHECK_INT(rand_below(1), 0);
	for (int i = 0; i < 100; i++)
		CHECK(rand_below(UINT64_MAX) < UINT64_MAX);
	(void)a;
}

TEST(rand_bytes_fills_all_of_it)
{
	unsigned char bytes[4096] = { 0 };
	size_t zeros = 0;

	rand_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		zeros += bytes[i] == 0;
	CHECK(zeros < 64);
	rand_bytes(bytes, 0);
	(void)a;
}
