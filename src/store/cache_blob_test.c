/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cache_blob.c"

#include "base/arena.h"
#include "unit.h"

TEST(cache_blob_read_is_the_inverse_of_put_and_takes_nothing_less)
{
	static const CacheBlob cases[] = {
		{ .found = false },
		{ .found = true, .value = S("") },
		{ .born = { UINT64_MAX, 7 },
		  .expires_utc_us = -5,
		  .found = true,
		  .tags = { 1, UINT64_MAX, 3 },
		  .tag_count = 3,
		  .value = S("a\0b") },
		{ .found = true, .tag_count = CACHE_TAGS, .value = S("x") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		CacheBlob got;

		NOTE("row %zu", i);
		cache_blob_put(&b, &cases[i]);
		CHECK(cache_blob_read(buf_str(&b), &got));
		CHECK(got.born.generation == cases[i].born.generation);
		CHECK_INT(got.born.number, cases[i].born.number);
		CHECK_INT(got.expires_utc_us, cases[i].expires_utc_us);
		CHECK_INT(got.found, cases[i].found);
		CHECK_INT(got.tag_count, cases[i].tag_count);
		CHECK(memcmp(got.tags, cases[i].tags, sizeof got.tags) == 0);
		CHECK_STR(got.value, cases[i].value);
		for (size_t cut = 0; cut < b.len; cut++)
			CHECK(!cache_blob_read(str_sub(buf_str(&b), 0, cut), &got));
		buf_putc(&b, 'x');
		CHECK(!cache_blob_read(buf_str(&b), &got));
	}
	CHECK(!cache_blob_read(S("somebody else's value that is long enough"), &(CacheBlob){ 0 }));
}
