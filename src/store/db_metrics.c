/* SPDX-License-Identifier: Apache-2.0
 *
 * The metrics of databases: one label, the database's name. What a PostgreSQL's pool counts is its own (pg_pool.c). */
#include "store/db_int.h"

#include <stdlib.h>

enum {
	STATEMENTS,
	COMMITTED,
	ROLLED_BACK,
	RETRIES,
	REFUSED,
	QUEUED,
	WAIT,
	COMMITS,
	NEAR,
	CHECKPOINTS,
	LOG_BYTES,
};

static const MetricFamily families[] = {
	[STATEMENTS] = { "banyan_db_statements_total",
	                 METRIC_COUNTER,
	                 "statements",
	                 "Statements run, those inside of transactions too",
	                 { "database" } },
	[COMMITTED] = { "banyan_db_transactions_committed_total",
	                METRIC_COUNTER,
	                "transactions",
	                "Transactions committed",
	                { "database" } },
	[ROLLED_BACK] = { "banyan_db_transactions_rolled_back_total",
	                  METRIC_COUNTER,
	                  "transactions",
	                  "Transactions rolled back",
	                  { "database" } },
	[RETRIES] = { "banyan_db_retries_total",
	              METRIC_COUNTER,
	              "transactions",
	              "Transactions tried again after a serialization failure or a deadlock",
	              { "database" } },
	[REFUSED] = { "banyan_db_refused_total",
	              METRIC_COUNTER,
	              "calls",
	              "Calls refused because the queue to the database was full",
	              { "database" } },
	[QUEUED] = { "banyan_db_queued",
	             METRIC_GAUGE,
	             "calls",
	             "Calls that wait for the writer, a reader or a connection",
	             { "database" } },
	[WAIT] = { "banyan_db_wait_seconds",
	           METRIC_HISTOGRAM,
	           "seconds",
	           "How long calls waited before the database began with them",
	           { "database" } },
	[COMMITS] = { "banyan_db_group_commits_total",
	              METRIC_COUNTER,
	              "commits",
	              "SQLite: commits to the disk; transactions committed by them are more",
	              { "database" } },
	[NEAR] = { "banyan_db_near_reads_total",
	           METRIC_COUNTER,
	           "statements",
	           "SQLite: reads done on the loop itself, as all they needed was in memory",
	           { "database" } },
	[CHECKPOINTS] = { "banyan_db_checkpoints_total",
	                  METRIC_COUNTER,
	                  "checkpoints",
	                  "SQLite: times the log was carried over into the database",
	                  { "database" } },
	[LOG_BYTES] = { "banyan_db_log_bytes",
	                METRIC_GAUGE,
	                "bytes",
	                "SQLite: size of the write-ahead log",
	                { "database" } },
};

/* Where in DbCells each row's cell is. */
static const size_t places[] = {
	[STATEMENTS] = offsetof(DbCells, statements),
	[COMMITTED] = offsetof(DbCells, committed),
	[ROLLED_BACK] = offsetof(DbCells, rolled_back),
	[RETRIES] = offsetof(DbCells, retries),
	[REFUSED] = offsetof(DbCells, refused),
	[QUEUED] = offsetof(DbCells, queued),
	[WAIT] = offsetof(DbCells, wait),
	[COMMITS] = offsetof(DbCells, commits),
	[NEAR] = offsetof(DbCells, near),
	[CHECKPOINTS] = offsetof(DbCells, checkpoints),
	[LOG_BYTES] = offsetof(DbCells, log_bytes),
};
_Static_assert(COUNT(places) == COUNT(families), "a metric has no cell");

const MetricFamily *db_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static MetricCell *cell(DbCells *cells, size_t i)
{
	return (MetricCell *)(void *)((char *)cells + places[i]);
}

DbCells *db_cells_new(Str name)
{
	DbCells *cells = calloc(1, sizeof *cells);

	if (!cells)
		abort();
	for (size_t i = 0; i < COUNT(families); i++)
		*cell(cells, i) = metric_cell(&families[i], &name, 1);
	return cells;
}

void db_cells_free(DbCells *cells)
{
	for (size_t i = 0; cells && i < COUNT(families); i++)
		metric_cell_free(*cell(cells, i));
	free(cells);
}
