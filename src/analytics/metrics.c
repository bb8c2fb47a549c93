/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss and lag are numbers: what was refused is counted beside what was stored, and what waits to be written can be seen waiting. */
#include "analytics/metrics.h"

#include "analytics/analytics.h"

static const MetricFamily families[] = {
	{ "banyan_analytics_events_total", METRIC_COUNTER, "events",
	  "Events that came: stored, known already (duplicate), or none at all and kept aside (refused)",
	  .labels = { "result" } },
	{ "banyan_analytics_commits_total", METRIC_COUNTER, "transactions",
	  "Transactions that wrote events, each for all requests that waited" },
	{ "banyan_analytics_waiting", METRIC_GAUGE, "events", "Events that wait to be written" },
	{ "banyan_analytics_commit_seconds", METRIC_HISTOGRAM, "seconds",
	  "How long writing took, from the first request's turn to all of them being durable" },
	{ "banyan_analytics_query_seconds", METRIC_HISTOGRAM, "seconds", "How long queries took" },
	{ "banyan_analytics_queries_refused_total", METRIC_COUNTER, "queries",
	  "Queries refused because as many ran as may" },
	{ "banyan_analytics_queries_remembered_total", METRIC_COUNTER, "queries",
	  "Queries that were asked before and whose days had not changed since" },
	{ "banyan_analytics_segments_merged_total", METRIC_COUNTER, "segments",
	  "Small segments that became part of a larger one" },
	{ "banyan_analytics_days_counted_total", METRIC_COUNTER, "days",
	  "Days that were counted once for all, or again after a late event" },
};

static const struct {
	uint8_t family;
	Str label;
} cells_of[ANALYTICS_CELLS] = {
	[CELL_STORED] = { 0, S("stored") },   [CELL_DUPLICATES] = { 0, S("duplicate") },
	[CELL_REFUSED] = { 0, S("refused") }, [CELL_COMMITS] = { 1, { 0 } },
	[CELL_WAITING] = { 2, { 0 } },        [CELL_COMMIT_TIME] = { 3, { 0 } },
	[CELL_QUERY_TIME] = { 4, { 0 } },     [CELL_QUERIES_REFUSED] = { 5, { 0 } },
	[CELL_ANSWERS_KEPT] = { 6, { 0 } },   [CELL_MERGED] = { 7, { 0 } },
	[CELL_COUNTED] = { 8, { 0 } },
};

AnalyticsCells analytics_cells(void)
{
	AnalyticsCells cells = { 0 };

	for (size_t i = 0; i < ANALYTICS_CELLS; i++)
		cells.at[i] = metric_cell(&families[cells_of[i].family], &cells_of[i].label,
		                          cells_of[i].label.len ? 1 : 0);
	return cells;
}

void analytics_cells_free(AnalyticsCells *cells)
{
	for (size_t i = 0; i < ANALYTICS_CELLS; i++)
		metric_cell_free(cells->at[i]);
	*cells = (AnalyticsCells){ 0 };
}

const MetricFamily *analytics_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

void analytics_put_metrics(Buf *out)
{
	metrics_put_markdown(out, families, COUNT(families));
}
