/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows for users: a CSV file with a heading (RFC 4180) or NDJSON, read once, immutable after that. */
#pragma once
#include "load/scenario.h"

typedef struct DataSet {
	const DataConf *conf;
	Str *columns;
	size_t column_count;
	Str *cells; /* row after row */
	size_t row_count;
} DataSet;

/* Blocks on the disk. Fails with "base.file" or INVALID "load.data", the sentence saying file, line and remedy. */
Err *data_load(Arena *a, const DataConf *conf, DataSet *out) MUST_USE;
/* Only columns and their number, from the file's first line; conf as well. Blocks on the disk; fails as data_load does. */
Err *data_columns(Arena *a, const DataConf *conf, DataSet *out) MUST_USE;
Err *data_read_csv(Arena *a, Str name, Str text, DataSet *out) MUST_USE;
Err *data_read_ndjson(Arena *a, Str name, Str text, DataSet *out) MUST_USE;

/* The row of the user of that number; random picks with rand_u64. At least one row. */
size_t data_row(const DataSet *set, uint32_t user);
bool data_get(const DataSet *set, size_t row, Str column, Str *out);
