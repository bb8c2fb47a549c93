/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of schemas, applied once each. The table banyan_schema has a row for every step that was; it is made by the first who
 * comes. All is done under one lock of the database (on SQLite the writer is alone anyway), looking again after it was had: so
 * of several instances that start at once one does the work.
 *
 * A step and its row are one transaction: a crash leaves both or none. */
#include "store/schema.h"

#include "base/arena.h"
#include "base/time.h"
#include "store/db_int.h"
#include "store_schema.h"
#include "store_schema_sql.h"

static const char *const bookkeeping[SQL_ENGINES] = {
	[SQL_SQLITE] =
		"create table if not exists banyan_schema (schema text not null, number integer not null,"
		" name text not null, checksum text not null, expands integer not null,"
		" applied_at integer not null, primary key (schema, number)) strict",
	[SQL_POSTGRES] =
		"create table if not exists banyan_schema (schema text not null, number bigint not null,"
		" name text not null, checksum text not null, expands boolean not null,"
		" applied_at timestamptz not null, primary key (schema, number))",
};

const Schema *store_own_schema(void)
{
	return &store_schema;
}

/* --- looking ----------------------------------------------------------------------------------------------------------- */

static Err *steps_had(Db *db, Arena *a, const Schema *schema, StepRow **rows, size_t *count)
{
	SchemaThereRow *there;

	*rows = NULL;
	*count = 0;
	TRY(db_one(db, a, schema_there, &there));
	if (!there || !there->there)
		return NULL;
	return db_all(db, a, schema_steps, rows, count, .schema = str_of(schema->name));
}

static StepState state_of(const Schema *schema, const StepRow *row)
{
	if (row->number < 1 || (uint64_t)row->number > schema->count)
		return row->expands ? STEP_EXPANDS : STEP_NEWER;
	if (!str_eq(row->checksum, str_of(schema->steps[row->number - 1].checksum)))
		return STEP_CHANGED;
	return STEP_APPLIED;
}

static Err *rows_of(void *arg, Arena *a, Str table, int64_t *rows)
{
	TableRowsRow *row;

	TRY(db_one(arg, a, table_rows, &row, .name = table));
	*rows = row ? row->count : 0;
	return NULL;
}

Err *schema_look(Db *db, Arena *a, const Schema *schema, StepLine **lines, size_t *count)
{
	StepLine *to;
	StepRow *rows;
	size_t had, at = 0;

	TRY(steps_had(db, a, schema, &rows, &had));
	to = ARENA_ARRAY(a, StepLine, had + schema->count);
	for (size_t i = 0; i < had; i++)
		to[at++] = (StepLine){ .number = (uint32_t)rows[i].number,
			               .name = rows[i].name,
			               .state = state_of(schema, &rows[i]),
			               .applied_us = rows[i].applied_at };
	for (size_t i = had; i < schema->count; i++) {
		const SchemaStep *step = &schema->steps[i];
		StepLine *line = &to[at++];

		*line = (StepLine){ .number = step->number,
			            .name = str_of(step->name),
			            .state = STEP_PENDING };
		if (db_engine(db) == SQL_POSTGRES)
			TRY(schema_hazards(a, str_of(step->text[SQL_POSTGRES]), rows_of, db,
			                   &line->warnings, &line->warning_count));
	}
	*lines = to;
	*count = at;
	return NULL;
}

/* Is what was had what this program knows? */
static Err *verify(Arena *a, const Schema *schema, const StepRow *rows, size_t had)
{
	for (size_t i = 0; i < had; i++) {
		StepState state = state_of(schema, &rows[i]);

		if (state == STEP_NEWER)
			return err_new(
				a, ERR_CONFLICT, "db.schema_newer",
				"schema %s is at step %" PRId64
				" (%.*s), this program knows %zu: a newer "
				"release was here; run that, or restore a backup from before it",
				schema->name, rows[i].number, STR_ARG(rows[i].name), schema->count);
		if (state == STEP_CHANGED)
			return err_new(a, ERR_CONFLICT, "db.schema_changed",
			               "schema %s: step %" PRId64
			               " (%.*s) was applied with another text than %s has "
			               "now; a released step is never changed, add another",
			               schema->name, rows[i].number, STR_ARG(rows[i].name),
			               schema->steps[rows[i].number - 1].file);
		if (rows[i].number != (int64_t)i + 1)
			return err_new(a, ERR_CONFLICT, "db.schema_changed",
			               "schema %s: step %zu is missing before step %" PRId64,
			               schema->name, i + 1, rows[i].number);
	}
	return NULL;
}

Err *schema_ready(Db *db, Arena *a, const Schema *schema)
{
	StepRow *rows;
	size_t had;

	TRY(steps_had(db, a, schema, &rows, &had));
	TRY(verify(a, schema, rows, had));
	if (had >= schema->count)
		return NULL;
	return err_new(a, ERR_PRECONDITION, "db.schema_behind",
	               "schema %s is at step %zu of %zu: banyan db migrate", schema->name, had,
	               schema->count);
}

/* --- applying ---------------------------------------------------------------------------------------------------------- */

typedef struct Applying {
	const Schema *schema;
	bool done; /* nothing was left to do */
} Applying;

/* Under the lock: the first step that is missing. */
static Err *apply_next(Db *tx, Arena *a, void *arg)
{
	Applying *applying = arg;
	const Schema *schema = applying->schema;
	const SchemaStep *step;
	StepRow *rows;
	size_t had;

	applying->done = false;
	TRY(db_lock(tx, a, S("banyan_schema")));
	if (db_engine(tx) == SQL_POSTGRES)
		TRY(tx->engine->script(tx, a, "set local lock_timeout = '10s'"));
	TRY(tx->engine->script(tx, a, bookkeeping[db_engine(tx)]));
	TRY(db_all(tx, a, schema_steps, &rows, &had, .schema = str_of(schema->name)));
	TRY(verify(a, schema, rows, had));
	applying->done = had >= schema->count;
	if (applying->done)
		return NULL;
	step = &schema->steps[had];
	TRY(tx->engine->script(tx, a, step->text[db_engine(tx)]));
	return db_exec(tx, a, schema_add, NULL, .schema = str_of(schema->name),
	               .number = step->number, .name = str_of(step->name),
	               .checksum = str_of(step->checksum), .expands = step->expands,
	               .applied_at = time_utc_us());
}

static Err *apply_one(Db *db, Arena *a, Applying *applying, uint32_t number)
{
	Err *err = db_txn(db, a, DB_READ_COMMITTED, apply_next, applying);

	if (!err || err_is(err, "db.schema_newer") || err_is(err, "db.schema_changed") ||
	    number > applying->schema->count)
		return err;
	return err_because(a, err, err->kind, err->slug, "schema %s, step %u (%s)",
	                   applying->schema->name, number,
	                   applying->schema->steps[number - 1].file);
}

Err *schema_apply(Db *db, Arena *a, const Schema *schema, uint32_t *applied)
{
	Applying applying = { .schema = schema };
	StepRow *rows;
	size_t had;

	*applied = 0;
	TRY(steps_had(db, a, schema, &rows, &had));
	TRY(verify(a, schema, rows, had));
	if (had >= schema->count)
		return NULL;
	for (;;) {
		TRY(apply_one(db, a, &applying, (uint32_t)had + *applied + 1));
		if (applying.done)
			return NULL;
		++*applied;
	}
}
