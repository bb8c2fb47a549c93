/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns as bytes. A head of eight bytes, { how it is kept, its kind, width, 0, length of what follows once it is whole }, then that:
 *
 *   fixed       events x width
 *   words       count, then count - 1 of { kind, length, text } (the first, "none", is not written), up to a multiple of eight,
 *               events x width codes
 *
 * Squeezed it is zstd at its fastest level: codes of a name that is nearly always the same come to nothing. Columns that every query
 * reads (time, person) are left as they are: a view of them costs nothing.
 *
 * All lengths are looked at before they are believed: the bytes come from a database that somebody may have repaired by hand. */
#include "analytics/column.h"

#include "base/arena.h"

#include <string.h>
#include <zstd.h>

enum { HEAD = 8, KIND_FIXED = 'f', KIND_WORDS = 'w', PLAIN = 'p', SQUEEZED = 'z', LEVEL = 1 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are kept little-endian");

static void put_u32(Buf *b, uint32_t n)
{
	buf_put(b, (Str){ (const char *)&n, sizeof(n) });
}

static uint32_t get_u32(const char *at)
{
	uint32_t n;

	memcpy(&n, at, sizeof(n));
	return n;
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

static void put_head(Buf *b, char how, char kind, size_t width, size_t bytes)
{
	char head[4] = { how, kind, (char)width, 0 };

	buf_put(b, (Str){ head, sizeof(head) });
	put_u32(b, (uint32_t)bytes);
}

static void put_column(Buf *b, char kind, size_t width, Str plain, bool squeeze)
{
	size_t bound = squeeze ? ZSTD_compressBound(plain.len) : 0;
	size_t mark = b->len, got;
	char *to;

	put_head(b, squeeze ? SQUEEZED : PLAIN, kind, width, plain.len);
	if (!squeeze) {
		buf_put(b, plain);
		return;
	}
	to = buf_room(b, bound);
	if (!to)
		return;
	got = ZSTD_compress(to, bound, plain.at, plain.len, LEVEL);
	if (!ZSTD_isError(got) && got < plain.len) {
		buf_wrote(b, got);
		return;
	}
	b->at[mark] = PLAIN;
	buf_put(b, plain);
}

void column_put_fixed(Buf *b, const void *at, size_t width, size_t events, bool squeeze)
{
	put_column(b, KIND_FIXED, width, (Str){ at, width * events }, squeeze);
}

static void put_codes(Buf *b, const uint32_t *codes, size_t events, size_t width)
{
	char *to = buf_room(b, width * events);

	if (!to)
		return;
	if (width == 1)
		for (size_t i = 0; i < events; i++)
			to[i] = (char)codes[i];
	else if (width == 2)
		for (size_t i = 0; i < events; i++)
			memcpy(to + 2 * i, &(uint16_t){ (uint16_t)codes[i] }, 2);
	else
		memcpy(to, codes, 4 * events);
	buf_wrote(b, width * events);
}

void column_put_words(Buf *b, const Cell *cells, size_t count, const uint32_t *codes, size_t events,
                      bool squeeze)
{
	AUTO(buf_fini) Buf plain = { 0 };
	size_t width = count <= 0x100 ? 1 : count <= 0x10000 ? 2 : 4;

	put_u32(&plain, (uint32_t)count);
	for (size_t i = 1; i < count; i++) {
		buf_putc(&plain, (char)cells[i].kind);
		put_u32(&plain, (uint32_t)cells[i].text.len);
		buf_put(&plain, cells[i].text);
	}
	while (plain.len % 8)
		buf_putc(&plain, 0);
	put_codes(&plain, codes, events, width);
	put_column(b, KIND_WORDS, width, buf_str(&plain), squeeze);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static Err *damaged(Arena *a, const char *what)
{
	return err_new(a, ERR_IO, "analytics.damaged", "a column of events is damaged: %s", what);
}

static Err *unsqueeze(Arena *a, Str bytes, size_t plain, Str *out)
{
	char *to = arena_alloc_raw(a, plain + 1);
	size_t got = ZSTD_decompress(to, plain, bytes.at, bytes.len);

	if (ZSTD_isError(got) || got != plain)
		return damaged(a, "what is squeezed does not open");
	*out = (Str){ to, plain };
	return NULL;
}

static Err *open_column(Arena *a, Str bytes, char kind, uint8_t *width, Str *out)
{
	size_t plain;

	if (bytes.len < HEAD || bytes.at[1] != kind)
		return damaged(a, "its head is none");
	*width = (uint8_t)bytes.at[2];
	plain = get_u32(bytes.at + 4);
	if (plain > COLUMN_BYTES_MOST)
		return damaged(a, "its length is none");
	if (bytes.at[0] == SQUEEZED)
		return unsqueeze(a, str_sub(bytes, HEAD, bytes.len), plain, out);
	if (bytes.at[0] != PLAIN || plain != bytes.len - HEAD)
		return damaged(a, "its length is another");
	*out = str_sub(bytes, HEAD, bytes.len);
	if ((uintptr_t)out->at % 8)
		out->at = memcpy(arena_alloc_raw(a, plain + 1), out->at, plain);
	return NULL;
}

Err *column_read_fixed(Arena *a, Str bytes, size_t width, size_t events, const void **out)
{
	uint8_t has;
	Str plain;

	TRY(open_column(a, bytes, KIND_FIXED, &has, &plain));
	if (has != width || plain.len != width * events)
		return damaged(a, "it has not as many events");
	*out = plain.at;
	return NULL;
}

/* False: a text goes beyond the end. *at: behind the last. */
static bool read_cells(Str plain, Cell *cells, size_t count, size_t *at)
{
	size_t i = 4;

	for (size_t c = 1; c < count; c++) {
		uint32_t len;

		if (plain.len - i < 5)
			return false;
		cells[c].kind = (CellKind)(uint8_t)plain.at[i];
		len = get_u32(plain.at + i + 1);
		i += 5;
		if (cells[c].kind == CELL_NONE || cells[c].kind >= CELL_KINDS ||
		    len > plain.len - i)
			return false;
		cells[c].text = (Str){ plain.at + i, len };
		i += len;
	}
	*at = (i + 7) / 8 * 8;
	return true;
}

static bool codes_fit(const Words *w)
{
	uint32_t most = 0;

	for (size_t i = 0; i < w->events; i++) {
		uint32_t code = words_code(w, i);

		most = code > most ? code : most;
	}
	return most < w->count;
}

Err *column_read_words(Arena *a, Str bytes, size_t events, Words *out)
{
	Words w = { .events = (uint32_t)events };
	Cell *cells;
	Str plain;
	size_t at;

	TRY(open_column(a, bytes, KIND_WORDS, &w.width, &plain));
	w.count = plain.len < 4 ? 0 : get_u32(plain.at);
	if (!w.count || w.count - 1 > plain.len / 5)
		return damaged(a, "its words are not as many");
	if (w.width != 1 && w.width != 2 && w.width != 4)
		return damaged(a, "its codes have no width");
	cells = ARENA_ARRAY(a, Cell, w.count);
	if (!read_cells(plain, cells, w.count, &at) || at > plain.len ||
	    plain.len - at != events * w.width)
		return damaged(a, "its words have other lengths");
	w.cells = cells;
	w.codes = plain.at + at;
	if (!codes_fit(&w))
		return damaged(a, "a code has no word");
	*out = w;
	return NULL;
}

/* --- several ----------------------------------------------------------------------------------------------------------- */

void columns_pack(Buf *b, const ColumnPart *parts, size_t count)
{
	put_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		put_u32(b, (uint32_t)parts[i].name.len);
		put_u32(b, (uint32_t)parts[i].bytes.len);
		buf_put(b, parts[i].name);
		buf_put(b, parts[i].bytes);
	}
}

Err *columns_unpack(Arena *a, Str packed, ColumnPart **parts, size_t *count)
{
	size_t at = 4, n;

	n = packed.len < 4 ? SIZE_MAX : get_u32(packed.at);
	if (n > packed.len / 8)
		return damaged(a, "its columns are not as many");
	*parts = ARENA_ARRAY(a, ColumnPart, n + 1);
	for (size_t i = 0; i < n; i++) {
		uint32_t name, bytes;

		if (packed.len - at < 8)
			return damaged(a, "a column is missing");
		name = get_u32(packed.at + at);
		bytes = get_u32(packed.at + at + 4);
		at += 8;
		if (name > packed.len - at || bytes > packed.len - at - name)
			return damaged(a, "a column goes beyond the end");
		(*parts)[i].name = str_sub(packed, at, at + name);
		(*parts)[i].bytes = str_sub(packed, at + name, at + name + bytes);
		at += (size_t)name + bytes;
	}
	if (at != packed.len)
		return damaged(a, "there is more behind its columns");
	*count = n;
	return NULL;
}
