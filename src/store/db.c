/* SPDX-License-Identifier: Apache-2.0
 *
 * What is the same for every engine: opening by URL, checking calls, gathering rows into arrays, transactions.
 *
 * A transaction's function may be run again; the owner of the outermost one does that, here and nowhere else, with back-off.
 * A savepoint is a Db on the same connection, one deeper. A statement that failed leaves its Db `failed`: no more statements
 * run there and it cannot be committed, whatever the function returns. That is how PostgreSQL behaves, and SQLite is held to it
 * so that code written on one works on the other. A failure that takes the whole transaction with it (a deadlock, a connection
 * that is gone) marks the outer ones too. */
#include "store/db_int.h"

#include "base/rand.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/db_conf.h"

#include <stdlib.h>

enum {
	TRIES = 12,
	BACK_OFF_US = 2000, /* doubled each time, drawn from between nothing and that */
	BACK_OFF_MAX_US = 200000,
	FIRST_ROWS = 8,
};

typedef const DbEngine *EngineFn(void);
static EngineFn *const engines[] = { lite_engine, pg_engine };

/* --- opening -------------------------------------------------------------------------------------------------------- */

static const DbEngine *engine_of(Str url)
{
	for (size_t i = 0; i < COUNT(engines); i++)
		for (const char *const *scheme = engines[i]()->schemes; *scheme; scheme++)
			if (str_starts(url, str_of(*scheme)))
				return engines[i]();
	return NULL;
}

static Err *engine_find(Arena *a, Str url, const DbEngine **out)
{
	*out = engine_of(url);
	if (*out)
		return NULL;
	return db_err(a, DB_URL, NULL,
	              "a database is sqlite:PATH or postgresql://USER@HOST/NAME, not %s",
	              str_z(a, str_quote(a, str_sub(url, 0,
	                                            (size_t)MAX(str_find_char(url, ':'), 0)))));
}

Err *db_url_verify(Arena *a, Str url)
{
	const DbEngine *engine;

	TRY(engine_find(a, url, &engine));
	return engine->verify(a, url);
}

Err *db_open(Arena *a, const DbConf *conf, Db **out)
{
	const DbEngine *engine;

	TRY(engine_find(a, conf->url, &engine));
	return engine->open(a, conf, out);
}

void db_close(Db *db)
{
	if (db)
		db->engine->close(db);
}

void db_closep(Db **db)
{
	db_close(*db);
	*db = NULL;
}

void db_init(Db *db, const DbEngine *engine, Str name)
{
	*db = (Db){ .engine = engine, .root = db };
	db->name = (Str){ strndup(name.at, name.len), name.len };
	if (!db->name.at)
		abort();
	db->hub = db_hub_new();
	db->cells = db_cells_new(db->name);
}

void db_fini(Db *db)
{
	db_hub_free(db->hub);
	db_cells_free(db->cells);
	free((char *)db->name.at);
}

SqlEngine db_engine(const Db *db)
{
	return db->engine->id;
}

Str db_name(const Db *db)
{
	return db->root->name;
}

