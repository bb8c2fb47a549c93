/* SPDX-License-Identifier: Apache-2.0
 *
 * The PostgreSQL engine: db_int.h's table over a pool of connections.
 *
 * A transaction is the caller's fiber with a connection. BEGIN goes out together with the first statement, so a transaction of
 * one statement costs two round trips, and one of none nothing. COMMIT is shielded: once it is on its way neither a client that
 * leaves nor a deadline ends it, and if the connection breaks before its answer the outcome is not known (db.unknown).
 *
 * A connection may turn out to be dead when it is used. What only reads is run again then on another; so is a transaction that
 * had not come to its COMMIT; a writing statement on its own is not, unless the server itself said that it was not run.
 *
 * A statement that the server prepared and that does not suit its table any more is prepared anew: at once outside of a
 * transaction, else by having the whole transaction run again. */
#include "base/hash.h"
#include "base/time.h"
#include "store/pg_int.h"

#include <libpq-fe.h>

enum { TRIES = 3, CONNECTIONS = 16, QUEUE = 1024, BATCH_MAX = 4096 };
#define COMMIT_US (10 * US_PER_S)
#define ROLLBACK_US (3 * US_PER_S)

/* By their addresses they are known as prepared statements. */
static const char commit_text[] = "commit", rollback_text[] = "rollback";

static const char *const begins[] = {
	[DB_READ_COMMITTED] = "begin isolation level read committed",
	[DB_REPEATABLE_READ] = "begin isolation level repeatable read",
	[DB_SERIALIZABLE] = "begin isolation level serializable",
	[DB_SNAPSHOT] = "begin isolation level repeatable read read only",
};

/* Why a try ended that may be followed by another. */
typedef enum Again { AGAIN_NO, AGAIN_STALE, AGAIN_LOST, AGAIN_REFUSED } Again;

static PgDb *pg_of(Db *db)
{
	return CONTAINER(db->root, PgDb, db);
}

/* --- one exchange --------------------------------------------------------------------------------------------------- */

/* Cancelled or too late already: says so, before anything is sent. */
static Err *last_call(void)
{
	if (fiber_cancelled() || loop_now_us() >= deadline_at())
		return fiber_park();
	return NULL;
}

static void asks_clear(PgAsk *asks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		PQclear(asks[i].result);
		asks[i].result = NULL;
	}
}

static bool is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	       status == PGRES_SINGLE_TUPLE || status == PGRES_EMPTY_QUERY;
}

static int64_t changed(PGresult *result)
{
	int64_t rows = 0;

	(void)!str_to_i64(str_of(PQcmdTuples(result)), &rows);
	return rows;
}

static Err *ask_of(DbCall *call, PgAsk *ask)
{
	PgParams *params;

	TRY(pg_params_new(call->a, call->sql, call->in, &params));
	*ask = (PgAsk){ call->sql->text[SQL_POSTGRES], call->sql, params, NULL };
	return NULL;
}

static Err *failure(PgConn *c, DbCall *call, const PGresult *result, Again *again)
{
	Err *err = pg_error(call->a, call->sql, result);

	if (pg_is_stale(result)) {
		pg_forget(c, call->sql);
		*again = AGAIN_STALE;
	} else if (err_is(err, "db.unavailable")) {
		*again = AGAIN_REFUSED;
	}
	return err;
}

static Err *take_result(PgConn *c, DbCall *call, PGresult *result, Again *again)
{
	if (!is_good(result))
		return failure(c, call, result, again);
	call->changed = changed(result);
	return call->sql->out_count ? pg_rows(call, result) : NULL;
}

static Err *ask(PgConn *c, PgTxn *t, Arena *a, PgAsk *asks, size_t count, Again *again)
{
	Err *err = t ? pg_txn_ask(t, a, asks, count) : pg_ask(c, a, asks, count);

	if (err_is(err, "db.unavailable"))
		*again = AGAIN_LOST;
	return err;
}

/* All of them on this connection; nothing is left to be cleared. */
static Err *run_on(PgConn *c, PgTxn *t, Arena *a, DbCall *calls, size_t count, Again *again)
{
	PgAsk *asks = ARENA_ARRAY(a, PgAsk, count);
	Err *err = NULL;

	for (size_t i = 0; i < count; i++)
		TRY(ask_of(&calls[i], &asks[i]));
	err = ask(c, t, a, asks, count, again);
	for (size_t i = 0; i < count && !err && asks[i].result; i++)
		err = take_result(c, &calls[i], asks[i].result, again);
	asks_clear(asks, count);
	return err;
}

