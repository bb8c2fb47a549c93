/* SPDX-License-Identifier: Apache-2.0
 *
 * What PostgreSQL says went wrong, in the words of db.h. Any thread; nothing parks. */
#pragma once
#include "store/db_int.h"

typedef struct pg_result PGresult;
typedef struct pg_conn PGconn;

/* What a SQLSTATE is; codes that are in no row go by their class, a class that is in none is DB_SQL. */
DbErr pg_kind(Str sqlstate);

/* A failed statement (NULL: one of the engine's own): its primary message, never its detail, which quotes rows. */
Err *pg_error(Arena *a, const Sql *sql, const PGresult *result) MUST_USE RETURNS_NONNULL;
/* A connection that could not be made or broke: db.unavailable, with the last line of what libpq says. */
Err *pg_error_lost(Arena *a, const Sql *sql, const PGconn *pg) MUST_USE RETURNS_NONNULL;

/* Prepared once, it does not suit any more: the table has changed since, or the server forgot it. Sent anew it works. */
bool pg_is_stale(const PGresult *result);
/* The server takes no further connection of ours, but is there. */
bool pg_is_full(const PGconn *pg);
