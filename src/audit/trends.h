/* SPDX-License-Identifier: Apache-2.0
 *
 * How a code base came to be what it is: its measures at some times of the past, for the whole and for each of today's areas. Today's areas also
 * where the past knew nothing of them: a file of old is counted where the file that it became lies now (its names are followed as history.h says),
 * and a folder that is gone is an area of its own name.
 *
 * Samples are commits of HEAD's first line of parents, evenly spread in time (or, where there were none for long, in number); the last is HEAD.
 * Each text is read once whatever the number of samples it is in, and its measures are kept in the cache by its id in git. Blobs that are not in this
 * clone are counted, not asked for. */
#pragma once
#include "audit/audit.h"

/* Of the code files (no tests, migrations, generated or vendored ones). */
typedef enum TrendMetric {
	TREND_FILES,
	TREND_SLOC,      /* lines of code */
	TREND_COMMENTS,  /* lines */
	TREND_FUNCTIONS, /* and methods */
	TREND_CLASSES,
	TREND_CC,        /* sum over files, by the audit's rules */
	TREND_COGNITIVE, /* sum over files */
	TREND_VOLUME,    /* Halstead's, sum over files */
	TREND_MI,        /* mean of the files by their lines of code; below 0: no code */
	TREND_COMPLEX,   /* functions with a cognitive complexity above 15 */
	TREND_LONG,      /* functions of more than 60 lines */
	TREND_NESTED,    /* functions nested deeper than 4 */
	TREND_WIDE,      /* functions with more than 7 arguments */
	TREND_SCATTERED, /* classes whose methods fall into groups (LCOM4 above 1) */
	TREND_FINDINGS, /* smells that one file tells by itself, without those that are ignored or off */
	TREND_MINUTES, /* to mend these */
	TREND_TESTS,   /* lines of code of the tests; of an area: of those that lie in it */
	TREND_CHANGES, /* change sets since the sample before; of the first: up to it */
	TREND_FIXES,   /* of those, that say they mend something */
	TREND_PEOPLE,  /* who made them */
	TREND_METRICS
} TrendMetric;
const char *trend_name(TrendMetric metric); /* "cognitive" */
const char *trend_text(TrendMetric metric); /* what it counts */

typedef struct TrendSample {
	Str commit; /* 40 hex digits */
	int64_t time_s;
	uint32_t missing; /* files whose text is not in this clone, or no text */
} TrendSample;

/* values[sample][area][metric]; the last area is the whole, and not one of the names. */
typedef struct TrendTable {
	const Str *areas; /* with files in some sample */
	uint32_t count;
	const double *values;
} TrendTable;

typedef struct Trends {
	Str why_not;                /* not empty: there are none, and why */
	const TrendSample *samples; /* the oldest first */
	uint32_t sample_count;
	TrendTable areas;
	TrendTable groups; /* no areas: the configuration names none */
	uint64_t blobs, kept,
		broken; /* different texts; of those from the cache; with places that are not Python */
	int64_t taken_us;
} Trends;

static inline double trend_value(const TrendTable *t, uint32_t sample, uint32_t area,
                                 TrendMetric metric)
{
	return t->values[((size_t)sample * (t->count + 1) + area) * TREND_METRICS + metric];
}

enum { TRENDS_MOST = 200 }; /* samples */

Err *trends_step(Arena *a, const AuditRules *rules, Audit *audit)
	MUST_USE; /* AuditStep; after the history's */
/* A line a metric of the whole: then, now, and a curve. */
void trends_screen(FILE *out, const Trends *t);
/* null: not asked for. Else {read, why_not | texts, texts_kept, texts_broken, samples: [{commit, time, missing}], metrics: [{name, text}], and areas
 * and groups: [{name, values: [[a value a metric] a sample]}]}; the last area has the name null and is the whole; a value null: there was no code. */
void trends_put(JsonWriter *w, const Trends *t);
