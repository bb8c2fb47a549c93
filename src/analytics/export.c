/* SPDX-License-Identifier: Apache-2.0
 *
 * Events out again. The order is that of time over all segments, so that a piece of the time is a piece of the export whatever becomes of
 * the segments between two pieces. A piece is as long as holds some fifty thousand events, by what its day has.
 *
 * CSV goes into spreadsheets, and a spreadsheet runs what begins with = + - or @. Somebody who may write events can write such a name;
 * it is text again with a ' before it. Numbers are left alone. */
#include "analytics/export.h"

#include "analytics/segment.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/work.h"

#include "analytics_segment_sql.h"
#include "analytics_sql.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_EVENTS = 50000, PIECE_LEAST_MS = 60000, TRIES = 8, FLUSH_BYTES = 64 << 10 };

typedef struct Column {
	Str name; /* of the property */
	Words words;
} Column;

/* One segment, opened. */
typedef struct Opened {
	uint32_t events;
	const uint32_t *time, *received, *person;
	const Uuid *id;
	Words event;
	Column *columns;
	size_t column_count;
} Opened;

typedef struct Row {
	uint32_t time, place;
	const Opened *of;
} Row;

typedef struct Exporting {
	Db *db;
	const ExportSpec *spec;
	ExportOut *out;
	void *arg;
	uint64_t events;
	Buf buf;
} Exporting;

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static Err *parts_of(Exporting *x, Arena *a, const SegmentsListedRow *s, ColumnPart **parts,
                     size_t *count)
{
	SegmentPartNamesRow *names;
	SegmentRow *row;

	*count = 0;
	if (s->is_packed) {
		TRY(db_one(x->db, a, segment_by_id, &row, .id = s->id));
		return row && row->packed.set ? columns_unpack(a, row->packed.v, parts, count)
		                              : NULL;
	}
	TRY(db_all(x->db, a, segment_part_names, &names, count, .segment = s->id));
	*parts = ARENA_ARRAY(a, ColumnPart, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		SegmentPartRow *part;

		TRY(db_one(x->db, a, segment_part, &part, .segment = s->id, .name = names[i].name));
		if (!part) {
			*count = 0;
			return NULL;
		}
		(*parts)[i] = (ColumnPart){ names[i].name, part->data };
	}
	return NULL;
}

static Err *open_part(Arena *a, const ColumnPart *part, Opened *s)
{
	size_t width = segment_width(part->name);
	const void *at;

	if (!width && str_eq(part->name, SEGMENT_EVENT))
		return column_read_words(a, part->bytes, s->events, &s->event);
	if (!width) {
		Column *column = &s->columns[s->column_count++];

		column->name = str_sub(part->name, 2, part->name.len);
		return column_read_words(a, part->bytes, s->events, &column->words);
	}
	TRY(column_read_fixed(a, part->bytes, width, s->events, &at));
	if (str_eq(part->name, SEGMENT_TIME))
		s->time = at;
	else if (str_eq(part->name, SEGMENT_RECEIVED))
		s->received = at;
	else if (str_eq(part->name, SEGMENT_PERSON))
		s->person = at;
	else
		s->id = at;
	return NULL;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const Column *)x)->name, ((const Column *)y)->name);
}

static Err *open_segment(Arena *a, const ColumnPart *parts, size_t count, Opened *s)
{
	s->columns = ARENA_ARRAY(a, Column, count + 1);
	for (size_t i = 0; i < count; i++)
		TRY(open_part(a, &parts[i], s));
	if (!(s->time && s->received && s->person && s->id && s->event.count))
		return err_new(a, ERR_IO, "analytics.damaged", "a segment lacks a column");
	qsort(s->columns, s->column_count, sizeof(*s->columns), by_name);
	return NULL;
}

/* --- rows ---------------------------------------------------------------------------------------------------------------- */

typedef struct Piece {
	Exporting *x;
	Arena *a;
	int64_t day;
	int64_t from_ms, to_ms; /* of the day */
	Row *rows;
	size_t count, cap;
	Str *names; /* of persons, by number - least */
	uint32_t least, most;
} Piece;

static int by_time(const void *x, const void *y)
{
	const Row *p = x, *q = y;

	if (p->time != q->time)
		return p->time < q->time ? -1 : 1;
	return uuid_cmp(p->of->id[p->place], q->of->id[q->place]);
}

static void take_rows(Piece *p, const Opened *s)
{
	size_t *cap = &p->cap;
	const ExportSpec *spec = p->x->spec;

	for (uint32_t i = 0; i < s->events; i++) {
		Str name = s->event.cells[words_code(&s->event, i)].text;

		if (s->time[i] < p->from_ms || s->time[i] >= p->to_ms ||
		    (spec->event.len && !str_eq(name, spec->event)))
			continue;
		if (p->count == *cap) {
			Row *more = ARENA_ARRAY(p->a, Row, *cap * 2 + 1024);

			if (p->count)
				memcpy(more, p->rows, p->count * sizeof(*more));
			p->rows = more;
			*cap = *cap * 2 + 1024;
		}
		p->rows[p->count++] = (Row){ s->time[i], i, s };
	}
}

