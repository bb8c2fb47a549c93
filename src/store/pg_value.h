/* SPDX-License-Identifier: Apache-2.0
 *
 * Values on PostgreSQL's wire, in their binary form, which is exact and cheap for all types of sql.h. Any thread; nothing
 * parks. */
#pragma once
#include "store/db_int.h"

typedef struct pg_result PGresult;
typedef uint32_t PgOid;

/* The type that a parameter is sent as. */
PgOid pg_oid(SqlType type);

/* Parameters as libpq wants them; the values point into `in` and into the arena. */
typedef struct PgParams {
	int count;
	const PgOid *oids;
	const char **values; /* NULL: NULL */
	int *lengths;
	const int *formats;
} PgParams;

/* Fails with db.too_large: a value of 1 GiB and more. */
Err *pg_params_new(Arena *a, const Sql *sql, const void *in, PgParams **out) MUST_USE;

/* One value in the form of the column's type: at most 20 bytes in `space`, or a view of the value itself. NULL is the
 * caller's to see to. Fails with db.sql: the column's type is not one that this can be written as. */
Err *pg_value_as(Arena *a, const SqlField *f, const void *in, PgOid column, char space[20],
                 Str *out) MUST_USE;

/* All rows of a result in binary form, as db_int.h has them. Fails with db.sql: a column too many or too few; with db.rows:
 * of a type that is not the field's, NULL where none may be, a number that does not fit; and as db_call_row does. */
Err *pg_rows(DbCall *call, const PGresult *result) MUST_USE;
