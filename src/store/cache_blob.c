/* SPDX-License-Identifier: Apache-2.0
 *
 * "BC1", flags (bit 0: found) with the number of tags above them, then generation, number, expiry and tags as 64 bits, least
 * byte first, then the length of the value and the value. Another version of the format is a miss, as anything else is
 * that somebody put under the key. */
#include "store/cache_blob.h"

#include <endian.h>
#include <string.h>

enum { HEAD_BYTES = 4 + 3 * 8, FOUND = 1 };

static void put_u64(Buf *b, uint64_t n)
{
	n = htole64(n);
	buf_put(b, (Str){ (const char *)&n, sizeof n });
}

static uint64_t take_u64(Str *text)
{
	uint64_t n;

	memcpy(&n, text->at, sizeof n);
	*text = str_sub(*text, sizeof n, text->len);
	return le64toh(n);
}

void cache_blob_put(Buf *b, const CacheBlob *blob)
{
	buf_put(b, S("BC1"));
	buf_putc(b, (char)((blob->found ? FOUND : 0) | (int)blob->tag_count << 1));
	put_u64(b, blob->born.generation);
	put_u64(b, blob->born.number);
	put_u64(b, (uint64_t)blob->expires_utc_us);
	for (size_t i = 0; i < blob->tag_count; i++)
		put_u64(b, blob->tags[i]);
	put_u64(b, blob->value.len);
	buf_put(b, blob->value);
}

bool cache_blob_read(Str text, CacheBlob *out)
{
	unsigned flags;

	*out = (CacheBlob){ 0 };
	if (text.len < HEAD_BYTES || !str_starts(text, S("BC1")))
		return false;
	flags = (unsigned char)text.at[3];
	out->found = flags & FOUND;
	out->tag_count = flags >> 1;
	text = str_sub(text, 4, text.len);
	out->born.generation = take_u64(&text);
	out->born.number = take_u64(&text);
	out->expires_utc_us = (int64_t)take_u64(&text);
	if (out->tag_count > CACHE_TAGS || text.len < (out->tag_count + 1) * 8)
		return false;
	for (size_t i = 0; i < out->tag_count; i++)
		out->tags[i] = take_u64(&text);
	if (take_u64(&text) != text.len || (!out->found && text.len))
		return false;
	out->value = text;
	return true;
}