bool db_in_txn(const Db *db)
{
	return db->depth > 0;
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

void db_call_begin(DbCall *call)
{
	call->rows = NULL;
	call->count = call->cap = 0;
	call->changed = 0;
}

static void rows_grow(DbCall *call)
{
	size_t each = call->sql->out_bytes;
	size_t cap = call->cap                                  ? call->cap * 2
	             : call->sql->kind == SQL_ONE || call->each ? 1
	                                                        : FIRST_ROWS;
	char *rows = arena_alloc_array(call->a, each, cap);

	if (call->count)
		memcpy(rows, call->rows, call->count * each);
	call->rows = rows;
	call->cap = cap;
}

void *db_call_row(DbCall *call)
{
	char *row;

	if (call->count == call->cap)
		rows_grow(call);
	row = call->rows + call->count * call->sql->out_bytes;
	memset(row, 0, call->sql->out_bytes);
	return row;
}

Err *db_call_row_done(DbCall *call, void *row)
{
	if (call->each)
		return call->each(row, call->each_arg);
	if (call->count && call->sql->kind == SQL_ONE)
		return db_err(call->a, DB_ROWS, call->sql, "gave more than one row");
	call->count++;
	if (arena_spent(call->a))
		return db_err(call->a, DB_TOO_LARGE, call->sql,
		              "gave more than may be held: %zu rows", call->count);
	return NULL;
}

void field_put_str(DbCall *call, const SqlField *f, void *row, Str text)
{
	Str *to = field_put(f, row);

	*to = call->each ? text : str_dup(call->a, text);
}

/* --- statements ----------------------------------------------------------------------------------------------------- */

static Err *check_call(const Db *db, Arena *a, const Sql *sql)
{
	if (db->failed)
		return db_err(a, DB_ABORTED, sql,
		              "an earlier statement of this transaction failed: %s",
		              str_z(a, db->failed->text));
	if (!sql->text[db->engine->id])
		return db_err(a, DB_SQL, sql, "has no text for %s", db->engine->name);
	if (db->snapshot && !sql->reads)
		return db_err(a, DB_MISUSE, sql, "changes something, in a snapshot");
	return NULL;
}

/* Sleeps before another try; false: there is none. *err stays the failure, unless sleeping was ended. */
static bool again(Db *db, unsigned tries, Err **err)
{
	int64_t most_us = MIN((int64_t)BACK_OFF_US << tries, (int64_t)BACK_OFF_MAX_US);
	Err *ended;

	if (!db_err_again(*err) || db->depth || tries + 1 >= TRIES)
		return false;
	metric_add(db->cells->retries, 1);
	ended = fiber_sleep((int64_t)rand_below((uint64_t)most_us) + 1);
	if (ended)
		*err = ended;
	return !ended;
}

static Err *run(Db *db, DbCall *call)
{
	Err *err = check_call(db, call->a, call->sql);

	for (unsigned tries = 0; !err; tries++) {
		Mark mark = arena_mark(call->a);

		db_call_begin(call);
		metric_add(db->cells->statements, 1);
		err = db->engine->run(db, call);
		if (!err || call->each || !again(db, tries, &err))
			break;
		arena_reset(call->a, mark);
		err = NULL;
	}
	if (err && db->depth && !db->failed)
		db->failed = err;
	return err;
}

Err *db_run_one(Db *db, Arena *a, const Sql *sql, const void *in, void **row)
{
	DbCall call = { .sql = sql, .in = in, .a = a };

	TRY(run(db, &call));
	*row = call.count ? call.rows : NULL;
	return NULL;
}

Err *db_run_all(Db *db, Arena *a, const Sql *sql, const void *in, void **rows, size_t *count)
{
	DbCall call = { .sql = sql, .in = in, .a = a };

	TRY(run(db, &call));
	*rows = call.rows;
	*count = call.count;
	return NULL;
}

Err *db_run_each(Db *db, Arena *a, const Sql *sql, const void *in, DbEachFn *fn, void *arg)
{
	DbCall call = { .sql = sql, .in = in, .a = a, .each = fn, .each_arg = arg };

	return run(db, &call);
}

Err *db_run_exec(Db *db, Arena *a, const Sql *sql, const void *in, int64_t *changed)
{
	DbCall call = { .sql = sql, .in = in, .a = a };

	TRY(run(db, &call));
	if (changed)
		*changed = call.changed;
	return NULL;
}

Err *db_run_load(Db *db, Arena *a, const Sql *sql, const void *rows, size_t count)
{
	DbCall call = { .sql = sql, .in = rows, .load = count, .a = a };

	return count ? run(db, &call) : NULL;
}

/* --- batches -------------------------------------------------------------------------------------------------------- */

typedef struct BatchOut {
	void **rows;
	size_t *count;
	int64_t *changed;
} BatchOut;

struct DbBatch {
	Arena *a;
	DbCall *calls;
	BatchOut *outs;
	size_t count, cap;
};

DbBatch *db_batch(Arena *a)
{
	DbBatch *batch = ARENA_NEW(a, DbBatch);

	batch->a = a;
	return batch;
}

static void batch_grow(DbBatch *batch)
{
	size_t cap = batch->cap ? batch->cap * 2 : FIRST_ROWS;
	DbCall *calls = ARENA_ARRAY(batch->a, DbCall, cap);
	BatchOut *outs = ARENA_ARRAY(batch->a, BatchOut, cap);

	if (batch->count) {
		memcpy(calls, batch->calls, batch->count * sizeof *calls);
		memcpy(outs, batch->outs, batch->count * sizeof *outs);
	}
	batch->calls = calls;
	batch->outs = outs;
	batch->cap = cap;
}

void batch_put(DbBatch *batch, const Sql *sql, const void *in, void **rows, size_t *count,
               int64_t *changed)
{
	void *copy = arena_alloc(batch->a, MAX(sql->in_bytes, (uint16_t)1));

	if (sql->in_bytes)
		memcpy(copy, in, sql->in_bytes);
	if (batch->count == batch->cap)
		batch_grow(batch);
	batch->calls[batch->count] = (DbCall){ .sql = sql, .in = copy };
	batch->outs[batch->count++] = (BatchOut){ rows, count, changed };
}

static Err *batch_check(Db *db, Arena *a, DbBatch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		TRY(check_call(db, a, batch->calls[i].sql));
		batch->calls[i].a = a;
	}
	return NULL;
}

static void batch_give(const DbBatch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const DbCall *call = &batch->calls[i];
		const BatchOut *out = &batch->outs[i];

		if (out->rows)
			*out->rows = call->count || call->sql->kind == SQL_MANY ? call->rows : NULL;
		if (out->count)
			*out->count = call->count;
		if (out->changed)
			*out->changed = call->changed;
	}
}

