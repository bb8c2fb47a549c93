/* SPDX-License-Identifier: Apache-2.0
 *
 * The sets, the scalar scan, and the choice of a wider one. The choice is made once before main; until then, and on a
 * processor without wide instructions, the scalar one serves.
 *
 * The sets are written as bits (see scan_int.h); the unit test derives them again from the RFC's own lists. */
#include "http/scan.h"

#include "http/scan_int.h"

static const ScanSet line_set = {
	.rows = { 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfd, 0xfc, 0xfc, 0xfc,
	          0xfc, 0xfc, 0x7c },
	.high = 0xff,
};
static const ScanSet token_set = {
	.rows = { 0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0,
	          0x54, 0xf4, 0x70 },
};
static const ScanSet name_set = {
	.rows = { 0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0,
	          0x54, 0xf4, 0x50 },
};
static const ScanSet target_set = {
	.rows = { 0xf8, 0xfc, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
	          0xfc, 0xfc, 0x7c },
};

static ScanFn *scan = scan_scalar;

__attribute__((constructor)) static void choose(void)
{
	scan = scan_wide(0) ?: scan_scalar;
}

size_t scan_scalar(const char *at, size_t len, const ScanSet *set)
{
	for (size_t i = 0; i < len; i++)
		if (!scan_has(set, (unsigned char)at[i]))
			return i;
	return len;
}

size_t scan_line(const char *at, size_t len)
{
	return scan(at, len, &line_set);
}

size_t scan_token(const char *at, size_t len)
{
	return scan(at, len, &token_set);
}

size_t scan_name(const char *at, size_t len)
{
	return scan(at, len, &name_set);
}

size_t scan_target(const char *at, size_t len)
{
	return scan(at, len, &target_set);
}
