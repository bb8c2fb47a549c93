/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a SQLite database: statements prepared once and kept, parameters and rows by the tables of their fields.
 *
 * A statement is kept under the address of its row. What the row promises is checked when it is prepared (as many columns; does
 * it write?) and for each value as it comes (its type; NULL). Booleans are 0 and 1, times microseconds, UUIDs 16 bytes.
 *
 * A job whose fiber was cancelled is noticed by the progress handler, every 1000 steps of SQLite's machine: unlike
 * sqlite3_interrupt it cannot come between two statements and be lost. */
#include "base/arena.h"
#include "store/lite_int.h"

#include <errno.h>
#include <stdlib.h>

enum {
	PROGRESS_STEPS = 1000,
	NEAR_TICKS = 4, /* so many times that, on a loop: some 50 microseconds */
	BUSY_MS = 1000, /* at a time: other processes, recovery */
	BUSY_TIMES = 30,
	STMTS = 64,
	VALUE_BYTES = 256 << 20, /* of one text */
	CACHE_KIB = 4096,
};

static Err out_of_time = ERR_STATIC(CANCELLED, "rt.cancelled", "the work was cancelled");

/* --- errors ------------------------------------------------------------------------------------------------------------ */

static DbErr constraint(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return DB_UNIQUE;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return DB_FOREIGN_KEY;
	case SQLITE_CONSTRAINT_NOTNULL:
		return DB_NOT_NULL;
	default:
		return DB_CHECK; /* a trigger's raise, a type of a strict table too */
	}
}

/* SQLite says "disk I/O error" and "unable to open" for what the system can tell apart. */
static DbErr system_error(LiteConn *conn, DbErr otherwise)
{
	int errnum = conn->db ? sqlite3_system_errno(conn->db) : errno;

	if (errnum == ENOSPC || errnum == EDQUOT)
		return DB_FULL_DISK;
	if (errnum == EROFS || errnum == EACCES || errnum == EPERM)
		return DB_READ_ONLY;
	return otherwise;
}

static DbErr what(LiteConn *conn, int code)
{
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		return constraint(code);
	case SQLITE_FULL:
		return DB_FULL_DISK;
	case SQLITE_READONLY:
		return DB_READ_ONLY;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system_error(conn, DB_IO);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DB_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return DB_BUSY;
	case SQLITE_TOOBIG:
		return DB_TOO_LARGE;
	case SQLITE_NOMEM:
		return DB_IO;
	default:
		return DB_SQL;
	}
}

Err *lite_err(LiteConn *conn, Arena *a, const Sql *sql, int code)
{
	if ((code & 0xff) == SQLITE_INTERRUPT)
		return &out_of_time;
	return db_err(a, what(conn, code), sql, "%s",
	              conn->db ? sqlite3_errmsg(conn->db) : sqlite3_errstr(code));
}

/* --- opening ----------------------------------------------------------------------------------------------------------- */

static bool job_ended(const LiteConn *conn)
{
	return conn->job && __atomic_load_n(&conn->job->ended, __ATOMIC_RELAXED);
}

static int on_progress(void *arg)
{
	LiteConn *conn = arg;

	if (!conn->near)
		return job_ended(conn);
	conn->steps_over = ++conn->ticks >= NEAR_TICKS;
	return conn->steps_over;
}

/* Called again and again while another process has the lock. */
static int on_busy(void *arg, int times)
{
	const LiteConn *conn = arg;

	if (job_ended(conn) || times >= BUSY_TIMES * 100)
		return 0;
	sqlite3_sleep(BUSY_MS / 100);
	return 1;
}

