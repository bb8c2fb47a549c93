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
#include "rt/fiber.h"
#include "store/db_int.h"
#include "store/db_lease.h"
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
	uint32_t number;
} Applying;

static Err *step_done(Db *db, Arena *a, const Schema *schema, const SchemaStep *step)
{
	return db_exec(db, a, schema_add, NULL, .schema = str_of(schema->name),
	               .number = step->number, .name = str_of(step->name),
	               .checksum = str_of(step->checksum), .expands = step->expands,
	               .applied_at = time_utc_us());
}

/* Under the lock: this step, unless another instance did it meanwhile. */
static Err *apply_step(Db *tx, Arena *a, void *arg)
{
	const Applying *applying = arg;
	const Schema *schema = applying->schema;
	const SchemaStep *step = &schema->steps[applying->number - 1];
	StepRow *rows;
	size_t had;

	TRY(db_lock(tx, a, S("banyan_schema")));
	if (db_engine(tx) == SQL_POSTGRES)
		TRY(tx->engine->script(tx, a, "set local lock_timeout = '10s'"));
	TRY(tx->engine->script(tx, a, bookkeeping[db_engine(tx)]));
	TRY(db_all(tx, a, schema_steps, &rows, &had, .schema = str_of(schema->name)));
	TRY(verify(a, schema, rows, had));
	if (had >= applying->number)
		return NULL;
	TRY(tx->engine->script(tx, a, step->text[db_engine(tx)]));
	return step_done(tx, a, schema, step);
}

/* --- in no transaction ------------------------------------------------------------------------------------------------- */

static const int64_t alone_us = INT64_C(3600) * US_PER_S;
static const int64_t look_again_us = 100 * US_PER_MS;

static Err *drop_invalid(Db *db, Arena *a, Str text)
{
	InvalidIndexesRow *rows;
	size_t count;

	TRY(db_all(db, a, invalid_indexes, &rows, &count));
	for (size_t i = 0; i < count; i++)
		if (str_find(text, rows[i].name) >= 0)
			TRY(db->engine->script(
				db, a,
				str_z(a, str_fmt(a, "drop index concurrently if exists \"%.*s\"",
			                         STR_ARG(rows[i].name)))));
	return NULL;
}

static Err *run_alone(Db *db, Arena *a, const Schema *schema, uint32_t number)
{
	const SchemaStep *step = &schema->steps[number - 1];
	const char *text = step->text[SQL_POSTGRES];
	StepRow *rows;
	size_t had;

	TRY(steps_had(db, a, schema, &rows, &had));
	if (had >= number)
		return NULL; /* another did it meanwhile */
	TRY(drop_invalid(db, a, str_of(text)));
	TRY(db->engine->script(db, a, text));
	return step_done(db, a, schema, step);
}

/* Who has the lease does it, the others wait. */
static Err *apply_alone(Db *db, Arena *a, const Schema *schema, uint32_t number)
{
	DbLease lease = { .name = str_fmt(a, "schema %s", schema->name), .owner = uuid_new() };
	Err *err, *dropped;

	TRY(db_lease_take(db, a, &lease, alone_us));
	while (!lease.held) {
		TRY(fiber_sleep(look_again_us));
		TRY(db_lease_take(db, a, &lease, alone_us));
	}
	err = run_alone(db, a, schema, number);
	{
		AUTO(shield_end) Shield shield = shield_begin(5 * US_PER_S);

		dropped = db_lease_drop(db, a, &lease);
	}
	return err ? err : dropped;
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static Err *apply_one(Db *db, Arena *a, const Schema *schema, uint32_t number)
{
	const SchemaStep *step = &schema->steps[number - 1];
	Applying applying = { schema, number };
	Err *err = db_engine(db) == SQL_POSTGRES && step->alone
	                   ? apply_alone(db, a, schema, number)
	                   : db_txn(db, a, DB_READ_COMMITTED, apply_step, &applying);

	if (!err || err_is(err, "db.schema_newer") || err_is(err, "db.schema_changed"))
		return err;
	return err_because(a, err, err->kind, err->slug, "schema %s, step %u (%s)", schema->name,
	                   number, step->file);
}

Err *schema_apply(Db *db, Arena *a, const Schema *schema, uint32_t *applied)
{
	StepRow *rows;
	size_t had;

	*applied = 0;
	for (;;) {
		TRY(steps_had(db, a, schema, &rows, &had));
		TRY(verify(a, schema, rows, had));
		if (had >= schema->count)
			return NULL;
		TRY(apply_one(db, a, schema, (uint32_t)had + 1));
		++*applied;
	}
}
