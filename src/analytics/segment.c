/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments made, of events that come in and of other segments.
 *
 * Each value that a property has gets a number where it is met first; a segment has its own numbers, so that nothing outside of it
 * must be kept to read it. Merging renumbers: a table from old numbers to new ones for each source, then one look for each event, in
 * the order that the times give. No event is taken apart for it, and only one column is open at a time.
 *
 * Ties in time keep the order in which events came: what a client sent in one batch stays in its order. */
#include "analytics/segment.h"

#include "base/arena.h"
#include "base/civil.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

int64_t segment_day(int64_t time_ms)
{
	return civil_floor(time_ms, MS_OF_DAY);
}

size_t segment_width(Str name)
{
	if (str_eq(name, SEGMENT_ID))
		return 16;
	return str_eq(name, SEGMENT_TIME) || str_eq(name, SEGMENT_PERSON) ||
	                       str_eq(name, SEGMENT_RECEIVED)
	               ? 4
	               : 0;
}

/* --- numbers for values ------------------------------------------------------------------------------------------------ */

typedef struct WordMaps {
	Map of[CELL_KINDS];
} WordMaps;

void word_book_init(WordBook *book, Arena *a)
{
	*book = (WordBook){ .arena = a, .cap = 16, .count = 1 };
	book->maps = ARENA_NEW(a, WordMaps);
	book->cells = ARENA_ARRAY(a, Cell, book->cap);
}

void word_book_fini(WordBook *book)
{
	for (size_t i = 0; book->maps && i < CELL_KINDS; i++)
		map_fini(&book->maps->of[i]);
	book->maps = NULL;
}

uint32_t word_book_code(WordBook *book, Cell cell)
{
	Map *map = &book->maps->of[cell.kind];
	uintptr_t code;

	if (cell.kind == CELL_NONE)
		return 0;
	code = (uintptr_t)map_get(map, cell.text);
	if (code)
		return (uint32_t)code;
	if (book->count == book->cap) {
		Cell *cells = ARENA_ARRAY(book->arena, Cell, book->cap * 2);

		memcpy(cells, book->cells, book->count * sizeof(*cells));
		book->cells = cells;
		book->cap *= 2;
	}
	code = book->count++;
	book->cells[code] = cell;
	map_put(map, cell.text, (void *)code);
	return (uint32_t)code;
}

/* --- of events --------------------------------------------------------------------------------------------------------- */

typedef struct Draft {
	Str name;
	WordBook book;
	uint32_t *codes;
} Draft;

typedef struct Build {
	Arena *a;
	size_t events;
	Map by_name; /* of Draft */
	Draft **drafts;
	size_t count, cap;
} Build;

static Draft *draft_of(Build *b, Str name)
{
	Draft *draft = map_get(&b->by_name, name);

	if (draft)
		return draft;
	if (b->count == b->cap) {
		Draft **more = ARENA_ARRAY(b->a, Draft *, b->cap * 2 + 16);

		if (b->count)
			memcpy(more, b->drafts, b->count * sizeof(Draft *));
		b->drafts = more;
		b->cap = b->cap * 2 + 16;
	}
	draft = b->drafts[b->count++] = ARENA_NEW(b->a, Draft);
	draft->name = name;
	draft->codes = ARENA_ARRAY(b->a, uint32_t, b->events);
	word_book_init(&draft->book, b->a);
	map_put(&b->by_name, name, draft);
	return draft;
}

static void build_fini(Build *b)
{
	for (size_t i = 0; i < b->count; i++)
		word_book_fini(&b->drafts[i]->book);
	map_fini(&b->by_name);
}

static Str keep(Arena *a, Buf *b)
{
	Str bytes = str_dup(a, buf_str(b));

	buf_clear(b);
	return bytes;
}

static int by_time(const void *x, const void *y)
{
	const Hit *const *p = x, *const *q = y;

	if ((*p)->time_ms != (*q)->time_ms)
		return (*p)->time_ms < (*q)->time_ms ? -1 : 1;
	return *p < *q ? -1 : *p > *q;
}

typedef struct Fixed {
	uint32_t *time, *received, *person;
	Uuid *id;
} Fixed;

