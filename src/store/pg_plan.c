/* SPDX-License-Identifier: Apache-2.0
 *
 * How PostgreSQL would run a statement, for the test that walks them all, and what a database says of itself.
 *
 * On a fresh schema every table is empty, and then reading it whole is always the cheapest. So the planner is told to avoid
 * that, and a generic plan is asked for: where it still reads a table from end to end, no index serves the statement. An index
 * that is read without a condition is the same in another order, unless a limit ends it early. */
#include "store/pg_int.h"

#include <libpq-fe.h>

static const char *const type_names[] = {
	[SQL_INT] = "int8",         [SQL_REAL] = "float8", [SQL_BOOL] = "bool",
	[SQL_TEXT] = "text",        [SQL_BYTES] = "bytea", [SQL_JSON] = "json",
	[SQL_TIME] = "timestamptz", [SQL_UUID] = "uuid",
};
_Static_assert(COUNT(type_names) == SQL_TYPES, "a type has no name");

static const char settings[] = "set local plan_cache_mode = force_generic_plan; "
			       "set local enable_seqscan = off";

/* --- reading a plan ------------------------------------------------------------------------------------------------- */

static bool has(Str text, Str word)
{
	return str_find(text, word) >= 0;
}

/* The lines of one node, from its own to before the next one's. */
static Str node_at(Str plan, size_t from)
{
	ptrdiff_t next = str_find(str_sub(plan, from, plan.len), S("->"));

	return str_sub(plan, from, next < 0 ? plan.len : from + (size_t)next);
}

static bool reads_all(Str node, bool limited)
{
	Str own = str_sub(node, 0, (size_t)MAX(str_find_char(node, '\n'), 0));

	own = own.len ? own : node;
	if (has(own, S("Seq Scan on")))
		return true;
	if (!has(own, S("Index Scan")) && !has(own, S("Index Only Scan")))
		return false;
	return !has(node, S("Index Cond:")) && (has(node, S("Filter:")) || !limited);
}

static bool plan_scans(Str plan)
{
	bool limited = has(plan, S("Limit  (")), scans = false;
	size_t at = 0;

	while (at < plan.len && !scans) {
		Str node = node_at(plan, at);

		scans = reads_all(node, limited);
		at += node.len + 2;
	}
	return scans;
}

static bool plan_changes(Str plan)
{
	return has(plan, S("Insert on ")) || has(plan, S("Update on ")) ||
	       has(plan, S("Delete on ")) || has(plan, S("Merge on "));
}

/* --- asking for it -------------------------------------------------------------------------------------------------- */

typedef struct PlanAsk {
	const Sql *sql;
	DbPlan *out;
} PlanAsk;

/* COPY cannot be prepared; an insert of the same columns can. */
static void put_statement(Buf *b, const Sql *sql)
{
	if (sql->kind != SQL_LOAD) {
		buf_put(b, str_of(sql->text[SQL_POSTGRES]));
		return;
	}
	buf_fmt(b, "insert into %s", sql->table);
	for (size_t i = 0; i < sql->in_count; i++)
		buf_fmt(b, "%s%s", i ? ", " : " (", sql->in[i].name);
	for (size_t i = 0; i < sql->in_count; i++)
		buf_fmt(b, "%s$%zu", i ? ", " : ") values (", i + 1);
	buf_put(b, S(")"));
}

static const char *prepare_text(Arena *a, const Sql *sql)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("prepare banyan_plan"));
	for (size_t i = 0; i < sql->in_count; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "(", type_names[sql->in[i].type]);
	buf_put(&b, sql->in_count ? S(") as ") : S(" as "));
	put_statement(&b, sql);
	return str_z(a, buf_str(&b));
}

static const char *explain_text(Arena *a, const Sql *sql)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("explain execute banyan_plan"));
	for (size_t i = 0; i < sql->in_count; i++)
		buf_put(&b, i ? S(", null") : S("(null"));
	buf_put(&b, sql->in_count ? S(")") : S(""));
	return str_z(a, buf_str(&b));
}

