/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is a set of bits a field. The next time is looked for among wall times: days that match, the hours and minutes in them,
 * each turned into the moments at which clocks showed it. Wall times and moments are in the same order but where clocks go
 * back, so the search begins a little before the wall time of now and ends when no later wall time can give an earlier
 * moment. FOLD_S is the most that clocks go back; no zone has put them back by more since 1970. */
#include "store/cron.h"

#include "base/arena.h"
#include "base/civil.h"
#include "base/time.h"
#include "base/zone.h"

enum { FOLD_S = 3 * 3600, SEARCH_DAYS = 366 * 9, LAST_YEAR = 9000 };

typedef struct Range {
	const char *name; /* of the field */
	unsigned low, high;
	const char *words; /* three letters each, from `low` on; NULL: none */
} Range;

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const Range ranges[FIELDS] = {
	[MINUTE] = { "minute", 0, 59, NULL },
	[HOUR] = { "hour", 0, 23, NULL },
	[DAY] = { "day", 1, 31, NULL },
	[MONTH] = { "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	[WEEKDAY] = { "weekday", 0, 7, "sunmontuewedthufrisat" },
};

static const struct {
	Str name, line;
} names[] = {
	{ S("@hourly"), S("0 * * * *") },   { S("@daily"), S("0 0 * * *") },
	{ S("@midnight"), S("0 0 * * *") }, { S("@weekly"), S("0 0 * * 0") },
	{ S("@monthly"), S("0 0 1 * *") },  { S("@yearly"), S("0 0 1 1 *") },
	{ S("@annually"), S("0 0 1 1 *") },
};

/* --- reading -------------------------------------------------------------------------------------------------------- */

static bool read_value(const Range *range, Str text, unsigned *out)
{
	uint64_t n;

	if (str_to_u64(text, &n)) {
		*out = (unsigned)n;
		return text.len <= 2 && n >= range->low && n <= range->high;
	}
	for (unsigned i = 0; range->words && text.len == 3 && range->words[i * 3]; i++) {
		if (!str_eq_nocase(text, (Str){ range->words + (size_t)i * 3, 3 }))
			continue;
		*out = range->low + i;
		return true;
	}
	return false;
}

/* One item of a list: 5, 1-5, 8-18/2, 5/10, with a star in place of the numbers. */
static bool read_item(const Range *range, Str item, uint64_t *bits)
{
	ptrdiff_t slash = str_find_char(item, '/');
	unsigned low = range->low, high = range->high, step = 1;
	Str span = item;
	ptrdiff_t dash;
	uint64_t n;

	if (slash >= 0) {
		if (!str_to_u64(str_sub(item, (size_t)slash + 1, item.len), &n) || !n || n > 99)
			return false;
		step = (unsigned)n;
		span = str_sub(item, 0, (size_t)slash);
	}
	dash = str_find_char(span, '-');
	if (dash >= 0) {
		if (!read_value(range, str_sub(span, 0, (size_t)dash), &low) ||
		    !read_value(range, str_sub(span, (size_t)dash + 1, span.len), &high) ||
		    low > high)
			return false;
	} else if (!str_eq(span, S("*"))) {
		if (!read_value(range, span, &low))
			return false;
		high = slash >= 0 ? range->high : low;
	}
	for (unsigned i = low; i <= high; i += step)
		*bits |= UINT64_C(1) << i;
	return true;
}

static Err *read_field(Arena *a, const Range *range, Str text, uint64_t *bits)
{
	Str rest = text, item;

	*bits = 0;
	while (str_split(&rest, ',', &item))
		if (!read_item(range, item, bits))
			return err_new(
				a, ERR_INVALID, "cron.syntax",
				"%.*s is not a %s: *, a number from %u to %u, 1-5, 1,3 or */2%s",
				STR_ARG(str_quote(a, text)), range->name, range->low, range->high,
				range->words ? ", or a name of three letters" : "");
	return NULL;
}

/* The next word of a line; false when there is none. */
static bool next_word(Str *rest, Str *word)
{
	while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = str_sub(*rest, 1, rest->len);
	for (size_t n = 0; n <= rest->len; n++) {
		if (n < rest->len && rest->at[n] != ' ' && rest->at[n] != '\t')
			continue;
		*word = str_sub(*rest, 0, n);
		*rest = str_sub(*rest, n, rest->len);
		return n > 0;
	}
	return false;
}

static bool starred(Str field)
{
	return field.len && field.at[0] == '*';
}

static bool day_matches(const Cron *cron, int64_t days, const Civil *c)
{
	bool day = cron->days >> c->day & 1;
	bool weekday = cron->weekdays >> civil_weekday(days) & 1;

	if (!(cron->months >> c->month & 1))
		return false;
	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* Is there any day at all? Any leap year knows. */
static bool ever(const Cron *cron)
{
	for (int64_t day = civil_days(2024, 1, 1); day < civil_days(2025, 1, 1); day++) {
		Civil c = civil_of(day);

		if ((cron->months >> c.month & 1) &&
		    ((cron->days >> c.day & 1) || (!cron->any_weekday && !cron->any_day)))
			return true;
	}
	return false;
}

/* `rest` is what stands behind the fields. */
static Err *read_line(Arena *a, Str line, Cron *out, Str *rest)
{
	Cron cron = { 0 };
	Str words[FIELDS];
	uint64_t bits[FIELDS];

	*rest = line;
	if (!next_word(rest, &words[0]))
		return err_new(a, ERR_INVALID, "cron.syntax", "the line is empty");
	for (size_t i = 0; words[0].at[0] == '@' && i < COUNT(names); i++) {
		Str none;

		if (str_eq_nocase(words[0], names[i].name))
			return read_line(a, names[i].line, out, &none);
	}
	for (unsigned i = 1; i < FIELDS; i++)
		if (!next_word(rest, &words[i]))
			return err_new(a, ERR_INVALID, "cron.syntax",
			               "%.*s has no %s: minute hour day month weekday, or @daily",
			               STR_ARG(str_quote(a, line)), ranges[i].name);
	for (unsigned i = 0; i < FIELDS; i++)
		TRY(read_field(a, &ranges[i], words[i], &bits[i]));
	cron.minutes = bits[MINUTE];
	cron.hours = (uint32_t)bits[HOUR];
	cron.days = (uint32_t)bits[DAY];
	cron.months = (uint32_t)bits[MONTH];
	cron.weekdays = (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
	cron.any_day = starred(words[DAY]);
	cron.any_weekday = starred(words[WEEKDAY]);
	cron.by_clock = starred(words[MINUTE]) || starred(words[HOUR]);
	if (!ever(&cron))
		return err_new(a, ERR_INVALID, "cron.never", "%.*s is a day that never comes",
		               STR_ARG(str_quote(a, line)));
	*out = cron;
	return NULL;
}

Err *cron_read(Arena *a, Str line, const Zone *zone, Cron *out)
{
	Str rest, word;

	TRY(read_line(a, line, out, &rest));
	if (next_word(&rest, &word))
		return err_new(a, ERR_INVALID, "cron.syntax", "what is %.*s behind the weekday?",
		               STR_ARG(str_quote(a, word)));
	out->zone = zone;
	return NULL;
}

Err *cron_load(Arena *a, Str line, Cron *out)
{
	const Zone *zone = zone_utc();
	Str rest, word, more;
	Cron cron;

	TRY(read_line(a, line, &cron, &rest));
	if (next_word(&rest, &word)) {
		TRY(zone_load(a, word, &zone));
		if (next_word(&rest, &more))
			return err_new(a, ERR_INVALID, "cron.syntax",
			               "what is %.*s behind the time zone?",
			               STR_ARG(str_quote(a, more)));
	}
	cron.zone = zone;
	*out = cron;
	return NULL;
}

/* --- the next time -------------------------------------------------------------------------------------------------- */

/* The least moment after `after_s` at which this wall time is meant; INT64_MAX: there is none. *first: the earliest of all. */
static int64_t moment_of(const Cron *cron, int64_t wall_s, int64_t after_s, int64_t *first)
{
	int64_t at[2];
	unsigned count = zone_moments(cron->zone, wall_s, at);

	*first = at[0];
	if (cron->by_clock && !count)
		return INT64_MAX;
	if (at[0] > after_s)
		return at[0];
	return cron->by_clock && count == 2 && at[1] > after_s ? at[1] : INT64_MAX;
}

/* The times of one day from `from_s` on; true when the search is over. */
static bool search_day(const Cron *cron, int64_t day_s, int64_t from_s, int64_t after_s,
                       int64_t *best)
{
	for (int hour = 0; hour < 24; hour++) {
		if (!(cron->hours >> hour & 1) || day_s + hour * 3600 + 3599 < from_s)
			continue;
		for (int minute = 0; minute < 60; minute++) {
			int64_t wall_s = day_s + hour * 3600 + minute * 60;
			int64_t moment, first;

			if (!(cron->minutes >> minute & 1) || wall_s < from_s)
				continue;
			moment = moment_of(cron, wall_s, after_s, &first);
			if (first > *best)
				return true;
			*best = MIN(*best, moment);
			if (!cron->by_clock && *best != INT64_MAX)
				return true;
		}
	}
	return false;
}

bool cron_next(const Cron *cron, int64_t after_us, int64_t *out)
{
	int64_t after_s = civil_floor(after_us, US_PER_S);
	int64_t from_s = after_s + zone_offset(cron->zone, after_s) - FOLD_S;
	int64_t from_day = civil_floor(from_s, SECONDS_OF_DAY);
	int64_t best = INT64_MAX;

	for (int64_t day = from_day; day < from_day + SEARCH_DAYS; day++) {
		Civil c = civil_of(day);

		if (c.year > LAST_YEAR)
			return false;
		/* A later day's times cannot be earlier than what was found two days before. */
		if (best != INT64_MAX && day > civil_floor(best, SECONDS_OF_DAY) + 2)
			break;
		if (day_matches(cron, day, &c) &&
		    search_day(cron, day * SECONDS_OF_DAY, from_s, after_s, &best))
			break;
	}
	if (best == INT64_MAX)
		return false;
	*out = best * US_PER_S;
	return true;
}
