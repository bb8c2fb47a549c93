/* SPDX-License-Identifier: Apache-2.0
 *
 * What analytics tells of itself on /metrics. */
#pragma once
#include "obs/metric.h"

typedef enum AnalyticsCell {
	CELL_STORED,
	CELL_DUPLICATES,
	CELL_REFUSED,
	CELL_COMMITS,
	CELL_WAITING,
	CELL_COMMIT_TIME,
	CELL_QUERY_TIME,
	CELL_QUERIES_REFUSED,
	CELL_ANSWERS_KEPT,
	CELL_MERGED,
	CELL_COUNTED,
	ANALYTICS_CELLS
} AnalyticsCell;

typedef struct AnalyticsCells {
	MetricCell at[ANALYTICS_CELLS];
} AnalyticsCells;

AnalyticsCells analytics_cells(void); /* give them back with the other */
void analytics_cells_free(AnalyticsCells *cells);
MetricList analytics_metrics;