static Fixed fixed_of(Arena *a, const Hit **hits, size_t count, int64_t day)
{
	Fixed f = { ARENA_ARRAY(a, uint32_t, count), ARENA_ARRAY(a, uint32_t, count),
		    ARENA_ARRAY(a, uint32_t, count), ARENA_ARRAY(a, Uuid, count) };

	for (size_t i = 0; i < count; i++) {
		f.time[i] = (uint32_t)(hits[i]->time_ms - day * MS_OF_DAY);
		f.received[i] = (uint32_t)(hits[i]->received_ms / 1000);
		f.person[i] = hits[i]->number;
		f.id[i] = hits[i]->id;
	}
	return f;
}

static void put_fixed(Arena *a, const Fixed *f, size_t count, ColumnPart *parts)
{
	AUTO(buf_fini) Buf b = { 0 };
	const struct {
		Str name;
		const void *at;
		size_t width;
	} rows[] = { { SEGMENT_TIME, f->time, 4 },
		     { SEGMENT_RECEIVED, f->received, 4 },
		     { SEGMENT_PERSON, f->person, 4 },
		     { SEGMENT_ID, f->id, 16 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		column_put_fixed(&b, rows[i].at, rows[i].width, count, false);
		parts[i] = (ColumnPart){ rows[i].name, keep(a, &b) };
	}
}

enum { FIXED_COLUMNS = 4 };

static void put_words(Arena *a, Build *build, Segment *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < build->count; i++) {
		Draft *d = build->drafts[i];
		Str name = i ? str_fmt(a, "p:%.*s", STR_ARG(d->name)) : SEGMENT_EVENT;

		column_put_words(&b, d->book.cells, d->book.count, d->codes, build->events, false);
		out->parts[out->part_count++] = (ColumnPart){ name, keep(a, &b) };
	}
}

void segment_build(Arena *a, const Hit **hits, size_t count, Segment *out)
{
	AUTO(build_fini) Build build = { .a = a, .events = count };
	Draft *event;
	Fixed fixed;

	qsort(hits, count, sizeof(*hits), by_time);
	*out = (Segment){ .project = hits[0]->project,
		          .day = segment_day(hits[0]->time_ms),
		          .events = (uint32_t)count };
	fixed = fixed_of(a, hits, count, out->day);
	out->first_ms = fixed.time[0];
	out->last_ms = fixed.time[count - 1];
	event = draft_of(&build, S("")); /* no property has that name */
	for (size_t i = 0; i < count; i++) {
		event->codes[i] = word_book_code(&event->book, (Cell){ CELL_STR, hits[i]->name });
		for (uint32_t p = 0; p < hits[i]->prop_count; p++) {
			Draft *d = draft_of(&build, hits[i]->props[p].key);

			d->codes[i] = word_book_code(&d->book, hits[i]->props[p].value);
		}
	}
	out->parts = ARENA_ARRAY(a, ColumnPart, FIXED_COLUMNS + build.count);
	out->part_count = FIXED_COLUMNS;
	put_fixed(a, &fixed, count, out->parts);
	put_words(a, &build, out);
}

/* --- of segments ------------------------------------------------------------------------------------------------------- */

typedef struct Merging {
	Arena *a;
	const SegmentMerge *m;
	size_t total;    /* of the sources */
	size_t kept;     /* in the result */
	uint64_t *order; /* time << 32 | place in the sources, of those kept */
} Merging;

static int by_number(const void *x, const void *y)
{
	uint64_t p = *(const uint64_t *)x, q = *(const uint64_t *)y;

	return p < q ? -1 : p > q;
}

static Err *find_order(Merging *g)
{
	const SegmentMerge *m = g->m;
	size_t place = 0;

	for (size_t s = 0; s < m->sources; s++)
		g->total += m->events[s];
	g->order = ARENA_ARRAY(g->a, uint64_t, g->total + 1);
	for (size_t s = 0; s < m->sources; s++) {
		const void *times;
		Str bytes;

		TRY(m->fetch(m->arg, g->a, s, SEGMENT_TIME, &bytes));
		TRY(column_read_fixed(g->a, bytes, 4, m->events[s], &times));
		for (size_t i = 0; i < m->events[s]; i++, place++)
			if (!m->dropped || !m->dropped[place])
				g->order[g->kept++] =
					(uint64_t)((const uint32_t *)times)[i] << 32 | place;
	}
	qsort(g->order, g->kept, sizeof(*g->order), by_number);
	return NULL;
}

