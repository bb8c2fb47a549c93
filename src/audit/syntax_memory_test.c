/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/syntax_memory.c"

#include "unit.h"

TEST(memory_of_a_size_has_it_all)
{
	static const size_t sizes[] = { 0,    1,    15,   16,   17,    1023,
		                        1024, 1025, 2048, 2049, 65536, 1 << 22 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		NOTE("%zu", sizes[i]);
		CHECK(bytes_of(index_of(sizes[i])) >= sizes[i]);
		CHECK(sizes[i] <= UNIT || bytes_of(index_of(sizes[i])) < 2 * sizes[i]);
		CHECK(!index_of(sizes[i]) || bytes_of(index_of(sizes[i]) - 1) < sizes[i]);
	}
}

TEST(memory_pieces_do_not_overlap)
{
	enum { PIECES = 3000 };
	SyntaxMemory *m = syntax_memory_new();
	unsigned char **pieces = ARENA_ARRAY(a, unsigned char *, PIECES);
	size_t *sizes = ARENA_ARRAY(a, size_t, PIECES);

	for (int round = 0; round < 2; round++) {
		syntax_memory_begin(m);
		for (size_t i = 0; i < PIECES; i++) {
			sizes[i] = 1 + i * 7919 % 3000;
			pieces[i] = give(sizes[i]);
			CHECK((uintptr_t)pieces[i] % UNIT == 0);
			memset(pieces[i], (int)(i & 255), sizes[i]);
			if (i % 3 == 2) {
				take_back(pieces[i - 1]);
				sizes[i - 1] = 0;
				pieces[i] = give_more(pieces[i], sizes[i] += 5000);
				CHECK(pieces[i][sizes[i] - 5001] == (i & 255));
				memset(pieces[i], (int)(i & 255), sizes[i]);
			}
		}
		for (size_t i = 0; i < PIECES; i++)
			for (size_t k = 0; k < sizes[i]; k++)
				CHECK(pieces[i][k] == (i & 255));
		syntax_memory_end();
	}
	syntax_memory_free(m);
}

TEST(memory_is_used_again_and_large_chunks_are_given_back)
{
	SyntaxMemory *m = syntax_memory_new();
	size_t held;
	void *one, *two;

	syntax_memory_begin(m);
	one = give(100);
	take_back(one);
	two = give(100);
	CHECK(one == two);
	CHECK_INT(((char *)give_zeros(10, 10))[99], 0);
	for (int i = 0; i < 1000; i++)
		give(1000);
	held = syntax_memory_bytes(m);
	syntax_memory_begin(m);
	for (int i = 0; i < 1000; i++)
		give(1000);
	CHECK_INT(syntax_memory_bytes(m), held);
	give(KEPT);
	CHECK(syntax_memory_bytes(m) > KEPT);
	syntax_memory_begin(m);
	CHECK_INT(syntax_memory_bytes(m), 0);
	syntax_memory_end();
	one = give(10); /* nobody's parse: the system's */
	take_back(give_more(one, 10000));
	take_back(NULL);
	syntax_memory_free(m);
}