Err *db_batch_run(Db *db, Arena *a, DbBatch *batch)
{
	Err *err = batch_check(db, a, batch);

	for (unsigned tries = 0; !err && batch->count; tries++) {
		Mark mark = arena_mark(a);

		for (size_t i = 0; i < batch->count; i++)
			db_call_begin(&batch->calls[i]);
		metric_add(db->cells->statements, batch->count);
		err = db->engine->batch(db, a, batch->calls, batch->count);
		if (!err || !again(db, tries, &err))
			break;
		arena_reset(a, mark);
		err = NULL;
	}
	if (err && db->depth && !db->failed)
		db->failed = err;
	if (!err)
		batch_give(batch);
	return err;
}

/* --- transactions --------------------------------------------------------------------------------------------------- */

/* Runs the function in a Db of its own; what it returns, unless the Db failed and nobody said so. */
static Err *body(Db *tx, const DbTxn *txn)
{
	Err *err = txn->fn(tx, txn->a, txn->arg);

	if (!tx->failed || (err && !db_err_again(tx->failed)))
		return err;
	if (err)
		return tx->failed; /* whatever was made of it: its owner tries again */
	return err_because(txn->a, tx->failed, ERR_INTERNAL, "db.aborted",
	                   "a transaction went on after a statement of it failed");
}

Err *db_txn_body(Db *root, const DbTxn *txn, void *state, uint32_t *told)
{
	Db tx = { .engine = root->engine,
		  .root = root,
		  .state = state,
		  .depth = 1,
		  .snapshot = txn->isolation == DB_SNAPSHOT,
		  .cells = root->cells };
	Err *err = body(&tx, txn);

	*told = tx.told;
	return err;
}

static Err *run_savepoint(Db *outer, const DbTxn *txn)
{
	Db tx = { .engine = outer->engine,
		  .root = outer->root,
		  .outer = outer,
		  .state = outer->state,
		  .depth = outer->depth + 1,
		  .snapshot = outer->snapshot,
		  .cells = outer->cells };
	Err *err, *undo;

	if (outer->failed)
		return db_err(txn->a, DB_ABORTED, NULL,
		              "an earlier statement of this transaction failed: %s",
		              str_z(txn->a, outer->failed->text));
	err = outer->engine->save(&tx, txn->a, DB_SAVE);
	if (!err) {
		err = body(&tx, txn);
		if (err && tx.failed && !db_err_is_local(tx.failed)) {
			outer->failed = tx.failed;
			return err;
		}
		undo = outer->engine->save(&tx, txn->a, err ? DB_BACK : DB_RELEASE);
		if (!undo && !err)
			outer->told |= tx.told;
		if (!undo)
			return err;
		err = undo;
	}
	outer->failed = err;
	return err;
}

Err *db_txn(Db *db, Arena *a, DbIsolation isolation, DbTxnFn *fn, void *arg)
{
	DbTxn txn = { isolation, fn, arg, a };
	Err *err;

	if (db->depth)
		return run_savepoint(db, &txn);
	for (unsigned tries = 0;; tries++) {
		Mark mark = arena_mark(a);

		err = db->engine->txn(db, &txn);
		metric_add(err ? db->cells->rolled_back : db->cells->committed, 1);
		if (!err || !again(db, tries, &err))
			return err;
		arena_reset(a, mark);
	}
}

Err *db_lock(Db *tx, Arena *a, Str name)
{
	Err *err;

	if (!tx->depth || tx->snapshot)
		return db_err(a, DB_MISUSE, NULL, "a lock is held by a transaction that writes");
	if (tx->failed)
		return db_err(a, DB_ABORTED, NULL,
		              "an earlier statement of this transaction failed");
	err = tx->engine->lock(tx, a, name);
	if (err)
		tx->failed = err;
	return err;
}

/* --- looking after it -------------------------------------------------------------------------------------------------- */

static Err *own_tools(Arena *a)
{
	return err_new(
		a, ERR_UNSUPPORTED, "db.own_tools",
		"a PostgreSQL is copied and restored with its own tools: pg_dump -Fc, pg_restore, or "
		"pg_basebackup for the whole server");
}

Err *db_status(Db *db, Arena *a, DbStatus *out)
{
	return db->engine->status(db->root, a, out);
}

Err *db_check(Db *db, Arena *a)
{
	return db->engine->check ? db->engine->check(db->root, a) : NULL;
}

Err *db_backup(Db *db, Arena *a, Str path)
{
	return db->engine->backup ? db->engine->backup(db->root, a, path) : own_tools(a);
}

Err *db_restore(Arena *a, Str url, Str path, Str *kept)
{
	const DbEngine *engine;

	TRY(engine_find(a, url, &engine));
	return engine->restore ? engine->restore(a, url, path, kept) : own_tools(a);
}

/* --- being told -------------------------------------------------------------------------------------------------------- */

Err *db_tell(Db *db, Arena *a, const char *channel)
{
	uint32_t bit;

	if (db->engine->tell)
		return db->engine->tell(db, a, channel);
	bit = db_channel(db->root, channel);
	if (db->depth)
		db->told |= bit;
	else
		db_told(db, bit);
	return NULL;
}
