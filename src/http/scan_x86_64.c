/* SPDX-License-Identifier: Apache-2.0
 *
 * Scanning 16 (SSSE3 and up) or 32 (AVX2) bytes at a time. One shuffle finds the set's row by a byte's low half, a second
 * one the bit by its high half; a byte is in the set when they meet. Shuffling gives zero for indices above 0x7f, so high
 * bytes are outside unless `high` says otherwise.
 *
 * The last, shorter step overlaps the one before: its first bytes are known to be in the set, so the first hit is still
 * the right one, and nothing after the range is read. */
#include "http/scan_int.h"

#include <immintrin.h>

#define SSE __attribute__((target("sse4.2")))
#define AVX __attribute__((target("avx2,bmi")))

SSE static inline unsigned outside16(const char *at, __m128i rows, __m128i bits, __m128i high)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
	__m128i row = _mm_shuffle_epi8(rows, bytes);
	__m128i bit =
		_mm_shuffle_epi8(bits, _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15)));
	__m128i in = _mm_or_si128(_mm_and_si128(row, bit), _mm_and_si128(bytes, high));

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(in, _mm_setzero_si128()));
}

SSE static size_t scan_sse(const char *at, size_t len, const ScanSet *set)
{
	__m128i rows, bits, high;
	size_t i = 0;

	if (len < 16)
		return scan_scalar(at, len, set);
	rows = _mm_loadu_si128((const __m128i *)(const void *)set->rows);
	bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
	high = _mm_and_si128(_mm_set1_epi8((char)set->high), _mm_set1_epi8(-128));
	for (;;) {
		unsigned out = outside16(at + i, rows, bits, high);

		if (out)
			return i + (unsigned)__builtin_ctz(out);
		if (i + 16 == len)
			return len;
		i = MIN(i + 16, len - 16);
	}
}

AVX static inline unsigned outside32(const char *at, __m256i rows, __m256i bits, __m256i high)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
	__m256i row = _mm256_shuffle_epi8(rows, bytes);
	__m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(bytes, 4),
	                                                         _mm256_set1_epi8(15)));
	__m256i in = _mm256_or_si256(_mm256_and_si256(row, bit), _mm256_and_si256(bytes, high));

	return (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(in, _mm256_setzero_si256()));
}

AVX static size_t scan_avx(const char *at, size_t len, const ScanSet *set)
{
	__m256i rows, bits, high;
	size_t i = 0;

	if (len < 32)
		return scan_sse(at, len, set);
	rows = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)(const void *)set->rows));
	bits = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
	high = _mm256_and_si256(_mm256_set1_epi8((char)set->high), _mm256_set1_epi8(-128));
	for (;;) {
		unsigned out = outside32(at + i, rows, bits, high);

		if (out)
			return i + (unsigned)__builtin_ctz(out);
		if (i + 32 == len)
			return len;
		i = MIN(i + 32, len - 32);
	}
}

ScanFn *scan_wide(unsigned n)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && n-- == 0)
		return scan_avx;
	return n == 0 && __builtin_cpu_supports("sse4.2") ? scan_sse : NULL;
}
