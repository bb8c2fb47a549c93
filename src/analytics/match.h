/* SPDX-License-Identifier: Apache-2.0
 *
 * Match: which steps of a query an event is, found for a whole segment: each value of a column is judged once and becomes a mask; an
 * event's mask is what the masks of its values have in common. Pure. */
#pragma once
#include "analytics/query.h"

/* Columns that the query needs of every segment, by their names there ("p:plan"). */
Str *match_columns(Arena *a, const Query *q, size_t *count);

typedef struct MatchColumn {
	Str name;
	bool there;  /* the segment has it */
	Words words; /* when it does */
} MatchColumn;
/* masks[i]: a bit for each step that event i is, of q->steps with q->in->filters and q->in->events. columns: as match_columns
 * names them, at the same places. */
void match_segment(Arena *a, const Query *q, const MatchColumn *columns, size_t count,
                   uint32_t events, uint32_t *masks);
bool match_filter(const QueryFilter *filter, Cell cell);
