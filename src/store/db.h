/* SPDX-License-Identifier: Apache-2.0
 *
 * Db: where statements run. Either a database (each statement then stands alone) or one transaction of it: code that takes
 * a Db works in both. One interface over SQLite and PostgreSQL.
 *
 *   OrderRow *order;
 *   TRY(db_one(db, a, order_by_id, &order, .id = id));           NULL: there is none
 *   TRY(db_all(db, a, orders_of_user, &orders, &count, .user = user));
 *   TRY(db_exec(db, a, order_pay, &changed, .id = id, .paid_at = now));
 *   TRY(db_txn(db, a, DB_SERIALIZABLE, place_order, &order));     static Err *place_order(Db *tx, Arena *a, void *arg)
 *
 * Names are those of the .sql files (sql.h): the wrong kind, parameter or row type does not compile. Rows and their text
 * live in the arena. Everything here parks the fiber, but inside a transaction's function on SQLite, and ends with the
 * fiber's deadline or cancellation ("rt.deadline", "rt.cancelled"). Errors of all that reach the database:
 *
 *   db.unique db.foreign_key   CONFLICT   a constraint; in a transaction it then can only be rolled back, or its savepoint
 *   db.check db.not_null       INVALID    a constraint on one row
 *   db.serialization db.deadlock BUSY     db_txn tried as often as it may
 *   db.busy                    BUSY       the queue to the database was full, or waiting in it took too long
 *   db.unavailable             BUSY       the server is away, or takes no connection
 *   db.timeout                 TIMEOUT    the server's own limit
 *   db.full_disk db.read_only db.io db.corrupt   IO
 *   db.unknown                 IO         the connection broke during COMMIT: it may have happened or not
 *   db.aborted db.misuse db.sql db.rows INTERNAL  a mistake in the program (or a schema that is not what it expects)
 *   db.too_large               TOO_LARGE  the arena's limit, or the engine's for one value */
#pragma once
#include "base/err.h"
#include "base/list.h"
#include "store/sql.h"

typedef struct Db Db;

typedef struct DbConf {
	Str url; /* "sqlite:data/user.db", "postgresql://user:password@host:5432/name?sslmode=..." */
	Str name; /* in metrics and logs: "user"; empty: "main" */
	uint32_t
		connections; /* PostgreSQL: of this process at most; SQLite: readers. 0: 16; as many as rt_loops(), 2 at least */
	uint32_t queue; /* that may wait for one, or for the writer. 0: 1024 */
	Str direct_url; /* PostgreSQL behind PgBouncer: past it, for what needs a session; empty: none */
	bool pgbouncer;      /* in transaction mode: unnamed statements */
	const Str *replicas; /* URLs for statements that may lag */
	size_t replica_count;
	bool create; /* SQLite: make the file (0600) and its folder when there is none */
} DbConf;

/* Opens; on PostgreSQL a server that is away is no failure here. Fails with INVALID "db.url", and as above. Statements of a
 * database whose schema was never set up fail with db.sql: see schema.h. Close when no fiber uses it. */
Err *db_open(Arena *a, const DbConf *conf, Db **out) MUST_USE;
void db_close(Db *db);
void db_closep(Db **db); /* for AUTO */

SqlEngine db_engine(const Db *db);
Str db_name(const Db *db);
bool db_in_txn(const Db *db);
struct MetricFamily;
const struct MetricFamily *db_metrics(
	size_t *count); /* of all databases, for the registry and the manual */

/* --- statements ----------------------------------------------------------------------------------------------------- */