typedef struct Each {
	PgConn *c;
	DbCall *call;
	Again *again;
	bool ended; /* by what each row is handed to */
	Err *err;
} Each;

static Err *each_row(const PGresult *result, void *arg)
{
	Each *each = arg;
	Err *err;

	if (!is_good(result)) { /* the last that comes: the exchange ends in order */
		each->err = failure(each->c, each->call, result, each->again);
		return NULL;
	}
	err = pg_rows(each->call, result);
	each->ended = err;
	return err;
}

static Err *run_each_on(PgConn *c, PgTxn *t, DbCall *call, Again *again)
{
	Each each = { .c = c, .call = call, .again = again };
	PgAsk one;
	Err *err;

	TRY(ask_of(call, &one));
	if (t)
		TRY(pg_txn_begin(t, call->a));
	err = pg_ask_each(c, call->a, &one, each_row, &each);
	if (each.ended && t)
		TRY(pg_skip(c, call->a));
	if (!each.ended && err_is(err, "db.unavailable"))
		*again = AGAIN_LOST;
	return err ? err : each.err;
}

static Err *run_one(PgConn *c, PgTxn *t, DbCall *call, Again *again)
{
	if (call->sql->kind == SQL_LOAD) {
		Err *err = t ? pg_txn_begin(t, call->a) : NULL;

		err = err ? err : pg_load(c, call);
		if (err_is(err, "db.unavailable"))
			*again = AGAIN_LOST;
		return err;
	}
	return call->each ? run_each_on(c, t, call, again) : run_on(c, t, call->a, call, 1, again);
}

/* --- outside of a transaction --------------------------------------------------------------------------------------- */

static bool all_read(const DbCall *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!calls[i].sql->reads)
			return false;
	return true;
}

static bool all_lag(const DbCall *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!calls[i].sql->lags)
			return false;
	return all_read(calls, count);
}

/* The primary's; a replica's for what may lag, if one is up and has not failed this call before. */
static PgPool *pool_for(PgDb *pdb, const DbCall *calls, size_t count, unsigned tries)
{
	if (tries || !pdb->replica_count || !all_lag(calls, count))
		return pdb->primary;
	for (size_t i = 0; i < pdb->replica_count; i++) {
		unsigned n = __atomic_fetch_add(&pdb->next_replica, 1, __ATOMIC_RELAXED);
		PgPool *pool = pdb->replicas[n % pdb->replica_count];

		if (!pg_pool_is_down(pool))
			return pool;
		pg_pool_revive(pool);
	}
	return pdb->primary;
}

static Err *attempt(PgPool *pool, Arena *a, DbCall *calls, size_t count, Again *again)
{
	PgConn *c = NULL;
	Err *err;

	TRY(last_call());
	err = pg_pool_take(pool, a, &c);
	if (err) {
		*again = err_is(err, "db.unavailable") ? AGAIN_REFUSED : AGAIN_NO;
		return err;
	}
	err = count == 1 ? run_one(c, NULL, calls, again) : run_on(c, NULL, a, calls, count, again);
	pg_pool_give(pool, c);
	return err;
}

static Err *outside(PgDb *pdb, Arena *a, DbCall *calls, size_t count)
{
	bool reads = all_read(calls, count);

	for (unsigned tries = 0;; tries++) {
		PgPool *pool = pool_for(pdb, calls, count, tries);
		Again again = AGAIN_NO;
		Err *err = attempt(pool, a, calls, count, &again);
		bool handed_out = calls->each && calls->count;

		if (!err || handed_out || tries + 1 == TRIES || again == AGAIN_NO)
			return err;
		if (again == AGAIN_LOST && !reads)
			return db_err(a, DB_UNKNOWN, calls->sql,
			              "the connection broke before the answer came: %.*s",
			              STR_ARG(err->text));
		if (again == AGAIN_REFUSED && pg_pool_is_down(pool) && pool == pdb->primary)
			return err;
		for (size_t i = 0; i < count; i++)
			db_call_begin(&calls[i]);
	}
}

