/* SPDX-License-Identifier: Apache-2.0
 *
 * A zone is a sorted list of moments, each with the offset from there on, and a rule for the time after the last of them: the
 * footer of the file, in the form of POSIX TZ. The 64-bit part of the file is read and nothing else; a file of version 1,
 * which has none, is refused (no system of this century writes one). Leap seconds are refused with it: clocks here do not
 * count them.
 *
 * A wall time is turned into moments by trying the offsets in force around it. Zones change at most a few times a year, never
 * twice within two days, so four probes find all there are. */
#include "base/zone.h"

#include "base/arena.h"
#include "base/civil.h"
#include "base/file.h"

#include <string.h>

enum { FILE_BYTES = 1 << 20, HEAD_BYTES = 44, OFFSET_MOST = 26 * 3600, TIME_MOST = 167 * 3600 };
enum { NAME_MOST = 64 };

typedef enum RuleKind { RULE_MONTH, RULE_JULIAN, RULE_DAY } RuleKind;

/* One day of every year and a time of it: M3.2.0/2, J60, 59. */
typedef struct Rule {
	RuleKind kind;
	int month, week, weekday;
	int day;
	int32_t time_s;
} Rule;

struct Zone {
	Str name;
	size_t count;
	const int64_t *at;     /* sorted */
	const int32_t *offset; /* from at[i] on */
	int32_t first;         /* before the first */
	bool has_rule;         /* after the last: standard and summer time by rules */
	bool has_summer;
	int32_t standard, summer;
	Rule begins, ends; /* of summer time */
};

static const Zone utc = { .name = { "UTC", 3 } };

const Zone *zone_utc(void)
{
	return &utc;
}

Str zone_name(const Zone *zone)
{
	return zone->name;
}

/* --- the footer ----------------------------------------------------------------------------------------------------- */

static bool take(Str *text, char c)
{
	if (!text->len || text->at[0] != c)
		return false;
	*text = str_sub(*text, 1, text->len);
	return true;
}

static bool take_number(Str *text, int most, int *out)
{
	size_t n = 0;
	int value = 0;

	while (n < text->len && text->at[n] >= '0' && text->at[n] <= '9') {
		value = value * 10 + (text->at[n++] - '0');
		if (value > most)
			return false;
	}
	if (!n)
		return false;
	*text = str_sub(*text, n, text->len);
	*out = value;
	return true;
}

