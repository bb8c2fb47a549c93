/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections to one PostgreSQL, shared by all loops of the process: never more than the limit, over all of them together;
 * who finds none free stands in one line, in order, whichever loop it runs on. */
#pragma once
#include "store/pg_conn.h"

typedef struct PgPool PgPool;

typedef struct PgPoolConf {
	Str name; /* of the database, for metrics and logs */
	Str role; /* "primary", "direct", "replica" */
	PgTarget target;
	bool session;
	uint32_t limit;      /* connections, at least 1 */
	uint32_t queue;      /* that may wait */
	int64_t wait_us;     /* in the line, at most; 0: 10 s. The fiber's deadline counts too */
	int64_t patience_us; /* with a server that is away, before all are told so at once; 0: 3 s */
	int64_t idle_us;     /* unused for so long it is closed; 0: 5 min */
	int64_t age_us;      /* and after about that in any case; 0: 1 h */
	DbCells *cells;
} PgPoolConf;

/* Makes no connection. Text and target are the caller's and live as long as the pool. */
PgPool *pg_pool_new(const PgPoolConf *conf) RETURNS_NONNULL;
/* Those who wait are refused; returns when all that was lent is back. Parks. NULL is fine. */
void pg_pool_free(PgPool *pool);

/* A connection at rest, to be given back on this loop; its server may have gone since it was used last. Parks. Fails with db.busy (the line is full, or took too long), db.unavailable (the server has been away for a while: at
 * once; or went away), and as a park does. */
Err *pg_pool_take(PgPool *pool, Arena *a, PgConn **out) MUST_USE;
/* In whatever state: a fiber of the pool's own cleans what is dirty, or it is closed. Never parks. NULL is fine. */
void pg_pool_give(PgPool *pool, PgConn *c);

/* Has a server that is down tried again, in the background and not too often: for who goes elsewhere meanwhile. */
void pg_pool_revive(PgPool *pool);
bool pg_pool_is_down(const PgPool *pool); /* the last try failed and there is no connection */
const PgTarget *pg_pool_target(const PgPool *pool);

MetricList pg_metrics;
