/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite's engine: what its files know of each other. lite.c opens and closes; lite_conn.c runs statements on one connection;
 * lite_queue.c is the way from fibers to threads and back; lite_writer.c commits in groups, lite_reader.c reads;
 * lite_care.c carries the log over, checks, copies. */
#pragma once
#include "rt/loop.h"
#include "store/db_int.h"

#include <pthread.h>
#include <sqlite3.h>

typedef struct LiteDb LiteDb;
typedef struct LiteJob LiteJob;

/* --- one connection, used by one thread at a time (lite_conn.c) ------------------------------------------------------ */

typedef struct LiteStmt {
	const Sql *sql; /* NULL: an empty slot */
	sqlite3_stmt *stmt;
	int params;
	unsigned skip; /* on a loop: so many times more it is not tried there */
	unsigned slow; /* on a loop: times in a row that it took long */
} LiteStmt;

typedef struct LiteConn {
	sqlite3 *db;
	const char *path;
	LiteStmt *stmts; /* open addressing by pointer; a power of two */
	size_t count, cap;
	LiteJob *job; /* that it works for; NULL: its own business */
	bool writes;
	bool near;       /* a loop's own: may not wait */
	bool steps_over; /* and it took too many steps */
	unsigned ticks;
} LiteConn;

typedef enum LiteMode { LITE_WRITER, LITE_READER, LITE_NEAR } LiteMode;
#define LITE_NEAR_VFS "banyan-near"
/* Opens what is there; a writer makes it a WAL database. Closed by lite_conn_close, after a failure too. */
Err *lite_conn_open(LiteConn *conn, Arena *a, const char *path, LiteMode mode) MUST_USE;
void lite_conn_close(LiteConn *conn);

Err *lite_conn_call(LiteConn *conn, DbCall *call) MUST_USE;
/* The same in two: the statement, kept, and its run. *out is a slot that is empty when it cannot be prepared. */
Err *lite_conn_prepare(LiteConn *conn, Arena *a, const Sql *sql, LiteStmt **out) MUST_USE;
Err *lite_conn_run(LiteConn *conn, DbCall *call, const LiteStmt *stmt) MUST_USE;
/* Text of our own, one or more statements, without parameters and rows. */
Err *lite_conn_script(LiteConn *conn, Arena *a, const char *text) MUST_USE;
Err *lite_conn_plan(LiteConn *conn, Arena *a, const Sql *sql, DbPlan *out) MUST_USE;
/* The one integer that a statement of our own gives. */
Err *lite_conn_int(LiteConn *conn, Arena *a, const char *text, int64_t *out) MUST_USE;
/* What the connection complains of, by its result code. */
Err *lite_err(LiteConn *conn, Arena *a, const Sql *sql, int code) MUST_USE RETURNS_NONNULL;
/* No transaction is open any more: a failure took all of it with it. */
static inline bool lite_lost(const LiteConn *conn)
{
	return sqlite3_get_autocommit(conn->db) != 0;
}

/* --- jobs (lite_queue.c) ---------------------------------------------------------------------------------------------- */

/* On a thread, with its connection. */
typedef Err *LiteFn(LiteConn *conn, LiteJob *job);

/* In the frame of the fiber that waits for it (rule 4: which does not go on before it is back). */
struct LiteJob {
	Node node; /* in a queue until a thread takes it; in the writer's group after it */
	LiteFn *fn;
	Db *root;
	Arena *a;
	Mark mark;  /* of the arena: an attempt begins here */
	bool alone; /* a single statement: undoes itself, needs no savepoint */
	/* what it does */
	DbCall *calls;
	size_t count;
	const DbTxn *txn;
	/* how it went */
	Err *err;
	uint32_t told;
	bool ended; /* atomic: its fiber was cancelled or its deadline is over */
	bool again; /* its group broke through no fault of its own */
	int64_t queued_us;
	/* back to its fiber */
	Loop *loop;
	Fiber *fiber;
	LiteJob *next;
	bool done; /* the loop's thread only */
};

