/* SPDX-License-Identifier: Apache-2.0
 *
 * Has the client got it already, may it have a part, and which?
 *
 * Preconditions are looked at in the RFC's order, so that a client which sends both an entity tag and a date (all browsers
 * do) is answered by the tag. Tags are compared byte for byte; in the weak comparison "W/" does not count, in the strong one
 * a weak tag is equal to nothing. Ranges are bounded twice, in number and in sum: overlapping ranges of one file were a
 * cheap way to have a server send gigabytes. */
#include "http/conditional.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

#include <string.h>

enum { DATE_BYTES = 29 };

/* --- dates ---------------------------------------------------------------------------------------------------------- */

Str http_date_now(Arena *a)
{
	static _Thread_local struct {
		int64_t second;
		char text[DATE_BYTES];
	} made;
	int64_t now_us = time_utc_us();

	if (made.second != now_us / US_PER_S) {
		AUTO(buf_fini) Buf b = { 0 };

		time_put_http(&b, now_us);
		memcpy(made.text, b.at, DATE_BYTES);
		made.second = now_us / US_PER_S;
	}
	return str_dup(a, (Str){ made.text, DATE_BYTES });
}

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

typedef struct Date {
	uint64_t year, month, day, hour, minute, second;
} Date;

static bool take_number(Str *rest, size_t digits, uint64_t *out)
{
	Str text = str_sub(*rest, 0, digits);

	*rest = str_sub(*rest, digits, rest->len);
	return text.len == digits && str_to_u64(text, out);
}

static bool take(Str *rest, Str what)
{
	bool there = str_starts(*rest, what);

	*rest = str_sub(*rest, what.len, rest->len);
	return there;
}