static Err *configure(LiteConn *conn, Arena *a)
{
	int64_t pages;

	sqlite3_extended_result_codes(conn->db, 1);
	sqlite3_limit(conn->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_busy_handler(conn->db, on_busy, conn);
	sqlite3_progress_handler(conn->db, PROGRESS_STEPS, on_progress, conn);
	TRY(lite_conn_script(conn, a,
	                     "pragma foreign_keys = on; pragma cell_size_check = on;"
	                     "pragma wal_autocheckpoint = 0; pragma synchronous = full;"));
	if (!conn->writes)
		return lite_conn_script(conn, a, "pragma query_only = on;");
	TRY(lite_conn_script(conn, a,
	                     "pragma journal_mode = wal; pragma journal_size_limit = 67108864;"));
	return lite_conn_int(conn, a, "select count(*) from sqlite_schema", &pages);
}

Err *lite_conn_open(LiteConn *conn, Arena *a, const char *path, LiteMode mode)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int code;

	*conn = (LiteConn){ .path = path, .writes = mode == LITE_WRITER };
	conn->stmts = calloc(STMTS, sizeof *conn->stmts);
	if (!conn->stmts)
		abort();
	conn->cap = STMTS;
	code = sqlite3_open_v2(path, &conn->db, flags, mode == LITE_NEAR ? LITE_NEAR_VFS : NULL);
	if (code == SQLITE_OK) {
		TRY(configure(conn, a));
		conn->near = mode == LITE_NEAR;
		if (conn->near)
			sqlite3_busy_handler(conn->db, NULL, NULL);
		return NULL;
	}
	return db_err(a, system_error(conn, DB_IO), NULL, "%s: %s", path,
	              conn->db ? sqlite3_errmsg(conn->db) : sqlite3_errstr(code));
}

void lite_conn_close(LiteConn *conn)
{
	for (size_t i = 0; i < conn->cap; i++)
		sqlite3_finalize(conn->stmts[i].stmt);
	free(conn->stmts);
	sqlite3_close(conn->db);
	*conn = (LiteConn){ 0 };
}

/* --- our own texts ----------------------------------------------------------------------------------------------------- */

