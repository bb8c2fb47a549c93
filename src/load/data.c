/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of rows. A mistake names the line and what to do about it: they are written by hand and by other programs. */
#include "load/data.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 256 << 20, COLUMNS_MAX = 256, HEADING_BYTES_MAX = 1 << 20 };

static Err *bad(Arena *a, Str name, size_t line, const char *why)
{
	return err_new(a, ERR_INVALID, "load.data", "%.*s:%zu: %s", STR_ARG(name), line, why);
}

/* --- CSV ------------------------------------------------------------------------------------------------------------ */

typedef struct Csv {
	Arena *arena;
	Str name, rest;
	size_t line;
	bool row_ended;
} Csv;

/* A quoted field; doubled quotes stand for one. */
static Err *read_quoted(Csv *csv, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	size_t begun = csv->line, i = 1;

	for (;; i++) {
		if (i >= csv->rest.len)
			return bad(csv->arena, csv->name, begun, "a quoted field has no end");
		csv->line += csv->rest.at[i] == '\n';
		if (csv->rest.at[i] != '"')
			buf_putc(&b, csv->rest.at[i]);
		else if (i + 1 < csv->rest.len && csv->rest.at[i + 1] == '"')
			buf_putc(&b, csv->rest.at[i++]);
		else
			break;
	}
	csv->rest = str_sub(csv->rest, i + 1, csv->rest.len);
	*out = str_dup(csv->arena, buf_str(&b));
	if (csv->rest.len && !strchr(",\r\n", csv->rest.at[0]))
		return bad(csv->arena, csv->name, csv->line,
		           "something follows a quoted field: double the quotes inside of it");
	return NULL;
}

static void end_field(Csv *csv)
{
	csv->row_ended = !csv->rest.len || csv->rest.at[0] != ',';
	if (str_starts(csv->rest, S("\r\n")))
		csv->rest = str_sub(csv->rest, 1, csv->rest.len);
	csv->line += csv->rest.len && csv->rest.at[0] != ',';
	csv->rest = str_sub(csv->rest, 1, csv->rest.len);
}

static Err *read_field(Csv *csv, Str *out)
{
	size_t i = 0;

	if (csv->rest.len && csv->rest.at[0] == '"')
		TRY(read_quoted(csv, out));
	else {
		while (i < csv->rest.len && !strchr(",\r\n", csv->rest.at[i]))
			i++;
		*out = str_sub(csv->rest, 0, i);
		csv->rest = str_sub(csv->rest, i, csv->rest.len);
	}
	end_field(csv);
	return NULL;
}

static Err *read_row(Csv *csv, Str *cells, size_t room, size_t *count)
{
	size_t line = csv->line;

	*count = 0;
	csv->row_ended = false;
	while (!csv->row_ended) {
		if (*count == room)
			return bad(csv->arena, csv->name, line,
			           "the row has more fields than the heading");
		TRY(read_field(csv, &cells[(*count)++]));
	}
	return NULL;
}