static bool take_month(Str *rest, uint64_t *out)
{
	Str name = str_sub(*rest, 0, 3);

	*rest = str_sub(*rest, 3, rest->len);
	for (uint64_t i = 0; i < 12 && name.len == 3; i++) {
		if (str_eq(name, (Str){ months + i * 3, 3 })) {
			*out = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_time(Str *rest, Date *d)
{
	return take_number(rest, 2, &d->hour) && take(rest, S(":")) &&
	       take_number(rest, 2, &d->minute) && take(rest, S(":")) &&
	       take_number(rest, 2, &d->second);
}

/* "06 Nov 1994 08:49:37 GMT", as it is sent today. */
static bool read_fixed(Str rest, Date *d)
{
	return take_number(&rest, 2, &d->day) && take(&rest, S(" ")) &&
	       take_month(&rest, &d->month) && take(&rest, S(" ")) &&
	       take_number(&rest, 4, &d->year) && take(&rest, S(" ")) && take_time(&rest, d) &&
	       str_eq(rest, S(" GMT"));
}

/* "06-Nov-94 08:49:37 GMT": two digits of a year are of 1970 to 2069. */
static bool read_rfc850(Str rest, Date *d)
{
	bool good = take_number(&rest, 2, &d->day) && take(&rest, S("-")) &&
	            take_month(&rest, &d->month) && take(&rest, S("-")) &&
	            take_number(&rest, 2, &d->year) && take(&rest, S(" ")) && take_time(&rest, d) &&
	            str_eq(rest, S(" GMT"));

	d->year += d->year < 70 ? 2000 : 1900;
	return good;
}

/* "Nov  6 08:49:37 1994" */
static bool read_asctime(Str rest, Date *d)
{
	bool month = take_month(&rest, &d->month) && take(&rest, S(" "));
	bool blank = str_starts(rest, S(" "));

	if (blank)
		rest = str_sub(rest, 1, rest.len);
	return month && take_number(&rest, blank ? 1 : 2, &d->day) && take(&rest, S(" ")) &&
	       take_time(&rest, d) && take(&rest, S(" ")) && take_number(&rest, 4, &d->year) &&
	       !rest.len;
}

static uint64_t days_of(const Date *d)
{
	static const uint8_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);

	return d->month == 2 && !leap ? 28 : days[d->month - 1];
}

static bool is_date(const Date *d)
{
	return d->year >= 1600 && d->month >= 1 && d->day >= 1 && d->day <= days_of(d) &&
	       d->hour < 24 && d->minute < 60 && d->second <= 60;
}

/* Days since 1970 of the proleptic Gregorian calendar, counting years from March. */
static int64_t day_number(const Date *d)
{
	int64_t year = (int64_t)d->year - (d->month <= 2);
	int64_t era = year / 400, of_era = year % 400;
	int64_t of_year =
		(153 * ((int64_t)d->month + (d->month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool http_date_read(Str text, int64_t *utc_s)
{
	ptrdiff_t comma = str_find_char(text, ',');
	Str rest = str_sub(text, comma < 0 ? 3 : (size_t)comma + 1, text.len);
	Date d = { 0 };
	bool good = take(&rest, S(" ")) && (comma < 0    ? read_asctime(rest, &d)
	                                    : comma == 3 ? read_fixed(rest, &d)
	                                                 : read_rfc850(rest, &d));

	if (!good || !is_date(&d))
		return false;
	*utc_s = day_number(&d) * 86400 + (int64_t)(d.hour * 3600 + d.minute * 60 + d.second);
	return true;
}

/* --- preconditions -------------------------------------------------------------------------------------------------- */

typedef enum Field {
	IF_MATCH,
	IF_UNMODIFIED_SINCE,
	IF_NONE_MATCH,
	IF_MODIFIED_SINCE,
	IF_RANGE,
	FIELDS
} Field;

static const Str names[FIELDS] = {
	[IF_MATCH] = { "if-match", 8 },
	[IF_UNMODIFIED_SINCE] = { "if-unmodified-since", 19 },
	[IF_NONE_MATCH] = { "if-none-match", 13 },
	[IF_MODIFIED_SINCE] = { "if-modified-since", 17 },
	[IF_RANGE] = { "if-range", 8 },
};

typedef struct Found {
	const Header *first[FIELDS];
} Found;

static bool find(const Headers *headers, Found *found)
{
	bool any = false;

	*found = (Found){ 0 };
	for (uint32_t i = 0; i < headers->count; i++) {
		const Header *h = &headers->at[i];

		if (h->id != HTTP_OTHER || h->name.len < 8 || (h->name.at[0] | 0x20) != 'i' ||
		    (h->name.at[1] | 0x20) != 'f')
			continue;
		for (size_t k = 0; k < FIELDS; k++)
			if (!found->first[k] && str_eq_nocase(h->name, names[k])) {
				found->first[k] = h;
				any = true;
			}
	}
	return any;
}

static bool is_weak(Str tag)
{
	return str_starts(tag, S("W/"));
}

static Str opaque(Str tag)
{
	return is_weak(tag) ? str_sub(tag, 2, tag.len) : tag;
}

/* The next tag of a list; false at its end or at what is none. */
static bool next_tag(Str *list, Str *tag)
{
	size_t at = 0;
	ptrdiff_t close;

	while (at < list->len &&
	       (list->at[at] == ',' || list->at[at] == ' ' || list->at[at] == '\t'))
		at++;
	*list = str_sub(*list, at, list->len);
	at = is_weak(*list) ? 2 : 0;
	if (at >= list->len || list->at[at] != '"')
		return false;
	close = str_find_char(str_sub(*list, at + 1, list->len), '"');
	if (close < 0)
		return false;
	*tag = str_sub(*list, 0, at + (size_t)close + 2);
	*list = str_sub(*list, tag->len, list->len);
	return true;
}

static bool is_in_list(Str list, Str etag, bool strong)
{
	Str tag;

	if (str_eq(str_trim(list), S("*")))
		return true;
	if (!etag.len || (strong && is_weak(etag)))
		return false;
	while (next_tag(&list, &tag))
		if (!(strong && is_weak(tag)) && str_eq(opaque(tag), opaque(etag)))
			return true;
	return false;
}

/* In any of the field's lines, of which `first` is the first. */
static bool is_listed(const Headers *headers, const Header *first, Str etag, bool strong)
{
	for (const Header *h = first; h < headers->at + headers->count; h++)
		if (h->name.len == first->name.len && str_eq_nocase(h->name, first->name) &&
		    is_in_list(h->value, etag, strong))
			return true;
	return false;
}

/* Was it changed after that date? What is not known counts as `unknown`. */
static bool is_newer(const Header *date, const Validators *v, bool unknown)
{
	int64_t since_s;

	if (!date || v->modified_s < 0 || !http_date_read(date->value, &since_s))
		return unknown;
	return v->modified_s > since_s;
}

Conditional conditional_check(const Headers *headers, const Validators *v)
{
	const Header *match, *none;
	Found found;

	if (!find(headers, &found))
		return CONDITIONAL_GO;
	match = found.first[IF_MATCH];
	none = found.first[IF_NONE_MATCH];
	if (match ? !is_listed(headers, match, v->etag, true)
	          : is_newer(found.first[IF_UNMODIFIED_SINCE], v, false))
		return CONDITIONAL_FAILED;
	if (none ? is_listed(headers, none, v->etag, false)
	         : !is_newer(found.first[IF_MODIFIED_SINCE], v, true))
		return CONDITIONAL_SAME;
	return CONDITIONAL_GO;
}

bool conditional_range(const Headers *headers, const Validators *v)
{
	const Header *only;
	int64_t date_s;
	Found found;

	if (!find(headers, &found))
		return true;
	only = found.first[IF_RANGE];
	if (!only)
		return true;
	if (str_find_char(only->value, '"') >= 0)
		return v->etag.len && !is_weak(v->etag) && str_eq(only->value, v->etag);
	return v->modified_s >= 0 && !is_weak(v->etag) && http_date_read(only->value, &date_s) &&
	       date_s == v->modified_s;
}

/* --- ranges --------------------------------------------------------------------------------------------------------- */

static void skip_blanks(Str *rest)
{
	while (rest->len && rest->at[0] == ' ')
		*rest = str_sub(*rest, 1, rest->len);
}

static bool take_offset(Str *rest, uint64_t *out)
{
	size_t digits = 0;

	while (digits < rest->len && rest->at[digits] >= '0' && rest->at[digits] <= '9')
		digits++;
	if (!str_to_u64(str_sub(*rest, 0, digits), out))
		return false;
	*rest = str_sub(*rest, digits, rest->len);
	skip_blanks(rest);
	return true;
}

/* "0-499", "500-", "-500" as [from, to), both within the size; from == to: it holds nothing. */
static bool take_range(Str *rest, uint64_t size, uint64_t *from, uint64_t *to)
{
	uint64_t last;

	skip_blanks(rest);
	if (str_starts(*rest, S("-"))) {
		*rest = str_sub(*rest, 1, rest->len);
		if (!take_offset(rest, &last))
			return false;
		*from = size - MIN(last, size);
		*to = size;
		return true;
	}
	if (!take_offset(rest, from) || !take(rest, S("-")))
		return false;
	skip_blanks(rest);
	*to = size;
	if (!rest->len || rest->at[0] == ',') /* to the end */
		return true;
	if (!take_offset(rest, &last))
		return false;
	*to = last < size ? last + 1 : size;
	return true;
}

RangeResult range_read(Str value, uint64_t size, Range *out, size_t *count)
{
	Str rest = str_sub(value, 6, value.len);
	uint64_t sum = 0;

	*count = 0;
	if (!rest.len || !str_eq_nocase(str_sub(value, 0, 6), S("bytes=")))
		return RANGE_WHOLE;
	do {
		uint64_t from, to;

		if (!take_range(&rest, size, &from, &to) || (rest.len && rest.at[0] != ','))
			return RANGE_UNSATISFIABLE;
		if (from >= to && from == 0)
			return RANGE_WHOLE; /* all of nothing */
		if (from < to && *count == RANGES_MAX)
			return RANGE_WHOLE;
		if (from < to)
			out[(*count)++] = (Range){ from, to - from };
		sum += from < to ? to - from : 0;
	} while (take(&rest, S(",")));
	if (!*count)
		return RANGE_UNSATISFIABLE;
	return sum > size ? RANGE_WHOLE : RANGE_PARTS;
}