/* --- in a transaction ----------------------------------------------------------------------------------------------- */

/* What went wrong with BEGIN itself is the first statement's. */
static Err *begun(PgTxn *t, Arena *a, PgAsk *begin)
{
	Err *err = is_good(begin->result) ? NULL : pg_error(a, NULL, begin->result);

	if (!err)
		t->begin = NULL;
	PQclear(begin->result);
	return err;
}

Err *pg_txn_ask(PgTxn *t, Arena *a, PgAsk *asks, size_t count)
{
	PgAsk *all;
	Err *err;

	if (!t->begin)
		return pg_ask(t->c, a, asks, count);
	all = ARENA_ARRAY(a, PgAsk, count + 1);
	all[0] = (PgAsk){ .text = t->begin, .key = t->begin };
	memcpy(all + 1, asks, count * sizeof *asks);
	err = pg_ask(t->c, a, all, count + 1);
	if (!err)
		err = begun(t, a, &all[0]);
	else
		PQclear(all[0].result);
	memcpy(asks, all + 1, count * sizeof *asks);
	return err;
}

Err *pg_txn_begin(PgTxn *t, Arena *a)
{
	PgAsk begin = { .text = t->begin, .key = t->begin };
	Err *err;

	if (!t->begin)
		return NULL;
	err = pg_ask(t->c, a, &begin, 1);
	return err ? err : begun(t, a, &begin);
}

/* Nothing of it is committed: whoever owns it tries again. */
static Err *inside(PgTxn *t, Arena *a, DbCall *calls, size_t count)
{
	Again again = AGAIN_NO;
	Err *err;

	if (t->c->dirty)
		return db_err(a, DB_ABORTED, calls->sql, "the connection was given up before");
	TRY(last_call());
	err = count == 1 ? run_one(t->c, t, calls, &again)
	                 : run_on(t->c, t, a, calls, count, &again);
	if (again == AGAIN_STALE)
		return err_because(a, err, ERR_BUSY, "db.serialization",
		                   "%s was prepared for a table that has changed since",
		                   calls->sql->name);
	return err;
}

static Err *run(Db *db, DbCall *call)
{
	return db->depth ? inside(db->state, call->a, call, 1)
	                 : outside(pg_of(db), call->a, call, 1);
}

static Err *batch(Db *db, Arena *a, DbCall *calls, size_t count)
{
	if (count > BATCH_MAX)
		return db_err(a, DB_MISUSE, calls->sql, "a batch of %zu: at most %d", count,
		              BATCH_MAX);
	return db->depth ? inside(db->state, a, calls, count) : outside(pg_of(db), a, calls, count);
}

/* A command of our own, in a transaction that has begun. */
static Err *own(PgTxn *t, Arena *a, const char *text, const void *key, const PgParams *params)
{
	PgAsk one = { text, key, params, NULL };
	Err *err;

	if (t->c->dirty)
		return db_err(a, DB_ABORTED, NULL, "the connection was given up before");
	err = pg_txn_ask(t, a, &one, 1);
	if (!err && !is_good(one.result))
		err = pg_error(a, NULL, one.result);
	PQclear(one.result);
	return err;
}

/* --- the ends of a transaction -------------------------------------------------------------------------------------- */

static Err *commit_answer(Arena *a, PgAsk *commit)
{
	if (!is_good(commit->result))
		return pg_error(a, NULL, commit->result);
	if (strcmp(PQcmdStatus(commit->result), "COMMIT") != 0)
		return db_err(a, DB_ABORTED, NULL, "a statement had failed: it was rolled back");
	return NULL;
}

static Err *commit(PgTxn *t, Arena *a)
{
	AUTO(shield_end) Shield shield = { 0 };
	PgAsk one = { .text = commit_text, .key = commit_text };
	Err *err;

	if (t->begin)
		return NULL; /* nothing was done */
	if (t->c->dirty)
		return db_err(a, DB_ABORTED, NULL, "the connection was given up");
	TRY(last_call());
	shield = shield_begin(COMMIT_US);
	err = pg_ask(t->c, a, &one, 1);
	if (err)
		err = err_because(a, err, ERR_IO, "db.unknown",
		                  "no answer to COMMIT came: it may have happened or not");
	else
		err = commit_answer(a, &one);
	PQclear(one.result);
	return err;
}

