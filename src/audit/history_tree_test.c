/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of trees as they are, and as a damaged object may have them. Whole trees are compared in history_test.c. */
#include "audit/history_tree.c"

#include "unit.h"

#define ID "01234567890123456789"

TEST(tree_lines_are_read_and_damaged_ones_are_missing)
{
	static const Str line = S("100644 a.py\0" ID);
	Compare c = { .a = a };
	Entry e = first_entry(&c, line);

	CHECK(!c.missing && !e.folder);
	CHECK_INT(e.bytes, line.len);
	CHECK_STR(e.name, S("a.py"));
	CHECK_STR(((Str){ (const char *)e.id.id, GIT_OID_RAWSZ }), S(ID));
	CHECK(first_entry(&c, S("40000 a\0" ID)).folder);
	CHECK_INT(first_entry(&c, S("")).bytes, 0);
	CHECK(!c.missing);
	for (size_t len = 1; len < line.len; len++) {
		c.missing = false;
		CHECK_INT(first_entry(&c, str_sub(line, 0, len)).bytes, 0);
		CHECK(c.missing);
	}
	c.missing = false;
	CHECK_INT(first_entry(&c, S("nothing\0 " ID)).bytes, 0); /* the blank after the NUL */
	CHECK(c.missing);
}

TEST(tree_lines_are_in_gits_order)
{
	static const struct {
		Entry x, y;
		int order;
	} cases[] = {
		{ { .name = S("a") }, { .name = S("b") }, -1 },
		{ { .name = S("a") }, { .name = S("a") }, 0 },
		{ { .name = S("a"), .folder = true }, { .name = S("a.py") }, 1 }, /* a/ and a.py */
		{ { .name = S("a") }, { .name = S("a.py") }, -1 },
		{ { .name = S("a") }, { .name = S("a"), .folder = true }, -1 },
		{ { .name = S("a-b") }, { .name = S("a"), .folder = true }, -1 },
		{ { .name = S("a\xff") }, { .name = S("a"), .folder = true }, 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int order = entry_cmp(&cases[i].x, &cases[i].y);

		CHECK_INT(100 * (int)i + (order > 0) - (order < 0), 100 * (int)i + cases[i].order);
	}
}