typedef struct Taking {
	Piece *piece;
	uint32_t events;
	ColumnPart *parts;
	size_t count;
	Err *err;
} Taking;

static void take_segment(void *arg)
{
	Taking *t = arg;
	Arena *a = t->piece->a;
	Opened *s = ARENA_NEW(a, Opened);

	s->events = t->events;
	t->err = open_segment(a, t->parts, t->count, s);
	if (!t->err)
		take_rows(t->piece, s);
}

static Err *read_segment(Piece *p, const SegmentsListedRow *row, bool *gone)
{
	Taking t = { .piece = p, .events = (uint32_t)row->events };

	TRY(parts_of(p->x, p->a, row, &t.parts, &t.count));
	*gone = !t.count;
	if (*gone)
		return NULL;
	TRY(work_run(take_segment, &t));
	return t.err;
}

static void sort_rows(void *arg)
{
	Piece *p = arg;

	if (p->count)
		qsort(p->rows, p->count, sizeof(*p->rows), by_time);
}

/* *gone: a segment was merged meanwhile. */
static Err *read_rows(Piece *p, bool *gone)
{
	SegmentsListedRow *rows;
	size_t count;

	*gone = false;
	p->count = 0;
	TRY(db_all(p->x->db, p->a, segments_listed, &rows, &count, .project = p->x->spec->project,
	           .day = p->day));
	for (size_t i = 0; i < count && !*gone; i++)
		if (rows[i].last_ms >= p->from_ms && rows[i].first_ms < p->to_ms)
			TRY(read_segment(p, &rows[i], gone));
	return work_run(sort_rows, p);
}

/* Names of the persons in it. */
static Err *read_names(Piece *p)
{
	AUTO(buf_fini) Buf b = { 0 };
	IdsNamedRow *rows;
	bool *asked;
	size_t count;

	p->least = UINT32_MAX;
	p->most = 0;
	for (size_t i = 0; i < p->count; i++) {
		uint32_t person = p->rows[i].of->person[p->rows[i].place];

		p->least = MIN(p->least, person);
		p->most = MAX(p->most, person);
	}
	p->names = ARENA_ARRAY(p->a, Str, (size_t)p->most - p->least + 1);
	asked = ARENA_ARRAY(p->a, bool, (size_t)p->most - p->least + 1);
	for (size_t i = 0; i < p->count; i++) {
		uint32_t person = p->rows[i].of->person[p->rows[i].place];

		if (!asked[person - p->least])
			buf_fmt(&b, "%s%u", b.len ? "," : "[", person);
		asked[person - p->least] = true;
	}
	buf_putc(&b, ']');
	TRY(db_all(p->x->db, p->a, ids_named, &rows, &count, .project = p->x->spec->project,
	           .numbers = buf_str(&b)));
	for (size_t i = 0; i < count; i++)
		p->names[rows[i].number - p->least] = rows[i].name;
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------- */

void export_put_csv(Buf *b, Str text, bool is_number)
{
	bool runs = !is_number && text.len && memchr("=+-@\t\r", text.at[0], 6);
	bool quoted = runs;

	for (size_t i = 0; i < text.len; i++)
		quoted = quoted || text.at[i] == ',' || text.at[i] == '"' || text.at[i] == '\n' ||
		         text.at[i] == '\r';
	if (!quoted) {
		buf_put(b, text);
		return;
	}
	buf_put(b, runs ? S("\"'") : S("\""));
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"')
			buf_putc(b, '"');
		buf_putc(b, text.at[i]);
	}
	buf_putc(b, '"');
}

static void put_props(JsonWriter *w, const Row *row)
{
	json_begin_object(w);
	for (size_t i = 0; i < row->of->column_count; i++) {
		const Column *column = &row->of->columns[i];
		uint32_t code = words_code(&column->words, row->place);

		if (!code)
			continue;
		json_key(w, column->name);
		cell_put_json(w, column->words.cells[code]);
	}
	json_end(w);
}

static int64_t row_us(const Piece *p, const Row *row)
{
	return (p->day * MS_OF_DAY + row->time) * 1000;
}

static void put_json(Piece *p, Buf *b, const Row *row)
{
	JsonWriter w = json_writer(b);
	const Opened *s = row->of;

	json_begin_object(&w);
	json_put_str(&w, "id", uuid_text(p->a, s->id[row->place]));
	json_put_str(&w, "event", s->event.cells[words_code(&s->event, row->place)].text);
	json_put_str(&w, "distinct_id", p->names[s->person[row->place] - p->least]);
	json_key(&w, S("timestamp"));
	json_add_time(&w, row_us(p, row));
	json_key(&w, S("received_at"));
	json_add_time(&w, (int64_t)s->received[row->place] * 1000000);
	json_key(&w, S("properties"));
	put_props(&w, row);
	json_end(&w);
	buf_putc(b, '\n');
}