/* Where this fails the pool finds out, and closes the connection. */
static void roll_back(PgTxn *t, Arena *a)
{
	AUTO(shield_end) Shield shield = shield_begin(ROLLBACK_US);
	PgAsk one = { .text = rollback_text, .key = rollback_text };

	if (t->begin || t->c->dirty || PQstatus(t->c->pg) != CONNECTION_OK)
		return;
	if (!pg_ask(t->c, a, &one, 1))
		PQclear(one.result);
}

/* *lost: the connection broke before COMMIT was sent. */
static Err *txn_once(Db *root, const DbTxn *txn, bool *lost)
{
	PgTxn t = { .pdb = pg_of(root), .begin = begins[txn->isolation] };
	uint32_t told = 0;
	Err *err;

	*lost = false;
	TRY(pg_pool_take(t.pdb->primary, txn->a, &t.c));
	err = db_txn_body(root, txn, &t, &told);
	*lost = err && PQstatus(t.c->pg) != CONNECTION_OK;
	if (err)
		roll_back(&t, txn->a);
	else
		err = commit(&t, txn->a);
	pg_pool_give(t.pdb->primary, t.c);
	if (!err)
		db_told(root, told);
	return err;
}

static Err *run_txn(Db *root, const DbTxn *txn)
{
	for (unsigned tries = 0;; tries++) {
		Mark mark = arena_mark(txn->a);
		bool lost;
		Err *err = txn_once(root, txn, &lost);

		if (!err || !lost || tries + 1 == TRIES || fiber_cancelled())
			return err;
		arena_reset(txn->a, mark);
	}
}

static Err *save(Db *tx, Arena *a, DbSave what)
{
	PgTxn *t = tx->state;
	const char *name = str_fmt(a, "savepoint s%u", tx->depth).at;

	if (what == DB_SAVE)
		return own(t, a, name, NULL, NULL);
	if (what == DB_BACK)
		TRY(own(t, a, str_fmt(a, "rollback to %s", name).at, NULL, NULL));
	return own(t, a, str_fmt(a, "release %s", name).at, NULL, NULL);
}

/* --- locks, telling, scripts ---------------------------------------------------------------------------------------- */

static const SqlField lock_in[] = { { "lock", SQL_INT, 0, SQL_NEVER_NULL } };
static const Sql lock_sql = {
	.name = "db_lock",
	.kind = SQL_EXEC,
	.text = { [SQL_POSTGRES] = "select pg_advisory_xact_lock($1)" },
	.in = lock_in,
	.in_count = 1,
	.in_bytes = sizeof(int64_t),
};

static Err *lock(Db *tx, Arena *a, Str name)
{
	int64_t number = (int64_t)hash_stable(name, 0x62616e79616e, 0x6c6f636b);
	DbCall call = { .sql = &lock_sql, .in = &number, .a = a };

	return inside(tx->state, a, &call, 1);
}

static const SqlField tell_in[] = { { "channel", SQL_TEXT, 0, SQL_NEVER_NULL } };
static const Sql tell_sql = {
	.name = "db_tell",
	.kind = SQL_EXEC,
	.text = { [SQL_POSTGRES] = "select pg_notify($1, '')" },
	.in = tell_in,
	.in_count = 1,
	.in_bytes = sizeof(Str),
};

/* Those of this process are woken at once too, in case the listener's connection is broken just now. */
static Err *tell(Db *db, Arena *a, const char *channel)
{
	Str name = str_of(channel);
	DbCall call = { .sql = &tell_sql, .in = &name, .a = a };
	uint32_t bit = db_channel(db->root, channel);

	TRY(run(db, &call));
	if (db->depth)
		db->told |= bit;
	else
		db_told(db->root, bit);
	return NULL;
}

static Err *listen(Db *root, Arena *a, const char *channel)
{
	return pg_listener_add(pg_of(root)->listener, a, channel);
}

Err *pg_on(Db *db, Arena *a, PgOnFn *fn, void *arg)
{
	const PgDb *pdb = pg_of(db);
	PgPool *pool = pdb->direct ? pdb->direct : pdb->primary;
	PgTxn *t = db->state;
	PgConn *c = NULL;
	Err *err;

	if (db->depth) {
		TRY(pg_txn_begin(t, a));
		return fn(t->c, a, arg);
	}
	TRY(pg_pool_take(pool, a, &c));
	err = fn(c, a, arg);
	pg_pool_give(pool, c);
	return err;
}

