/* SPDX-License-Identifier: Apache-2.0
 *
 * How long builds take, from the logs that CI keeps, one a build: from the first time in it to the last. Times are those of GitHub (an RFC 3339 time before every
 * line), GitLab (section_start and section_end with seconds), and whatever else begins its lines with a time: "2026-01-31 12:00:00", "[12:00:00]",
 * "[2026-01-31T12:00:00.000Z]". A time of day that falls is taken for midnight passed. Steps are GitHub's groups that run something, and GitLab's sections. */
#include "audit/outside_int.h"
#include "base/arena.h"
#include "base/civil.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_BYTES = 120, SECTIONS_MOST = 256, US_PER_DAY_S = SECONDS_OF_DAY };

typedef struct Section {
	Str name;
	int64_t from_us;
} Section;

typedef struct Reading {
	Gathering *g;
	const char *what;
	bool any;
	int64_t first_us, last_us;
	int64_t days_us; /* midnights passed, of times of day */
	Str step;        /* GitHub's; empty: none is open */
	int64_t step_us;
	Section sections[SECTIONS_MOST];
	size_t section_count;
} Reading;

/* --- times ----------------------------------------------------------------------------------------------------------------------------- */

static bool take_digits(Str *text, int digits, int64_t *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++) {
		if (!text->len || text->at[0] < '0' || text->at[0] > '9')
			return false;
		*out = *out * 10 + (text->at[0] - '0');
		*text = str_sub(*text, 1, text->len);
	}
	return true;
}

static bool take_char(Str *text, char c)
{
	if (!text->len || text->at[0] != c)
		return false;
	*text = str_sub(*text, 1, text->len);
	return true;
}

/* "12:34:56", with a fraction behind a dot or comma. */
static bool take_clock(Str *text, int64_t *us)
{
	int64_t hours, minutes, seconds, unit = US_PER_S / 10;

	if (!take_digits(text, 2, &hours) || !take_char(text, ':') ||
	    !take_digits(text, 2, &minutes) || !take_char(text, ':') ||
	    !take_digits(text, 2, &seconds) || hours > 23 || minutes > 59 || seconds > 60)
		return false;
	*us = (hours * 3600 + minutes * 60 + seconds) * US_PER_S;
	if (text->len > 1 && (text->at[0] == '.' || text->at[0] == ',') && text->at[1] >= '0' &&
	    text->at[1] <= '9')
		for (*text = str_sub(*text, 1, text->len);
		     text->len && text->at[0] >= '0' && text->at[0] <= '9';
		     *text = str_sub(*text, 1, text->len), unit /= 10)
			*us += (text->at[0] - '0') * unit;
	return true;
}

/* A time at the beginning of a line, which goes on behind it. */
static bool take_time(Reading *r, Str *line, int64_t *us)
{
	Str text = *line;
	int64_t year, month, day, date_us = r->days_us;
	bool dated, bracket;

	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.len);
	bracket = take_char(&text, '[');
	*line = text;
	dated = take_digits(&text, 4, &year) && take_char(&text, '-') &&
	        take_digits(&text, 2, &month) && take_char(&text, '-') &&
	        take_digits(&text, 2, &day) && (take_char(&text, 'T') || take_char(&text, ' ')) &&
	        month >= 1 && month <= 12;
	if (!dated)
		text = *line;
	else
		date_us = civil_days(year, (int)month, (int)day) * SECONDS_OF_DAY * US_PER_S;
	if (!take_clock(&text, us))
		return false;
	*us += date_us;
	if (!dated && r->any && *us < r->last_us) {
		r->days_us += SECONDS_OF_DAY * US_PER_S;
		*us += SECONDS_OF_DAY * US_PER_S;
	}
	take_char(&text, 'Z');
	if (bracket)
		take_char(&text, ']');
	*line = str_trim(text);
	return true;
}

static void note_time(Reading *r, int64_t us)
{
	if (!r->any)
		r->first_us = r->last_us = us;
	r->any = true;
	r->first_us = MIN(r->first_us, us);
	r->last_us = MAX(r->last_us, us);
}

/* --- steps ------------------------------------------------------------------------------------------------------------------------------ */

static void add_step(Reading *r, Str name, int64_t us)
{
	BuildStep step = { .name = str_dup(r->g->arena, str_sub(name, 0, STEP_BYTES)),
		           .seconds = (double)us / US_PER_S };

	if (us >= 0)
		GATHER(&r->g->steps, step);
}

static void end_step(Reading *r)
{
	if (r->step.len)
		add_step(r, r->step, r->last_us - r->step_us);
	r->step = (Str){ 0 };
}