Err *lite_conn_script(LiteConn *conn, Arena *a, const char *text)
{
	int code = sqlite3_exec(conn->db, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? NULL : lite_err(conn, a, NULL, code);
}

Err *lite_conn_int(LiteConn *conn, Arena *a, const char *text, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(conn->db, text, -1, &stmt, NULL);
	Err *err = NULL;

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else
		err = lite_err(conn, a, NULL, code);
	sqlite3_finalize(stmt);
	return err;
}

/* --- statements kept --------------------------------------------------------------------------------------------------- */

static LiteStmt *slot(LiteStmt *stmts, size_t cap, const Sql *sql)
{
	size_t i = ((uintptr_t)sql >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (cap - 1);

	while (stmts[i].sql && stmts[i].sql != sql)
		i = (i + 1) & (cap - 1);
	return &stmts[i];
}

static void stmts_grow(LiteConn *conn)
{
	LiteStmt *more = calloc(conn->cap * 2, sizeof *more);

	if (!more)
		abort();
	for (size_t i = 0; i < conn->cap; i++)
		if (conn->stmts[i].sql)
			*slot(more, conn->cap * 2, conn->stmts[i].sql) = conn->stmts[i];
	free(conn->stmts);
	conn->stmts = more;
	conn->cap *= 2;
}

static Err *check_stmt(Arena *a, const Sql *sql, sqlite3_stmt *stmt)
{
	if (sqlite3_column_count(stmt) != sql->out_count && sql->kind != SQL_EXEC)
		return db_err(a, DB_SQL, sql, "gives %d columns, not the %u of its row",
		              sqlite3_column_count(stmt), sql->out_count);
	if (sql->reads && !sqlite3_stmt_readonly(stmt))
		return db_err(a, DB_SQL, sql, "writes");
	return NULL;
}

Err *lite_conn_prepare(LiteConn *conn, Arena *a, const Sql *sql, LiteStmt **out)
{
	LiteStmt *at = slot(conn->stmts, conn->cap, sql);
	sqlite3_stmt *stmt;
	Err *err;
	int code;

	*out = at;
	if (LIKELY(at->sql != NULL))
		return NULL;
	code = sqlite3_prepare_v3(conn->db, sql->text[SQL_SQLITE], -1, SQLITE_PREPARE_PERSISTENT,
	                          &stmt, NULL);
	if (code != SQLITE_OK)
		return lite_err(conn, a, sql, code);
	err = check_stmt(a, sql, stmt);
	if (err) {
		sqlite3_finalize(stmt);
		return err;
	}
	if (2 * ++conn->count > conn->cap)
		stmts_grow(conn);
	*out = slot(conn->stmts, conn->cap, sql);
	**out = (LiteStmt){ .sql = sql,
		            .stmt = stmt,
		            .params = sqlite3_bind_parameter_count(stmt) };
	return NULL;
}

/* --- parameters -------------------------------------------------------------------------------------------------------- */

static int bind_bytes(sqlite3_stmt *stmt, int at, Str bytes)
{
	return sqlite3_bind_blob64(stmt, at, bytes.len ? bytes.at : "", bytes.len, SQLITE_STATIC);
}

static int bind_text(sqlite3_stmt *stmt, int at, Str text)
{
	return sqlite3_bind_text64(stmt, at, text.len ? text.at : "", text.len, SQLITE_STATIC,
	                           SQLITE_UTF8);
}

static int bind_field(sqlite3_stmt *stmt, int at, const SqlField *f, const void *in)
{
	if (field_is_null(f, in))
		return sqlite3_bind_null(stmt, at);
	switch (f->type) {
	case SQL_INT:
	case SQL_TIME:
		return sqlite3_bind_int64(stmt, at, field_int(f, in));
	case SQL_REAL:
		return sqlite3_bind_double(stmt, at, field_real(f, in));
	case SQL_BOOL:
		return sqlite3_bind_int(stmt, at, field_bool(f, in));
	case SQL_TEXT:
	case SQL_JSON:
		return bind_text(stmt, at, field_str(f, in));
	case SQL_BYTES:
		return bind_bytes(stmt, at, field_str(f, in));
	case SQL_UUID:
		return sqlite3_bind_blob(stmt, at, field_uuid(f, in)->at, sizeof(Uuid),
		                         SQLITE_STATIC);
	case SQL_TYPES:
		break;
	}
	return SQLITE_MISUSE;
}

static Err *bind(LiteConn *conn, const LiteStmt *s, Arena *a, const void *in)
{
	for (int i = 0; i < s->params && i < s->sql->in_count; i++) {
		int code = bind_field(s->stmt, i + 1, &s->sql->in[i], in);

		if (code != SQLITE_OK)
			return lite_err(conn, a, s->sql, code);
	}
	return NULL;
}

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static const int storage[] = {
	[SQL_INT] = SQLITE_INTEGER,  [SQL_REAL] = SQLITE_FLOAT, [SQL_BOOL] = SQLITE_INTEGER,
	[SQL_TEXT] = SQLITE_TEXT,    [SQL_BYTES] = SQLITE_BLOB, [SQL_JSON] = SQLITE_TEXT,
	[SQL_TIME] = SQLITE_INTEGER, [SQL_UUID] = SQLITE_BLOB,
};
_Static_assert(COUNT(storage) == SQL_TYPES, "a type has no storage class");

static Str column_str(sqlite3_stmt *stmt, int at)
{
	const void *bytes = sqlite3_column_blob(stmt, at);

	return (Str){ bytes, (size_t)sqlite3_column_bytes(stmt, at) };
}

static Err *unfit(const DbCall *call, const SqlField *f, int type)
{
	static const char *const names[] = { [SQLITE_INTEGER] = "an integer",
		                             [SQLITE_FLOAT] = "a real",
		                             [SQLITE_TEXT] = "text",
		                             [SQLITE_BLOB] = "bytes",
		                             [SQLITE_NULL] = "NULL" };

	return db_err(call->a, DB_ROWS, call->sql, "column %s is %s", f->name, names[type]);
}

static Err *column(DbCall *call, sqlite3_stmt *stmt, int at, void *row)
{
	const SqlField *f = &call->sql->out[at];
	int type = sqlite3_column_type(stmt, at);

	if (type == SQLITE_NULL && f->set_at != SQL_NEVER_NULL)
		return NULL;
	if (type != storage[f->type] && !(f->type == SQL_REAL && type == SQLITE_INTEGER))
		return unfit(call, f, type);
	switch (f->type) {
	case SQL_INT:
	case SQL_TIME:
		*(int64_t *)field_put(f, row) = sqlite3_column_int64(stmt, at);
		break;
	case SQL_REAL:
		*(double *)field_put(f, row) = sqlite3_column_double(stmt, at);
		break;
	case SQL_BOOL:
		*(bool *)field_put(f, row) = sqlite3_column_int64(stmt, at) != 0;
		break;
	case SQL_TEXT:
	case SQL_BYTES:
	case SQL_JSON:
		field_put_str(call, f, row, column_str(stmt, at));
		break;
	case SQL_UUID:
		if (sqlite3_column_bytes(stmt, at) != sizeof(Uuid))
			return unfit(call, f, type);
		memcpy(field_put(f, row), sqlite3_column_blob(stmt, at), sizeof(Uuid));
		break;
	case SQL_TYPES:
		break;
	}
	return NULL;
}

static Err *take_row(DbCall *call, sqlite3_stmt *stmt)
{
	void *row = db_call_row(call);

	for (int i = 0; i < call->sql->out_count; i++)
		TRY(column(call, stmt, i, row));
	return db_call_row_done(call, row);
}

/* --- running ----------------------------------------------------------------------------------------------------------- */

static Err *steps(LiteConn *conn, DbCall *call, const LiteStmt *s)
{
	int code;

	if (job_ended(conn))
		return &out_of_time;
	while ((code = sqlite3_step(s->stmt)) == SQLITE_ROW)
		if (call->sql->out_count)
			TRY(take_row(call, s->stmt));
	if (code != SQLITE_DONE)
		return lite_err(conn, call->a, call->sql, code);
	if (!call->sql->reads)
		call->changed += sqlite3_changes64(conn->db);
	return NULL;
}

static Err *run_once(LiteConn *conn, DbCall *call, const LiteStmt *s, const void *in)
{
	Err *err = bind(conn, s, call->a, in);

	if (!err)
		err = steps(conn, call, s);
	sqlite3_reset(s->stmt);
	return err;
}

Err *lite_conn_run(LiteConn *conn, DbCall *call, const LiteStmt *s)
{
	Err *err = NULL;

	conn->ticks = 0;
	conn->steps_over = false;
	if (call->sql->kind != SQL_LOAD)
		err = run_once(conn, call, s, call->in);
	for (size_t i = 0; call->sql->kind == SQL_LOAD && i < call->load && !err; i++)
		err = run_once(conn, call, s, (const char *)call->in + i * call->sql->in_bytes);
	if (call->sql->in_count)
		sqlite3_clear_bindings(s->stmt); /* they point to the caller's memory */
	return err;
}

Err *lite_conn_call(LiteConn *conn, DbCall *call)
{
	LiteStmt *s;

	TRY(lite_conn_prepare(conn, call->a, call->sql, &s));
	return lite_conn_run(conn, call, s);
}

/* --- what the statement is --------------------------------------------------------------------------------------------- */

static bool is_scan(Str detail)
{
	return str_starts(detail, S("SCAN ")) && !str_eq(detail, S("SCAN CONSTANT ROW")) &&
	       str_find(detail, S("VIRTUAL TABLE")) < 0;
}

static Err *explain(LiteConn *conn, Arena *a, const Sql *sql, DbPlan *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	const char *text = str_z(a, str_fmt(a, "explain query plan %s", sql->text[SQL_SQLITE]));
	sqlite3_stmt *stmt = NULL;
	Str detail;
	int code = sqlite3_prepare_v2(conn->db, text, -1, &stmt, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(stmt);
		if (code != SQLITE_ROW)
			break;
		detail = column_str(stmt, 3);
		out->scans |= is_scan(detail);
		buf_fmt(&b, "%.*s\n", STR_ARG(detail));
	}
	sqlite3_finalize(stmt);
	out->text = str_dup(a, (Str){ b.at, b.len });
	return code == SQLITE_DONE ? NULL : lite_err(conn, a, sql, code);
}

Err *lite_conn_plan(LiteConn *conn, Arena *a, const Sql *sql, DbPlan *out)
{
	LiteStmt *s;

	TRY(lite_conn_prepare(conn, a, sql, &s));
	*out = (DbPlan){ .reads = sqlite3_stmt_readonly(s->stmt),
		         .columns = (unsigned)sqlite3_column_count(s->stmt) };
	return explain(conn, a, sql, out);
}