static Err *script_on(PgConn *c, Arena *a, void *arg)
{
	return pg_command(c, a, arg);
}

static Err *script(Db *tx, Arena *a, const char *text)
{
	return pg_on(tx, a, script_on, (void *)(uintptr_t)text);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static void pg_close(Db *db)
{
	PgDb *pdb = pg_of(db);

	pg_listener_free(pdb->listener);
	for (size_t i = 0; i < pdb->replica_count; i++)
		pg_pool_free(pdb->replicas[i]);
	pg_pool_free(pdb->direct);
	pg_pool_free(pdb->primary);
	db_fini(db);
	arena_free(pdb->a); /* where it is itself */
}

typedef struct Targets {
	PgTarget primary, direct;
	PgTarget *replicas;
} Targets;

/* Errors live in the caller's arena, what was read in the database's. */
static Err *read_targets(Arena *a, Arena *own_a, const DbConf *conf, Targets *out)
{
	Err *err = pg_target_read(own_a, conf->url, !conf->pgbouncer, &out->primary);

	if (!err && conf->direct_url.len)
		err = pg_target_read(own_a, conf->direct_url, true, &out->direct);
	out->replicas = ARENA_ARRAY(own_a, PgTarget, conf->replica_count);
	for (size_t i = 0; i < conf->replica_count && !err; i++)
		err = pg_target_read(own_a, conf->replicas[i], !conf->pgbouncer, &out->replicas[i]);
	return err_copy(a, err);
}

static PgPool *pool_of(const PgDb *pdb, const DbConf *conf, Str role, const PgTarget *target,
                       bool session)
{
	uint32_t least = MAX(rt_loops(), 2u);

	return pg_pool_new(&(PgPoolConf){
		.name = pdb->db.name,
		.role = role,
		.target = *target,
		.session = session,
		.limit = MAX(conf->connections ? conf->connections : CONNECTIONS, least),
		.queue = conf->queue ? conf->queue : QUEUE,
		.patience_us = str_eq(role, S("replica")) ? 1 : 0, /* there is the primary */
		.cells = pdb->db.cells,
	});
}

static const DbEngine engine;

static Err *pg_verify(Arena *a, Str url)
{
	PgTarget target;

	return pg_target_read(a, url, true, &target);
}

static Err *pg_open(Arena *a, const DbConf *conf, Db **out)
{
	AUTO(arena_freep) Arena *own_a = arena_new(0);
	Targets targets = { 0 };
	PgDb *pdb = ARENA_NEW(own_a, PgDb);

	TRY(read_targets(a, own_a, conf, &targets));
	db_init(&pdb->db, &engine, conf->name.len ? conf->name : S("main"));
	pdb->primary = pool_of(pdb, conf, S("primary"), &targets.primary, !conf->pgbouncer);
	if (conf->direct_url.len)
		pdb->direct = pool_of(pdb, conf, S("direct"), &targets.direct, true);
	pdb->replica_count = conf->replica_count;
	pdb->replicas = ARENA_ARRAY(own_a, PgPool *, conf->replica_count);
	for (size_t i = 0; i < conf->replica_count; i++)
		pdb->replicas[i] =
			pool_of(pdb, conf, S("replica"), &targets.replicas[i], !conf->pgbouncer);
	pdb->listener =
		pg_listener_new(&pdb->db, pg_pool_target(pdb->direct ? pdb->direct : pdb->primary));
	*out = &pdb->db;
	pdb->a = TAKE(own_a);
	return NULL;
}

static const char *const schemes[] = { "postgresql:", "postgres:", NULL };

static const DbEngine engine = {
	.id = SQL_POSTGRES,
	.name = "postgres",
	.schemes = schemes,
	.verify = pg_verify,
	.open = pg_open,
	.close = pg_close,
	.run = run,
	.batch = batch,
	.txn = run_txn,
	.save = save,
	.lock = lock,
	.tell = tell,
	.listen = listen,
	.script = script,
	.plan = pg_plan,
	.status = pg_status,
};

const DbEngine *pg_engine(void)
{
	return &engine;
}
