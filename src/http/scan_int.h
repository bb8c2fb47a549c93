/* SPDX-License-Identifier: Apache-2.0
 *
 * Between scan.c and the file of the processor. */
#pragma once
#include "base/util.h"

/* A set of bytes as a 16 by 8 table of bits: the byte 0xHL is in it when bit H of row L is set; for H above 7 all are
 * or none is. That is the form in which one shuffle looks up sixteen bytes at a time. */
typedef struct ScanSet {
	uint8_t rows[16];
	uint8_t high; /* 0xff: the bytes above 0x7f are in the set; else 0 */
} ScanSet;

/* Index of the first byte that is not in the set, or len. */
typedef size_t ScanFn(const char *at, size_t len, const ScanSet *set);

/* For any processor; the twin that the others are tested against. */
ScanFn scan_scalar;
/* scan_<processor>.c: the n-th best of those that this machine has, NULL past the last. */
ScanFn *scan_wide(unsigned n);

static inline bool scan_has(const ScanSet *set, unsigned char c)
{
	return c < 0x80 ? set->rows[c & 15] >> (c >> 4) & 1 : set->high;
}
