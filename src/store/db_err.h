/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors of databases, by the names that db.h lists; for the store's own files. */
#pragma once
#include "store/db.h"

typedef enum DbErr {
	DB_UNIQUE,
	DB_FOREIGN_KEY,
	DB_CHECK,
	DB_NOT_NULL,
	DB_SERIALIZATION,
	DB_DEADLOCK,
	DB_BUSY,
	DB_UNAVAILABLE,
	DB_TIMEOUT,
	DB_FULL_DISK,
	DB_READ_ONLY,
	DB_IO,
	DB_CORRUPT,
	DB_UNKNOWN,
	DB_ABORTED,
	DB_MISUSE,
	DB_SQL,
	DB_ROWS,
	DB_TOO_LARGE,
	DB_URL,
	DB_ERRS
} DbErr;

/* Would the same transaction, tried again, most likely do? */
bool db_err_again(const Err *err);
/* Is a savepoint enough to go on from it? */
bool db_err_is_local(const Err *err);
/* "order_by_id: UNIQUE constraint failed: orders.sku"; sql may be NULL. */
Err *db_err(Arena *a, DbErr what, const Sql *sql, const char *fmt, ...) PRINTF(4, 5)
	MUST_USE RETURNS_NONNULL;