static Cell cell_of(const Row *row, Str name)
{
	for (size_t i = 0; i < row->of->column_count; i++) {
		const Column *column = &row->of->columns[i];

		if (str_eq(column->name, name))
			return column->words.cells[words_code(&column->words, row->place)];
	}
	return (Cell){ 0 };
}

static void put_csv_row(Piece *p, Buf *b, const Row *row)
{
	const ExportSpec *spec = p->x->spec;
	const Opened *s = row->of;
	AUTO(buf_fini) Buf props = { 0 };
	JsonWriter w = json_writer(&props);

	uuid_put(b, s->id[row->place]);
	buf_putc(b, ',');
	export_put_csv(b, s->event.cells[words_code(&s->event, row->place)].text, false);
	buf_putc(b, ',');
	export_put_csv(b, p->names[s->person[row->place] - p->least], false);
	buf_putc(b, ',');
	time_put_rfc3339(b, row_us(p, row));
	for (size_t i = 0; i < spec->column_count; i++) {
		Cell cell = cell_of(row, spec->columns[i]);

		buf_putc(b, ',');
		export_put_csv(b, cell.text, cell.kind == CELL_INT || cell.kind == CELL_REAL);
	}
	if (!spec->column_count) {
		put_props(&w, row);
		buf_putc(b, ',');
		export_put_csv(b, buf_str(&props), false);
	}
	buf_put(b, S("\r\n"));
}

static Err *give(Exporting *x, size_t least)
{
	if (x->buf.len < least || !x->buf.len)
		return NULL;
	TRY(x->out(x->arg, buf_str(&x->buf)));
	buf_clear(&x->buf);
	return fiber_yield(); /* a client that is quick is not the only one */
}

static Err *put_rows(Piece *p)
{
	Exporting *x = p->x;

	for (size_t i = 0; i < p->count; i++) {
		Mark mark = arena_mark(p->a);

		if (x->spec->csv)
			put_csv_row(p, &x->buf, &p->rows[i]);
		else
			put_json(p, &x->buf, &p->rows[i]);
		arena_reset(p->a, mark);
		TRY(give(x, FLUSH_BYTES));
	}
	x->events += p->count;
	return NULL;
}

static Err *export_piece(Exporting *x, Arena *a, int64_t day, int64_t from_ms, int64_t to_ms)
{
	Piece p = { .x = x, .a = a, .day = day, .from_ms = from_ms, .to_ms = to_ms };
	bool gone = true;

	for (int i = 0; i < TRIES && gone; i++)
		TRY(read_rows(&p, &gone));
	if (gone)
		return err_new(a, ERR_BUSY, "export.moving", "a day's events were moved too often");
	if (!p.count)
		return NULL;
	TRY(read_names(&p));
	return put_rows(&p);
}

/* --- its course ---------------------------------------------------------------------------------------------------------- */

static Err *export_day(Exporting *x, Arena *a, const DaysBetweenRow *day)
{
	int64_t start = day->day * MS_OF_DAY;
	int64_t from = MAX(x->spec->from_ms - start, INT64_C(0)),
		to = MIN(x->spec->to_ms - start, (int64_t)MS_OF_DAY);
	int64_t step = (int64_t)MS_OF_DAY * PIECE_EVENTS / MAX(day->events, INT64_C(1));

	step = MIN(MAX(step, (int64_t)PIECE_LEAST_MS), (int64_t)MS_OF_DAY);
	for (; from < to; from += step) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		Err *err = export_piece(x, own, day->day, from, MIN(from + step, to));

		if (err)
			return err_copy(a, err);
	}
	return NULL;
}

static void put_head(Exporting *x)
{
	const ExportSpec *spec = x->spec;

	buf_put(&x->buf, S("id,event,distinct_id,timestamp"));
	for (size_t i = 0; i < spec->column_count; i++) {
		buf_putc(&x->buf, ',');
		export_put_csv(&x->buf, spec->columns[i], false);
	}
	buf_put(&x->buf, spec->column_count ? S("\r\n") : S(",properties\r\n"));
}

static void exporting_fini(Exporting *x)
{
	buf_fini(&x->buf);
}

Err *export_hits(Db *db, Arena *a, const ExportSpec *spec, ExportOut *out, void *arg,
                 uint64_t *events)
{
	AUTO(exporting_fini)
	Exporting x = { .db = db, .spec = spec, .out = out, .arg = arg };
	DaysBetweenRow *days;
	size_t count;

	if (spec->csv)
		put_head(&x);
	TRY(db_all(db, a, days_between, &days, &count, .project = spec->project,
	           .from_day = segment_day(spec->from_ms), .to_day = segment_day(spec->to_ms - 1)));
	for (size_t i = 0; i < count; i++)
		TRY(export_day(&x, a, &days[i]));
	TRY(give(&x, 0));
	*events = x.events;
	return NULL;
}