/* CEST, <+0330> */
static bool take_name(Str *text)
{
	size_t n = 0;
	ptrdiff_t end;

	if (take(text, '<')) {
		end = str_find_char(*text, '>');
		if (end < 1)
			return false;
		*text = str_sub(*text, (size_t)end + 1, text->len);
		return true;
	}
	while (n < text->len && ((text->at[n] | 32) >= 'a' && (text->at[n] | 32) <= 'z'))
		n++;
	*text = str_sub(*text, n, text->len);
	return n >= 3;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds */
static bool take_time(Str *text, int32_t *out)
{
	bool minus = take(text, '-');
	int h, m = 0, s = 0;

	if (!minus)
		take(text, '+');
	if (!take_number(text, TIME_MOST / 3600, &h) ||
	    (take(text, ':') &&
	     (!take_number(text, 59, &m) || (take(text, ':') && !take_number(text, 59, &s)))))
		return false;
	*out = (h * 3600 + m * 60 + s) * (minus ? -1 : 1);
	return true;
}

static bool take_offset(Str *text, int32_t *out)
{
	if (!take_time(text, out) || *out > OFFSET_MOST || *out < -OFFSET_MOST)
		return false;
	*out = -*out; /* POSIX counts to the west */
	return true;
}

static bool take_rule(Str *text, Rule *rule)
{
	*rule = (Rule){ .time_s = 2 * 3600 };
	if (take(text, 'M')) {
		if (!take_number(text, 12, &rule->month) || !rule->month || !take(text, '.') ||
		    !take_number(text, 5, &rule->week) || !rule->week || !take(text, '.') ||
		    !take_number(text, 6, &rule->weekday))
			return false;
	} else {
		rule->kind = take(text, 'J') ? RULE_JULIAN : RULE_DAY;
		if (!take_number(text, 365, &rule->day) ||
		    (rule->kind == RULE_JULIAN && !rule->day))
			return false;
	}
	return !take(text, '/') || take_time(text, &rule->time_s);
}

static bool read_footer(Zone *zone, Str text)
{
	if (!text.len)
		return true; /* the last offset goes on for ever */
	if (!take_name(&text) || !take_offset(&text, &zone->standard))
		return false;
	zone->has_rule = true;
	if (!text.len)
		return true;
	if (!take_name(&text))
		return false;
	zone->has_summer = true;
	zone->summer = zone->standard + 3600;
	if (text.len && text.at[0] != ',' && !take_offset(&text, &zone->summer))
		return false;
	return take(&text, ',') && take_rule(&text, &zone->begins) && take(&text, ',') &&
	       take_rule(&text, &zone->ends) && !text.len;
}

/* --- the file ------------------------------------------------------------------------------------------------------- */

typedef struct Counts {
	uint32_t utc_flags, standard_flags, leaps, times, types, chars;
} Counts;

static uint32_t be32(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const char *at)
{
	return (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

/* False when there is no head of the second version or later, or when what it counts is more than the text has. */
static bool read_head(Str text, size_t time_bytes, Counts *c, size_t *body)
{
	uint64_t bytes;

	if (text.len < HEAD_BYTES || memcmp(text.at, "TZif", 4) != 0 || text.at[4] < '2')
		return false;
	*c = (Counts){ be32(text.at + 20), be32(text.at + 24), be32(text.at + 28),
		       be32(text.at + 32), be32(text.at + 36), be32(text.at + 40) };
	bytes = (uint64_t)c->times * (time_bytes + 1) + (uint64_t)c->types * 6 + c->chars +
	        (uint64_t)c->leaps * (time_bytes + 4) + c->standard_flags + c->utc_flags;
	if (bytes > text.len - HEAD_BYTES)
		return false;
	*body = (size_t)bytes;
	return true;
}

/* The times of a body of the second version, and what they switch to. */
static bool read_body(Arena *a, Str body, const Counts *c, Zone *zone)
{
	const char *types = body.at + (size_t)c->times * 9;
	int64_t *at = ARENA_ARRAY(a, int64_t, c->times);
	int32_t *offset = ARENA_ARRAY(a, int32_t, c->times);

	if (!c->types || c->leaps)
		return false;
	for (size_t i = 0; i < c->types; i++) {
		int32_t seconds = (int32_t)be32(types + i * 6);

		if (seconds < -OFFSET_MOST || seconds > OFFSET_MOST)
			return false;
	}
	for (size_t i = 0; i < c->times; i++) {
		uint8_t type = (uint8_t)body.at[(size_t)c->times * 8 + i];

		at[i] = be64(body.at + i * 8);
		if (type >= c->types || (i && at[i] <= at[i - 1]))
			return false;
		offset[i] = (int32_t)be32(types + (size_t)type * 6);
	}
	zone->count = c->times;
	zone->at = at;
	zone->offset = offset;
	zone->first = (int32_t)be32(types);
	return true;
}

static bool read_parts(Arena *a, Str text, Zone *zone)
{
	Counts c;
	size_t body;

	if (!read_head(text, 4, &c, &body))
		return false;
	text = str_sub(text, HEAD_BYTES + body, text.len);
	if (!read_head(text, 8, &c, &body) ||
	    !read_body(a, str_sub(text, HEAD_BYTES, HEAD_BYTES + body), &c, zone))
		return false;
	text = str_sub(text, HEAD_BYTES + body, text.len);
	if (text.len < 2 || text.at[0] != '\n' || text.at[text.len - 1] != '\n')
		return false;
	return read_footer(zone, str_sub(text, 1, text.len - 1));
}

Err *zone_read(Arena *a, Str name, Str tzif, const Zone **out)
{
	Zone *zone = ARENA_NEW(a, Zone);

	zone->name = str_dup(a, name);
	if (!read_parts(a, tzif, zone))
		return err_new(a, ERR_INVALID, "zone.file", "the file of time zone %.*s is damaged",
		               STR_ARG(str_quote(a, name)));
	*out = zone;
	return NULL;
}

static bool is_name(Str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("/_+-", c)))
			return false;
	}
	return name.len && name.len <= NAME_MOST && name.at[0] != '/' && name.at[0] != '-';
}

