/* SPDX-License-Identifier: Apache-2.0
 *
 * One table from SQLSTATE (PostgreSQL 15, appendix A) to our slugs: whole codes first, then classes. What a program can do
 * something about has a name of its own; the rest is a mistake in the program, db.sql.
 *
 * The detail of an error is left out on purpose: "Key (email)=(ann@example.com) already exists" belongs in no log. */
#include "store/pg_error.h"

#include "base/arena.h"

#include <libpq-fe.h>
#include <string.h>

typedef struct StateRow {
	const char *state; /* five characters, or the two of a class */
	DbErr what;
} StateRow;

static const StateRow states[] = {
	{ "23505", DB_UNIQUE },
	{ "23P01", DB_UNIQUE }, /* exclusion */
	{ "23503", DB_FOREIGN_KEY },
	{ "23001", DB_FOREIGN_KEY }, /* restrict */
	{ "23502", DB_NOT_NULL },
	{ "23514", DB_CHECK },
	{ "44000", DB_CHECK }, /* a view's check option */
	{ "P0001", DB_CHECK }, /* a trigger's RAISE */
	{ "40P01", DB_DEADLOCK },
	{ "40", DB_SERIALIZATION },
	{ "72000", DB_SERIALIZATION }, /* snapshot too old */
	{ "55P03", DB_TIMEOUT },       /* lock_timeout, or NOWAIT */
	{ "57014", DB_TIMEOUT },       /* statement_timeout, or cancelled by hand */
	{ "25P03", DB_TIMEOUT },       /* idle in a transaction */
	{ "25P02", DB_ABORTED },
	{ "25006", DB_READ_ONLY },
	{ "25", DB_MISUSE },
	{ "3B", DB_MISUSE }, /* savepoints */
	{ "53100", DB_FULL_DISK },
	{ "53200", DB_IO },          /* out of memory */
	{ "53", DB_UNAVAILABLE },    /* too many connections */
	{ "57P01", DB_UNAVAILABLE }, /* shut down, crashed, starting up, dropped */
	{ "57P02", DB_UNAVAILABLE },
	{ "57P03", DB_UNAVAILABLE },
	{ "57P04", DB_UNAVAILABLE },
	{ "57P05", DB_UNAVAILABLE },
	{ "57", DB_UNAVAILABLE },
	{ "08", DB_UNAVAILABLE },
	{ "28", DB_UNAVAILABLE }, /* it does not let us in */
	{ "3D", DB_UNAVAILABLE }, /* no such database */
	{ "54", DB_TOO_LARGE },
	{ "22", DB_CHECK },
	{ "21", DB_ROWS },
	{ "P0002", DB_ROWS },
	{ "P0003", DB_ROWS },
	{ "58", DB_IO },
	{ "XX001", DB_CORRUPT },
	{ "XX002", DB_CORRUPT },
};

DbErr pg_kind(Str sqlstate)
{
	for (size_t i = 0; i < COUNT(states); i++)
		if (str_starts(sqlstate, str_of(states[i].state)))
			return states[i].what;
	return DB_SQL;
}

/* libpq's messages are of several lines: the last that is no hint (those begin with a tab) is the one that matters. */
static Str last_line(const char *message)
{
	Str rest = str_of(message), line, last = S("nothing was said");

	while (str_split(&rest, '\n', &line))
		if (line.len && *line.at != '\t')
			last = line;
	return last;
}

static Str field(const PGresult *result, int code)
{
	return str_of(PQresultErrorField(result, code));
}

Err *pg_error(Arena *a, const Sql *sql, const PGresult *result)
{
	Str state = field(result, PG_DIAG_SQLSTATE);
	Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!state.len)
		return db_err(a, DB_UNAVAILABLE, sql, "PostgreSQL: %.*s",
		              STR_ARG(last_line(PQresultErrorMessage(result))));
	return db_err(a, pg_kind(state), sql, "%.*s (%.*s)", STR_ARG(message), STR_ARG(state));
}

Err *pg_error_lost(Arena *a, const Sql *sql, const PGconn *pg)
{
	return db_err(a, DB_UNAVAILABLE, sql, "PostgreSQL: %.*s",
	              STR_ARG(last_line(PQerrorMessage(pg))));
}

bool pg_is_stale(const PGresult *result)
{
	Str state = field(result, PG_DIAG_SQLSTATE);

	return str_eq(state, S("26000")) ||
	       (str_eq(state, S("0A000")) &&
	        str_eq(field(result, PG_DIAG_SOURCE_FUNCTION), S("RevalidateCachedQuery")));
}

/* While connecting libpq keeps the words only, and they are in the server's language: those of English servers. */
bool pg_is_full(const PGconn *pg)
{
	const char *message = PQerrorMessage(pg);

	return strstr(message, "too many clients") || strstr(message, "too many connections") ||
	       strstr(message, "connection slots are reserved");
}
