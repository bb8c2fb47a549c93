/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures as people write them, and back. An amount is an optional currency sign, digits with commas between thousands, a fraction, and K, M
 * or B, or a percent sign; two or three of them with ".." between are a range. Nothing negative: a saving that is a loss is a running cost.
 * Commas only where they part thousands, so that "1,5" is refused instead of read as fifteen. */
#include "audit/money.h"

#include <math.h>

enum { DIGITS = 15 };

typedef struct Reading {
	Str rest;
	double value;
	unsigned digits;
} Reading;

static bool is_digit(Str s)
{
	return s.len && s.at[0] >= '0' && s.at[0] <= '9';
}

static void skip(Reading *r, size_t n)
{
	r->rest = str_sub(r->rest, n, r->rest.len);
}

static bool take(Reading *r, Str what)
{
	if (!str_starts(r->rest, what))
		return false;
	skip(r, what.len);
	return true;
}

/* Groups of three after a first of one to three, or no commas at all. */
static bool read_whole(Reading *r)
{
	unsigned in_group = 0, groups = 0;

	for (;; skip(r, 1)) {
		if (is_digit(r->rest)) {
			r->value = r->value * 10 + (r->rest.at[0] - '0');
			in_group++;
			if (++r->digits > DIGITS)
				return false;
			continue;
		}
		if (groups ? in_group != 3 : !in_group)
			return false;
		if (!str_starts(r->rest, S(",")))
			return true;
		if (in_group > 3)
			return false;
		groups++;
		in_group = 0;
	}
}

static bool read_fraction(Reading *r)
{
	double unit = 1;

	if (str_starts(r->rest, S("..")) || !take(r, S(".")))
		return true;
	if (!is_digit(r->rest))
		return false;
	for (; is_digit(r->rest); skip(r, 1)) {
		unit /= 10;
		r->value += unit * (r->rest.at[0] - '0');
		if (++r->digits > DIGITS)
			return false;
	}
	return true;
}

static bool read_one(Reading *r)
{
	static const struct {
		char sign[3];
		double by;
	} signs[] = { { "K", 1e3 }, { "k", 1e3 }, { "M", 1e6 }, { "B", 1e9 } };

	r->value = r->digits = 0;
	take(r, S("$"));
	if (!read_whole(r) || !read_fraction(r))
		return false;
	if (take(r, S("%"))) {
		r->value /= 100;
		return true;
	}
	for (size_t i = 0; i < COUNT(signs); i++)
		if (take(r, str_of(signs[i].sign))) {
			r->value *= signs[i].by;
			break;
		}
	return true;
}

Err *money_read(Arena *a, Str text, Range *out, bool *ranged)
{
	Reading r = { .rest = str_trim(text) };
	double all[3];
	size_t count = 0;

	do {
		if (count == COUNT(all) || !read_one(&r) || (count && r.value < all[count - 1]))
			return err_new(
				a, ERR_INVALID, "money.amount",
				"%.*s is no amount: 800, $1.69M, 40K, 45%%, or a range with the lower first: 100K..150K..200K",
				STR_ARG(str_quote(a, text)));
		all[count++] = r.value;
	} while (take(&r, S("..")));
	if (r.rest.len)
		return err_new(a, ERR_INVALID, "money.amount",
		               "%.*s is no amount: %.*s was not expected in it",
		               STR_ARG(str_quote(a, text)), STR_ARG(str_quote(a, r.rest)));
	*out = (Range){ all[0], count == 2 ? (all[0] + all[1]) / 2 : all[count / 2],
		        all[count - 1] };
	*ranged = count > 1;
	return NULL;
}

Range money_spread(double likely)
{
	return (Range){ likely * 0.5, likely, likely * 1.5 };
}

/* At most two digits after the point, none that say nothing; bare money keeps its cents whole. */
static void put_short(Buf *b, double size, bool thousands)
{
	double hundredths = round(size * 100);

	if (fmod(hundredths, 100) == 0 || (thousands && size >= 100))
		buf_fmt(b, "%.0f", size);
	else if (thousands && fmod(hundredths, 10) == 0)
		buf_fmt(b, "%.1f", size);
	else
		buf_fmt(b, "%.2f", size);
}

void money_amount_put(Buf *b, Str currency, double amount)
{
	static const struct {
		double from;
		const char *sign;
	} steps[] = { { 1e9, "B" }, { 1e6, "M" }, { 1e3, "K" }, { 0, "" } };
	double size = fabs(amount);
	size_t i = 0;
	char last = currency.len ? currency.at[currency.len - 1] : ' ';

	if (!isfinite(amount)) {
		buf_put(b, S("without end"));
		return;
	}
	while (size < steps[i].from * 0.9995)
		i++;
	if (amount < 0 && size >= 0.005)
		buf_putc(b, '-');
	buf_put(b, currency);
	if ((last >= 'A' && last <= 'Z') || (last >= 'a' && last <= 'z'))
		buf_putc(b, ' ');
	size /= steps[i].from > 0 ? steps[i].from : 1;
	put_short(b, size, steps[i].from > 0);
	buf_put(b, str_of(steps[i].sign));
}
