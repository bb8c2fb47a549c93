/* SPDX-License-Identifier: Apache-2.0
 *
 * Scanning 16 bytes at a time with Advanced SIMD, which every aarch64 has: see scan_x86_64.c for the method. A table
 * look-up gives zero for indices above 15, so the halves are taken apart first. There is no movemask: a narrowing shift
 * leaves four bits a byte. */
#include "http/scan_int.h"

#include <arm_neon.h>

static inline uint64_t outside16(const char *at, uint8x16_t rows, uint8x16_t bits, uint8x16_t high)
{
	uint8x16_t bytes = vld1q_u8((const uint8_t *)at);
	uint8x16_t row = vqtbl1q_u8(rows, vandq_u8(bytes, vdupq_n_u8(15)));
	uint8x16_t bit = vqtbl1q_u8(bits, vshrq_n_u8(bytes, 4));
	uint8x16_t in = vorrq_u8(vandq_u8(row, bit), vandq_u8(bytes, high));
	uint8x16_t out = vceqzq_u8(in);

	return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(out), 4)), 0);
}

static size_t scan_neon(const char *at, size_t len, const ScanSet *set)
{
	static const uint8_t bit_of_half[16] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t rows, bits, high;
	size_t i = 0;

	if (len < 16)
		return scan_scalar(at, len, set);
	rows = vld1q_u8(set->rows);
	bits = vld1q_u8(bit_of_half);
	high = vdupq_n_u8(set->high & 0x80);
	for (;;) {
		uint64_t out = outside16(at + i, rows, bits, high);

		if (out)
			return i + (unsigned)__builtin_ctzll(out) / 4;
		if (i + 16 == len)
			return len;
		i = MIN(i + 16, len - 16);
	}
}

ScanFn *scan_wide(unsigned n)
{
	return n == 0 ? scan_neon : NULL;
}
