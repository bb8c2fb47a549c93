/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream of bytes cut into records: JSON lines, the objects of one JSON array (Django's dumpdata), CSV (RFC 4180).
 *
 * One record is in memory, at most IMPORT_RECORD_MAX of it; a longer one is a row that is wrong, and reading goes on after it. The
 * shape is guessed from the first byte: { begins JSON lines, [ an array, all else is CSV; whether an object is one of a dump it
 * says itself. The cut through
 * an array knows strings and depth and nothing else of JSON: what is inside of an object is its reader's. */
#include "user/import.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

enum { CHUNK = 64 * 1024, COLUMNS = 64, IGNORED_MOST = 64 };

struct ImportReader {
	const ImportConf *conf;
	ImportPull *pull;
	void *arg;
	Arena *arena;
	ImportShape shape;
	bool begun, ended, array;
	char chunk[CHUNK];
	size_t at, filled;
	uint64_t line, rows;
	const Str *columns;
	size_t column_count;
	ImportIgnored ignored[IGNORED_MOST];
	size_t ignored_count;
};

ImportReader *import_reader_new(Arena *a, const ImportConf *conf, ImportPull *pull, void *arg)
{
	ImportReader *r = ARENA_NEW(a, ImportReader);

	r->conf = conf;
	r->pull = pull;
	r->arg = arg;
	r->arena = a;
	r->shape = conf->shape;
	r->line = 1;
	return r;
}

const ImportIgnored *import_reader_ignored(const ImportReader *r, size_t *count)
{
	*count = r->ignored_count;
	return r->ignored;
}

static void ignore(void *arg, Str name)
{
	ImportReader *r = arg;

	for (size_t i = 0; i < r->ignored_count; i++)
		if (str_eq(r->ignored[i].name, name)) {
			r->ignored[i].rows++;
			return;
		}
	if (r->ignored_count < IGNORED_MOST)
		r->ignored[r->ignored_count++] =
			(ImportIgnored){ str_dup(r->arena, str_sub(name, 0, 64)), 1 };
}

/* --- bytes --------------------------------------------------------------------------------------------------------- */

/* -1: the end. */
static Err *peek(ImportReader *r, Arena *a, int *c)
{
	if (r->at == r->filled && !r->ended) {
		r->at = r->filled = 0;
		TRY(r->pull(r->arg, a, r->chunk, CHUNK, &r->filled));
		r->ended = r->filled == 0;
	}
	*c = r->at < r->filled ? (unsigned char)r->chunk[r->at] : -1;
	return NULL;
}

static void pass(ImportReader *r)
{
	if (r->chunk[r->at++] == '\n')
		r->line++;
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static Err *skip_blanks(ImportReader *r, Arena *a, int *c)
{
	TRY(peek(r, a, c));
	while (is_blank(*c)) {
		pass(r);
		TRY(peek(r, a, c));
	}
	return NULL;
}

/* The mark of UTF-8 that spreadsheets put before a file. */
static Err *skip_mark(ImportReader *r, Arena *a)
{
	static const unsigned char mark[] = { 0xef, 0xbb, 0xbf };
	int c;

	for (size_t i = 0; i < sizeof mark; i++) {
		TRY(peek(r, a, &c));
		if (c != mark[i])
			return NULL;
		pass(r);
	}
	return NULL;
}

static Err *begin(ImportReader *r, Arena *a)
{
	int c;

	r->begun = true;
	TRY(skip_mark(r, a));
	TRY(skip_blanks(r, a, &c));
	r->array = c == '[' && r->shape != IMPORT_CSV;
	if (r->array)
		pass(r);
	if (r->shape == IMPORT_GUESS)
		r->shape = c == '['            ? IMPORT_DJANGO
		           : c == '{' || c < 0 ? IMPORT_NDJSON
		                               : IMPORT_CSV;
	return NULL;
}

/* --- records ------------------------------------------------------------------------------------------------------- */

static const Err *too_long(Arena *a)
{
	return err_new(a, ERR_TOO_LARGE, "row.too_long", "the row is longer than %d bytes",
	               IMPORT_RECORD_MAX);
}

/* Up to the end of the line, which is passed. */
static Err *take_line(ImportReader *r, Arena *a, Buf *b)
{
	int c;

	for (;;) {
		TRY(peek(r, a, &c));
		if (c < 0)
			return NULL;
		pass(r);
		if (c == '\n')
			return NULL;
		buf_putc(b, (char)c);
	}
}

/* From an opening brace or bracket to the closing one, with all between; anything else up to a comma. */
static Err *take_value(ImportReader *r, Arena *a, Buf *b)
{
	bool text = false, escaped = false;
	int depth = 0, c;

	for (;;) {
		TRY(peek(r, a, &c));
		if (c < 0 || (!text && !depth && (c == ',' || c == ']')))
			return NULL;
		pass(r);
		buf_putc(b, (char)c);
		if (text) {
			text = escaped || c != '"';
			escaped = !escaped && c == '\\';
			continue;
		}
		text = c == '"';
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (!depth && (c == '}' || c == ']'))
			return NULL;
	}
}

/* Up to the next value; *more false: the array is over. */
static Err *skip_comma(ImportReader *r, Arena *a, bool *more)
{
	int c;

	TRY(skip_blanks(r, a, &c));
	while (c == ',') {
		pass(r);
		TRY(skip_blanks(r, a, &c));
	}
	*more = c >= 0 && c != ']';
	if (c < 0)
		return err_new(a, ERR_INVALID, "user.import_shape",
		               "the file ends in the middle of its array: it is not whole");
	return NULL;
}

static void row_of_text(ImportReader *r, Arena *a, const Buf *b, ImportRow *row)
{
	if (b->broken)
		row->wrong = too_long(a);
	else
		import_row_json(a, r->conf, str_dup(a, buf_str(b)), r->conf->shape == IMPORT_DJANGO,
		                row, ignore, r);
}

static Err *next_json(ImportReader *r, Arena *a, ImportRow **out)
{
	AUTO(buf_fini) Buf b = { .limit = IMPORT_RECORD_MAX };
	ImportRow *row = ARENA_NEW(a, ImportRow);
	bool more = true;
	int c;

	TRY(skip_blanks(r, a, &c));
	if (r->array)
		TRY(skip_comma(r, a, &more));
	else
		more = c >= 0;
	row->line = r->line;
	if (more && r->array)
		TRY(take_value(r, a, &b));
	else if (more)
		TRY(take_line(r, a, &b));
	*out = more ? row : NULL;
	if (more)
		row_of_text(r, a, &b, row);
	return NULL;
}

/* --- CSV ------------------------------------------------------------------------------------------------------------ */

typedef struct Record {
	Buf bytes;
	size_t ends[COLUMNS];
	size_t count;
	bool quoted, many;
} Record;

static void record_free(Record *record)
{
	buf_fini(&record->bytes);
}

static void field_end(Record *record)
{
	record->many |= record->count == COLUMNS;
	if (record->count < COLUMNS)
		record->ends[record->count++] = record->bytes.len;
}

/* A record goes to the end of a line that is not between quotes. *more false: there is none. */
static Err *take_record(ImportReader *r, Arena *a, Record *record, bool *more)
{
	bool in_quotes = false;
	int c, next;

	TRY(skip_blanks(r, a, &c));
	*more = c >= 0;
	while (c >= 0 && (in_quotes || c != '\n')) {
		pass(r);
		TRY(peek(r, a, &next));
		if (c == '"' && in_quotes && next == '"') {
			buf_putc(&record->bytes, '"');
			pass(r);
		} else if (c == '"')
			in_quotes = !in_quotes;
		else if (c == ',' && !in_quotes)
			field_end(record);
		else if (c != '\r' || in_quotes)
			buf_putc(&record->bytes, (char)c);
		TRY(peek(r, a, &c));
	}
	record->quoted = in_quotes;
	if (c >= 0)
		pass(r);
	if (*more)
		field_end(record);
	return NULL;
}

static Str *record_fields(Arena *a, const Record *record)
{
	Str all = str_dup(a, buf_str(&record->bytes)),
	    *fields = ARENA_ARRAY(a, Str, record->count + 1);
	size_t from = 0;

	for (size_t i = 0; i < record->count; i++) {
		fields[i] = str_sub(all, from, record->ends[i]);
		from = record->ends[i];
	}
	return fields;
}

static Err *read_columns(ImportReader *r, Arena *a)
{
	AUTO(record_free) Record record = { .bytes = { .limit = IMPORT_RECORD_MAX } };
	bool more;

	TRY(take_record(r, a, &record, &more));
	if (!more || record.many || record.bytes.broken)
		return err_new(a, ERR_INVALID, "user.import_shape",
		               "the first line of a CSV file names its columns, %d at most",
		               COLUMNS);
	r->columns = record_fields(r->arena, &record);
	r->column_count = record.count;
	return NULL;
}

static Err *next_csv(ImportReader *r, Arena *a, ImportRow **out)
{
	AUTO(record_free) Record record = { .bytes = { .limit = IMPORT_RECORD_MAX } };
	ImportRow *row = ARENA_NEW(a, ImportRow);
	bool more;
	int c;

	if (!r->columns)
		TRY(read_columns(r, a));
	TRY(skip_blanks(r, a, &c));
	row->line = r->line;
	TRY(take_record(r, a, &record, &more));
	*out = more ? row : NULL;
	if (!more)
		return NULL;
	if (record.bytes.broken)
		row->wrong = too_long(a);
	else if (record.quoted)
		row->wrong =
			err_new(a, ERR_INVALID, "row.quotes", "a quote is opened and never closed");
	else if (record.count != r->column_count || record.many)
		row->wrong = err_new(a, ERR_INVALID, "row.columns",
		                     "the row has %zu fields, the first line %zu", record.count,
		                     r->column_count);
	else
		import_row_csv(a, r->conf, r->columns, record_fields(a, &record), record.count, row,
		               ignore, r);
	return NULL;
}

Err *import_reader_next(ImportReader *r, Arena *a, ImportRow **row)
{
	if (!r->begun)
		TRY(begin(r, a));
	do {
		if (r->shape == IMPORT_CSV)
			TRY(next_csv(r, a, row));
		else
			TRY(next_json(r, a, row));
		if (*row)
			(*row)->number = ++r->rows;
	} while (*row && (*row)->line < r->conf->from);
	return NULL;
}
