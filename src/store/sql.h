/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements as rows of a table. SQL text sits in .sql files; scripts/sql writes a header of each when the program is built:
 * src/store/job.sql becomes "store_job_sql.h", included by one .c of that folder. In the file:
 *
 *   --- row job: id uuid, kind text, run_at time, error text?             a struct JobRow, shared by statements
 *   --- one job_by_id(id uuid) -> job
 *   select id, kind, run_at, error from jobs where id = :id
 *   --- many jobs_due(now time, most int) -> (id uuid, kind text)         its own struct JobsDueRow
 *   --- exec job_add(job)                                                 parameters are the fields of JobRow
 *   --- load job_load(job) into jobs                                      bulk load: COPY, or many inserts
 *   --- sqlite / --- postgres                                             what follows is for that engine only
 *
 * Types: int real bool text bytes json (kept as written) time uuid, with ? when it may be NULL. After `;` the words `scans` (it reads a whole
 * table and may) and `lags` (a replica that is behind will do). A statement that changes nothing (select, values, with) is
 * found to be so by the script, and may then run beside others. Fields of the structs:
 *
 *   int int64_t    real double   bool bool   text bytes json Str   time int64_t, microseconds UTC   uuid Uuid
 *   int? OptInt    real? OptReal bool? OptBool text? ... OptStr    time? OptInt                     uuid? OptUuid */
#pragma once
#include "base/str.h"
#include "base/uuid.h"

typedef enum SqlEngine { SQL_SQLITE, SQL_POSTGRES, SQL_ENGINES } SqlEngine;
typedef enum SqlKind { SQL_ONE, SQL_MANY, SQL_EXEC, SQL_LOAD } SqlKind;
typedef enum SqlType {
	SQL_INT,
	SQL_REAL,
	SQL_BOOL,
	SQL_TEXT,
	SQL_BYTES,
	SQL_JSON,
	SQL_TIME,
	SQL_UUID,
	SQL_TYPES
} SqlType;

typedef struct OptInt {
	bool set; /* false: NULL */
	int64_t v;
} OptInt;
typedef struct OptReal {
	bool set;
	double v;
} OptReal;
typedef struct OptBool {
	bool set;
	bool v;
} OptBool;
typedef struct OptStr {
	bool set;
	Str v;
} OptStr;
typedef struct OptUuid {
	bool set;
	Uuid v;
} OptUuid;

static inline OptInt opt_int(int64_t v)
{
	return (OptInt){ true, v };
}

static inline OptStr opt_str(Str v)
{
	return (OptStr){ true, v };
}

static inline OptUuid opt_uuid(Uuid v)
{
	return (OptUuid){ true, v };
}

enum { SQL_NEVER_NULL = 0xffff, SQL_FIELDS = 64 /* parameters or columns of one statement */ };

/* A parameter or a column, and where it lies in its struct. */
typedef struct SqlField {
	const char *name;
	SqlType type;
	uint16_t at;
	uint16_t set_at; /* the bool of an Opt type, or SQL_NEVER_NULL */
} SqlField;

typedef struct Sql {
	const char *name;
	SqlKind kind;
	bool reads; /* changes nothing */
	bool scans;
	bool lags;
	const char *text[SQL_ENGINES]; /* ?1 and $1 for parameters; NULL: that engine has none */
	const SqlField *in;
	const SqlField *out;
	uint16_t in_count, in_bytes;
	uint16_t out_count, out_bytes;
	const char *table; /* of SQL_LOAD */
	const char *file;
	int line;
} Sql;

/* One file's statements, for the tests that walk them: `static const SqlList store_job_sql`, in its header. */
typedef struct SqlList {
	const char *file;
	const Sql *const *at;
	size_t count;
} SqlList;

/* One step of a schema: a file NNNN_name.sql in a folder called schema (src/store/schema/0001_leases.sql: the schema is
 * "store"), for both engines or, after a line `--- sqlite`, `--- postgres`, `--- all`, for some. Columns have the types above,
 * as :int, :text, ...; :serial is an ascending key, :strict ends a table. Never changed once released: the checksum is that of
 * the whole file. */
typedef struct SchemaStep {
	uint32_t number; /* from 1, without a gap */
	const char *name;
	const char *text[SQL_ENGINES];
	bool expands;         /* a program that does not know it runs on it: a line "--- expands" */
	bool alone;           /* on PostgreSQL in no transaction, one statement: "--- alone" */
	const char *checksum; /* SHA-256, hexadecimal */
	const char *file;
} SchemaStep;

typedef struct Schema {
	const char *name;
	const SchemaStep *steps;
	size_t count;
} Schema;
