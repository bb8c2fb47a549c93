/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients say of the version they have and of the part they want. The first two bytes are the size of the file, the
 * rest is a value. Then
 *   - ranges lie within the file, none is empty, there are not more than there may be, nor more bytes than there are,
 *   - a date written anew and read again is the same,
 *   - a tag is only found where it stands, and nothing but "*" is found without one, and
 *   - no coding is wanted more than wholly. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "http/coding.h"
#include "http/conditional.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_ranges(Str value, uint64_t size)
{
	Range ranges[RANGES_MAX];
	size_t count;
	RangeResult result = range_read(value, size, ranges, &count);
	uint64_t sum = 0;

	if (result != RANGE_PARTS)
		return;
	must(count > 0 && count <= RANGES_MAX);
	for (size_t i = 0; i < count; i++) {
		must(ranges[i].count > 0 && ranges[i].from < size);
		must(ranges[i].count <= size - ranges[i].from);
		sum += ranges[i].count;
	}
	must(sum <= size);
}

static void check_date(Str value)
{
	AUTO(buf_fini) Buf b = { 0 };
	int64_t first, second;

	if (!http_date_read(value, &first))
		return;
	time_put_http(&b, first * US_PER_S);
	must(http_date_read(buf_str(&b), &second) && first == second);
}

static void check_conditions(Arena *a, Str value)
{
	static const Str names[] = { S("If-Match"), S("If-None-Match"), S("If-Range"),
		                     S("If-Modified-Since"), S("If-Unmodified-Since") };
	const Validators strong = { S("\"tag\""), 784111777 }, weak = { S("W/\"tag\""), 784111777 };
	bool there = str_find(value, S("\"tag\"")) >= 0;
	bool any = str_eq(str_trim(value), S("*"));

	for (size_t i = 0; i < COUNT(names); i++) {
		Headers headers = { 0 };
		Conditional result;

		headers_add(&headers, a, names[i], value);
		result = conditional_check(&headers, &strong);
		if (i == 0)
			must(result == CONDITIONAL_FAILED || there || any);
		if (i == 1)
			must(result != CONDITIONAL_FAILED &&
			     (result == CONDITIONAL_GO || there || any));
		if (i == 0)
			must(any || conditional_check(&headers, &weak) == CONDITIONAL_FAILED);
		if (i == 2)
			must(!conditional_range(&headers, &weak));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Headers headers = { 0 };
	Codings codings;
	Str value;

	if (size < 2 || size > 4096)
		return 0;
	value = (Str){ (const char *)data + 2, size - 2 };
	check_ranges(value, (uint64_t)data[0] << 8 | data[1]);
	check_date(value);
	check_conditions(a, value);
	headers_add(&headers, a, S("Accept-Encoding"), value);
	codings = http_codings(&headers);
	must(codings.br <= 1000 && codings.gzip <= 1000 && codings.identity <= 1000);
	return 0;
}
