/* SPDX-License-Identifier: Apache-2.0
 *
 * Schemas: ordered steps (sql.h) that a database has had or not. Forward only. A release's steps must let the release before
 * run on ("expand"; what only hinders goes with a later one, "contract"): a step that does so begins with `--- expands`, and an
 * older program then starts on it; any other step it does not know it refuses. What PostgreSQL does in no
 * transaction (create index concurrently if not exists) is a step by itself with a line `--- alone`; an index that an earlier
 * attempt left invalid is dropped first. */
#pragma once
#include "store/db.h"

typedef enum StepState {
	STEP_APPLIED,
	STEP_PENDING,
	STEP_CHANGED, /* applied, but its file says something else now */
	STEP_NEWER,   /* applied by a newer program: refused */
	STEP_EXPANDS, /* the same, but this program may run on it */
} StepState;

typedef struct StepLine {
	uint32_t number;
	Str name;
	StepState state;
	int64_t applied_us; /* UTC; 0: not yet */
	const Str *
		warnings; /* of a pending one, on PostgreSQL: what would hold up others, and what to do */
	size_t warning_count;
} StepLine;

/* What a database has of a schema, step by step. Changes nothing. */
Err *schema_look(Db *db, Arena *a, const Schema *schema, StepLine **lines, size_t *count) MUST_USE;
/* Brings it to the newest step, each in a transaction of its own; *applied: how many were missing. Several instances may start
 * at once: one does it, the others wait and find it done. Fails with CONFLICT "db.schema_changed" or "db.schema_newer". */
Err *schema_apply(Db *db, Arena *a, const Schema *schema, uint32_t *applied) MUST_USE;
/* For a program that starts: fails with PRECONDITION "db.schema_behind", and as schema_apply. */
Err *schema_ready(Db *db, Arena *a, const Schema *schema) MUST_USE;

/* What this text would do to tables with many rows, while others want them; `rows` tells how many a table has, about. */
typedef Err *SchemaRows(void *arg, Arena *a, Str table, int64_t *rows);
Err *schema_hazards(Arena *a, Str text, SchemaRows *rows, void *arg, const Str **out, size_t *count)
	MUST_USE;

/* The store's own tables (leases, ...), part of every database. */
const Schema *store_own_schema(void);
