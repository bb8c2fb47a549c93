/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tables a piece of SQL reads and writes. */
#pragma once
#include "base/str.h"

enum { DOES_READ = 1, DOES_WRITE = 2, DOES_LOCK = 4, DOES_DEFINE = 8 };
typedef struct SqlTable {
	Str name; /* as it is written, without quotes and schema */
	uint8_t does;
} SqlTable;
typedef struct SqlTables {
	SqlTable at[32];
	uint32_t count;
	bool computed; /* a name is put in later: %s, {}, :x */
	bool is_sql;
	bool data, schema; /* what kinds of statements are there */
	bool index_plain;  /* CREATE INDEX without CONCURRENTLY */
	bool concurrently;
	bool not_valid; /* a constraint, to be validated later */
	bool alters;    /* ALTER TABLE of something that waits for all */
} SqlTables;
/* Pure; no recursion; linear in the text. sure: it is SQL, whatever its letters' case. */
void sql_tables(Str sql, bool sure, SqlTables *out);
