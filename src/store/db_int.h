/* SPDX-License-Identifier: Apache-2.0
 *
 * Between db.c, which is the same for all, and an engine (lite_*.c for SQLite, pg_*.c for PostgreSQL): the table of what an
 * engine does, and what it is given to do it with.
 *
 * What db.c sees to, so that an engine need not: retries; that a transaction with a failed statement in it is not committed and
 * runs no more statements; savepoints' bookkeeping; waking watchers; that `db` is of the kind a call may have. */
#pragma once
#include "base/arena.h"
#include "obs/metric.h"
#include "store/db.h"
#include "store/db_err.h"

#include <string.h>

typedef struct DbEngine DbEngine;
typedef struct DbHub DbHub;

/* What db.c and the engines count of one database; rows in db_metrics.c. */
typedef struct DbCells {
	MetricCell statements, committed, rolled_back, retries, refused;
	MetricCell queued, wait; /* for the writer or a reader; for a connection */
	MetricCell commits, near, checkpoints, log_bytes; /* SQLite */
} DbCells;

struct Db {
	const DbEngine *engine;
	Db *root;       /* the database; itself when it is one */
	Db *outer;      /* of a savepoint: the transaction, or savepoint, around it */
	void *state;    /* the engine's, of a transaction: its connection */
	unsigned depth; /* 0: a database, 1: a transaction, 2 and more: savepoints */
	bool snapshot;  /* a transaction that only reads */
	Err *failed;    /* of a transaction: why it can only be rolled back */
	uint32_t told;  /* of a transaction: channels to wake once it is committed */
	Str name;       /* of a database, in malloc'd memory, NUL-ended: metrics' label */
	DbHub *hub;     /* of a database: who watches */
	DbCells *cells; /* of the database, in a transaction too */
};

/* db.c: for open and close of an engine, whose own struct begins with a Db. */
void db_init(Db *db, const DbEngine *engine, Str name);
void db_fini(Db *db);

/* --- one statement -------------------------------------------------------------------------------------------------- */

typedef struct DbCall {
	const Sql *sql;
	const void *in; /* the parameters' struct; of SQL_LOAD an array of `load` of them */
	size_t load;
	Arena *a;       /* for rows, text and errors */
	DbEachFn *each; /* hands out each row and forgets it; NULL: rows are kept */
	void *each_arg;
	/* what came */
	char *rows;
	size_t count, cap;
	int64_t changed;
} DbCall;

/* Before each attempt to run it: nothing has come. */
void db_call_begin(DbCall *call);
/* Room for the next row, zeroed: the engine fills in every column with the functions below, then calls db_call_row_done, which
 * keeps or hands it out. Fails with db.rows (a second row of a SQL_ONE), db.too_large (the arena is spent), or what `each`
 * returned. No text longer than the arena allows is copied: see field_put_str. */
void *db_call_row(DbCall *call);
Err *db_call_row_done(DbCall *call, void *row) MUST_USE;

static inline bool field_is_null(const SqlField *f, const void *in)
{
	return f->set_at != SQL_NEVER_NULL && !*((const bool *)in + f->set_at);
}

/* Of int and time. */
static inline int64_t field_int(const SqlField *f, const void *in)
{
	return *(const int64_t *)(const void *)((const char *)in + f->at);
}

static inline double field_real(const SqlField *f, const void *in)
{
	return *(const double *)(const void *)((const char *)in + f->at);
}

static inline bool field_bool(const SqlField *f, const void *in)
{
	return *((const bool *)in + f->at);
}

/* Of text, bytes and json. */
static inline Str field_str(const SqlField *f, const void *in)
{
	return *(const Str *)(const void *)((const char *)in + f->at);
}

static inline const Uuid *field_uuid(const SqlField *f, const void *in)
{
	return (const Uuid *)(const void *)((const char *)in + f->at);
}

/* Where the value of a column goes; marks it as there. A column that is NULL is left alone, if it may be NULL. */
static inline void *field_put(const SqlField *f, void *row)
{
	if (f->set_at != SQL_NEVER_NULL)
		*((bool *)row + f->set_at) = true;
	return (char *)row + f->at;
}

/* Text that lives at least until db_call_row_done: copied into the arena where rows are kept. */
void field_put_str(DbCall *call, const SqlField *f, void *row, Str text);

/* --- a transaction -------------------------------------------------------------------------------------------------- */

typedef struct DbTxn {
	DbIsolation isolation;
	DbTxnFn *fn;
	void *arg;
	Arena *a;
} DbTxn;

/* For the engine, between its BEGIN and its COMMIT: runs the function with a Db made of `state`. An error: roll back, return
 * it. After COMMIT: db_told(root, *told). */
Err *db_txn_body(Db *root, const DbTxn *txn, void *state, uint32_t *told) MUST_USE;
/* Wakes who watches these channels. Any thread. */
void db_told(Db *root, uint32_t channels);
uint32_t db_channel(Db *root, const char *channel); /* its bit; a new one's too. Any thread. */

typedef enum DbSave { DB_SAVE, DB_RELEASE, DB_BACK } DbSave; /* BACK: undo and forget it */

/* --- an engine ------------------------------------------------------------------------------------------------------ */

/* What a statement is to the engine, for the test that walks all of them. */
typedef struct DbPlan {
	bool reads;
	bool scans; /* a whole table, where an index could be */
	Str text;   /* how it would be run, for people */
	unsigned columns;
} DbPlan;

struct DbEngine {
	SqlEngine id;
	const char *name;                  /* "sqlite" */
	const char *const *schemes;        /* "sqlite:", ends with NULL */
	Err *(*verify)(Arena *a, Str url); /* is it one? */
	Err *(*open)(Arena *a, const DbConf *conf, Db **out);
	void (*close)(Db *db);             /* parks */
	Err *(*run)(Db *db, DbCall *call); /* in a database, or in a transaction */
	Err *(*batch)(Db *db, Arena *a, DbCall *calls, size_t count); /* all or nothing, in order */
	Err *(*txn)(Db *root, const DbTxn *txn);                      /* one attempt */
	Err *(*save)(Db *tx, Arena *a, DbSave what); /* depth of tx: the savepoint's number */
	Err *(*lock)(Db *tx, Arena *a, Str name);
	Err *(*tell)(Db *db, Arena *a,
	             const char *channel); /* NULL: db.c wakes this process's watchers */
	Err *(*listen)(Db *root, Arena *a,
	               const char *channel); /* told by others: db_told. NULL: cannot */
	/* Several statements in one text, for the steps of a schema. */
	Err *(*script)(Db *tx, Arena *a, const char *text);
	Err *(*plan)(Db *db, Arena *a, const Sql *sql, DbPlan *out);
	Err *(*status)(Db *root, Arena *a, DbStatus *out);
	/* Is all of it whole? db.corrupt. NULL: the server sees to that. */
	Err *(*check)(Db *root, Arena *a);
	/* A copy of one moment, while all goes on, as a file of its own (0600). NULL: the engine's own tools do it. */
	Err *(*backup)(Db *root, Arena *a, Str path);
	/* Puts such a copy in the place of a database that nobody has open; *kept: where the one before is now, if there was one. */
	Err *(*restore)(Arena *a, Str url, Str path, Str *kept);
};

/* db_watch.c, for db.c */
DbHub *db_hub_new(void);
void db_hub_free(DbHub *hub); /* parks */
/* db_metrics.c */
DbCells *db_cells_new(Str name);
void db_cells_free(DbCells *cells);

const DbEngine *lite_engine(void);
const DbEngine *pg_engine(void);