typedef struct LiteQueue {
	pthread_mutex_t lock; /* of all below, and of the nodes of its jobs */
	pthread_cond_t filled;
	List jobs;
	uint32_t count, most;
	uint32_t idle; /* threads that wait for it */
	bool stopping;
	MetricCell queued, refused, wait;
} LiteQueue;

void lite_queue_init(LiteQueue *queue, uint32_t most, const DbCells *cells);
void lite_queue_fini(LiteQueue *queue);
void lite_queue_stop(LiteQueue *queue); /* those that wait for jobs get none any more */
/* Parks until a thread has done the job. Fails with db.busy, and as a park does when it never began or did not end well. */
Err *lite_queue_run(LiteQueue *queue, LiteJob *job) MUST_USE;
/* For the threads, with the lock held: the first job, taken; NULL: there is none. */
LiteJob *lite_queue_take(LiteQueue *queue);
/* Waits for a job; NULL: stopping. */
LiteJob *lite_queue_await(LiteQueue *queue);
/* Takes care of its fiber: a message for each loop. Chained by next. */
void lite_jobs_back(LiteJob *jobs);

/* --- the database ------------------------------------------------------------------------------------------------------ */

typedef struct LiteReader {
	LiteDb *lite;
	pthread_t thread;
	LiteConn conn;
	bool open;
} LiteReader;

typedef enum LiteNearState { LITE_NEAR_NEW, LITE_NEAR_ON, LITE_NEAR_OFF } LiteNearState;

/* A loop's connection (lite_near.c). */
typedef struct LiteNear {
	LiteNearState state;
	LiteConn conn;
	int64_t turn_us; /* of the loop */
	unsigned count;  /* reads in it */
} LiteNear;

struct LiteDb {
	Db db; /* first */
	const char *path;
	int lock_fd; /* PATH-lock, shared */
	LiteQueue writes, reads;
	LiteConn writer;
	pthread_t writer_thread;
	LiteReader *readers;
	unsigned reader_count;
	LiteNear *near; /* one a loop */
	struct Shared *shared;
	int64_t group_us; /* running jobs so long, before a commit */
	uint32_t solo;    /* the writer's: jobs that come next are committed one by one */
	/* between the writer and who carries the log over */
	pthread_mutex_t care_lock;
	pthread_cond_t care_due;
	pthread_t care_thread;
	LiteConn care;
	int log_pages;      /* care_lock: in the log, as of the last commit */
	int carried_pages;  /* the writer's: of which when it last tried itself */
	bool care_stopping; /* care_lock */
	bool started;
};

void *lite_writer_main(void *arg); /* LiteDb */
void *lite_reader_main(void *arg); /* LiteReader */
void *lite_care_main(void *arg);

/* After a commit: how long the log is now. The writer's thread. */
void lite_care_log(LiteDb *lite, int pages);
/* Before the first connection: makes the file (0600), takes the lock, looks whether the last one ended in order; *check: it
 * did not, and nobody else is here. */
Err *lite_care_begin(LiteDb *lite, Arena *a, bool create, bool *check) MUST_USE;
Err *lite_care_check(LiteConn *conn, Arena *a) MUST_USE; /* db.corrupt */
Err *lite_care_backup(Db *root, Arena *a, Str path) MUST_USE;
Err *lite_care_restore(Arena *a, const char *path, Str from, Str *kept) MUST_USE;

/* lite_near.c. From a fiber: *done when it could be had without waiting; fails as a park does. */
Err *lite_near_call(LiteDb *lite, DbCall *call, bool *done) MUST_USE;
void lite_near_register(void);      /* once */
void lite_near_begin(LiteDb *lite); /* when the file is there, before the first connection */
void lite_near_end(LiteDb *lite);   /* after the last */

/* LiteFn: of lite.c, for jobs. */
LiteFn lite_job_calls, lite_job_txn;
