/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantities with units. A number is whole digits and perhaps a decimal fraction, kept exactly as a numerator over a
 * power of ten: "1.5s" is 15 over 10 times a second, and what does not come out even in the smallest unit is refused
 * rather than rounded. The units are rows; the first row that divides a value writes it. */
#include "base/units.h"

#include <stdio.h>

typedef struct Unit {
	const char *name;
	uint64_t each;
} Unit;

static const Unit durations[] = {
	{ "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 },
	{ "s", 1000000 },     { "ms", 1000 },      { "us", 1 },
};
static const Unit sizes[] = {
	{ "TiB", UINT64_C(1) << 40 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "t", UINT64_C(1) << 40 },
	{ "g", UINT64_C(1) << 30 },
	{ "m", UINT64_C(1) << 20 },
	{ "k", UINT64_C(1) << 10 },
	{ "B", 1 },
	{ "", 1 },
};

typedef struct Number {
	uint64_t digits; /* without the point */
	uint64_t over;   /* 10 to the number of digits after it */
} Number;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes a number off the front; false when there is none, or it has no end that anybody would write. */
static bool take_number(Str *rest, Number *out)
{
	Number n = { 0, 1 };
	size_t at = 0;
	bool point = false;

	for (; at < rest->len && (is_digit(rest->at[at]) || (rest->at[at] == '.' && !point));
	     at++) {
		if (rest->at[at] == '.') {
			point = true;
			continue;
		}
		if (__builtin_mul_overflow(n.digits, 10u, &n.digits) ||
		    __builtin_add_overflow(n.digits, (unsigned)(rest->at[at] - '0'), &n.digits) ||
		    (point && __builtin_mul_overflow(n.over, 10u, &n.over)))
			return false;
	}
	if (at == 0 || rest->at[0] == '.' || rest->at[at - 1] == '.')
		return false;
	*rest = str_sub(*rest, at, rest->len);
	*out = n;
	return true;
}

static bool multiply(Number n, uint64_t each, uint64_t *out)
{
	unsigned __int128 product = (unsigned __int128)n.digits * each;

	if (product % n.over != 0 || product / n.over > UINT64_MAX)
		return false;
	*out = (uint64_t)(product / n.over);
	return true;
}

/* What stands before the next digit. */
static Str take_unit(Str *rest)
{
	size_t at = 0;
	Str unit;

	while (at < rest->len && !is_digit(rest->at[at]))
		at++;
	unit = str_sub(*rest, 0, at);
	*rest = str_sub(*rest, at, rest->len);
	return unit;
}

static const Unit *find_unit(const Unit *units, size_t count, Str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(str_of(units[i].name), name))
			return &units[i];
	return NULL;
}

static Err *not_a_duration(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "units.duration", "%.*s %s", STR_ARG(str_quote(a, text)),
	               why);
}

Err *units_read_duration(Arena *a, Str text, int64_t *us)
{
	static const char expected[] = "is not a duration such as 250ms, 5s, 10m or 1h30m";
	uint64_t total = 0;
	uint64_t last = UINT64_MAX;
	Str rest = text;

	if (str_eq(text, S("0"))) {
		*us = 0;
		return NULL;
	}
	while (rest.len || !text.len) {
		const Unit *unit;
		Number n;
		uint64_t part;
		Str name;

		if (!take_number(&rest, &n))
			return not_a_duration(a, text, expected);
		name = take_unit(&rest);
		if (!name.len)
			return not_a_duration(a, text, "has no unit: us, ms, s, m, h or d");
		unit = find_unit(durations, COUNT(durations), name);
		if (!unit || unit->each >= last)
			return not_a_duration(a, text, expected);
		if (!multiply(n, unit->each, &part))
			return not_a_duration(a, text, "does not come out even in microseconds");
		if (__builtin_add_overflow(total, part, &total) || total > INT64_MAX)
			return not_a_duration(a, text, "is longer than 292,000 years");
		last = unit->each;
	}
	*us = (int64_t)total;
	return NULL;
}

static Err *not_bytes(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "units.bytes", "%.*s %s", STR_ARG(str_quote(a, text)), why);
}

Err *units_read_bytes(Arena *a, Str text, uint64_t *bytes)
{
	static const char *const ambiguous[] = { "kb", "mb", "gb", "tb" };
	const Unit *unit;
	Str rest = text;
	Number n;

	if (!take_number(&rest, &n))
		return not_bytes(a, text, "is not a size such as 512, 64KiB or 1GiB");
	for (size_t i = 0; i < COUNT(ambiguous); i++)
		if (str_eq_nocase(rest, str_of(ambiguous[i])))
			return not_bytes(
				a, text,
				"may mean 1000 or 1024: write KiB, MiB, GiB or TiB (1024 each)");
	unit = find_unit(sizes, COUNT(sizes), rest);
	if (!unit)
		return not_bytes(a, text, "is not a size such as 512, 64KiB or 1GiB");
	if (!multiply(n, unit->each, bytes))
		return not_bytes(a, text, "is not a whole number of bytes below 16 EiB");
	return NULL;
}

Err *units_read_share(Arena *a, Str text, uint32_t *ppm)
{
	uint64_t parts = 0;
	Str rest = text;
	Number n;
	bool zero = str_eq(text, S("0"));

	if (!zero && (!take_number(&rest, &n) || !str_eq(rest, S("%"))))
		return err_new(a, ERR_INVALID, "units.share",
		               "%.*s is not a share such as 20%% or 0.1%%",
		               STR_ARG(str_quote(a, text)));
	if (!zero && (!multiply(n, PPM_WHOLE / 100, &parts) || parts > PPM_WHOLE))
		return err_new(a, ERR_INVALID, "units.share",
		               "%.*s is not within 0%% and 100%% in steps of 0.0001%%",
		               STR_ARG(str_quote(a, text)));
	*ppm = (uint32_t)parts;
	return NULL;
}

static void put_largest(Buf *b, uint64_t value, const Unit *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (value % units[i].each == 0) {
			buf_put_u64(b, value / units[i].each);
			buf_put(b, str_of(units[i].name));
			return;
		}
	}
}

void units_put_duration(Buf *b, int64_t us)
{
	if (us < 0)
		buf_putc(b, '-');
	if (us == 0)
		buf_put(b, S("0s"));
	else
		put_largest(b, us < 0 ? 0 - (uint64_t)us : (uint64_t)us, durations,
		            COUNT(durations));
}

void units_put_bytes(Buf *b, uint64_t bytes)
{
	if (bytes == 0 || bytes % 1024 != 0)
		buf_put_u64(b, bytes);
	else
		put_largest(b, bytes, sizes, 4);
}

void units_put_share(Buf *b, uint32_t ppm)
{
	uint32_t part = ppm % (PPM_WHOLE / 100);
	char digits[8];
	int len = snprintf(digits, sizeof digits, "%04u", part);

	buf_put_u64(b, ppm / (PPM_WHOLE / 100));
	while (len && digits[len - 1] == '0')
		len--;
	if (part) {
		buf_putc(b, '.');
		buf_put(b, (Str){ digits, (size_t)len });
	}
	buf_putc(b, '%');
}
