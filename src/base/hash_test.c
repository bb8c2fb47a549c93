/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.c"

#include "unit.h"

/* The published vectors of SipHash-2-4: key 00 01 .. 0f, input of i bytes 00 01 .. (the appendix of the paper has i = 15;
 * the authors' reference implementation has the others). */
TEST(hash_stable_is_siphash_2_4)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} cases[] = {
		{ 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd }, { 2, 0x0d6c8009d9a94f5a },
		{ 3, 0x85676696d7fb7e2d },  { 4, 0xcf2794e0277187b7 }, { 5, 0x18765564cd99a68d },
		{ 6, 0xcbc9466e58fee3ce },  { 7, 0xab0200f58b01d137 }, { 8, 0x93f5f5799a932462 },
		{ 15, 0xa129ca6149be45e5 },
	};
	char input[16];

	for (size_t i = 0; i < sizeof input; i++)
		input[i] = (char)i;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%zu bytes", cases[i].len);
		CHECK_INT(hash_stable((Str){ input, cases[i].len }, 0x0706050403020100,
		                      0x0f0e0d0c0b0a0908),
		          cases[i].hash);
	}
	(void)a;
}

TEST(hash_str_is_steady_within_a_process_and_depends_on_every_byte)
{
	char text[40] = "the quick brown fox jumps over the lazy";
	uint64_t before = hash_str((Str){ text, 39 });

	CHECK_INT(hash_str((Str){ text, 39 }), before);
	CHECK(hash_str((Str){ text, 38 }) != before);
	for (size_t i = 0; i < 39; i++) {
		text[i] ^= 1;
		CHECK(hash_str((Str){ text, 39 }) != before);
		text[i] ^= 1;
	}
	CHECK_INT(hash_str((Str){ 0 }), hash_str(S("")));
	(void)a;
}
