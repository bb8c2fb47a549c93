/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the PostgreSQL engine (pg_db.c, pg_load.c, pg_listen.c, pg_plan.c) share. */
#pragma once
#include "store/pg_pool.h"

typedef struct PgListener PgListener;

typedef struct PgDb {
	Db db;    /* first */
	Arena *a; /* of the database's life: URLs; under no lock: written at open only */
	PgPool *primary;
	PgPool *direct; /* past PgBouncer; NULL: there is none, or no need */
	PgPool **replicas;
	size_t replica_count;
	unsigned next_replica; /* atomic */
	PgListener *listener;
} PgDb;

/* One transaction on its connection: a Db's state. */
typedef struct PgTxn {
	PgDb *pdb;
	PgConn *c;
	const char *begin; /* goes out with the first statement; NULL: it has */
} PgTxn;

/* A statement of this transaction, BEGIN with it if need be. */
Err *pg_txn_ask(PgTxn *t, Arena *a, PgAsk *asks, size_t count) MUST_USE;
Err *pg_txn_begin(PgTxn *t, Arena *a) MUST_USE; /* by itself, if need be */

/* pg_load.c: a SQL_LOAD on this connection; all or nothing. */
Err *pg_load(PgConn *c, DbCall *call) MUST_USE;

/* pg_listen.c */
PgListener *pg_listener_new(Db *db, const PgTarget *target);
void pg_listener_free(PgListener *l); /* parks */
Err *pg_listener_add(PgListener *l, Arena *a, const char *channel)
	MUST_USE; /* parks until it listens */

/* pg_plan.c */
Err *pg_plan(Db *db, Arena *a, const Sql *sql, DbPlan *out) MUST_USE;
Err *pg_status(Db *root, Arena *a, DbStatus *out) MUST_USE;
/* Runs on a connection with a session (past PgBouncer), or on the transaction's: for what is not a statement of a table. */
typedef Err *PgOnFn(PgConn *c, Arena *a, void *arg);
Err *pg_on(Db *db, Arena *a, PgOnFn *fn, void *arg) MUST_USE;