static Err *explain(PgConn *c, Arena *a, PlanAsk *plan)
{
	AUTO(buf_fini) Buf b = { 0 };
	PgAsk one = { .text = explain_text(a, plan->sql) };
	Err *err;

	TRY(pg_ask(c, a, &one, 1));
	err = PQresultStatus(one.result) == PGRES_TUPLES_OK ? NULL
	                                                    : pg_error(a, plan->sql, one.result);
	for (int i = 0; i < PQntuples(one.result); i++)
		buf_fmt(&b, "%s\n", PQgetvalue(one.result, i, 0));
	PQclear(one.result);
	plan->out->text = str_dup(a, buf_str(&b));
	plan->out->scans = plan_scans(plan->out->text);
	plan->out->reads = !plan_changes(plan->out->text);
	return err;
}

static Err *plan_prepared(PgConn *c, Arena *a, PlanAsk *plan)
{
	AUTO(pg_result_freep) PGresult *described = NULL;

	TRY(pg_describe(c, a, "banyan_plan", &described));
	plan->out->columns = (unsigned)PQnfields(described);
	TRY(pg_command(c, a, settings));
	return explain(c, a, plan);
}

/* What was prepared outlives a transaction that is rolled back, so it is thrown away, on this very session. */
static Err *plan_undo(PgConn *c, Arena *a, bool prepared)
{
	TRY(pg_command(c, a, "rollback to savepoint banyan_plan"));
	TRY(pg_command(c, a, "release savepoint banyan_plan"));
	return prepared ? pg_command(c, a, "deallocate banyan_plan") : NULL;
}

static Err *plan_on(PgConn *c, Arena *a, void *arg)
{
	PlanAsk *plan = arg;
	bool outside = PQtransactionStatus(c->pg) == PQTRANS_IDLE, prepared;
	Err *err, *undone;

	if (outside)
		TRY(pg_command(c, a, "begin"));
	TRY(pg_command(c, a, "savepoint banyan_plan"));
	err = pg_command(c, a, prepare_text(a, plan->sql));
	prepared = !err;
	if (prepared)
		err = plan_prepared(c, a, plan);
	undone = plan_undo(c, a, prepared);
	if (outside && !undone)
		undone = pg_command(c, a, "rollback");
	return err ? err : undone;
}

Err *pg_plan(Db *db, Arena *a, const Sql *sql, DbPlan *out)
{
	PlanAsk plan = { sql, out };

	*out = (DbPlan){ 0 };
	return pg_on(db, a, plan_on, &plan);
}

/* --- the database --------------------------------------------------------------------------------------------------- */

static Err *status_on(PgConn *c, Arena *a, void *arg)
{
	DbStatus *out = arg;
	PgAsk one = { .text = "select 'PostgreSQL ' || current_setting('server_version'), "
		              "pg_database_size(current_database())::text, "
		              "(pg_is_in_recovery() or "
		              "current_setting('default_transaction_read_only')::bool)::text" };
	Err *err = pg_ask(c, a, &one, 1);

	if (!err && PQresultStatus(one.result) != PGRES_TUPLES_OK)
		err = pg_error(a, NULL, one.result);
	if (!err) {
		out->version = str_dup(a, str_of(PQgetvalue(one.result, 0, 0)));
		(void)!str_to_u64(str_of(PQgetvalue(one.result, 0, 1)), &out->bytes);
		out->read_only = *PQgetvalue(one.result, 0, 2) == 't';
	}
	PQclear(one.result);
	return err;
}

Err *pg_status(Db *root, Arena *a, DbStatus *out)
{
	const PgDb *pdb = CONTAINER(root->root, PgDb, db);

	*out = (DbStatus){ .where = str_dup(a, pg_pool_target(pdb->primary)->shown) };
	return pg_on(root, a, status_on, out);
}
