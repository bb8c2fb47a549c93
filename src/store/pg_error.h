/* SPDX-License-Identifier: Apache-2.0
 *
 * What PostgreSQL says went wrong, in the words of db.h. Any thread; nothing parks. */
#pragma once
#include "base/err.h"

typedef struct pg_result PGresult;
typedef struct pg_conn PGconn;

/* A SQLSTATE's slug and kind; never NULL. Codes that are in no row go by their class, a class that is in none is db.sql. */
const char *pg_slug(Str sqlstate, ErrKind *kind) RETURNS_NONNULL;

/* A failed statement: its primary message, the constraint's name, never its detail (which quotes rows). */
Err *pg_error(Arena *a, const PGresult *result) MUST_USE RETURNS_NONNULL;
/* A connection that could not be made or broke: the last line of what libpq says, db.unavailable. */
Err *pg_error_lost(Arena *a, const PGconn *pg) MUST_USE RETURNS_NONNULL;

/* Prepared once, it does not suit any more: the table has changed since, or the server forgot it. Sent anew it works. */
bool pg_is_stale(const PGresult *result);
/* The server takes no further connection of ours, but is there: 53300, 53400, 57P03 is not among them. */
bool pg_is_full(const PGconn *pg);