/* out: Row **, NULL when there is none. More than one row is db.rows. */
#define db_one(db, a, name, out, ...) \
	db_run_one((db), (a), &sql_one_##name, &(const in_##name){ __VA_ARGS__ }, \
	           (void **)(1 ? (out) : (row_##name **)NULL))
/* rows: Row **, an array; count: size_t *. */
#define db_all(db, a, name, rows, count, ...) \
	db_run_all((db), (a), &sql_many_##name, &(const in_##name){ __VA_ARGS__ }, \
	           (void **)(1 ? (rows) : (row_##name **)NULL), (count))
/* One row at a time, which is gone when fn returns. fn does not park (a result never holds a snapshot for a slow client: page
 * by key, or spool) and may be run by another thread while the fiber waits. What it returns ends the reading. */
typedef Err *DbEachFn(const void *row, void *arg);
#define db_each(db, a, name, fn, arg, ...) \
	db_run_each((db), (a), &sql_many_##name, &(const in_##name){ __VA_ARGS__ }, (fn), (arg))
/* changed: int64_t *, rows inserted, updated or deleted; or NULL. */
#define db_exec(db, a, name, changed, ...) \
	db_run_exec((db), (a), &sql_exec_##name, &(const in_##name){ __VA_ARGS__ }, (changed))
/* As db_exec with the parameters in a struct that there is already: `const JobRow *`. */
#define db_exec_with(db, a, name, in, changed) \
	db_run_exec((db), (a), &sql_exec_##name, (1 ? (in) : (const in_##name *)NULL), (changed))
/* All rows or none, the fastest way of the engine; rows: an array of the parameters' struct. */
#define db_load(db, a, name, rows, count) \
	db_run_load((db), (a), &sql_load_##name, (1 ? (rows) : (const in_##name *)NULL), (count))

/* Statements that do not need each other's results, in one round trip, in order, all or nothing. What `out` and `changed`
 * point to is set by db_batch_run.
 *	DbBatch *batch = db_batch(a);
 *	batch_one(batch, user_by_id, &user, .id = id);
 *	batch_exec(batch, visit_add, NULL, .user = id);
 *	TRY(db_batch_run(db, a, batch));                                                                        */
typedef struct DbBatch DbBatch;
DbBatch *db_batch(Arena *a) RETURNS_NONNULL;
#define batch_one(batch, name, out, ...) \
	batch_put((batch), &sql_one_##name, &(const in_##name){ __VA_ARGS__ }, \
	          (void **)(1 ? (out) : (row_##name **)NULL), NULL, NULL)
#define batch_all(batch, name, rows, count, ...) \
	batch_put((batch), &sql_many_##name, &(const in_##name){ __VA_ARGS__ }, \
	          (void **)(1 ? (rows) : (row_##name **)NULL), (count), NULL)
#define batch_exec(batch, name, changed, ...) \
	batch_put((batch), &sql_exec_##name, &(const in_##name){ __VA_ARGS__ }, NULL, NULL, \
	          (changed))
Err *db_batch_run(Db *db, Arena *a, DbBatch *batch) MUST_USE;

/* --- transactions --------------------------------------------------------------------------------------------------- */

typedef enum DbIsolation {
	DB_READ_COMMITTED,
	DB_REPEATABLE_READ,
	DB_SERIALIZABLE,
	DB_SNAPSHOT /* reads only, all of one moment; runs beside writers */
} DbIsolation;      /* SQLite: whatever is asked for, serializable */

/* Runs fn(tx, a, arg) as a transaction: committed when it returns NULL, else rolled back and its error returned. It may be run
 * several times (a serialization failure, a deadlock, a neighbour in a group commit that broke): what it does outside of the
 * database and `a` must bear that; it defers nothing in `a`. It parks on nothing but `tx`; on SQLite it runs on the writer's
 * thread, where nothing parks, and must be short: all other writers wait. It uses `tx` only, never `db` (db.misuse).
 * When `db` is itself a transaction this is a savepoint: on an error the outer one goes on from before it, if it likes.
 * NULL means durable. */
typedef Err *DbTxnFn(Db *tx, Arena *a, void *arg);
Err *db_txn(Db *db, Arena *a, DbIsolation isolation, DbTxnFn *fn, void *arg) MUST_USE;

/* Held until the transaction ends: one at a time for each name, whoever else asks waits. (Longer than that: db_lease.h.) */
Err *db_lock(Db *tx, Arena *a, Str name) MUST_USE;

/* --- looking after it ------------------------------------------------------------------------------------------------ */

typedef struct DbStatus {
	Str version; /* "SQLite 3.40.1" */
	Str where;   /* path, or host and database; no password */
	uint64_t bytes;
	uint64_t log_bytes; /* written and not yet in the database file */
	bool read_only;
} DbStatus;
Err *db_status(Db *db, Arena *a, DbStatus *out) MUST_USE;
/* Reads all of it: db.corrupt. On PostgreSQL nothing: its server sees to that. */
Err *db_check(Db *db, Arena *a) MUST_USE;
/* A copy of one moment as a file of its own, while all goes on. UNSUPPORTED "db.own_tools" on PostgreSQL, as below. */
Err *db_backup(Db *db, Arena *a, Str path) MUST_USE;
/* Puts such a copy in the place of a database that nobody has open (db.busy), after a look whether it is whole. *kept: where
 * the one before is now; empty: there was none. Parks. */
Err *db_restore(Arena *a, Str url, Str path, Str *kept) MUST_USE;

/* --- being told ----------------------------------------------------------------------------------------------------- */

/* Once the transaction is committed (at once, outside of one) whoever watches this channel on this database is woken, in other
 * processes too where the engine can (PostgreSQL). A hint that may be lost: watchers look again now and then anyway. The
 * channel: letters, digits and _, a literal. */
Err *db_tell(Db *db, Arena *a, const char *channel) MUST_USE;

/* In place; one fiber's.
 *	AUTO(db_watch_end) DbWatch watch = { 0 };
 *	TRY(db_watch_begin(&watch, db, a, "outbox"));
 *	for (;;) { ...look...; TRY(db_watch_wait(&watch, 5 * US_PER_S)); }                                       */
typedef struct DbWatch {
	Node node; /* in the list of its loop */
	Db *db;
	struct Fiber *fiber;
	uint32_t channel;
	bool told;
} DbWatch;
Err *db_watch_begin(DbWatch *watch, Db *db, Arena *a, const char *channel) MUST_USE;
void db_watch_end(DbWatch *watch); /* fine when never begun */
/* Parks until something was told since the last wait, or the time is over: both NULL. */
Err *db_watch_wait(DbWatch *watch, int64_t most_us) MUST_USE;

/* --- what the macros call ------------------------------------------------------------------------------------------- */

Err *db_run_one(Db *db, Arena *a, const Sql *sql, const void *in, void **row) MUST_USE;
Err *db_run_all(Db *db, Arena *a, const Sql *sql, const void *in, void **rows, size_t *count)
	MUST_USE;
Err *db_run_each(Db *db, Arena *a, const Sql *sql, const void *in, DbEachFn *fn, void *arg)
	MUST_USE;
Err *db_run_exec(Db *db, Arena *a, const Sql *sql, const void *in, int64_t *changed) MUST_USE;
Err *db_run_load(Db *db, Arena *a, const Sql *sql, const void *rows, size_t count) MUST_USE;
void batch_put(DbBatch *batch, const Sql *sql, const void *in, void **rows, size_t *count,
               int64_t *changed);