static Err *merge_fixed(Merging *g, Arena *a, Str name, size_t width, Buf *out)
{
	const SegmentMerge *m = g->m;
	char *all = arena_alloc_raw(a, g->total * width + 1),
	     *sorted = arena_alloc_raw(a, g->kept * width + 1);
	size_t place = 0;

	for (size_t s = 0; s < m->sources; s++) {
		const void *at;
		Str bytes;

		TRY(m->fetch(m->arg, a, s, name, &bytes));
		TRY(column_read_fixed(a, bytes, width, m->events[s], &at));
		memcpy(all + place * width, at, m->events[s] * width);
		place += m->events[s];
	}
	for (size_t i = 0; i < g->kept; i++)
		memcpy(sorted + i * width, all + (uint32_t)g->order[i] * width, width);
	column_put_fixed(out, sorted, width, g->kept, str_eq(name, SEGMENT_RECEIVED));
	return NULL;
}

/* The codes of one source in the numbers of the result. */
static void renumber(WordBook *book, Arena *a, const Words *words, uint32_t *to)
{
	uint32_t *table = ARENA_ARRAY(a, uint32_t, words->count);

	for (uint32_t c = 1; c < words->count; c++)
		table[c] = word_book_code(book, words->cells[c]);
	for (size_t i = 0; i < words->events; i++)
		to[i] = table[words_code(words, i)];
}

/* Numbers that no event has any more (those of the dropped) are given up. */
static size_t tighten(Arena *a, WordBook *book, uint32_t *codes, size_t events)
{
	uint32_t *table = ARENA_ARRAY(a, uint32_t, book->count);
	uint32_t next = 1;

	for (size_t i = 0; i < events; i++)
		table[codes[i]] = 1;
	table[0] = 0;
	for (size_t c = 1; c < book->count; c++)
		if (table[c]) {
			book->cells[next] = book->cells[c];
			table[c] = next++;
		}
	for (size_t i = 0; i < events; i++)
		codes[i] = table[codes[i]];
	return next;
}

static Err *merge_words(Merging *g, Arena *a, Str name, Buf *out, bool *any)
{
	const SegmentMerge *m = g->m;
	uint32_t *all = ARENA_ARRAY(a, uint32_t, g->total + 1),
		 *sorted = ARENA_ARRAY(a, uint32_t, g->kept + 1);
	AUTO(word_book_fini) WordBook book = { 0 };
	size_t place = 0, count;

	word_book_init(&book, a);
	for (size_t s = 0; s < m->sources; s++) {
		Words words;
		Str bytes;

		TRY(m->fetch(m->arg, a, s, name, &bytes));
		if (bytes.len) {
			TRY(column_read_words(a, bytes, m->events[s], &words));
			renumber(&book, a, &words, all + place);
		}
		place += m->events[s];
	}
	for (size_t i = 0; i < g->kept; i++)
		sorted[i] = all[(uint32_t)g->order[i]];
	count = tighten(a, &book, sorted, g->kept);
	*any = count > 1;
	column_put_words(out, book.cells, count, sorted, g->kept, true);
	return NULL;
}

static Err *merge_column(Merging *g, Str name, Segment *out)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	size_t width = segment_width(name);
	bool any = true;
	Err *err = width ? merge_fixed(g, a, name, width, &b) : merge_words(g, a, name, &b, &any);

	if (err)
		return err_copy(g->a, err);
	if (any)
		out->parts[out->part_count++] = (ColumnPart){ name, str_dup(g->a, buf_str(&b)) };
	return NULL;
}

Err *segment_merge(Arena *a, const SegmentMerge *merge, Segment *out)
{
	Merging g = { .a = a, .m = merge };

	TRY(find_order(&g));
	out->events = (uint32_t)g.kept;
	out->part_count = 0;
	if (!g.kept)
		return NULL;
	out->first_ms = (uint32_t)(g.order[0] >> 32);
	out->last_ms = (uint32_t)(g.order[g.kept - 1] >> 32);
	out->parts = ARENA_ARRAY(a, ColumnPart, merge->name_count);
	for (size_t i = 0; i < merge->name_count; i++)
		TRY(merge_column(&g, merge->names[i], out));
	return NULL;
}
