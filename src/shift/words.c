/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts stay whole, since they are to be checked by hand; what is worked out from them is rounded to what one remembers. */
#include "shift/words.h"

#include <math.h>

void words_put_count(Buf *b, uint64_t n)
{
	if (n >= 1000) {
		words_put_count(b, n / 1000);
		buf_fmt(b, ",%03u", (unsigned)(n % 1000));
		return;
	}
	buf_put_u64(b, n);
}

/* At most so many digits after the point, none of them a zero at the end. */
static void put_rounded(Buf *b, double n, int digits)
{
	size_t from = b->len;
	Str text;

	buf_fmt(b, "%.*f", digits, n);
	text = str_sub(buf_str(b), from, b->len);
	if (str_find_char(text, '.') < 0)
		return;
	while (b->at[b->len - 1] == '0')
		b->len--;
	if (b->at[b->len - 1] == '.')
		b->len--;
}

void words_put_percent(Buf *b, double share)
{
	double percent = 100 * share;
	int digits = percent >= 10 ? 1 : percent >= 0.01 || percent <= 0 ? 2 : 4;

	put_rounded(b, percent, digits);
	buf_put(b, S(" %"));
}

void words_put_evidence(Buf *b, double evidence)
{
	if (!(evidence < 1e6))
		buf_put(b, S("more than a million"));
	else if (evidence >= 100)
		words_put_count(b, (uint64_t)llround(evidence));
	else if (evidence >= 0.01)
		put_rounded(b, evidence, evidence >= 10 ? 0 : evidence >= 1 ? 1 : 2);
	else
		buf_put(b, S("less than 0.01"));
}

void words_put_time(Buf *b, double seconds)
{
	static const struct {
		double upto, unit;
		const char *name;
	} units[] = {
		{ 120, 1, "s" },
		{ 7200, 60, "min" },
		{ 172800, 3600, "h" },
		{ INFINITY, 86400, "days" },
	};
	size_t i = 0;

	if (isinf(seconds)) {
		buf_put(b, S("for ever"));
		return;
	}
	while (seconds >= units[i].upto)
		i++;
	put_rounded(b, seconds / units[i].unit, seconds / units[i].unit >= 10 ? 0 : 1);
	buf_fmt(b, " %s", units[i].name);
}

Str words_take(Arena *a, const Buf *b)
{
	return str_dup(a, buf_str(b));
}
