/* SPDX-License-Identifier: Apache-2.0
 *
 * Structs to bytes and back. A value is written as its own bytes with the pointers blanked, and after them what those pointed to, field by field:
 * lengths and counts are in the struct already, so a text costs its bytes and nothing more, and rows without pointers are one copy.
 *
 * Reading believes nothing: every count is held against the bytes that are left before anything is allocated, so that no more memory is taken than
 * twice the input has bytes. Recursion is over types, whose nesting is ours and bounded here for types that hold themselves. */
#include "audit/pack.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 };

static uint64_t count_of(const PackField *field, const char *row)
{
	uint32_t narrow;
	uint64_t wide;

	if (field->count_size == sizeof(narrow)) {
		memcpy(&narrow, row + field->count_offset, sizeof(narrow));
		return narrow;
	}
	if (field->count_size != sizeof(wide))
		abort(); /* a table that names something else as the count */
	memcpy(&wide, row + field->count_offset, sizeof(wide));
	return wide;
}

static Str text_of(const PackField *field, const char *row)
{
	Str text;

	memcpy(&text, row + field->offset, sizeof(text));
	return text;
}

/* --- writing -------------------------------------------------------------------------------------------------------------------------------------- */

static void put_texts(Buf *out, const char *rows, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		Str text;
		uint64_t len;

		memcpy(&text, rows + i * sizeof(text), sizeof(text));
		len = text.len;
		buf_put(out, (Str){ (const char *)&len, sizeof(len) });
	}
	for (uint64_t i = 0; i < count; i++) {
		Str text;

		memcpy(&text, rows + i * sizeof(text), sizeof(text));
		buf_put(out, text);
	}
}

/* In bytes that were just written, every pointer of a row becomes nothing: addresses of one run are no business of a file's. */
static void blank(Buf *out, size_t from, const PackType *type, uint64_t count)
{
	if (out->broken)
		return;
	for (uint64_t i = 0; i < count; i++)
		for (uint32_t f = 0; f < type->count; f++)
			/* cppcheck-suppress pointerSize */
			memset(out->at + from + i * type->size + type->fields[f].offset, 0,
			       sizeof(void *));
}

static void put_rows(Buf *out, const PackType *type, const char *rows, uint64_t count, int depth)
{
	size_t from = out->len;

	if (depth > DEEPEST)
		abort(); /* a value that holds itself */
	if (!count)
		return;
	buf_put(out, (Str){ rows, count * type->size });
	blank(out, from, type, count);
	for (uint64_t i = 0; type->count && i < count; i++)
		for (uint32_t f = 0; f < type->count; f++) {
			const PackField *field = &type->fields[f];
			const char *row = rows + i * type->size, *inner;

			if (!field->count_size) {
				buf_put(out, text_of(field, row));
				continue;
			}
			memcpy(&inner, row + field->offset, sizeof(inner));
			if (field->of)
				put_rows(out, field->of, inner, count_of(field, row), depth + 1);
			else
				put_texts(out, inner, count_of(field, row));
		}
}

void pack_write(Buf *out, const PackType *type, const void *value)
{
	put_rows(out, type, value, 1, 0);
}

/* --- reading --------------------------------------------------------------------------------------------------------------------------------------- */

static bool take(Str *in, uint64_t bytes, Str *out)
{
	if (bytes > in->len)
		return false;
	*out = str_sub(*in, 0, bytes);
	*in = str_sub(*in, bytes, in->len);
	return true;
}

static bool read_texts(Arena *a, Str *in, uint64_t count, void **out)
{
	Str lengths, *texts;

	if (count > in->len / sizeof(uint64_t) || !take(in, count * sizeof(uint64_t), &lengths))
		return false;
	texts = ARENA_ARRAY(a, Str, count + 1);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t len;

		memcpy(&len, lengths.at + i * sizeof(len), sizeof(len));
		if (!take(in, len, &texts[i]))
			return false;
	}
	*out = texts;
	return true;
}

static bool read_rows(Arena *a, const PackType *type, Str *in, uint64_t count, int depth,
                      void **out);

static bool read_field(Arena *a, const PackField *field, Str *in, char *row, int depth)
{
	void *inner = NULL;
	uint64_t count;
	Str text;

	if (!field->count_size) {
		if (!take(in, text_of(field, row).len, &text))
			return false;
		memcpy(row + field->offset, &text, sizeof(text));
		return true;
	}
	count = count_of(field, row);
	if (!(field->of ? read_rows(a, field->of, in, count, depth + 1, &inner)
	                : read_texts(a, in, count, &inner)))
		return false;
	memcpy(row + field->offset, &inner, sizeof(inner));
	return true;
}

static bool read_rows(Arena *a, const PackType *type, Str *in, uint64_t count, int depth,
                      void **out)
{
	char *rows;
	Str bytes;

	*out = NULL;
	if (!count)
		return true;
	if (depth > DEEPEST || count > in->len / type->size ||
	    !take(in, count * type->size, &bytes))
		return false;
	rows = arena_alloc_raw(a, bytes.len);
	memcpy(rows, bytes.at, bytes.len);
	for (uint64_t i = 0; type->count && i < count; i++)
		for (uint32_t f = 0; f < type->count; f++)
			if (!read_field(a, &type->fields[f], in, rows + i * type->size, depth))
				return false;
	*out = rows;
	return true;
}

bool pack_read(Arena *a, const PackType *type, Str *in, void **value)
{
	return read_rows(a, type, in, 1, 0, value);
}
