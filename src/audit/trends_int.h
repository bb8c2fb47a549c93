/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the parts of the trends: which files stood where at each sample (trends_walk.c), what their texts measure (trends_text.c), and the sums
 * (trends.c). */
#pragma once
#include "audit/area.h"
#include "audit/trends.h"

#include <git2.h>

enum { TREND_ROWS = 3000000 /* files x samples, about; more give every other sample, or fewer */ };

/* What one text measures; as it is kept in the cache, but for the id. */
typedef struct TextMeasures {
	bool missing; /* it is not in this clone, or no text: the rest is 0 */
	bool generated, broken;
	uint32_t sloc, comments, functions, classes, cc, cognitive;
	uint32_t complex, lengthy, nested, wide, scattered, findings;
	double volume, mi, minutes;
} TextMeasures;

typedef struct TrendText {
	git_oid id;
	Str path; /* one of those that it stood at, the youngest that is code's; some rules look at it */
	SourceKind kind;
	TextMeasures is;
	bool kept; /* the cache had it */
} TrendText;

/* One file at one sample. */
typedef struct TrendRow {
	uint32_t text;
	uint32_t area, group; /* indexes of the names; AREA_NONE */
	SourceKind kind;      /* by its path then */
} TrendRow;

typedef struct TrendNames {
	Areas by;
	Map known; /* the index and 1 */
	Str *at;
	size_t count, room;
} TrendNames;

typedef struct TrendWork {
	Arena *a; /* of all that stays */
	const AuditRules *rules;
	const Audit *audit;
	Trends *out;
	TrendSample *samples; /* the oldest first */
	TrendRow **rows;      /* of each */
	uint32_t *row_counts;
	TrendText *texts;
	size_t text_count, text_room;
	Map by_id; /* of texts; the index and 1 */
	TrendNames areas, groups;
	uint32_t *file_area, *file_group; /* by file of the history */
} TrendWork;

/* Samples, rows and names. False: out->why_not says why. */
bool trends_walk(TrendWork *w);
/* Fills texts, on all processors. */
void trends_measure(TrendWork *w);
