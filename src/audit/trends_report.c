/* SPDX-License-Identifier: Apache-2.0
 *
 * The trends' part of the reports: on the screen the whole at a few moments, sums as they are and what grows with size by 1,000 lines of code; in the
 * JSON every value. */
#include "audit/trends.h"

#include "base/civil.h"
#include "base/time.h"

enum { SHOWN = 5 };

typedef struct ShownRow {
	TrendMetric metric;
	TrendMetric by; /* for 1,000 of it; TREND_METRICS: as it is */
	const char *text;
} ShownRow;
static const ShownRow shown[] = {
	{ TREND_SLOC, TREND_METRICS, "lines of code" },
	{ TREND_COGNITIVE, TREND_SLOC, "cognitive complexity for 1,000 lines" },
	{ TREND_MI, TREND_METRICS, "maintainability index" },
	{ TREND_MINUTES, TREND_SLOC, "minutes to mend for 1,000 lines" },
	{ TREND_TESTS, TREND_SLOC, "lines of tests for 1,000 of code" },
	{ TREND_FIXES, TREND_CHANGES, "fixes, of 1,000 changes" },
};

static void put_day(FILE *out, int64_t utc_s)
{
	Civil day = civil_of(utc_s / SECONDS_OF_DAY - (utc_s % SECONDS_OF_DAY < 0));

	fprintf(out, " %04" PRId64 "-%02d-%02d", day.year, day.month, day.day);
}

static void put_row(FILE *out, const Trends *t, const ShownRow *row, const uint32_t *at,
                    uint32_t count)
{
	const TrendTable *table = &t->areas;

	fprintf(out, "  %-36s", row->text);
	for (uint32_t i = 0; i < count; i++) {
		double value = trend_value(table, at[i], table->count, row->metric);
		double by = row->by < TREND_METRICS
		                    ? trend_value(table, at[i], table->count, row->by)
		                    : 1000;

		if (value < 0 || by <= 0)
			fprintf(out, " %10s", "-");
		else
			fprintf(out, " %10.0f", value * 1000 / by);
	}
	fputc('\n', out);
}

void trends_screen(FILE *out, const Trends *t)
{
	uint32_t at[SHOWN], count = MIN(t ? t->sample_count : 0, (uint32_t)SHOWN);

	if (!t)
		return;
	if (t->why_not.len) {
		fprintf(out, "Trends were not read: %.*s\n", STR_ARG(t->why_not));
		return;
	}
	fprintf(out,
	        "Trends: %u moments, %" PRIu64 " texts of old (%" PRIu64
	        " known from before), read in %.1f s\n  %-36s",
	        t->sample_count, t->blobs, t->kept, (double)t->taken_us / US_PER_S, "");
	for (uint32_t i = 0; i < count; i++) {
		at[i] = count > 1 ? i * (t->sample_count - 1) / (count - 1) : 0;
		put_day(out, t->samples[at[i]].time_s);
	}
	fputc('\n', out);
	for (size_t i = 0; i < COUNT(shown); i++)
		put_row(out, t, &shown[i], at, count);
}

/* --- JSON -------------------------------------------------------------------------------------------------------------------------------------------- */

static void put_samples(JsonWriter *w, const Trends *t)
{
	json_key(w, S("samples"));
	json_begin_array(w);
	for (uint32_t i = 0; i < t->sample_count; i++) {
		json_begin_object(w);
		json_put_str(w, "commit", t->samples[i].commit);
		json_key(w, S("time"));
		json_add_time(w, t->samples[i].time_s * US_PER_S);
		json_put_u64(w, "missing", t->samples[i].missing);
		json_end(w);
	}
	json_end(w);
	json_key(w, S("metrics"));
	json_begin_array(w);
	for (size_t i = 0; i < TREND_METRICS; i++) {
		json_begin_object(w);
		json_put_str(w, "name", str_of(trend_name(i)));
		json_put_str(w, "text", str_of(trend_text(i)));
		json_end(w);
	}
	json_end(w);
}

static void put_area(JsonWriter *w, const Trends *t, const TrendTable *table, uint32_t area)
{
	json_begin_object(w);
	json_key(w, S("name"));
	if (area == table->count)
		json_add_null(w);
	else
		json_add_str(w, table->areas[area]);
	json_key(w, S("values"));
	json_begin_array(w);
	for (uint32_t i = 0; i < t->sample_count; i++) {
		json_begin_array(w);
		for (size_t m = 0; m < TREND_METRICS; m++) {
			double value = trend_value(table, i, area, m);

			if (value < 0)
				json_add_null(w);
			else
				json_add_real(w, value);
		}
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_table(JsonWriter *w, const char *key, const Trends *t, const TrendTable *table,
                      bool whole)
{
	json_key(w, str_of(key));
	json_begin_array(w);
	for (uint32_t i = 0; i < table->count + whole; i++)
		put_area(w, t, table, i);
	json_end(w);
}

void trends_put(JsonWriter *w, const Trends *t)
{
	if (!t) {
		json_add_null(w);
		return;
	}
	json_begin_object(w);
	json_put_bool(w, "read", !t->why_not.len);
	if (t->why_not.len) {
		json_put_str(w, "why_not", t->why_not);
		json_end(w);
		return;
	}
	json_put_u64(w, "texts", t->blobs);
	json_put_u64(w, "texts_kept", t->kept);
	json_put_u64(w, "texts_broken", t->broken);
	put_samples(w, t);
	put_table(w, "areas", t, &t->areas, true);
	put_table(w, "groups", t, &t->groups, false);
	json_end(w);
}