static void read_github(Reading *r, Str rest, int64_t us)
{
	const Str run = S("##[group]Run ");

	if (!str_starts(rest, run))
		return;
	r->what = "GitHub log";
	end_step(r);
	r->step = str_trim(str_sub(rest, run.len, rest.len));
	r->step_us = us;
}

static bool in_name(char c)
{
	char lower = (char)(c | 0x20);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '.';
}

/* "section_start:1700000000:build_script", with a carriage return or options behind it. */
static void read_section(Reading *r, Str line)
{
	bool start = str_starts(line, S("section_start:"));
	Str word, number;
	uint64_t seconds;
	size_t n = 0;

	str_split(&line, ':', &word);
	if (!str_split(&line, ':', &number) || !str_to_u64(number, &seconds) ||
	    seconds > UINT32_MAX || !line.at)
		return;
	while (n < line.len && in_name(line.at[n]))
		n++;
	line.len = n;
	r->what = "GitLab log";
	note_time(r, (int64_t)seconds * US_PER_S);
	if (start && r->section_count < SECTIONS_MOST)
		r->sections[r->section_count++] = (Section){ line, (int64_t)seconds * US_PER_S };
	for (size_t i = r->section_count; !start && i-- > 0;)
		if (str_eq(r->sections[i].name, line)) {
			add_step(r, line, (int64_t)seconds * US_PER_S - r->sections[i].from_us);
			r->section_count = i;
		}
}

static void read_line(Reading *r, Str line)
{
	ptrdiff_t at = str_find(line, S("section_"));
	int64_t us;

	while (at >= 0) {
		Str rest = str_sub(line, (size_t)at, line.len);
		ptrdiff_t next;

		if (str_starts(rest, S("section_start:")) || str_starts(rest, S("section_end:")))
			read_section(r, rest);
		next = str_find(str_sub(rest, 1, rest.len), S("section_"));
		at = next < 0 ? -1 : at + 1 + next;
	}
	if (!take_time(r, &line, &us))
		return;
	note_time(r, us);
	read_github(r, line, us);
}

Err *builds_read(Gathering *g, Str path, Str text)
{
	Reading *r = ARENA_NEW(g->arena, Reading);
	double seconds;
	Str line;

	*r = (Reading){ .g = g, .what = "log with times" };
	while (str_split(&text, '\n', &line))
		read_line(r, line);
	if (!r->any)
		return err_new(g->arena, ERR_INVALID, "audit.outside",
		               "%.*s has no times: it is no log of a build", STR_ARG(path));
	end_step(r);
	seconds = (double)(r->last_us - r->first_us) / US_PER_S;
	GATHER(&g->builds, seconds);
	gather_file(g, path, r->what)->items = 1;
	return NULL;
}

/* --- all logs ------------------------------------------------------------------------------------------------------------------------------ */

static int rising(const void *x, const void *y)
{
	const double *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const BuildStep *)x)->name, ((const BuildStep *)y)->name);
}

static int longest_first(const void *x, const void *y)
{
	const BuildStep *p = x, *q = y;

	if (p->seconds != q->seconds)
		return p->seconds < q->seconds ? 1 : -1;
	return str_cmp(p->name, q->name);
}

/* Steps of one name become one, with the mean of their times. */
static size_t put_together(BuildStep *at, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0, next; i < count; i = next) {
		double sum = 0;

		for (next = i; next < count && str_eq(at[next].name, at[i].name); next++)
			sum += at[next].seconds;
		at[kept++] = (BuildStep){ at[i].name, sum / (double)(next - i) };
	}
	return kept;
}

void builds_end(Gathering *g)
{
	Builds *b = &g->out->builds;
	double *all = (double *)(void *)g->builds.at;
	BuildStep *steps = (BuildStep *)(void *)g->steps.at;
	size_t step_count = g->steps.len / sizeof(*steps);

	b->count = g->builds.len / sizeof(*all);
	if (!b->count)
		return;
	qsort(all, b->count, sizeof(*all), rising);
	b->known = true;
	b->shortest = all[0];
	b->longest = all[b->count - 1];
	b->median =
		b->count % 2 ? all[b->count / 2] : (all[b->count / 2 - 1] + all[b->count / 2]) / 2;
	if (!step_count)
		return;
	qsort(steps, step_count, sizeof(*steps), by_name);
	step_count = put_together(steps, step_count);
	qsort(steps, step_count, sizeof(*steps), longest_first);
	b->step_count = MIN(step_count, (size_t)OUTSIDE_SHOWN);
	b->steps = ARENA_ARRAY(g->arena, BuildStep, b->step_count);
	memcpy(b->steps, steps, b->step_count * sizeof(*steps));
}
