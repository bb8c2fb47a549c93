/* SPDX-License-Identifier: Apache-2.0
 *
 * Export: events as they were taken, in order of time, as JSON lines (which POST /v1/events takes) or as CSV. */
#pragma once
#include "analytics/analytics_int.h"

typedef struct ExportSpec {
	int64_t project;
	int64_t from_ms, to_ms; /* to_ms is not in it */
	Str event;              /* empty: all */
	bool csv;
	const Str *
		columns; /* of CSV: properties that get a column of their own; none: all as one of JSON */
	size_t column_count;
} ExportSpec;

/* Takes a piece of it; may park. */
typedef Err *ExportOut(void *arg, Str piece);
/* A piece of the time after the other, each read whole before any of it is given out: no result is held open, and what is merged
 * meanwhile comes neither twice nor not at all. Parks. Fails as out does, and as db.h. *events: how many. */
Err *export_hits(Db *db, Arena *a, const ExportSpec *spec, ExportOut *out, void *arg,
                 uint64_t *events) MUST_USE;

/* One value of CSV (RFC 4180). Text that a spreadsheet would run gets a ' before it. */
void export_put_csv(Buf *b, Str text, bool is_number);