static size_t count_lines(Str text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

static Err *no_rows(Arena *a, Str name)
{
	return err_new(a, ERR_INVALID, "load.data", "%.*s: there is no row in it", STR_ARG(name));
}

Err *data_read_csv(Arena *a, Str name, Str text, DataSet *out)
{
	Csv csv = { .arena = a, .name = name, .rest = text, .line = 1 };
	size_t count;

	if (str_starts(text, S("\xef\xbb\xbf")))
		csv.rest = str_sub(text, 3, text.len);
	out->columns = ARENA_ARRAY(a, Str, COLUMNS_MAX);
	TRY(read_row(&csv, out->columns, COLUMNS_MAX, &out->column_count));
	out->cells = ARENA_ARRAY(a, Str, count_lines(text) * out->column_count);
	while (csv.rest.len) {
		Str *row = &out->cells[out->row_count * out->column_count];
		size_t line = csv.line;

		TRY(read_row(&csv, row, out->column_count, &count));
		if (count == 1 && !row[0].len)
			continue; /* an empty line */
		if (count < out->column_count)
			return bad(a, name, line, "the row has fewer fields than the heading");
		out->row_count++;
	}
	return out->row_count ? NULL : no_rows(a, name);
}

/* --- NDJSON --------------------------------------------------------------------------------------------------------- */

static Str value_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (json_to_str(value, &text))
		return text;
	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

/* The first line's keys are the columns; what a later line does not have is empty. */
static void take_columns(const Json *object, DataSet *out)
{
	void *at = NULL;
	const Json *value;
	Str key;

	while (json_next(object, &at, &key, &value) && out->column_count < COLUMNS_MAX)
		out->columns[out->column_count++] = key;
}

Err *data_read_ndjson(Arena *a, Str name, Str text, DataSet *out)
{
	Str rest = text, line;
	size_t number = 0;

	out->columns = ARENA_ARRAY(a, Str, COLUMNS_MAX);
	while (str_split(&rest, '\n', &line)) {
		const Json *object;
		Err *err;

		number++;
		line = str_trim(line);
		if (!line.len || str_eq(line, S("\r")))
			continue;
		err = json_read(a, line, 0, &object);
		if (err)
			return err_because(a, err, ERR_INVALID, "load.data",
			                   "%.*s:%zu: expected one JSON object a line",
			                   STR_ARG(name), number);
		if (json_kind(object) != JSON_KIND_OBJECT)
			return bad(a, name, number, "expected one JSON object a line");
		if (!out->row_count) {
			take_columns(object, out);
			out->cells = ARENA_ARRAY(a, Str, count_lines(text) * out->column_count);
		}
		for (size_t i = 0; i < out->column_count; i++) {
			const Json *value = json_get(object, out->columns[i]);

			out->cells[out->row_count * out->column_count + i] =
				value ? value_text(a, value) : S("");
		}
		out->row_count++;
	}
	return out->row_count ? NULL : no_rows(a, name);
}

/* --- use ------------------------------------------------------------------------------------------------------------ */

static bool is_ndjson(const DataConf *conf)
{
	return str_ends(conf->file, S(".ndjson")) || str_ends(conf->file, S(".jsonl"));
}

Err *data_load(Arena *a, const DataConf *conf, DataSet *out)
{
	Str text;

	*out = (DataSet){ .conf = conf };
	TRY(file_read(a, conf->file, FILE_BYTES_MAX, &text));
	if (is_ndjson(conf))
		return data_read_ndjson(a, conf->file, text, out);
	return data_read_csv(a, conf->file, text, out);
}

static Err *read_start(Arena *a, Str path, Str *out)
{
	char *at = arena_alloc(a, HEADING_BYTES_MAX);
	FILE *file = fopen(str_z(a, path), "re");

	if (!file)
		return err_errno(a, errno, "base.file", "%.*s could not be read", STR_ARG(path));
	*out = (Str){ at, fread(at, 1, HEADING_BYTES_MAX, file) };
	fclose(file);
	return NULL;
}

Err *data_columns(Arena *a, const DataConf *conf, DataSet *out)
{
	Str text = { 0 }, line;
	Csv csv;

	*out = (DataSet){ .conf = conf, .columns = ARENA_ARRAY(a, Str, COLUMNS_MAX) };
	TRY(read_start(a, conf->file, &text));
	if (is_ndjson(conf)) {
		const Json *object;

		while (str_split(&text, '\n', &line) && !str_trim(line).len)
			continue;
		if (!line.len || json_read(a, line, 0, &object) ||
		    json_kind(object) != JSON_KIND_OBJECT)
			return bad(a, conf->file, 1, "expected one JSON object a line");
		take_columns(object, out);
		return NULL;
	}
	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.len);
	csv = (Csv){ .arena = a, .name = conf->file, .rest = text, .line = 1 };
	return read_row(&csv, out->columns, COLUMNS_MAX, &out->column_count);
}

size_t data_row(const DataSet *set, uint32_t user)
{
	return set->conf->order == DATA_RANDOM ? rand_below(set->row_count) : user % set->row_count;
}

bool data_get(const DataSet *set, size_t row, Str column, Str *out)
{
	for (size_t i = 0; i < set->column_count; i++)
		if (str_eq(set->columns[i], column)) {
			*out = set->cells[row * set->column_count + i];
			return true;
		}
	return false;
}