Err *zone_load(Arena *a, Str name, const Zone **out)
{
	Str text;
	Err *err;

	if (str_eq(name, S("UTC"))) {
		*out = &utc;
		return NULL;
	}
	if (!is_name(name))
		return err_new(a, ERR_INVALID, "zone.unknown",
		               "%.*s is not a time zone's name, like Europe/Berlin",
		               STR_ARG(str_quote(a, name)));
	err = file_read(a, str_fmt(a, "/usr/share/zoneinfo/%.*s", STR_ARG(name)), FILE_BYTES,
	                &text);
	if (err)
		return err_because(a, err, ERR_INVALID, "zone.unknown",
		                   "this machine knows no time zone %.*s (package tzdata)",
		                   STR_ARG(str_quote(a, name)));
	return zone_read(a, name, text, out);
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

/* Seconds of the wall clock, whatever its offset, at which the rule's time of that year is. */
static int64_t rule_wall(const Rule *rule, int64_t year)
{
	int64_t first = civil_days(year, 1, 1);
	int64_t day;

	if (rule->kind == RULE_MONTH) {
		int64_t month = civil_days(year, rule->month, 1);
		int ahead = (rule->weekday - civil_weekday(month) + 7) % 7;

		ahead += (rule->week - 1) * 7;
		if (ahead >= civil_month_days(year, rule->month))
			ahead -= 7;
		day = month + ahead;
	} else if (rule->kind == RULE_JULIAN) { /* the leap day is never counted */
		day = first + rule->day - 1 + (civil_leap(year) && rule->day >= 60);
	} else {
		day = first + rule->day;
	}
	return day * SECONDS_OF_DAY + rule->time_s;
}

static int32_t rule_offset(const Zone *zone, int64_t utc_s)
{
	int64_t wall = utc_s + zone->standard;
	int64_t year, begins, ends;

	if (!zone->has_summer)
		return zone->standard;
	year = civil_of(civil_floor(wall, SECONDS_OF_DAY)).year;
	begins = rule_wall(&zone->begins, year) - zone->standard;
	ends = rule_wall(&zone->ends, year) - zone->summer;
	if (begins < ends)
		return utc_s >= begins && utc_s < ends ? zone->summer : zone->standard;
	return utc_s >= begins || utc_s < ends ? zone->summer : zone->standard;
}

int32_t zone_offset(const Zone *zone, int64_t utc_s)
{
	size_t low = 0, high = zone->count;

	while (low < high) { /* how many are not after it */
		size_t middle = low + (high - low) / 2;

		if (zone->at[middle] <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (zone->has_rule && low == zone->count)
		return rule_offset(zone, utc_s);
	return low ? zone->offset[low - 1] : zone->first;
}

/* The moment in (low, high] at which the offset changes. */
static int64_t leap_between(const Zone *zone, int64_t low, int64_t high)
{
	int32_t before = zone_offset(zone, low);

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (zone_offset(zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

unsigned zone_moments(const Zone *zone, int64_t wall_s, int64_t at[2])
{
	int32_t early = zone_offset(zone, wall_s - SECONDS_OF_DAY - OFFSET_MOST / 2);
	int32_t late = zone_offset(zone, wall_s + SECONDS_OF_DAY + OFFSET_MOST / 2);
	int32_t tries[4] = { early, late, zone_offset(zone, wall_s - early),
		             zone_offset(zone, wall_s - late) };
	int64_t least = wall_s - tries[0], most = least;
	unsigned found = 0;

	for (size_t i = 0; i < COUNT(tries); i++) {
		int64_t moment = wall_s - tries[i];

		least = MIN(least, moment);
		most = MAX(most, moment);
		if (zone_offset(zone, moment) != tries[i] || (found && at[0] == moment) ||
		    (found == 2 && at[1] == moment) || found == 2)
			continue;
		at[found++] = moment;
	}
	if (!found)
		at[0] = leap_between(zone, least, most);
	if (found == 2 && at[0] > at[1]) {
		int64_t first = at[1];

		at[1] = at[0];
		at[0] = first;
	}
	return found;
}
