/* SPDX-License-Identifier: Apache-2.0 */
#include "http/scan.c"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static bool is_tchar(unsigned c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", (int)c));
}

TEST(scan_sets_are_what_the_rfc_lists)
{
	for (unsigned c = 0; c < 256; c++) {
		char byte = (char)c;

		NOTE("byte 0x%02x", c);
		CHECK_INT(scan_line(&byte, 1), (c >= 0x20 && c != 0x7f) || c == '\t');
		CHECK_INT(scan_token(&byte, 1), is_tchar(c));
		CHECK_INT(scan_name(&byte, 1), is_tchar(c) && c != '_');
		CHECK_INT(scan_target(&byte, 1), c > 0x20 && c < 0x7f && c != '#');
	}
}

static const ScanSet *const sets[] = { &line_set, &token_set, &name_set, &target_set };

/* What every scan of this machine says; they must agree. */
static size_t all(const char *at, size_t len, const ScanSet *set)
{
	size_t want = scan_scalar(at, len, set);

	CHECK_INT(scan(at, len, set), want);
	for (unsigned n = 0; scan_wide(n); n++)
		CHECK_INT(scan_wide(n)(at, len, set), want);
	return want;
}

/* A range that ends where its memory ends, so that a sanitizer sees a read behind it. */
static char *range(size_t offset, size_t len)
{
	char *memory = malloc(offset + len + 1);

	CHECK(memory != NULL);
	memset(memory, 'x', offset + len + 1);
	return memory;
}

TEST(scan_agree_on_one_bad_byte_anywhere)
{
	for (size_t len = 0; len <= 200; len++) {
		size_t offset = len % 33;
		char *memory = range(offset, len);
		char *at = memory + offset + 1;

		for (size_t i = 0; i < COUNT(sets); i++)
			CHECK_INT(all(at, len, sets[i]), len);
		for (size_t bad = 0; bad < len; bad++) {
			at[len - 1] = '\n';
			at[bad] = '\r';
			for (size_t i = 0; i < COUNT(sets); i++)
				CHECK_INT(all(at, len, sets[i]), bad);
			at[bad] = at[len - 1] = 'x';
		}
		free(memory);
	}
}

TEST(scan_agree_on_any_bytes)
{
	uint64_t state = 88172645463325252u;

	for (unsigned round = 0; round < 20000; round++) {
		size_t offset = round % 64;
		size_t len = round % 201;
		char *memory = range(offset, len);
		char *at = memory + offset + 1;

		for (size_t i = 0; i < len; i++) {
			state ^= state << 13, state ^= state >> 7, state ^= state << 17;
			at[i] = (char)(state % 16 ? 'a' + state % 26 : state >> 32);
		}
		for (size_t i = 0; i < COUNT(sets); i++)
			all(at, len, sets[i]);
		free(memory);
	}
}

/* The shuffles must not mix neighbours. */
TEST(scan_agree_on_each_byte_in_each_place)
{
	char block[64];

	for (size_t place = 0; place < sizeof block; place++) {
		for (unsigned c = 0; c < 256; c++) {
			memset(block, 'a', sizeof block);
			block[place] = (char)c;
			for (size_t i = 0; i < COUNT(sets); i++)
				all(block, sizeof block, sets[i]);
		}
	}
}
