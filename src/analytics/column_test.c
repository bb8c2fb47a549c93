/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/column.c"

#include "unit.h"

TEST(numbers_come_back_squeezed_or_not)
{
	uint32_t numbers[1000];

	for (size_t i = 0; i < COUNT(numbers); i++)
		numbers[i] = (uint32_t)(i * i);
	for (int squeeze = 0; squeeze < 2; squeeze++) {
		AUTO(buf_fini) Buf b = { 0 };
		const void *back;

		column_put_fixed(&b, numbers, 4, COUNT(numbers), squeeze);
		CHECK_OK(column_read_fixed(a, buf_str(&b), 4, COUNT(numbers), &back));
		CHECK(memcmp(back, numbers, sizeof(numbers)) == 0);
		CHECK_ERR(column_read_fixed(a, buf_str(&b), 4, COUNT(numbers) - 1, &back),
		          "analytics.damaged");
		CHECK_ERR(column_read_fixed(a, buf_str(&b), 8, COUNT(numbers), &back),
		          "analytics.damaged");
	}
}

/* As many words as make codes of one, two and four bytes. */
TEST(words_come_back_with_codes_of_every_width)
{
	static const size_t counts[] = { 1, 2, 256, 257, 65536, 65537 };

	for (size_t n = 0; n < COUNT(counts); n++)
		for (int squeeze = 0; squeeze < 2; squeeze++) {
			size_t count = counts[n], events = count + 3;
			Cell *cells = ARENA_ARRAY(a, Cell, count);
			uint32_t *codes = ARENA_ARRAY(a, uint32_t, events);
			AUTO(buf_fini) Buf b = { 0 };
			Words w;

			for (size_t i = 1; i < count; i++)
				cells[i] =
					(Cell){ (CellKind)(1 + i % 5), str_fmt(a, "word %zu", i) };
			for (size_t i = 0; i < events; i++)
				codes[i] = (uint32_t)(i * 7 % count);
			column_put_words(&b, cells, count, codes, events, squeeze);
			CHECK_OK(column_read_words(a, buf_str(&b), events, &w));
			NOTE("%zu words", count);
			CHECK_INT(w.count, count);
			for (size_t i = 0; i < events; i++) {
				CHECK_INT(words_code(&w, i), codes[i]);
				CHECK(cell_eq(w.cells[codes[i]], cells[codes[i]]));
			}
		}
}

/* Every byte of it changed, and it cut at every length: an error or a column, never a wild read (the sanitizer looks). */
TEST(what_is_damaged_is_refused)
{
	Cell cells[] = { { 0 }, { CELL_STR, S("one") }, { CELL_INT, S("2") } };
	uint32_t codes[] = { 0, 1, 2, 1 };

	for (int squeeze = 0; squeeze < 2; squeeze++) {
		AUTO(buf_fini) Buf b = { 0 };
		Words w;

		column_put_words(&b, cells, COUNT(cells), codes, COUNT(codes), squeeze);
		for (size_t i = 0; i < b.len; i++) {
			char *copy = memcpy(arena_alloc_raw(a, b.len), b.at, b.len);

			CHECK(column_read_words(a, (Str){ copy, i }, COUNT(codes), &w) != NULL);
			copy[i] = (char)(copy[i] ^ 0xff);
			if (column_read_words(a, (Str){ copy, b.len }, COUNT(codes), &w))
				continue;
			for (size_t k = 0; k < COUNT(codes); k++)
				CHECK(words_code(&w, k) < w.count);
		}
	}
}

TEST(parts_are_packed_and_unpacked)
{
	ColumnPart parts[] = { { S("time"), S("12345678") },
		               { S("p:"), S("") },
		               { S("x"), S("y") } };
	AUTO(buf_fini) Buf b = { 0 };
	ColumnPart *back;
	size_t count;

	columns_pack(&b, parts, COUNT(parts));
	CHECK_OK(columns_unpack(a, buf_str(&b), &back, &count));
	CHECK_INT(count, COUNT(parts));
	for (size_t i = 0; i < count; i++) {
		CHECK_STR(back[i].name, parts[i].name);
		CHECK_STR(back[i].bytes, parts[i].bytes);
	}
	for (size_t i = 0; i < b.len; i++)
		CHECK_ERR(columns_unpack(a, str_sub(buf_str(&b), 0, i), &back, &count),
		          "analytics.damaged");
	buf_putc(&b, 0);
	CHECK_ERR(columns_unpack(a, buf_str(&b), &back, &count), "analytics.damaged");
}
