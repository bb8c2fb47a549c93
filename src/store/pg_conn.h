/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a PostgreSQL, as a fiber sees it: libpq, with its waiting done by parking. One fiber at a time.
 *
 * A statement that fails is a result, for pg_error(); an Err is what happened to the conversation: it was given up
 * (rt.deadline, rt.cancelled) or the connection broke (db.unavailable). After either `dirty` is set: the connection is to be
 * cleaned or freed. */
#pragma once
#include "base/list.h"
#include "rt/loop.h"
#include "rt/ready.h"
#include "store/pg_error.h"
#include "store/pg_url.h"
#include "store/pg_value.h"

typedef struct PgKnown PgKnown;

typedef struct PgConn {
	PGconn *pg;
	Ready ready;
	PgKnown *known; /* statements that the server has prepared */
	size_t known_count, known_cap;
	uint32_t last_name;
	bool keeps; /* statements, under names; not behind PgBouncer */
	bool dirty; /* an exchange has begun and not ended */
	/* the pool's */
	Node node;
	Timer timer;
	int64_t old_us; /* not used any more from then on */
	void *owner;
} PgConn;

/* Resolves, connects, logs in; a host after another until one takes us. Parks, as the rest does; a worker thread computes what
 * logging in takes. Fails with db.unavailable, and as a park does. `full`, if not NULL, is set when the server is there and
 * has no place left. */
Err *pg_conn_open(Arena *a, const PgTarget *target, bool session, PgConn **out, bool *full)
	MUST_USE;
void pg_conn_free(PgConn *c); /* closes; never parks; NULL is fine */
void pg_conn_freep(PgConn **c);

bool pg_conn_usable(const PgConn *c); /* whole, at rest and in no transaction */
/* The same on another loop: it leaves this one, then arrives there. */
void pg_conn_leave(PgConn *c);
/* Takes in what came while nobody asked: notices, notifications, the end. False: it is broken. Never parks. */
bool pg_conn_hear(PgConn *c);
/* After a dirty end: has the server stop (PQcancel on a worker thread), reads what is left, rolls back. Parks, shielded, for
 * at most `us`. False: it is to be freed. */
bool pg_conn_clean(PgConn *c, int64_t us);

void pg_result_freep(PGresult **result); /* for AUTO */

/* --- statements ----------------------------------------------------------------------------------------------------- */

typedef struct PgAsk {
	const char *text;
	const void *key;        /* what it is known by when it is prepared; NULL: it is not kept */
	const PgParams *params; /* NULL: none */
	PGresult *result;       /* the caller's to clear. NULL: one before it failed */
} PgAsk;

/* All of them in one round trip, in order. Outside of a transaction they are one by themselves; the first that fails is the
 * last. Results are in binary. */
Err *pg_ask(PgConn *c, Arena *a, PgAsk *asks, size_t count) MUST_USE;
/* It will be prepared anew: after pg_is_stale. */
void pg_forget(PgConn *c, const void *key);

/* Hands out row by row, each as a result of one row, and the last, of none: how it ended. An Err of fn ends it: dirty. */
typedef Err *PgRowFn(const PGresult *result, void *arg);
Err *pg_ask_each(PgConn *c, Arena *a, const PgAsk *ask, PgRowFn *fn, void *arg) MUST_USE;

/* Reads on to the end of what was sent, and throws it away: after an Err of fn, where the transaction is to live on. */
Err *pg_skip(PgConn *c, Arena *a) MUST_USE;

/* A statement that was prepared by hand, by its name: its parameters and columns. */
Err *pg_describe(PgConn *c, Arena *a, const char *name, PGresult **out) MUST_USE;

/* Text as it is, any number of statements in it; fails with the first error (pg_error). For commands and scripts. */
Err *pg_command(PgConn *c, Arena *a, const char *text) MUST_USE;

/* --- COPY ----------------------------------------------------------------------------------------------------------- */

/* "copy ... from stdin": then chunks of it, cut anywhere, then its end. Fails with pg_error too. */
Err *pg_copy_in(PgConn *c, Arena *a, const char *text) MUST_USE;
Err *pg_copy_put(PgConn *c, Arena *a, Str chunk) MUST_USE;
Err *pg_copy_end(PgConn *c, Arena *a, int64_t *rows) MUST_USE;
/* Instead of the end: nothing was copied. The connection is dirty after it only if that could not be said. */
void pg_copy_fail(PgConn *c, Arena *a);
/* "copy ... to stdout": then row by row in a buffer that is good until the next; at == NULL: that was all. */
Err *pg_copy_out(PgConn *c, Arena *a, const char *text) MUST_USE;
Err *pg_copy_get(PgConn *c, Arena *a, char **buffer, Str *row) MUST_USE;
void pg_buffer_freep(char **buffer);
