/* SPDX-License-Identifier: Apache-2.0
 *
 * Bulk load: COPY in binary, which the server takes in without parsing. Binary wants each value in the form of its column's
 * type, so the table is asked for its types first (a statement that gives no row, prepared as any other). What cannot be
 * written as the column's type is an error before anything was copied for good: COPY is all or nothing. */
#include "base/time.h"
#include "store/pg_int.h"

#include <libpq-fe.h>

enum {
	CHUNK_BYTES = 256 << 10, /* gathered before libpq gets them; then others have their turn */
};

/* Signature, no flags, no extension. */
static const char head[19] = "PGCOPY\n\377\r\n";

static void put_columns(Buf *b, const Sql *sql)
{
	for (size_t i = 0; i < sql->in_count; i++)
		buf_fmt(b, "%s%s", i ? ", " : "", sql->in[i].name);
}

/* Known by its address: the table's name, which is of the statement alone. */
static Err *column_types(PgConn *c, DbCall *call, PgOid *types)
{
	AUTO(buf_fini) Buf text = { 0 };
	const Sql *sql = call->sql;
	PgAsk one = { .key = sql->table };
	Err *err;

	buf_put(&text, S("select "));
	put_columns(&text, sql);
	buf_fmt(&text, " from %s limit 0", sql->table);
	one.text = str_z(call->a, buf_str(&text));
	TRY(pg_ask(c, call->a, &one, 1));
	err = PQresultStatus(one.result) == PGRES_TUPLES_OK ? NULL
	                                                    : pg_error(call->a, sql, one.result);
	if (pg_is_stale(one.result))
		pg_forget(c, sql->table);
	for (int i = 0; i < sql->in_count && !err; i++)
		types[i] = PQftype(one.result, i);
	PQclear(one.result);
	return err;
}

static void put_be32(Buf *b, uint32_t value)
{
	const char bytes[] = { (char)(value >> 24), (char)(value >> 16), (char)(value >> 8),
		               (char)value };

	buf_put(b, (Str){ bytes, sizeof bytes });
}

static void put_be16(Buf *b, uint16_t value)
{
	const char bytes[] = { (char)(value >> 8), (char)value };

	buf_put(b, (Str){ bytes, sizeof bytes });
}

static Err *put_row(Buf *b, DbCall *call, const PgOid *types, const void *row)
{
	const Sql *sql = call->sql;

	put_be16(b, sql->in_count);
	for (size_t i = 0; i < sql->in_count; i++) {
		const SqlField *f = &sql->in[i];
		char space[20];
		Str value;

		if (field_is_null(f, row)) {
			put_be32(b, UINT32_MAX);
			continue;
		}
		TRY(pg_value_as(call->a, f, row, types[i], space, &value));
		put_be32(b, (uint32_t)value.len);
		buf_put(b, value);
	}
	return NULL;
}

static Err *send(PgConn *c, Arena *a, Buf *b)
{
	TRY(pg_copy_put(c, a, buf_str(b)));
	buf_clear(b);
	return fiber_yield();
}

static Err *put_rows(PgConn *c, DbCall *call, const PgOid *types)
{
	AUTO(buf_fini) Buf b = { 0 };
	const char *row = call->in;

	buf_put(&b, (Str){ head, sizeof head });
	for (size_t i = 0; i < call->load; i++, row += call->sql->in_bytes) {
		Mark mark = arena_mark(call->a);
		Err *err = put_row(&b, call, types, row);

		if (err) {
			pg_copy_fail(c, call->a);
			return err;
		}
		arena_reset(call->a, mark);
		if (b.len >= CHUNK_BYTES)
			TRY(send(c, call->a, &b));
	}
	put_be16(&b, UINT16_MAX);
	return pg_copy_put(c, call->a, buf_str(&b));
}

Err *pg_load(PgConn *c, DbCall *call)
{
	PgOid types[SQL_FIELDS];

	TRY(column_types(c, call, types));
	TRY(pg_copy_in(c, call->a, call->sql->text[SQL_POSTGRES]));
	TRY(put_rows(c, call, types));
	return pg_copy_end(c, call->a, &call->changed);
}
