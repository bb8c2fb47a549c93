/* SPDX-License-Identifier: Apache-2.0
 *
 * What can go wrong with a database, by one set of names for both engines. The table also says which of them are over when the
 * transaction is tried again, and which leave the transaction whole but for the innermost savepoint. */
#include "store/db_err.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	ErrKind kind;
	const char *slug;
	bool again; /* tried again by db_txn */
	bool local; /* undone with the savepoint it happened in */
} rows[] = {
	[DB_UNIQUE] = { ERR_CONFLICT, "db.unique", .local = true },
	[DB_FOREIGN_KEY] = { ERR_CONFLICT, "db.foreign_key", .local = true },
	[DB_CHECK] = { ERR_INVALID, "db.check", .local = true },
	[DB_NOT_NULL] = { ERR_INVALID, "db.not_null", .local = true },
	[DB_SERIALIZATION] = { ERR_BUSY, "db.serialization", .again = true },
	[DB_DEADLOCK] = { ERR_BUSY, "db.deadlock", .again = true },
	[DB_BUSY] = { ERR_BUSY, "db.busy" },
	[DB_UNAVAILABLE] = { ERR_BUSY, "db.unavailable" },
	[DB_TIMEOUT] = { ERR_TIMEOUT, "db.timeout" },
	[DB_FULL_DISK] = { ERR_IO, "db.full_disk" },
	[DB_READ_ONLY] = { ERR_IO, "db.read_only" },
	[DB_IO] = { ERR_IO, "db.io" },
	[DB_CORRUPT] = { ERR_IO, "db.corrupt" },
	[DB_UNKNOWN] = { ERR_IO, "db.unknown" },
	[DB_ABORTED] = { ERR_INTERNAL, "db.aborted" },
	[DB_MISUSE] = { ERR_INTERNAL, "db.misuse" },
	[DB_SQL] = { ERR_INTERNAL, "db.sql", .local = true },
	[DB_ROWS] = { ERR_INTERNAL, "db.rows", .local = true },
	[DB_TOO_LARGE] = { ERR_TOO_LARGE, "db.too_large", .local = true },
	[DB_URL] = { ERR_INVALID, "db.url" },
};
_Static_assert(COUNT(rows) == DB_ERRS, "an error has no row");

Err *db_err(Arena *a, DbErr what, const Sql *sql, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (!sql)
		return err_new(a, rows[what].kind, rows[what].slug, "%s", text);
	return err_new(a, rows[what].kind, rows[what].slug, "%s: %s", sql->name, text);
}

bool db_err_again(const Err *err)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].again && err_is(err, rows[i].slug))
			return true;
	return false;
}

bool db_err_is_local(const Err *err)
{
	Str slug = str_of(err->slug);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (err_is(err, rows[i].slug))
			return rows[i].local;
	return !str_starts(slug, S("rt."));
}
