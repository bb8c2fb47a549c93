/* SPDX-License-Identifier: Apache-2.0
 *
 * One table from SQLSTATE (PostgreSQL 15, appendix A) to our slugs: whole codes first, then classes. What a program can do
 * something about has a slug of its own; the rest is a mistake in the program, db.sql.
 *
 * The detail of an error is left out on purpose: "Key (email)=(ann@example.com) already exists" belongs in no log. */
#include "store/pg_error.h"

#include "base/arena.h"

#include <libpq-fe.h>
#include <string.h>

typedef struct StateRow {
	const char *state; /* five characters, or the two of a class */
	const char *slug;
	ErrKind kind;
} StateRow;

static const StateRow states[] = {
	{ "23505", "db.unique", ERR_CONFLICT },
	{ "23P01", "db.unique", ERR_CONFLICT }, /* exclusion */
	{ "23503", "db.foreign_key", ERR_CONFLICT },
	{ "23001", "db.foreign_key", ERR_CONFLICT }, /* restrict */
	{ "23502", "db.not_null", ERR_INVALID },
	{ "23514", "db.check", ERR_INVALID },
	{ "44000", "db.check", ERR_INVALID }, /* a view's check option */
	{ "P0001", "db.check", ERR_INVALID }, /* a trigger's RAISE */
	{ "40P01", "db.deadlock", ERR_BUSY },
	{ "40", "db.serialization", ERR_BUSY },
	{ "72000", "db.serialization", ERR_BUSY }, /* snapshot too old */
	{ "55P03", "db.timeout", ERR_TIMEOUT },    /* lock_timeout, or NOWAIT */
	{ "57014", "db.timeout", ERR_TIMEOUT },    /* statement_timeout, or cancelled by hand */
	{ "25P03", "db.timeout", ERR_TIMEOUT },    /* idle in a transaction */
	{ "25P02", "db.aborted", ERR_INTERNAL },
	{ "25006", "db.read_only", ERR_IO },
	{ "25", "db.misuse", ERR_INTERNAL },
	{ "3B", "db.misuse", ERR_INTERNAL }, /* savepoints */
	{ "53100", "db.full_disk", ERR_IO },
	{ "53200", "db.io", ERR_IO },            /* out of memory */
	{ "53", "db.unavailable", ERR_BUSY },    /* too many connections */
	{ "57P01", "db.unavailable", ERR_BUSY }, /* shut down, crashed, starting up, dropped */
	{ "57P02", "db.unavailable", ERR_BUSY },
	{ "57P03", "db.unavailable", ERR_BUSY },
	{ "57P04", "db.unavailable", ERR_BUSY },
	{ "57P05", "db.unavailable", ERR_BUSY },
	{ "57", "db.unavailable", ERR_BUSY },
	{ "08", "db.unavailable", ERR_BUSY },
	{ "28", "db.unavailable", ERR_BUSY }, /* it does not let us in */
	{ "3D", "db.unavailable", ERR_BUSY }, /* no such database */
	{ "54", "db.too_large", ERR_TOO_LARGE },
	{ "22", "db.value", ERR_INVALID },
	{ "21", "db.rows", ERR_INTERNAL },
	{ "P0002", "db.rows", ERR_INTERNAL },
	{ "P0003", "db.rows", ERR_INTERNAL },
	{ "58", "db.io", ERR_IO },
	{ "XX001", "db.corrupt", ERR_IO },
	{ "XX002", "db.corrupt", ERR_IO },
};

const char *pg_slug(Str sqlstate, ErrKind *kind)
{
	for (size_t i = 0; i < COUNT(states); i++) {
		Str state = str_of(states[i].state);

		if (!str_starts(sqlstate, state))
			continue;
		*kind = states[i].kind;
		return states[i].slug;
	}
	*kind = ERR_INTERNAL;
	return "db.sql";
}

/* libpq's messages are of several lines, the last of them the one that matters, and end in a newline. */
static Str last_line(const char *message)
{
	Str text = str_of(message), line = text;

	while (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	line = str_sub(text, (size_t)(str_rfind_char(text, '\n') + 1), text.len);
	return line.len ? line : S("nothing was said");
}

static Str field(const PGresult *result, int code)
{
	return str_of(PQresultErrorField(result, code));
}

Err *pg_error(Arena *a, const PGresult *result)
{
	Str state = field(result, PG_DIAG_SQLSTATE);
	Str message = field(result, PG_DIAG_MESSAGE_PRIMARY);
	ErrKind kind = ERR_BUSY;
	const char *slug = state.len ? pg_slug(state, &kind) : "db.unavailable";

	if (!message.len)
		message = last_line(PQresultErrorMessage(result));
	return err_new(a, kind, slug, "PostgreSQL: %.*s%s%.*s%s", STR_ARG(message),
	               state.len ? " (" : "", STR_ARG(state), state.len ? ")" : "");
}

Err *pg_error_lost(Arena *a, const PGconn *pg)
{
	Str line = last_line(PQerrorMessage(pg));

	return err_new(a, ERR_BUSY, "db.unavailable", "PostgreSQL: %.*s", STR_ARG(line));
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
